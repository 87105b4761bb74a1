"""Writes docs/reference/adapters.md from the adapters themselves: python -m bluegreen.cli.adapter_page [PATH].

It finds them by entry point, as a run does, and takes what their modules say: docstrings, the fields of what they
open, what they ask for when nothing is set, PERMISSIONS. No command loads this module. It must never reach a system:
an adapter is only opened without settings, which most refuse.
"""

import dataclasses
import importlib
import inspect
import json
import sys
import textwrap
import typing
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from bluegreen.exporter.yaml_out import dump_yaml
from bluegreen.model.errors import InvalidInputError
from bluegreen.model.permissions import Permissions

PAGE = Path("docs/reference/adapters.md")
OURS = "bluegreen"
_PORTS = {
    "routers": "Named by `router` under `routes`. A router reads the weights, writes absolute ones only over those\n"
    "that are expected, and says when they have taken effect.",
    "probes": "Named by `probe` under `probes`. A probe says what was seen of each side since it was last asked:\n"
    "counts of good and bad, no data, or that it is broken.",
    "movers": "Named by `mover` under `data`. A mover brings the data of claims to green while nothing of the\n"
    "application runs there.",
}
_MISSING = " is missing"
_COLUMNS = 120
_HEAD = """# Adapters

Written by `python -m bluegreen.cli.adapter_page` from the adapters themselves; do not edit.
Settings stand under `with`. A setting that is not known is refused, and all faults are told at once. In parentheses
stands what a setting takes, or its default. `bluegreen adapters list` shows what is installed here, third parties'
adapters included; `bluegreen adapters permissions NAME` prints the rights below, with `--policy` the document alone.
"""


def adapters_page() -> str:
    """Return the page."""
    parts = [_HEAD]
    for port, words in _PORTS.items():
        parts.append(f"## {port.capitalize()}\n\n{words}\n")
        parts += [_section(port, point) for point in points_of(port)]
    return "\n".join(parts)


def points_of(port: str) -> list[EntryPoint]:
    """Return our own adapters of a port, in the order of their names."""
    ours = [point for point in entry_points(group=f"bluegreen.{port}") if point.dist and point.dist.name == OURS]
    return sorted(ours, key=lambda point: point.name)


def _section(port: str, point: EntryPoint) -> str:
    """Return one adapter."""
    module, factory = importlib.import_module(point.module), point.load()
    said = inspect.cleandoc(module.__doc__ or "")
    facts = "\n".join(_bullet(f"{name}: {text}") for name, text in (*_settings(factory), *_facts(port, factory)))
    return "\n\n".join([f"### {point.name}", said, facts, *_rights(module.PERMISSIONS)]) + "\n"


def _settings(factory: Callable[..., Any]) -> Iterator[tuple[str, str]]:
    """Yield what can be set and what must be."""
    yield "settings", settings_of(factory)
    keys = [f"`{fault.removesuffix(_MISSING)}`" if fault.endswith(_MISSING) else fault for fault in asked_for(factory)]
    yield "required", "; ".join(keys) or "none"


def _bullet(text: str) -> str:
    """Return one point of a list, folded."""
    return textwrap.fill(
        text, _COLUMNS, initial_indent="- ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def settings_of(factory: Callable[..., Any]) -> str:
    """Return what the docstring of an adapter's factory says about its options."""
    text = inspect.getdoc(factory) or ""
    _, _, after = text.partition("    options: ")
    lines = after.splitlines()
    more = [line.strip() for line in _while_deeper(lines[1:])]
    return " ".join([lines[0], *more]).removesuffix(".") if lines else ""


def _while_deeper(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith(" " * 8):
            return
        yield line


def asked_for(factory: Callable[..., Any]) -> tuple[str, ...]:
    """Return what an adapter says when nothing is set: everything that it cannot do without."""
    given: dict[str, Any] = dict.fromkeys(inspect.signature(factory).parameters)
    try:
        factory(**{**given, "name": "page", "options": {}})
    except InvalidInputError as error:
        return error.reasons
    return ()


def _facts(port: str, factory: Callable[..., Any]) -> Iterator[tuple[str, str]]:
    """Yield what the thing that is opened says about itself."""
    opened = typing.get_type_hints(factory)["return"]
    if port == "routers":
        yield "resolution", f"{_default(opened, 'resolution')} positions from 0 to 100 %"
        yield "settles in", _settles(opened)
    if port == "probes":
        yield "requests", _requests(opened)
        timed = _default(opened, "gives_latency", otherwise=True)
        yield "`below` in an objective", "yes" if timed else "no, it gives no time per request"


def _requests(opened: type) -> str:
    """Return whose requests a probe counts."""
    if _default(opened, "synthetic"):
        return "its own, also of a side that has no users"
    if _default(opened, "users"):
        return "those of users; it knows nothing of a side that has none"
    return "none; it counts what is there, also on a side that has no users"


def _settles(opened: type) -> str:
    """Return the shortest settle time: seconds where it is fixed, else where it comes from."""
    attribute = inspect.getattr_static(opened, "settle_seconds", None)
    if isinstance(attribute, property):
        return (inspect.getdoc(attribute) or "").removeprefix("Return ").removesuffix(".")
    seconds = _default(opened, "settle_seconds")
    return f"{seconds:g} s" if isinstance(seconds, float) else "the setting `settle`"


def _default(opened: type, name: str, *, otherwise: object = None) -> object:
    """Return the default of a field, `otherwise` where there is none."""
    fields = {field.name: field.default for field in dataclasses.fields(opened)}
    value = fields.get(name, dataclasses.MISSING)
    return otherwise if value is dataclasses.MISSING else value


def _rights(permissions: Permissions) -> Iterator[str]:
    """Yield the rights in words, and as a document where there is one."""
    yield "It must be allowed, and needs:"
    yield "\n".join(_bullet(line) for line in permissions.lines)
    if permissions.policy:
        policy = dict(permissions.policy)
        kind = "yaml" if "apiVersion" in policy or "admin" in policy else "json"
        text = dump_yaml(policy).decode() if kind == "yaml" else json.dumps(policy, indent=2) + "\n"
        yield f"```{kind}\n{text}```"


def main(path: Path) -> None:
    """Write the page."""
    path.write_text(adapters_page(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE)
