"""The live state of the routes on a terminal: it gives the terminal back, also when it is stopped while it draws."""

import io
import signal
from types import SimpleNamespace

import pytest
from rich.console import Console

from bluegreen.cli import traffic_live

SHOW_CURSOR = "\x1b[?25h"


class Stopping(Console):
    """A console that a person stops in the moment in which it has begun to gather what it will write."""

    at = 0

    def _enter_buffer(self):
        super()._enter_buffer()
        self.at -= 1
        if self.at == 0:
            signal.raise_signal(signal.SIGINT)


def glances(number):
    weights = SimpleNamespace(blue=75, green=25)
    route = SimpleNamespace(name="shop", weights=weights, settled=True)
    for _ in range(number):
        yield SimpleNamespace(at="12:00:00", changed=[route], routes=[route])


@pytest.mark.parametrize("at", range(1, 12))
def test_ctrl_c_while_it_draws_is_heard_and_the_cursor_is_there_again(at, monkeypatch):
    monkeypatch.setattr(traffic_live, "change_line", lambda _glance, one: one.name)
    before = signal.getsignal(signal.SIGINT)
    console = Stopping(file=io.StringIO(), force_terminal=True, width=80)
    console.at = at
    with pytest.raises(KeyboardInterrupt):
        traffic_live.live(glances(10), console)
    assert SHOW_CURSOR in console.file.getvalue().rpartition("?25l")[2]
    assert signal.getsignal(signal.SIGINT) is before
