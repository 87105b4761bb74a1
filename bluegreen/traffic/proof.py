"""How many answers prove a random split, and what they prove: an exact two-sided binomial test.

A router that draws at random cannot be read off its answers; it can only be tested. Pure. It must never call a share
proven that was tested with fewer answers than its error rates need.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

ALPHA, POWER = 0.001, 0.99
POINTS = 5
_ALL = 100


@dataclass(frozen=True, slots=True)
class Trial:
    """A test of one share of green.

    Attributes:
        asked: green's share in per cent.
        samples: answers that the test takes.
        low: fewest answers of green that do not refute the share.
        high: most of them.
    """

    asked: int
    samples: int
    low: int
    high: int

    def holds(self, green: int) -> bool:
        """Return whether that many answers of green, out of `samples`, do not refute the share."""
        return self.low <= green <= self.high


@lru_cache(maxsize=256)
def trial_of(asked: int, alpha: float = ALPHA, power: float = POWER) -> Trial:
    """Return the smallest test that finds a share which is off by some points.

    It finds 5 points, or half of the smaller side where that is less: a tenth that is really a twentieth, one per
    cent that is really two.

    Args:
        asked: green's share in per cent, 0 to 100.
        alpha: chance of refuting the right share.
        power: chance of refuting a share that is off.
    """
    if asked in (0, _ALL):
        samples = math.ceil(math.log(1.0 - power) / math.log(1.0 - POINTS / _ALL))
        only = samples if asked else 0
        return Trial(asked, samples, only, only)
    off = min(POINTS, max(1, min(asked, _ALL - asked) // 2))
    others = [share / _ALL for share in (asked - off, asked + off) if 0 < share < _ALL]
    samples = max(_about(asked / _ALL, other, alpha, power) for other in others)
    while True:
        trial = _region(asked, samples, alpha)
        if all(_found(trial, other) >= power for other in others):
            return trial
        samples += max(1, samples // 200)


def p_value(asked: int, samples: int, green: int) -> float:
    """Return how likely a count as odd as that one is when the share is the asked one."""
    share = asked / _ALL
    below = sum(_chances(samples, share)[: green + 1])
    above = sum(_chances(samples, share)[green:])
    return min(1.0, 2.0 * min(below, above))


def _about(share: float, other: float, alpha: float, power: float) -> int:
    """Return the sample size of the normal approximation, where the exact search starts."""
    normal = NormalDist()
    error, miss = normal.inv_cdf(1.0 - alpha / 2.0), normal.inv_cdf(power)
    spread = error * math.sqrt(share * (1.0 - share)) + miss * math.sqrt(other * (1.0 - other))
    return math.floor(0.9 * (spread / (other - share)) ** 2)


def _region(asked: int, samples: int, alpha: float) -> Trial:
    """Return the counts that do not refute the share, each tail cut at half of alpha."""
    chances = _chances(samples, asked / _ALL)
    return Trial(asked, samples, _tail(chances, alpha / 2.0), samples - _tail(chances[::-1], alpha / 2.0))


def _tail(chances: list[float], most: float) -> int:
    """Return how many of the first counts have that chance at most, together."""
    total = 0.0
    for count, chance in enumerate(chances):
        total += chance
        if total > most:
            return count
    return len(chances)


def _found(trial: Trial, share: float) -> float:
    """Return the chance that the test refutes the share it is asked about when another one is true."""
    return 1.0 - sum(_chances(trial.samples, share)[trial.low : trial.high + 1])


@lru_cache(maxsize=8)
def _chances(samples: int, share: float) -> list[float]:
    """Return the binomial chance of each count."""
    if share in (0.0, 1.0):
        return [float(count == round(samples * share)) for count in range(samples + 1)]
    whole, yes, no = math.lgamma(samples + 1), math.log(share), math.log1p(-share)
    return [
        math.exp(whole - math.lgamma(k + 1) - math.lgamma(samples - k + 1) + k * yes + (samples - k) * no)
        for k in range(samples + 1)
    ]
