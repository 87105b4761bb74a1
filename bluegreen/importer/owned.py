"""Finds fields that we applied once and would not apply now: blue dropped them, and green still has them. Pure.

The server remembers in managedFields which fields our field manager applied; the next apply without them removes them.
Fields of other managers, and what controllers write, are never looked at.
"""

import functools
import json
from collections.abc import Iterator
from typing import Any

from bluegreen.importer.diff import ABSENT, Change, join, short, withheld
from bluegreen.kube.writes import MANAGER
from bluegreen.model.marks import PREFIX
from bluegreen.model.ports import Raw

ItemKeys = tuple[tuple[str, Any], ...]
EXACT = frozenset({"nodeSelector", "selector", "podSelector", "namespaceSelector", "labelSelector", "objectSelector"})
"""Values that the server owns as a whole and never fills in: a key too many in one of them is one that blue dropped."""


def dropped(obj: Raw, live: Raw) -> tuple[Change, ...]:
    """Return the fields of a live object that our last apply had and the next one has not.

    Args:
        obj: the object as we would apply it.
        live: the object as the server has it, with metadata.managedFields.
    """
    entries = live["metadata"].get("managedFields") or ()
    ours = (entry["fieldsV1"] for entry in entries if applied_by_us(entry, str(obj["apiVersion"])))
    return withheld(obj, (change for fields in ours for change in _below(fields, obj, live, "")))


def applied_by_us(entry: Raw, api_version: str) -> bool:
    """Return whether an entry is of our applies; one of another API version names other fields."""
    ours = entry.get("manager") == MANAGER and entry.get("operation") == "Apply" and not entry.get("subresource")
    return ours and entry.get("apiVersion") == api_version and isinstance(entry.get("fieldsV1"), dict)


@functools.lru_cache(maxsize=4096)
def step_of(key: str) -> tuple[str, Any]:
    """Return the sort of a key of fieldsV1, and the field's name, the item's keys or the value."""
    sort, _, text = key.partition(":")
    match sort:
        case "f":
            return sort, text
        case "k":
            return sort, tuple(json.loads(text).items())
        case "v":
            return sort, json.loads(text)
        case _:
            return "", None


def _below(fields: Raw, mine: Any, live: Any, path: str) -> Iterator[Change]:
    """Yield what `fields` names below a place, `live` has there and `mine` has not."""
    items: tuple[_Items, _Items] | None = None
    for key, below in fields.items():
        sort, step = step_of(key)
        match sort:
            case "f":
                yield from _field(step, below, (mine, live), path)
            case "k":
                items = items or (_Items(mine), _Items(live))
                yield from _item(step, below, (items[0].loose(step), items[1].exact(step)), path)
            case "v":
                yield from _value(step, (mine, live), path)
            case _:
                continue


class _Items:
    """Finds the items of a list by their keys."""

    def __init__(self, items: Any) -> None:
        self._items = items if isinstance(items, list) else []
        self._found: dict[ItemKeys, Any] = {}
        self._names: tuple[str, ...] | None = None

    def exact(self, keys: ItemKeys) -> Any:
        """Return the item that has exactly those keys, None when there is none."""
        names = tuple(name for name, _ in keys)
        if names != self._names:
            self._names = names
            whole = (item for item in self._items if isinstance(item, dict) and _has_all(item, names))
            self._found = {tuple((name, item[name]) for name in names): item for item in whole}
        return self._found.get(keys)

    def loose(self, keys: ItemKeys) -> Any:
        """Return the item that has those keys, or leaves out some of them that are defaults then."""
        found = self.exact(keys)
        if found is not None:
            return found
        dicts = (item for item in self._items if isinstance(item, dict))
        return next((item for item in dicts if all(item.get(name, value) == value for name, value in keys)), None)


def _field(name: str, below: Raw, pair: tuple[Any, Any], path: str) -> Iterator[Change]:
    mine, live = pair
    if not isinstance(live, dict) or name not in live or _is_mark(path, name) or _only_marks(path, name, live[name]):
        return
    here, asked = join(path, name), mine if isinstance(mine, dict) else {}
    if below and (len(below) > 1 or "." not in below):
        yield from _below(below, asked.get(name), live[name], here)
    elif name in asked:
        yield from _inside(asked[name], live[name], here, exact=name in EXACT)
    else:
        yield Change(here, ABSENT, short(live[name]))


def _inside(mine: Any, live: Any, path: str, *, exact: bool) -> Iterator[Change]:
    """Yield what a value that is owned as a whole has too many, in selectors only: elsewhere it may be a default."""
    if isinstance(mine, dict) and isinstance(live, dict):
        for key, value in live.items():
            if key in mine:
                yield from _inside(mine[key], value, join(path, key), exact=exact or key in EXACT)
            elif exact:
                yield Change(join(path, key), ABSENT, short(value))
    elif isinstance(mine, list) and isinstance(live, list) and len(mine) == len(live):
        for at, (one, other) in enumerate(zip(mine, live, strict=True)):
            yield from _inside(one, other, f"{path}[{at}]", exact=exact)


def _is_mark(path: str, name: str) -> bool:
    return path == "metadata.annotations" and name.startswith(PREFIX)


def _only_marks(path: str, name: str, value: Any) -> bool:
    is_notes = path == "metadata" and name == "annotations" and isinstance(value, dict)
    return is_notes and all(_is_mark("metadata.annotations", key) for key in value)


def _has_all(item: Raw, names: tuple[str, ...]) -> bool:
    return all(isinstance(item.get(name), str | int | float) for name in names)


def _item(keys: ItemKeys, below: Raw, pair: tuple[Any, Any], path: str) -> Iterator[Change]:
    """Compare one item of a list whose items are told apart by keys."""
    mine, live = pair
    if live is None:
        return
    name, value = keys[0]
    here = f"{path}[{name}={value}]"
    if mine is None:
        yield Change(here, ABSENT, short(live))
    else:
        yield from _below(below, mine, live, here)


def _value(value: Any, pair: tuple[Any, Any], path: str) -> Iterator[Change]:
    mine, live = (part if isinstance(part, list) else [] for part in pair)
    if value in live and value not in mine:
        yield Change(f"{path}[{value}]", ABSENT, short(value))
