"""The events of a run on disk, and their listeners.

Every reader (screen, log, report) reads these events; nothing else tells them anything. An event is on disk
before a listener sees it, and a failing listener never fails the run.
"""

import contextlib
import json
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bluegreen.model.events import Event

Listener = Callable[[Event], None]

# These are many and tell nothing that a resume needs, so they do not wait for the disk.
_CHATTY = frozenset({"gate.judged", "object.applied", "volume.progress", "ready.waiting"})


def utc_now() -> str:
    """Return the time of day in UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Journal:
    """Appends events to a file; callable as model.events.Emit."""

    def __init__(self, path: Path, now: Callable[[], str] = utc_now) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []
        self._heal(path)
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a")

    @staticmethod
    def _heal(path: Path) -> None:
        """Cut a last line that a crash left half-written, so that the next event starts on its own line."""
        if not path.exists():
            return
        data = path.read_bytes()
        if data and not data.endswith(b"\n"):
            os.truncate(path, data.rfind(b"\n") + 1)

    def listen(self, listener: Listener) -> None:
        """Call listener with every event from now on."""
        self._listeners.append(listener)

    def __call__(self, name: str, /, **data: Any) -> None:
        """Record an event, then tell the listeners."""
        event = Event(name=name, at=self._now(), data=data)
        line = json.dumps({"name": event.name, "at": event.at, "data": event.data}, ensure_ascii=False, default=str)
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()
            if name not in _CHATTY:
                os.fsync(self._file.fileno())
            for listener in self._listeners:
                with contextlib.suppress(Exception):  # a broken screen must not stop a migration
                    listener(event)


def read_events(path: Path) -> list[Event]:
    """Return the events of a file, oldest first; a line cut by a crash is left out."""
    events = []
    for line in path.read_text().split("\n"):
        try:
            raw = json.loads(line)
            events.append(Event(name=raw["name"], at=raw["at"], data=raw["data"]))
        except (ValueError, KeyError, TypeError):
            continue
    return events
