"""Counters of what real users met, as a load balancer keeps them: what has grown since the last look.

It must never count an interval in which the counting process was started anew or its counters were cleared.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bluegreen.model.errors import BluegreenError
from bluegreen.model.refs import Side
from bluegreen.model.samples import Broken, Counts, NoData, Sample
from bluegreen_adapters.options import Options


@dataclass(frozen=True, slots=True)
class Reading:
    """Counters of one side, and the process that counted."""

    process: str
    counters: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Growth:
    """What users met since the last look, and the bad in words."""

    good: int
    bad: int
    example: str


@dataclass(frozen=True, slots=True)
class UserCounters:
    """The last reading of each side.

    Attributes:
        of: whose counters they are, for people.
    """

    of: str
    _last: dict[Side, Reading] = field(default_factory=dict)

    def sample(
        self, side: Side, read: Callable[[Side], Reading], judge: Callable[[Mapping[str, int]], Growth]
    ) -> Sample:
        """Return what users met on a side since the last call; the first call only sets the mark.

        Args:
            side: the side.
            read: returns its counters now; may raise for what cannot be read.
            judge: says what is good and bad in what has grown.
        """
        try:
            reading = read(side)
        except BluegreenError as error:
            return Broken(str(error))
        except (KeyError, TypeError, ValueError) as error:
            return Broken(f"{self.of}'s statistics cannot be read: {type(error).__name__}: {error}")
        before, self._last[side] = self._last.get(side), reading
        if before is None:
            return NoData("first look: users are counted from here on")
        grown = {name: count - before.counters[name] for name, count in reading.counters.items()}
        if reading.process != before.process or min(grown.values()) < 0:
            return NoData(f"{self.of} was reloaded, restarted or its counters cleared: this interval is not counted")
        met = judge(grown)
        if not met.good + met.bad:
            return NoData("no user's request reached this side")
        return Counts(good=met.good, bad=met.bad, synthetic=False, example=met.example)


def bad_classes(given: Options, classes: Sequence[str]) -> tuple[str, ...]:
    """Return the classes of answers that count as bad, from the setting `bad`; without it 5xx."""
    chosen = given.items("bad", ("5xx",))
    if unknown := [kind for kind in chosen if kind not in classes]:
        given.refuse("bad", f"has {len(unknown)} class(es) that do not exist; there are: {', '.join(classes)}")
    return tuple(dict.fromkeys(chosen))
