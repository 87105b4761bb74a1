"""A series as one line of blocks.

The scale is the evidence against an objective in powers of ten where there is one, else the share of bad requests;
higher always means worse.
"""

import math

from bluegreen.report.model import ObjectiveView, Sight

_BLOCKS = "▁▂▃▄▅▆▇█"
_DECADES = 2.0


def sparkline(objective: ObjectiveView, points: int) -> str:
    """Return the last part of a series; full height means broken.

    Args:
        objective: whose series.
        points: characters at most.
    """
    heights = [_height(sight) for sight in objective.series[-points:]]
    return "".join(" " if height is None else _BLOCKS[round(height * (len(_BLOCKS) - 1))] for height in heights)


def _height(sight: Sight) -> float | None:
    judgement = sight.judgement
    if judgement.evidence is not None:
        decades = math.log10(max(judgement.evidence, 1.0))
        return min(1.0, decades / _DECADES)
    if judgement.value is None:
        return None
    allowed = max(1e-6, 1.0 - (judgement.threshold or 0.0))
    return min(1.0, max(0.0, 1.0 - judgement.value) / (2 * allowed))
