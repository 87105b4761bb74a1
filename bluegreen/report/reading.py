"""Events as they come from disk: from another version, cut by a crash, or with values of the wrong type.

Whatever is not as expected reads as nothing; this module must never raise for what an event holds.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from bluegreen.model.errors import clean_text
from bluegreen.model.events import Event

TEXT_LIMIT = 400
_YEAR_9999 = 253_370_764_800


def events_of(lines: Iterable[str]) -> Iterator[Event]:
    """Yield the events of a file's lines; a line that is cut or is no event is left out."""
    for line in lines:
        try:
            raw = json.loads(line)
            name, at, data = raw["name"], raw["at"], raw.get("data", {})
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
        if isinstance(name, str) and isinstance(at, str) and isinstance(data, dict):
            yield Event(name=name, at=at, data=data)


def instant(event: Event) -> float:
    """Return when an event happened, in seconds since 1970; 0 when its time stamp cannot be read."""
    try:
        at = datetime.fromisoformat(event.at).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0
    return at if 0 <= at < _YEAR_9999 else 0.0


def stamp(at: float | None) -> str | None:
    """Return a moment as UTC time stamp, ISO 8601 with milliseconds."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def text(data: Mapping[str, Any], key: str) -> str:
    """Return a text on one line without what a terminal obeys or UTF-8 cannot hold, empty when there is none."""
    value = data.get(key)
    if value is None or isinstance(value, dict | list):
        return ""
    said = clean_text(str(value), TEXT_LIMIT)
    return said if said.isprintable() else "".join(sign if sign.isprintable() else " " for sign in said)


def number(data: Mapping[str, Any], key: str) -> float | None:
    """Return a finite number, or None."""
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < 1e300 else None  # noqa: PLR2004 - infinite, and NaN compares false


def whole(data: Mapping[str, Any], key: str) -> int:
    """Return a whole number, 0 when there is none."""
    value = number(data, key)
    return int(value) if value is not None else 0


def texts(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return a list of texts; a single one is a list of one."""
    value = data.get(key)
    items = value if isinstance(value, list | tuple) else [] if value in (None, "") else [value]
    return tuple(text({"": item}, "") for item in items)


def records(data: Mapping[str, Any], key: str) -> tuple[Mapping[str, Any], ...]:
    """Return a list of mappings; anything else in it is left out."""
    value = data.get(key)
    return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list | tuple) else ()


def counts(data: Mapping[str, Any], key: str) -> tuple[tuple[str, int], ...]:
    """Return a mapping of names to whole numbers as pairs, in its order."""
    value = data.get(key)
    if not isinstance(value, dict):
        return ()
    return tuple((text({"": name}, ""), whole(value, name)) for name in value)
