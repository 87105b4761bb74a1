"""A quick first look at an object that is as it shall be: most objects of a second import are. Pure.

It says yes only where `differences` and `dropped` would both find nothing, and says no where it is not sure; then
those look, and name each field. It must never be the only word on an object that is not equal.
"""

from typing import Any

from bluegreen.importer.owned import EXACT, applied_by_us, step_of
from bluegreen.model.marks import PREFIX
from bluegreen.model.ports import Raw

_MISSING = object()
_WHOLE = (dict, list)
_ANNOTATIONS, _ELSEWHERE = "metadata.annotations", "elsewhere"
_PLACES = {("", "metadata"): "metadata", ("metadata", "annotations"): _ANNOTATIONS}
"""Where our own marks stand, which no object asks for."""


def surely_equal(obj: Raw, live: Raw) -> bool:
    """Return whether green beyond doubt has every field that is asked for, and none that we once applied besides.

    Args:
        obj: the object as we would apply it.
        live: the object as the server has it, with metadata.managedFields.
    """
    if not _within(obj, live):
        return False
    entries = live["metadata"].get("managedFields") or ()
    version = str(obj["apiVersion"])
    return all(_asked(entry["fieldsV1"], obj, live) for entry in entries if applied_by_us(entry, version))


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
    """Return whether `mine` has every field that `fields` names; `live` is None inside the items of lists."""
    for key, below in fields.items():
        sort, step = step_of(key)
        if sort == "f":
            if not _field_asked(step, below, (mine, live), at):
                return False
        elif sort == "k":
            items = mine if type(mine) is list else ()
            found = next((one for one in items if type(one) is dict and _fits(one, step)), None)
            if found is None or not _asked(below, found, None, _ELSEWHERE):
                return False
        elif sort == "v" and not (type(mine) is list and step in mine):
            return False
    return True


def _fits(item: Raw, keys: tuple[tuple[str, Any], ...]) -> bool:
    return all(item.get(name, value) == value for name, value in keys)


def _field_asked(name: str, below: Raw, pair: tuple[Any, Any], at: str) -> bool:
    mine, live = pair
    here = _PLACES.get((at, name), _ELSEWHERE)
    whole = not below or (len(below) == 1 and "." in below)
    if type(mine) is not dict or name not in mine:
        is_mark = at == _ANNOTATIONS and name.startswith(PREFIX)
        return is_mark or (not whole and _asked(below, {}, None, here))
    value, other = mine[name], live.get(name) if type(live) is dict else None
    if not whole:
        return _asked(below, value, other, here)
    plain = not value or type(value) not in _WHOLE or (type(value) is list and not any(map(_is_whole, value)))
    return bool((plain and name not in EXACT) or value == other)


def _is_whole(value: Any) -> bool:
    return type(value) in _WHOLE
