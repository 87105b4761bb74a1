"""What green must meet: one share of good requests per objective, and what can be wrong with it before a run.

An objective belongs to exactly one probe, so that requests of real users and synthetic ones are counted apart.
Nothing here may invent a number that decides: a share, a minimum and an error chance are the user's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bluegreen.model.ports import Probe

DEFAULT_BURST_SECONDS = 5.0
SHORT_PART = 12
_BURN_SHARE = 0.1
_SHORTEST_SLOT = 1.0


@dataclass(frozen=True, slots=True)
class BurnRate:
    """A rule on how fast errors may be spent; broken when both windows are at or above the rate.

    Attributes:
        rate: bad share divided by the one that the objective allows, 1 or more.
        long: seconds of the long window, which shows that it matters.
        short: seconds of the short one, which shows that it still goes on; a twelfth of the long one by habit.
    """

    rate: float
    long: float
    short: float

    def __post_init__(self) -> None:
        if self.rate < 1 or not 0 < self.short < self.long:
            raise ValueError(f"a burn rate of 1 or more over a short and a longer window, not {self}")


@dataclass(frozen=True, slots=True)
class Objective:
    """One service level objective.

    Attributes:
        name: name in the config.
        probe: name of the probe whose samples count.
        good: share of requests that must be good, above 0 and below 1.
        min_samples: requests of green that must be counted before it can pass.
        below: seconds; with it a request is good only if it was answered faster, too.
        alpha: accepted chance that a green which meets the objective is sent back, per step.
        compare_with_blue: whether green must also be no worse than blue is at the same time.
        burst: seconds that one burst of errors may last and still count as one event (see evidence.py).
        window: seconds over which the share must be met; without it, or earlier, since the step began.
        burn_rates: rules on how fast errors may be spent in steps that last longer than their windows (see burn.py).
    """

    name: str
    probe: str
    good: float
    min_samples: int = 50
    below: float | None = None
    alpha: float = 0.01
    compare_with_blue: bool = False
    burst: float = DEFAULT_BURST_SECONDS
    window: float | None = None
    burn_rates: tuple[BurnRate, ...] = ()

    def __post_init__(self) -> None:
        if reasons := tuple(_faults(self)):
            raise ValueError(f"objective {self.name!r}: " + "; ".join(reasons))

    @property
    def budget(self) -> float:
        """Return the share of requests that may be bad."""
        return 1.0 - self.good

    @property
    def slot(self) -> float:
        """Return the seconds of one slot of a history: one burst is one slot."""
        return max(_SHORTEST_SLOT, self.burst)

    @property
    def burn_alpha(self) -> float:
        """Return the part of alpha that burn rates may use up; 0 without any."""
        return _BURN_SHARE * self.alpha if self.burn_rates else 0.0

    @property
    def sequential_alpha(self) -> float:
        """Return the part of alpha that is left to the sequential test."""
        return self.alpha - self.burn_alpha


def _faults(objective: Objective) -> Iterable[str]:
    """Yield every number that cannot be judged by."""
    if not 0 < objective.good < 1:
        yield (
            f"good is {objective.good}, it must be above 0 and below 1 "
            "(at 1 a single bad request would send green back: write 0.999)"
        )
    if not 0 < objective.alpha < 0.5:  # noqa: PLR2004 - above one half a coin would decide better
        yield f"alpha is {objective.alpha}, it must be above 0 and below 0.5"
    if objective.min_samples < 1:
        yield f"min_samples is {objective.min_samples}, no data is not good data: at least 1"
    if objective.below is not None and objective.below <= 0:
        yield f"below is {objective.below}, it must be more than 0 seconds"
    if objective.burst < 0:
        yield f"burst is {objective.burst}, it must be 0 seconds or more"
    if objective.window is not None and objective.window <= 0:
        yield f"window is {objective.window}, it must be more than 0 seconds"


def unusable(objectives: Iterable[Objective], probes: Mapping[str, Probe]) -> tuple[str, ...]:
    """Return every reason why the objectives cannot be judged, for plan time; empty is good.

    Args:
        objectives: the objectives of the config.
        probes: the opened probes by name.
    """
    reasons = []
    for objective in objectives:
        probe = probes.get(objective.probe)
        if probe is None:
            known = ", ".join(sorted(probes)) or "none"
            reasons.append(f"objective {objective.name!r} refers to probe {objective.probe!r}; there are: {known}")
        elif objective.below is not None and not getattr(probe, "gives_latency", True):
            reasons.append(
                f"objective {objective.name!r} sets below, but probe {objective.probe!r} gives no time per request"
            )
    return tuple(reasons) or (() if objectives else ("there is no objective: nothing could ever pass",))
