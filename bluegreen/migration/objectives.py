"""What green must meet, from the words of the configuration to what the gate judges by; every key is carried over.

A test holds that none is forgotten: a rule that is written and not judged by would be worse than none.
"""

from bluegreen.config import models
from bluegreen.slo.objectives import SHORT_PART, BurnRate, Objective


def objectives_of(config: models.Migration) -> tuple[Objective, ...]:
    """Return the objectives in the order of the file."""
    return tuple(_objective(given) for given in config.objectives)


def _objective(given: models.Objective) -> Objective:
    """Return one objective; both have the same names for the same things."""
    same = {key: getattr(given, key) for key in type(given).model_fields if key != "burn_rates"}
    rates = tuple(BurnRate(rule.rate, rule.long, rule.short or rule.long / SHORT_PART) for rule in given.burn_rates)
    return Objective(**same, burn_rates=rates)
