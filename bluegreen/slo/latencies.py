"""A quantile of answer times, as information beside a verdict; no verdict may depend on it.

A quantile of few requests says little and of many costs memory, so times are counted in buckets that grow by 5 %: the
answer is right to 5 %, whatever the traffic.
"""

import math
from collections import Counter
from collections.abc import Iterable

_GROWTH = math.log(1.05)
_SHORTEST = 1e-6


class Latencies:
    """Counted answer times."""

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()

    def add(self, seconds: Iterable[float]) -> None:
        """Count the times of some answers."""
        self._buckets.update(math.ceil(math.log(max(one, _SHORTEST)) / _GROWTH) for one in seconds)

    def quantile(self, share: float) -> float | None:
        """Return the time in seconds within which that share was answered, at most 5 % too high; None without any.

        Args:
            share: above 0, at most 1; 0.99 for the 99th percentile.
        """
        left = math.ceil(share * self._buckets.total())
        for bucket in sorted(self._buckets):
            left -= self._buckets[bucket]
            if left <= 0:
                return math.exp(bucket * _GROWTH)
        return None
