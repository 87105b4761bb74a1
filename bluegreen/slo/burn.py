"""Burn rates over two windows, for holds and bakes that last longer than those: has green spent its errors too fast.

A burn rate is the bad share divided by the one allowed: at 1 the budget lasts just as long as the objective's period.
As in the SRE workbook a rule has a long window, which shows that it matters, and a short one, which shows that it still
goes on. Such a rule is no test: a green at the edge of its objective has a burn rate over 1 half of the time, and who
looks every second sees 2 sooner or later. So a rule that is broken holds green back, and sends it back only where
chance is excluded, too.

Excluded how. Time is cut into slots of the objective's `burst` seconds, so that one burst is one slot (or two). If the
mean bad share of a slot, given those before, is at most the budget m, then by Hoeffding's inequality the mean q of n
slots exceeds it with a chance of at most exp(-n KL(q, m)), however many requests a slot has and however they depend on
each other. Each closed slot is a look: look k may spend 1/(k(k+1)) of the error chance, which sums to 1 over all looks,
so here, too, looking often costs nothing. It has a tenth of the objective's alpha (see Objective.burn_alpha).

It must never speak before its long window is full: the sequential test is there for that time.
"""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from bluegreen.model.refs import Side
from bluegreen.slo.objectives import BurnRate, Objective


@dataclass(frozen=True, slots=True)
class Spent:
    """Counts of one side over some slots, or since the beginning.

    Attributes:
        bad: bad requests.
        total: requests.
        shares: sum of the bad shares of the slots that had requests.
        slots: number of those slots.
    """

    bad: int = 0
    total: int = 0
    shares: float = 0.0
    slots: int = 0

    @property
    def bad_share(self) -> float:
        """Return the share of bad requests, 0 without any."""
        return self.bad / self.total if self.total else 0.0

    def and_slot(self, bad: int, total: int) -> "Spent":
        """Return the counts with one more slot."""
        if not total:
            return self
        return Spent(self.bad + bad, self.total + total, self.shares + bad / total, self.slots + 1)

    def since(self, earlier: "Spent") -> "Spent":
        """Return what was added since then."""
        return Spent(
            self.bad - earlier.bad,
            self.total - earlier.total,
            self.shares - earlier.shares,
            self.slots - earlier.slots,
        )


class History:
    """What each side has spent at the end of each slot, as far back as any rule looks.

    Args:
        slot: seconds of a slot.
        longest: seconds that it must remember.
    """

    def __init__(self, slot: float, longest: float) -> None:
        self.slot = slot
        self.closed = 0
        size = math.ceil(longest / slot) + 1
        self._ends = {side: deque([Spent()], maxlen=size) for side in Side}
        self._open = {side: [0, 0] for side in Side}

    def add(self, side: Side, bad: int, total: int) -> None:
        """Count requests into the slot that is open now."""
        self._open[side][0] += bad
        self._open[side][1] += total

    def advance(self, elapsed: float) -> None:
        """Close every slot that ended.

        Args:
            elapsed: seconds since the beginning.
        """
        while (self.closed + 1) * self.slot <= elapsed:
            self.closed += 1
            for side, ends in self._ends.items():
                ends.append(ends[-1].and_slot(*self._open[side]))
                self._open[side] = [0, 0]

    def over(self, side: Side, seconds: float) -> Spent | None:
        """Return what a side has spent in the last closed slots; None while fewer seconds have passed.

        Args:
            side: the side.
            seconds: how far to look back, rounded to whole slots.
        """
        slots = max(1, round(seconds / self.slot))
        ends = self._ends[side]
        return ends[-1].since(ends[-1 - slots]) if slots < len(ends) else None


@dataclass(frozen=True, slots=True)
class Burn:
    """A rule that is broken.

    Attributes:
        rule: the rule.
        long: burn rate over its long window.
        short: burn rate over its short window.
        proven: whether chance is excluded.
        shared: whether blue has spent more than its budget over the same long window.
    """

    rule: BurnRate
    long: float
    short: float
    proven: bool
    shared: bool

    def words(self) -> str:
        """Return the burn in words."""
        return (
            f"the error budget burns {self.long:.3g} times as fast as allowed over {self.rule.long:g} s and "
            f"{self.short:.3g} times over {self.rule.short:g} s, the limit is {self.rule.rate:g}"
        )


def history_of(objective: Objective) -> History | None:
    """Return an empty history where the objective looks back, or None."""
    spans = [rule.long for rule in objective.burn_rates] + ([objective.window] if objective.window else [])
    return History(objective.slot, max(spans)) if spans else None


def worst_burn(objective: Objective, history: History | None) -> Burn | None:
    """Return a broken rule of green, one that is proven before one that is not; None when all are kept.

    Args:
        objective: the objective with its rules.
        history: what was spent, None where nothing looks back.
    """
    if history is None:
        return None
    found = list(_broken(objective, history))
    return next((burn for burn in found if burn.proven), found[0] if found else None)


def _broken(objective: Objective, history: History) -> Iterator[Burn]:
    for rule in objective.burn_rates:
        long, short = (history.over(Side.GREEN, seconds) for seconds in (rule.long, rule.short))
        if long is None or short is None:
            continue
        rates = [spent.bad_share / objective.budget for spent in (long, short)]
        if min(rates) >= rule.rate:
            looks = history.closed * (history.closed + 1)
            may_be = objective.burn_alpha / len(objective.burn_rates) / looks
            blue = history.over(Side.BLUE, rule.long) or Spent()
            proven = chance(long, objective.budget) <= may_be
            yield Burn(rule, rates[0], rates[1], proven, shared=blue.bad_share > objective.budget)


def chance(spent: Spent, most: float) -> float:
    """Return a bound on the chance to see that or worse, if the mean bad share of a slot is at most `most`.

    Args:
        spent: what was seen.
        most: largest bad share that the objective allows.
    """
    if not spent.slots:
        return 1.0
    seen = min(1.0, spent.shares / spent.slots)
    if seen <= most:
        return 1.0
    divergence = seen * math.log(seen / most)
    if seen < 1.0:
        divergence += (1.0 - seen) * math.log((1.0 - seen) / (1.0 - most))
    return math.exp(-spent.slots * divergence)
