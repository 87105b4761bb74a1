"""Time for the traffic room, brought in by the caller (law 10).

Every wait goes through `sleep`, so the caller can end one early: by an exception, or by never coming back.
No function here reads a clock of its own.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event


@dataclass(frozen=True, slots=True)
class Pace:
    """A monotonic clock and a way to wait.

    Attributes:
        clock: monotonic seconds.
        sleep: waits that many seconds, or leaves by an exception when the run shall stop.
    """

    clock: Callable[[], float]
    sleep: Callable[[float], None]


class StopAskedError(BaseException):
    """Somebody asked the run to stop; no Exception, so that no retry and no durable step takes it for a result."""


def stoppable(stop: Event) -> Pace:
    """Return real time whose waits end at once with StopAskedError when the event is set.

    Args:
        stop: set, for example, by Ctrl-C.
    """

    def sleep(seconds: float) -> None:
        if stop.wait(max(0.0, seconds)):
            raise StopAskedError

    return Pace(time.monotonic, sleep)
