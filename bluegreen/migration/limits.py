"""How long a run may take: the whole of it since its first start, and its import; who waits asks here.

Inside a process only the monotonic clock counts. Across processes there is nothing but the time of day: what earlier
processes have used is the time from the manifest's stamp to now, and never less than to the last event, so that a
clock that was set back gives no time back. It never decides what follows; docs/decisions/0009-overall-time.md does.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bluegreen.model.durations import format_duration
from bluegreen.model.errors import OutOfTimeError, RefusedError
from bluegreen.traffic.states import Command, Input, Ordered


@dataclass(slots=True)
class Limits:
    """The time limits of one run in this process.

    Attributes:
        clock: monotonic seconds.
        overall: seconds that the whole run may take.
        spent: seconds of them that were used before this process.
        phases: seconds that single recorded steps may take, by their names.
        lifted: a person has ordered to go on after the whole time was over, so it bounds nothing any more.
        told: it was said that the whole time is over.
    """

    clock: Callable[[], float] = time.monotonic
    overall: float = math.inf
    spent: float = 0.0
    phases: Mapping[str, float] = field(default_factory=dict)
    lifted: bool = False
    told: bool = False
    _began: float = field(init=False)
    _phase: str = field(default="", init=False)
    _phase_end: float = field(default=math.inf, init=False)

    def __post_init__(self) -> None:
        self._began = self.clock()

    @property
    def end(self) -> float:
        """Return when, by the clock, the step that is being done has to stop."""
        return min(self._overall_end, self._phase_end)

    @property
    def left(self) -> float:
        """Return the seconds until then, never less than 0."""
        return max(0.0, self.end - self.clock())

    @property
    def phase_left(self) -> float:
        """Return the seconds that the step has of its own time, never less than 0."""
        return max(0.0, self._phase_end - self.clock())

    @property
    def _overall_end(self) -> float:
        return math.inf if self.lifted else self._began + self.overall - self.spent

    def enter(self, phase: str) -> None:
        """Begin a recorded step; all its tries in this process have one limit together."""
        self._phase, self._phase_end = phase, self.clock() + self.phases.get(phase, math.inf)

    def over(self) -> bool:
        """Return whether the whole run has used its time, and no person has ordered to go on since."""
        return self.clock() >= self._overall_end

    def answered(self, happened: Input, *, late: bool) -> None:
        """Lift the limit of the whole run where a person has ordered to go on after it was over.

        Args:
            happened: what a recorded step of the shift brought.
            late: whether the time was over then, from the same record, so that a restart finds the same.
        """
        if late and isinstance(happened, Ordered) and happened.command in (Command.RESUME, Command.PROMOTE):
            self.lifted = True

    def require(self) -> None:
        """Go on only within the limits.

        Raises:
            RefusedError: the time of the whole run is over.
            OutOfTimeError: that of the step is.
        """
        self.require_overall()
        if not self.phase_left:
            raise self.out_of_phase(f"phase {self._phase}", "it was still waiting")

    def require_overall(self) -> None:
        """Go on only within the time of the whole run; for before traffic has moved.

        Raises:
            RefusedError: it is over.
        """
        if self.over():
            raise RefusedError(
                "run.out-of-time",
                f"phase {self._phase}",
                f"{self.words}; no traffic has moved, blue serves as before",
                "give it more time (timeouts.overall), then run the command again, which begins anew",
            )

    def out_of_phase(self, what: str, why: str) -> OutOfTimeError:
        """Return the error of a step that has used its time.

        Args:
            what: what was being done.
            why: what is still to be done.
        """
        return OutOfTimeError(f"{self._phase}.out-of-time", what, why, "run the same command again to go on")

    @property
    def phase_words(self) -> str:
        """Return in words that the time of the step is over."""
        given = format_duration(self.phases.get(self._phase, 0.0))
        return f"the time of phase {self._phase} (timeouts.{self._phase}, {given}) is over"

    @property
    def words(self) -> str:
        """Return in words that the time of the run is over."""
        return f"the time of the whole run (timeouts.overall, {format_duration(self.overall)}) is over"


def spent_since(created: str, last: str, now: str) -> float:
    """Return the seconds that a run has used before this process.

    Args:
        created: UTC time stamp of its first start.
        last: UTC time stamp of its last event, empty when there is none.
        now: UTC time stamp.
    """
    began, stamps = datetime.fromisoformat(created), [datetime.fromisoformat(text) for text in (last, now) if text]
    return max(0.0, (max(stamps) - began).total_seconds())
