"""Lays flags over environment over file, and remembers for every value which of them won.

Only keys that a person may want to change for one run can be set outside the file; they stand in SETTABLE.
This module must never interpret a value: what cannot be read stays as it is, and the model says why.
"""

import copy
import enum
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

import msgspec

from bluegreen.config.origins import Origin, OriginKind
from bluegreen.config.problems import Path
from bluegreen.config.reader import Document
from bluegreen.model.errors import BugError


class Form(enum.Enum):
    """How a text outside the file becomes a value."""

    TEXT = enum.auto()
    LIST = enum.auto()
    NUMBERS = enum.auto()


SETTABLE: dict[str, Form] = {
    "from": Form.TEXT,
    "to": Form.TEXT,
    "kubeconfig": Form.TEXT,
    "fromKubeconfig": Form.TEXT,
    "toKubeconfig": Form.TEXT,
    "namespaces": Form.LIST,
    "selector": Form.TEXT,
    "steps": Form.NUMBERS,
    "bake": Form.TEXT,
    "hold": Form.TEXT,
    "budget": Form.TEXT,
    "data.policy": Form.TEXT,
    "data.mover": Form.TEXT,
    "timeouts.overall": Form.TEXT,
    "timeouts.import": Form.TEXT,
    "timeouts.volumes": Form.TEXT,
    "timeouts.ready": Form.TEXT,
    "timeouts.settle": Form.TEXT,
    "state": Form.TEXT,
}
_PATHS = ("kubeconfig", "fromKubeconfig", "toKubeconfig")


class Layered(msgspec.Struct):
    """What came out on top.

    Attributes:
        data: the merged mapping, not yet checked.
        origins: origin of every scalar and empty list or mapping.
    """

    data: dict[str, Any]
    origins: dict[Path, Origin] = msgspec.field(default_factory=dict)


def variable_of(key: str) -> str:
    """Return the environment variable of a key, such as BLUEGREEN_FROM_KUBECONFIG of fromKubeconfig."""
    words = "".join(f"_{letter}" if letter.isupper() else letter for letter in key)
    return f"BLUEGREEN_{words.replace('.', '_').upper()}"


def flag_of(key: str) -> str:
    """Return the flag of a key, such as --from-kubeconfig of fromKubeconfig."""
    return "--" + variable_of(key).removeprefix("BLUEGREEN_").lower().replace("_", "-")


def lay(document: Document, name: str, flags: Mapping[str, object], env: Mapping[str, str]) -> Layered:
    """Return the merged data with origins.

    Args:
        document: what the file says.
        name: the file as people call it.
        flags: values by dotted key; None and an empty tuple mean not given.
        env: environment variables.
    """
    unknown = sorted(set(flags) - set(SETTABLE))
    if unknown:
        raise BugError("config.unknown-flag", f"flags {', '.join(unknown)} have no key in the configuration")
    layered = Layered(data=copy.deepcopy(document.data))
    for path, _ in _leaves(document.data, ()):
        layered.origins[path] = Origin(OriginKind.FILE, name, document.values[path].line)
    for key, form in SETTABLE.items():
        given = flags.get(key)
        if given is not None and given != ():
            _put(layered, key, _shape(given, form), Origin(OriginKind.FLAG, flag_of(key)))
        elif env.get(variable_of(key)):
            _put(layered, key, _shape(env[variable_of(key)], form), Origin(OriginKind.ENV, variable_of(key)))
    return layered


def settle_paths(layered: Layered, file: FilePath | None, cwd: FilePath, home: str) -> None:
    """Make kubeconfig paths absolute: those of the file start at its directory, others at cwd."""
    for key in _PATHS:
        value = layered.data.get(key)
        if not isinstance(value, str) or not value.strip():
            continue
        origin = layered.origins.get((key,))
        in_file = file is not None and origin is not None and origin.kind is OriginKind.FILE
        base = file.parent if in_file and file else cwd
        expanded = home + value[1:] if home and (value == "~" or value.startswith("~/")) else value
        layered.data[key] = str(base / expanded)


def _shape(given: object, form: Form) -> Any:
    if form is Form.TEXT:
        return given if isinstance(given, str) else str(given)
    items = given.split(",") if isinstance(given, str) else list(given) if isinstance(given, list | tuple) else [given]
    stripped = [item.strip() if isinstance(item, str) else item for item in items]
    if form is Form.LIST:
        return stripped
    return [_number(item) for item in stripped]


def _number(item: object) -> object:
    text = item.removesuffix("%") if isinstance(item, str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else item  # noqa: PLR2004 - no weight is longer


def _put(layered: Layered, key: str, value: Any, origin: Origin) -> None:
    *parents, last = key.split(".")
    place = layered.data
    for parent in parents:
        below = place.get(parent)
        if below is not None and not isinstance(below, dict):
            return  # the file holds something else there; the model says so
        if below is None:
            below = place[parent] = {}
        place = below
    place[last] = value
    path: Path = tuple(key.split("."))
    for old in [old for old in layered.origins if old[: len(path)] == path]:
        del layered.origins[old]
    for leaf, _ in _leaves(value, path):
        layered.origins[leaf] = origin


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from _leaves(child, (*path, key))
    elif isinstance(value, list) and value:
        for index, child in enumerate(value):
            yield from _leaves(child, (*path, index))
    elif path:
        yield path, value
