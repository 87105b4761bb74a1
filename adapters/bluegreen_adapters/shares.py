"""Raw weights of both sides as shares in per cent, the same for every backend that has such numbers.

Pure. It must never show a side that is served at all as one that is not.
"""

from collections.abc import Mapping

from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side

_ALL = 100


def percent(weights: Mapping[Side, int]) -> Weights | None:
    """Return the shares in whole per cent, None for 0/0; what is served at all is never shown as 0 nor as 100."""
    green, whole = weights[Side.GREEN], sum(weights.values())
    if not whole:
        return None
    if green in {0, whole}:
        return Weights.for_green(_ALL * green // whole)
    return Weights.for_green(min(max(round(_ALL * green / whole), 1), _ALL - 1))


def holds(weights: Mapping[Side, int], to: Weights) -> bool:
    """Return whether the raw weights are exactly those shares."""
    whole = sum(weights.values())
    return whole > 0 and weights[Side.GREEN] * _ALL == to.green * whole
