"""What one objective has seen since its step began: requests per side, blocks of a second, evidence, streaks.

A window only counts; it never gives a verdict. Real and synthetic requests never meet in one, as an objective
has one probe. Times are monotonic seconds that the caller brings.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bluegreen.model.refs import SIDES, Side
from bluegreen.model.samples import Broken, Counts, NoData, Sample
from bluegreen.slo.burn import Spent, history_of
from bluegreen.slo.evidence import BLOCK_SECONDS, Account, against_blue, against_objective
from bluegreen.slo.latencies import Latencies
from bluegreen.slo.objectives import Objective

RECENT_SECONDS = 30.0
SILENT_SECONDS = 30.0
_NO_LATENCY = "the probe gives no time per request, so `below` cannot be judged"


@dataclass(slots=True)
class Tally:
    """What was seen of one side.

    Attributes:
        total: requests.
        bad: those of them that were bad or slower than the objective allows.
        data_at: when the last request was counted, None before the first.
        heard_at: when the probe last said anything.
        broken: why the probe fails now, empty when it works.
        empty: why the probe has nothing now, empty when it has.
        example: the last bad answer in words.
        latencies: times of its answers, as far as the probe gives them.
    """

    heard_at: float
    total: int = 0
    bad: int = 0
    data_at: float | None = None
    broken: str = ""
    empty: str = ""
    example: str = ""
    latencies: Latencies = field(default_factory=Latencies)

    @property
    def bad_share(self) -> float:
        """Return the share of bad requests, 0 without any."""
        return self.bad / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Recent:
    """Requests of one side in the last RECENT_SECONDS."""

    bad: int
    total: int

    @property
    def bad_share(self) -> float:
        """Return the share of bad requests, 0 without any."""
        return self.bad / self.total if self.total else 0.0


@dataclass(slots=True)
class _Block:
    """Bad requests and requests per side within one second."""

    bad: dict[Side, int] = field(default_factory=lambda: {Side.BLUE: 0, Side.GREEN: 0})
    total: dict[Side, int] = field(default_factory=lambda: {Side.BLUE: 0, Side.GREEN: 0})

    def of(self, side: Side) -> tuple[int, int]:
        return self.bad[side], self.total[side]

    def take_off(self, other: "_Block") -> None:
        for side in SIDES:
            self.bad[side] -= other.bad[side]
            self.total[side] -= other.total[side]


class Window:
    """Counts and evidence of one objective.

    Args:
        objective: what is judged.
        start: monotonic seconds at which the step's judging began.
    """

    def __init__(self, objective: Objective, start: float) -> None:
        self.objective = objective
        self.start = start
        self.tallies = {side: Tally(heard_at=start) for side in Side}
        self.accounts = {side: Account() for side in Side}
        self.versus_blue = Account()
        self.history = history_of(objective)
        self._blocks: dict[int, _Block] = {}
        self._lately = _Block()  # the sum of the blocks: everybody asks for it, several times a second
        self._closed = 0

    def add(self, side: Side, sample: Sample, at: float) -> None:
        """Count one sample.

        Args:
            side: side that was sampled.
            sample: what the probe said.
            at: monotonic seconds at which it said so.
        """
        tally = self.tallies[side]
        tally.heard_at = at
        match sample:
            case Broken(reason):
                tally.broken = reason or "no reason given"
            case NoData(reason):
                tally.broken, tally.empty = "", reason
            case Counts() if not sample.total:
                tally.broken, tally.empty = "", "no request was seen"
            case Counts() if self.objective.below is not None and not sample.latencies:
                tally.broken = _NO_LATENCY
            case Counts():
                self._count(side, sample, at)

    def _count(self, side: Side, sample: Counts, at: float) -> None:
        tally = self.tallies[side]
        bad = bad_of(sample, self.objective.below)
        tally.total += sample.total
        tally.bad += bad
        tally.data_at, tally.broken, tally.empty = at, "", ""
        tally.latencies.add(sample.latencies)
        if bad:
            tally.example = sample.example or tally.example
        number = max(self._closed, self._number(at))
        for block in (self._blocks.setdefault(number, _Block()), self._lately):
            block.bad[side] += bad
            block.total[side] += sample.total
        if self.history is not None:
            self.history.advance(at - self.start)
            self.history.add(side, bad, sample.total)

    def advance(self, now: float) -> None:
        """Bet on every block that ended before now; later samples go to later blocks.

        Args:
            now: monotonic seconds.
        """
        if self.history is not None:
            self.history.advance(now - self.start)
        upto = self._number(now)
        for number in range(self._closed, upto):
            if number in self._blocks:
                self._bet(number, self._blocks[number])
        self._closed = max(self._closed, upto)
        oldest = self._closed - math.ceil(RECENT_SECONDS / BLOCK_SECONDS)
        while self._blocks and (first := min(self._blocks)) < oldest:
            self._lately.take_off(self._blocks.pop(first))

    def recent(self, side: Side) -> Recent:
        """Return what was seen of a side in the last RECENT_SECONDS."""
        return Recent(*self._lately.of(side))

    def judged(self, side: Side) -> Tally | Spent:
        """Return the counts that must meet the share: those of the objective's `window`, else of the whole step."""
        spent = self.history.over(side, self.objective.window) if self.history and self.objective.window else None
        return spent or self.tallies[side]

    def _number(self, at: float) -> int:
        return max(0, math.floor((at - self.start) / BLOCK_SECONDS))

    def _bet(self, number: int, block: _Block) -> None:
        rest = math.ceil(self.objective.burst / BLOCK_SECONDS)
        for side in SIDES:
            bad, total = block.of(side)
            self.accounts[side] = against_objective(
                self.accounts[side], number, bad=bad, total=total, most=self.objective.budget, rest=rest
            )
        green, blue = block.of(Side.GREEN), block.of(Side.BLUE)
        self.versus_blue = against_blue(self.versus_blue, number, green=green, blue=blue, rest=rest)


Windows = Mapping[str, Window]


def open_windows(objectives: Iterable[Objective], start: float) -> dict[str, Window]:
    """Return an empty window per objective, by its name.

    Args:
        objectives: what is judged.
        start: monotonic seconds.
    """
    return {objective.name: Window(objective, start) for objective in objectives}


def bad_of(sample: Counts, below: float | None) -> int:
    """Return how many requests were bad or too slow.

    Where a sample has a time for each good answer only, bad and slow ones are distinct and add up. Where bad
    answers have times, too, one request may be both, and the larger count is what is certain; a probe that makes
    one request per sample is exact either way.

    Args:
        sample: one sample.
        below: seconds within which a good request is answered, or None.
    """
    if below is None:
        return sample.bad
    slow = sum(latency >= below for latency in sample.latencies)
    if len(sample.latencies) <= sample.good:
        return min(sample.total, sample.bad + slow)
    return max(sample.bad, min(sample.total, slow))
