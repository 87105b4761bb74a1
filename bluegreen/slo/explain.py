"""How many more requests a decision needs, so that a person can choose between waiting and acting.

Estimates only: they assume that what was seen goes on. No verdict may depend on them.
"""

import math

from bluegreen.slo.burn import Spent
from bluegreen.slo.objectives import Objective
from bluegreen.slo.window import Tally


def samples_to_meet(tally: Tally | Spent, objective: Objective) -> int:
    """Return how many good requests in a row would bring the observed share to the objective."""
    return max(0, math.ceil(tally.bad / objective.budget) - tally.total)


def samples_to_decide(tally: Tally | Spent, objective: Objective, evidence: float) -> int | None:
    """Return about how many more requests refute green if it goes on failing as often as now.

    Each request brings, on average, the Kullback-Leibler divergence between what is seen and what is allowed.

    Args:
        tally: what was seen of green.
        objective: what is allowed.
        evidence: e-value so far.
    """
    seen, allowed = tally.bad_share, objective.budget
    if seen <= allowed:
        return None
    gain = seen * math.log(seen / allowed)
    if seen < 1.0:
        gain += (1.0 - seen) * math.log((1.0 - seen) / (1.0 - allowed))
    missing = math.log(1.0 / objective.alpha) - math.log(max(evidence, 1e-12))
    return max(1, math.ceil(missing / gain))
