"""The present state of the routes below the lines of their changes, on a terminal. Names are shown without markup."""

import contextlib
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from bluegreen.cli.change_line import change_line
from bluegreen.model.errors import clean_text

if TYPE_CHECKING:
    from bluegreen.migration.look import Glance, Seen

_WIDTH = 40
_STOPS = (signal.SIGINT, signal.SIGTERM)


def live(stream: "Iterator[Glance]", console: Console | None = None) -> None:
    """Show every look until the stream ends; the terminal is given back whatever happens."""
    console = console or Console()
    view = Live(console=console, auto_refresh=False, transient=True)
    try:
        with _whole():
            view.start()
        for glance in stream:
            with _whole():
                for one in glance.changed:
                    console.print(Text(change_line(glance, one)), soft_wrap=True)
                view.update(_state(glance), refresh=True)
    finally:
        with _whole():
            view.stop()


@contextlib.contextmanager
def _whole() -> Iterator[None]:
    """Have a stop wait until what is being drawn is drawn.

    Stopped when it has just begun to gather what to write, rich writes nothing any more, not even that the cursor is
    shown again.
    """
    held: list[int] = []
    before = {number: signal.signal(number, lambda number, _frame: held.append(number)) for number in _STOPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for got in held:
        signal.raise_signal(got)


def _state(glance: "Glance") -> Group:
    name = max((len(one.name) for one in glance.routes), default=0)
    rows = [_row(one, name) for one in glance.routes]
    return Group(*rows, Text(f"last look {glance.at}, Ctrl-C to end", style="dim"))


def _row(one: "Seen", width: int) -> Text:
    """Return one route as a bar of both sides; words beside it, so that nothing is told by colour alone."""
    row = Text(f"{clean_text(one.name).ljust(width)} ", no_wrap=True, overflow="ellipsis")
    if one.weights is None:
        return row.append(f"not readable: {one.fault}", style="red")
    green = round(_WIDTH * one.weights.green / 100)
    row.append("█" * (_WIDTH - green), style="blue").append("█" * green, style="green")
    row.append(f" blue {one.weights.blue} % green {one.weights.green} %")
    return row if one.settled else row.append(", not settled", style="yellow")
