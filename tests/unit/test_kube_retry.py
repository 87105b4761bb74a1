"""How often a lost connection is tried again, where a bound is given."""

import pytest

from bluegreen.kube.retry import Patience, persist
from bluegreen.model.errors import TransientError


class Clock:
    def __init__(self):
        self.now = 0.0

    def sleep(self, seconds):
        self.now += seconds


def attempts(codes, drops, total=120.0):
    """Return how often was tried, and whether it came to an end; codes are errors, after the last one it succeeds."""
    clock, tried = Clock(), []

    def act(_seconds):
        tried.append(clock.now)
        if len(tried) <= len(codes):
            raise TransientError(codes[len(tried) - 1], "trying")

    try:
        persist(act, Patience(total=total, drops=drops, clock=lambda: clock.now, sleep=clock.sleep))
    except TransientError:
        return len(tried), False
    return len(tried), True


LOST, BUSY = "kube.connection", "kube.throttled"


@pytest.mark.parametrize(
    ("codes", "drops", "expected"),
    [
        ([LOST] * 99, 3, (3, False)),
        ([LOST] * 2, 3, (3, True)),
        ([LOST, LOST, BUSY, LOST, LOST], 3, (6, True)),
        ([BUSY] * 10, 3, (11, True)),
        ([LOST] * 10, 0, (11, True)),
    ],
)
def test_only_lost_connections_in_a_row_are_counted(codes, drops, expected):
    assert attempts(codes, drops) == expected


def test_the_total_still_bounds_everything():
    tried, ended = attempts([BUSY] * 999, 3, total=20.0)
    assert not ended
    assert tried < 20
