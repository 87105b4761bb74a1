"""Compares what we ask for with what a server has: each field of ours must be there, fields of others may be. Pure.

The value of a Secret is compared and never shown. Defaults and what controllers add are extras, not differences.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from bluegreen.importer.quantity import same_quantity
from bluegreen.model.errors import clean_text
from bluegreen.model.marks import PREFIX
from bluegreen.model.ports import Raw

WITHHELD = "(withheld)"
ABSENT = "(absent)"
_KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "imagePullSecrets": ("name",),
    "secrets": ("name",),
    "webhooks": ("name",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
}
_QUANTITIES = frozenset({"requests", "limits", "hard", "capacity", "default", "defaultRequest", "max", "min"})
_NOT_COMPARED = frozenset({"status", "apiVersion", "kind"})
_LONGEST = 120


class Change(msgspec.Struct, frozen=True):
    """One field that is not as asked for.

    Attributes:
        path: field, such as spec.template.spec.containers[name=web].image.
        expected: what we ask for, as short JSON.
        actual: what is there, as short JSON.
    """

    path: str
    expected: str
    actual: str


def differences(expected: Raw, actual: Raw) -> tuple[Change, ...]:
    """Return every field of `expected` that `actual` does not have so.

    Args:
        expected: the object as we would apply it; annotations of ours (bluegreen.io/…) and status are not compared.
        actual: the object as the server has it.
    """
    return withheld(expected, _map(_comparable(expected), actual, ""))


def all_differences(expected: Raw, actual: Raw) -> tuple[Change, ...]:
    """Return every field in which two objects differ, also those that only `actual` has.

    Args:
        expected: the object as it shall be; what `differences` does not compare is not compared here.
        actual: the object as it is.
    """
    one, other = _comparable(expected), _comparable(actual)
    changes = {change.path: change for change in _map(one, other, "")}
    for change in _map(other, one, ""):
        if change.actual == ABSENT:
            changes.setdefault(change.path, Change(change.path, ABSENT, change.expected))
    return withheld(expected, changes.values())


def withheld(obj: Raw, changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return changes to an object without the values of a Secret."""
    secret = obj.get("kind") == "Secret"
    return tuple(Change(c.path, WITHHELD, WITHHELD) if secret and _is_data(c.path) else c for c in changes)


def _is_data(path: str) -> bool:
    return not path.startswith(("metadata", "type", "immutable"))


def _comparable(obj: Raw) -> Raw:
    """Return the fields of an object that count."""
    shown = {key: value for key, value in obj.items() if key not in _NOT_COMPARED}
    if obj.get("kind") == "Secret" and "stringData" in shown:
        shown["data"] = {**(shown.get("data") or {}), **_encoded(shown.pop("stringData") or {})}
    meta = dict(obj.get("metadata") or {})
    annotations = {k: v for k, v in (meta.get("annotations") or {}).items() if not k.startswith(PREFIX)}
    return {**shown, "metadata": {**meta, "annotations": annotations}}


def _encoded(texts: dict[str, str]) -> dict[str, str]:
    return {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}


def _compare(expected: Any, actual: Any, path: str, key: str) -> Iterator[Change]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        yield from _map(expected, actual, path, quantities=key in _QUANTITIES)
    elif isinstance(expected, list) and isinstance(actual, list):
        yield from _list(expected, actual, path, key)
    elif not _same(expected, actual):
        yield Change(path, short(expected), short(actual))


def _same(expected: Any, actual: Any) -> bool:
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    return bool(expected == actual)


def _map(expected: Raw, actual: Raw, path: str, *, quantities: bool = False) -> Iterator[Change]:
    for key, value in expected.items():
        if type(value) is str and value == actual.get(key):
            continue  # most fields are texts and as they shall be: no path is put together for them
        here = join(path, key)
        if key in actual:
            if not (quantities and same_quantity(value, actual[key])):
                yield from _compare(value, actual[key], here, key)
        elif not _is_empty(value):
            yield Change(here, short(value), ABSENT)


def _is_empty(value: Any) -> bool:
    """Return whether a server would leave the value out when it writes the object."""
    if isinstance(value, dict):
        return all(_is_empty(inner) for inner in value.values())
    return value is None or (isinstance(value, list | str) and not value)


def _list(expected: list[Any], actual: list[Any], path: str, key: str) -> Iterator[Change]:
    keys = _list_keys(key, expected) or ()
    if keys and all(isinstance(item, dict) for item in actual):
        yield from _keyed(expected, actual, path, keys)
    elif len(expected) != len(actual):
        yield Change(path, short(expected), short(actual))
    else:
        for at, (one, other) in enumerate(zip(expected, actual, strict=True)):
            yield from _compare(one, other, f"{path}[{at}]", "")


def _list_keys(key: str, items: list[Any]) -> tuple[str, ...] | None:
    """Return the fields that tell the items of a list apart, None for a list whose order counts."""
    if not all(isinstance(item, dict) for item in items):
        return None
    keys = _KEYS.get(key)
    if key == "ports":
        keys = ("containerPort", "protocol") if any("containerPort" in i for i in items) else ("port", "protocol")
    if keys is None:
        return None
    named = {_identity(item, keys) for item in items}
    return keys if len(named) == len(items) else None


def _identity(item: Raw, keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(item.get(key, "TCP" if key == "protocol" else "")) for key in keys)


def _keyed(expected: list[Any], actual: list[Any], path: str, keys: tuple[str, ...]) -> Iterator[Change]:
    there = {_identity(item, keys): item for item in actual}
    for item in expected:
        identity = _identity(item, keys)
        here = f"{path}[{keys[0]}={identity[0]}]"
        if identity in there:
            yield from _compare(item, there[identity], here, "")
        else:
            yield Change(here, short(item), ABSENT)


def join(path: str, key: str) -> str:
    """Return the text of a path one key further down."""
    if any(sign in key for sign in "./[ "):
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def short(value: Any) -> str:
    """Return a value as JSON text of one line, cut for people."""
    return clean_text(json.dumps(value, ensure_ascii=False, sort_keys=True), _LONGEST)
