"""Rules that span several keys, asked of the raw data so that they are told together with all other errors.

Every rule is tolerant: what has the wrong type is the model's matter, and a rule that cannot be asked is silent.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from bluegreen.config.models import Migration
from bluegreen.config.problems import Path, Problem, dotted
from bluegreen.config.suggestions import did_you_mean
from bluegreen.model.durations import parse_duration

EXAMPLE_ROUTE = """\
routes:
  - name: shop
    router: haproxy
    with: {socket: /run/haproxy/admin.sock, backend: shop, blue: blue, green: green}
"""
EXAMPLE_PROBE = """\
probes:
  - name: users
    probe: haproxy
    with: {socket: /run/haproxy/admin.sock, backend: shop, blue: blue, green: green}
"""
EXAMPLE_OBJECTIVE = """\
objectives:
  - name: users-availability
    probe: users
    good: 99%
"""
_NAMED = ("routes", "probes", "objectives", "verify", "notify")
_WRITE = "let `bluegreen init` propose one from both clusters, or write into bluegreen.yaml, for example:\n"
_TODO = re.compile(r"TODO\b")
_NEEDED = {
    "routes": f"no route: nothing would shift traffic; {_WRITE}{EXAMPLE_ROUTE}",
    "probes": f"no probe: nothing would watch the users; {_WRITE}{EXAMPLE_PROBE}",
    "objectives": f"no objective: nothing would judge a step; {_WRITE}{EXAMPLE_OBJECTIVE}",
}
_SECRET_KEY = re.compile(
    r"(password|passphrase|token|secret|api_?key|secret_?key|private_?key|credentials?)$", re.IGNORECASE
)
_USERINFO = re.compile(r"^[a-z][a-z0-9+.-]*://[^/@\s:]*:[^/@\s]+@", re.IGNORECASE)

Rule = Callable[[dict[str, Any]], Iterator[Problem]]


def all_problems(data: dict[str, Any]) -> list[Problem]:
    """Return every broken rule."""
    return [problem for rule in RULES for problem in rule(data)]


def _needed(data: dict[str, Any]) -> Iterator[Problem]:
    for key, why in _NEEDED.items():
        if not data.get(key) and isinstance(data.get(key, []), list | None):
            yield Problem((key,), why.rstrip())


def _two_clusters(data: dict[str, Any]) -> Iterator[Problem]:
    common = data.get("kubeconfig")
    files = [data.get(key) or common for key in ("fromKubeconfig", "toKubeconfig")]
    if data.get("from") and data.get("from") == data.get("to") and files[0] == files[1]:
        yield Problem(("to",), "is the same context as `from`; a migration needs two clusters")


def _entries(data: dict[str, Any], key: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    entries = data.get(key)
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, dict):
            yield (key, index), entry


def _unique_names(data: dict[str, Any]) -> Iterator[Problem]:
    for key in _NAMED:
        seen: dict[str, Path] = {}
        for path, entry in _entries(data, key):
            name = entry.get("name")
            if not isinstance(name, str):
                continue
            if name in seen:
                yield Problem((*path, "name"), f"{name!r} is taken by {dotted(seen[name])}; names are unique")
            seen.setdefault(name, path)


def _unique_namespaces(data: dict[str, Any]) -> Iterator[Problem]:
    namespaces = data.get("namespaces")
    seen: set[str] = set()
    for index, namespace in enumerate(namespaces if isinstance(namespaces, list) else []):
        if isinstance(namespace, str) and namespace in seen:
            yield Problem(("namespaces", index), f"{namespace!r} is named twice")
        if isinstance(namespace, str):
            seen.add(namespace)


def _probes_exist(data: dict[str, Any]) -> Iterator[Problem]:
    names = [entry["name"] for _, entry in _entries(data, "probes") if isinstance(entry.get("name"), str)]
    for path, entry in _entries(data, "objectives"):
        wanted = entry.get("probe")
        if isinstance(wanted, str) and wanted not in names:
            known = f"; there are {', '.join(names)}" if names else ""
            yield Problem((*path, "probe"), f"no probe is named {wanted!r}{did_you_mean(wanted, names) or known}")


def _weight(step: Any) -> int | None:
    weight = step.get("weight") if isinstance(step, dict) else step
    return weight if isinstance(weight, int) and not isinstance(weight, bool) else None


def _routes_follow(data: dict[str, Any]) -> Iterator[Problem]:
    """Yield a route that waits for one that is not there, or for itself over others."""
    after = {entry.get("name"): entry.get("after") for _, entry in _entries(data, "routes")}
    for path, entry in _entries(data, "routes"):
        wanted = entry.get("after")
        if not isinstance(wanted, str):
            continue
        if wanted not in after:
            names = [name for name in after if isinstance(name, str)]
            yield Problem((*path, "after"), f"no route is named {wanted!r}{did_you_mean(wanted, names)}")
        elif entry.get("name") in _chain(after, wanted):
            yield Problem((*path, "after"), f"waits for itself by way of {wanted!r}; routes cannot wait in a circle")


def _chain(after: dict[Any, Any], name: Any) -> list[Any]:
    """Return a route and all those it waits for."""
    seen: list[Any] = []
    while name is not None and name not in seen:
        seen.append(name)
        name = after.get(name)
    return seen


def _steps_ascend(data: dict[str, Any]) -> Iterator[Problem]:
    steps = data.get("steps")
    if not isinstance(steps, list):
        return
    if not steps:
        yield Problem(("steps",), "is empty; write green's shares in order, such as [10, 50, 100]")
        return
    highest = 0
    for index, weight in enumerate(map(_weight, steps)):
        if weight is None:
            continue
        if weight <= highest:
            yield Problem(("steps", index), f"{weight} comes after {highest}; steps must rise")
        highest = max(highest, weight)
    last = _weight(steps[-1])
    if last is not None and last < 100:  # noqa: PLR2004 - per cent
        yield Problem(
            ("steps", len(steps) - 1), f"the last step is {last}; it must be 100, or green never serves alone"
        )


def _burn_windows_fit(data: dict[str, Any]) -> Iterator[Problem]:
    """Yield burn rates that could never speak: windows out of order, or longer than anything is judged."""
    longest = _longest_stretch(data)
    for path, rule in _burn_rates(data):
        long, short = _seconds(rule.get("long")), _seconds(rule.get("short"))
        if long is not None and short is not None and short >= long:
            yield Problem((*path, "short"), "must be shorter than `long`; a twelfth of it is usual")
        if long is not None and longest is not None and long > longest:
            why = f"is longer than any step or the bake is judged ({longest:g} s), so it could never speak"
            yield Problem((*path, "long"), f"{why}; make `bake` longer or `long` shorter")


def _longest_stretch(data: dict[str, Any]) -> float | None:
    """Return the longest time that green is judged at one weight, in seconds; None where that cannot be read."""
    whole = [_seconds(data.get(key, Migration.model_fields[key].default)) for key in ("hold", "bake")]
    steps = [_seconds(step["hold"]) for _, step in _entries(data, "steps") if "hold" in step]
    known = [seconds for seconds in (*whole, *steps) if seconds is not None]
    return max(known) if len(known) == len(whole) + len(steps) else None


def _burn_rates(data: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path, objective in _entries(data, "objectives"):
        for (_, index), rule in _entries(objective, "burnRates"):
            yield (*path, "burnRates", index), rule


def _seconds(value: Any) -> float | None:
    """Return a duration's seconds, None where it is none: that is the model's matter."""
    try:
        return parse_duration(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _secrets_by_reference(data: dict[str, Any]) -> Iterator[Problem]:
    for key in ("routes", "probes", "notify"):
        for path, entry in _entries(data, key):
            yield from _plain_secrets(entry.get("with"), (*path, "with"))
    if isinstance(data.get("data"), dict):
        yield from _plain_secrets(data["data"].get("with"), ("data", "with"))


def _plain_secrets(value: Any, path: Path) -> Iterator[Problem]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _plain_secrets(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _plain_secrets(child, (*path, index))
    elif isinstance(value, str) and value and not value.startswith(("env:", "file:")):
        if isinstance(path[-1], str) and _SECRET_KEY.search(path[-1]):
            yield Problem(path, "is a secret in plain text; write a reference, env:NAME or file:PATH")
        elif _USERINFO.match(value):
            yield Problem(path, "is a URL with a password; write a reference, env:NAME or file:PATH")


def _filled_in(data: dict[str, Any]) -> Iterator[Problem]:
    """Yield what `bluegreen init` left open."""
    for path in _open_places(data, ()):
        yield Problem(path, "is still to be filled in; the comment above it says with what")


def _open_places(value: Any, path: Path) -> Iterator[Path]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _open_places(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _open_places(child, (*path, index))
    elif isinstance(value, str) and _TODO.match(value):
        yield path


RULES: tuple[Rule, ...] = (
    _needed,
    _filled_in,
    _two_clusters,
    _unique_names,
    _unique_namespaces,
    _probes_exist,
    _routes_follow,
    _steps_ascend,
    _burn_windows_fit,
    _secrets_by_reference,
)
