"""A quick first look at an object that is as it shall be: most objects of a second import are. Pure.

It says yes only where `differences` and `dropped` would both find nothing, and says no where it is not sure; then
those look, and name each field. It must never be the only word on an object that is not equal.
"""

from collections.abc import Set as AbstractSet
from typing import Any

import msgspec

from bluegreen.importer.owned import EXACT, applied_by_us, step_of
from bluegreen.model.marks import MIGRATION, PREFIX
from bluegreen.model.ports import Raw

_encode = msgspec.json.Encoder(order="sorted").encode
_MISSING = object()
_NOTHING: Raw = {}
_WHOLE = (dict, list)
_SERVERS = frozenset({"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink"})
_ANNOTATIONS, _ELSEWHERE = "metadata.annotations", "elsewhere"
_PLACES = {("", "metadata"): "metadata", ("metadata", "annotations"): _ANNOTATIONS}
"""Where our own marks stand, which no object asks for."""


def surely_equal(obj: Raw, live: Raw) -> bool:
    """Return whether green beyond doubt has every field that is asked for, and none that we once applied besides.

    Args:
        obj: the object as we would apply it.
        live: the object as the server has it, with metadata.managedFields.
    """
    theirs = {key: live.get(key, _MISSING) for key in obj}
    theirs["metadata"] = _without_servers(live["metadata"], obj["metadata"])
    # What is the same as a whole, such as a spec, has neither a field that differs nor one too many.
    same: AbstractSet[str] = obj.keys()
    if not _is_same(obj, theirs):
        same = {key for key, value in obj.items() if _is_same(value, theirs[key])}
        if not _within({key: value for key, value in obj.items() if key not in same}, live):
            return False
    version = str(obj["apiVersion"])
    for entry in live["metadata"].get("managedFields") or ():
        if applied_by_us(entry, version):
            left = {key: below for key, below in entry["fieldsV1"].items() if key[2:] not in same}
            if left and not _asked(left, obj, live):
                return False
    return True


def _without_servers(live: Raw, mine: Raw) -> Raw:
    """Return a server's metadata without what the server adds, and without our mark where it is not asked for."""
    theirs = {key: value for key, value in live.items() if key not in _SERVERS}
    notes = theirs.get("annotations")
    if notes and MIGRATION in notes and MIGRATION not in (mine.get("annotations") or {}):
        theirs["annotations"] = {key: value for key, value in notes.items() if key != MIGRATION}
        if not theirs["annotations"]:
            del theirs["annotations"]
    return theirs


def _is_same(mine: Any, live: Any) -> bool:
    """Return whether two values are one, numbers and truths told apart, which == does not."""
    return bool(mine == live) and (type(mine) is str or _encode(mine) == _encode(live))


def _within(mine: Any, live: Any) -> bool:
    """Return whether every value of ours is there with the same type, list items in the same order."""
    kind = type(mine)
    if kind is not type(live):
        return False
    if kind is dict:
        for key, value in mine.items():
            other = live.get(key, _MISSING)
            if type(value) in _WHOLE or type(value) is not type(other):
                if not _within(value, other):
                    return False
            elif value != other:
                return False
        # Not asked for, it is TCP: another one makes it another port.
        return bool("protocol" in mine or live.get("protocol", "TCP") == "TCP")
    if kind is list:
        return len(mine) == len(live) and all(map(_within, mine, live))
    return bool(mine == live)


def _asked(fields: Raw, mine: Any, live: Any, at: str = "") -> bool:
    """Return whether `mine` has every field that `fields` names; `live` is None inside the items of lists.

    One look per field and no call where it is a plain value, as most are: it is asked a hundred thousand times.
    """
    has = mine if type(mine) is dict else _NOTHING
    for key, below in fields.items():
        if key[:2] != "f:":
            if key != "." and not _item_asked(key, below, mine):
                return False
            continue
        name = key[2:]
        whole = not below or (len(below) == 1 and "." in below)
        if name not in has:
            if not _may_be_missing(name, {} if whole else below, at):
                return False
        elif not whole:
            other = live.get(name) if type(live) is dict else None
            if not _asked(below, has[name], other, _PLACES.get((at, name), _ELSEWHERE)):
                return False
        elif type(has[name]) in _WHOLE or name in EXACT:
            other = live.get(name) if type(live) is dict else None
            if not (_is_plain(has[name]) and name not in EXACT) and has[name] != other:
                return False
    return True


def _item_asked(key: str, below: Raw, mine: Any) -> bool:
    """Return whether a list has the item or the value that a key of fieldsV1 names."""
    sort, step = step_of(key)
    items = mine if type(mine) is list else ()
    if sort == "k":
        found = next((one for one in items if type(one) is dict and _fits(one, step)), None)
        return found is not None and _asked(below, found, None, _ELSEWHERE)
    return sort != "v" or step in items


def _fits(item: Raw, keys: tuple[tuple[str, Any], ...]) -> bool:
    for name, value in keys:  # noqa: SIM110 - a generator costs more than the one or two keys
        if item.get(name, value) != value:
            return False
    return True


def _may_be_missing(name: str, below: Raw, at: str) -> bool:
    """Return whether a field may be missing: our own marks may, and what has nothing in it."""
    is_mark = at == _ANNOTATIONS and name.startswith(PREFIX)
    return is_mark or (bool(below) and _asked(below, {}, None, _PLACES.get((at, name), _ELSEWHERE)))


def _is_plain(value: Any) -> bool:
    """Return whether a value has no maps or lists in it."""
    return not value or type(value) not in _WHOLE or (type(value) is list and not any(map(_is_whole, value)))


def _is_whole(value: Any) -> bool:
    return type(value) in _WHOLE
