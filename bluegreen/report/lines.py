"""One plain line per event, for logs, pipes and people without a terminal.

Events that come by the hundred are thinned: one line a few seconds, and always one when something changes.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from bluegreen.model.events import Event
from bluegreen.report.reading import instant, records, text
from bluegreen.report.words import amount, waiting, words

EVERY_SECONDS = 5.0
_LIMIT = 500


def json_line(event: Event) -> str:
    """Return an event as one line of JSON: its keys, then at and event."""
    return json.dumps({**event.data, "at": event.at, "event": event.name}, default=str)


class Lines:
    """Turns events into plain lines; holds back what says nothing new."""

    def __init__(self) -> None:
        self._shown: dict[str, tuple[float, object]] = {}
        self._applied = 0
        self._unsaid = 0

    def of(self, event: Event) -> tuple[str, ...]:
        """Return the lines of an event, often one, sometimes none."""
        if event.name == "object.applied":
            return self._object(event)
        lines = self._rest(event)
        key = _CHANGE.get(event.name)
        if key is not None and not self._due(event, key(event.data)):
            return lines
        return (*lines, _line(event, words(event)))

    def _due(self, event: Event, state: object) -> bool:
        at = instant(event)
        last = self._shown.get(event.name)
        if last is not None and last[1] == state and 0 <= at - last[0] < EVERY_SECONDS:
            return False
        self._shown[event.name] = (at, state)
        return True

    def _object(self, event: Event) -> tuple[str, ...]:
        self._applied += 1
        self._unsaid += 1
        if not self._due(event, None):
            return ()
        self._unsaid = 0
        return (_line(event, f"{amount(self._applied, 'object')}, last {words(event)}"),)

    def _rest(self, event: Event) -> tuple[str, ...]:
        """Return the line about objects that were held back."""
        if not self._unsaid:
            return ()
        self._unsaid = 0
        return (_line(Event("object.applied", event.at), amount(self._applied, "object")),)


def _line(event: Event, said: str) -> str:
    said = said if len(said) <= _LIMIT else said[: _LIMIT - 1] + "…"
    return f"{event.at[11:19]} {text({'': event.name}, ''):<16} {said}".rstrip()


def _verdicts(data: Mapping[str, Any]) -> object:
    return (data.get("weight"), text(data, "verdict"), [text(one, "verdict") for one in records(data, "judgements")])


_CHANGE: dict[str, Callable[[Mapping[str, Any]], object]] = {
    "gate.judged": _verdicts,
    "volume.progress": lambda data: (text(data, "stage"), text(data, "phase")),
    "ready.waiting": waiting,
}
