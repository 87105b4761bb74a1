"""What a probe saw of one side: counts, nothing, or its own failure. Never a bool.

No data is not good data and a broken probe is not a bad target (law 3), so the three are three types.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests, or what a probe counts in their place, seen in one sampling interval.

    Attributes:
        good: answers that meet the probe's own idea of success.
        bad: answers that do not.
        latencies: seconds of each answer, empty where the source gives none.
        synthetic: True for requests that the probe made itself, False for what was there without it.
        example: one bad answer in words, empty when there is none.
    """

    good: int
    bad: int
    latencies: tuple[float, ...] = field(default=())
    synthetic: bool = True
    example: str = ""

    def __post_init__(self) -> None:
        if self.good < 0 or self.bad < 0:
            raise ValueError(f"negative counts: good={self.good} bad={self.bad}")

    @property
    def total(self) -> int:
        """Return the number of requests."""
        return self.good + self.bad


@dataclass(frozen=True, slots=True)
class NoData:
    """The source answered and had nothing: no request reached this side."""

    reason: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The probe itself failed; it says nothing about the side."""

    reason: str


Sample = Counts | NoData | Broken
