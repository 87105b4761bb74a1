"""What a person sees while a migration runs: a live view on a terminal, event lines elsewhere, JSON lines on request.

All of it goes to stderr; stdout is for data. A screen that fails must not fail the run.
"""

import sys
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click

from bluegreen.model.events import Event
from bluegreen.report.lines import Lines, json_line

if TYPE_CHECKING:
    from bluegreen.report.live import LiveView

_COLOURS = {"migrated": "green", "reverted": "red", "failed": "red", "paused": "yellow", "interrupted": "yellow"}


class Screen:
    """Shows events; a context manager, since a live view must give the terminal back."""

    def __init__(self, log_format: str) -> None:
        live = log_format == "live" or (log_format == "auto" and sys.stderr.isatty())
        self._json = log_format == "json"
        self._lines = Lines()
        self._live: LiveView | None = _live_view() if live else None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Take the terminal."""
        if self._live is not None:
            self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the terminal back."""
        if self._live is not None:
            self._live.__exit__(kind, error, trace)

    def catch_up(self, events: Iterable[Event]) -> None:
        """Take in what happened before: a live view shows the whole run, lines only what is new."""
        if self._live is not None:
            for event in events:
                self._live.update(event)

    def show(self, event: Event) -> None:
        """Show one event."""
        with self._lock:
            if self._live is not None:
                self._live.update(event)
            elif self._json:
                click.echo(json_line(event), err=True)
            else:
                for line in self._lines.of(event):
                    click.echo(line, err=True)

    def last_words(self, ending: Any, reports: Any) -> None:
        """Say how the run ended, why, what to type next, and where the reports are."""
        if self._json:
            return
        click.secho(f"{reports.headline}.", err=True, fg=_COLOURS[ending.outcome], bold=True)
        for label, text in (
            ("Why", ending.reason),
            ("Next", ending.next_step),
            ("Report", reports.html),
            ("JSON", reports.json),
        ):
            if text:
                click.echo(f"{label + ':':<8}{text}", err=True)


def _live_view() -> "LiveView":
    """Return the live view on stderr; rich is loaded only for a terminal."""
    from rich.console import Console  # noqa: PLC0415 - see above

    from bluegreen.report.live import LiveView  # noqa: PLC0415

    return LiveView(Console(stderr=True))
