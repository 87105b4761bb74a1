"""The steps of a shift, and everything that can be wrong with them, told at once.

A step is data. Nothing here decides when to go on; that is decide.py's.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bluegreen.model.errors import InvalidInputError
from bluegreen.model.ports import TrafficRouter, Weights

ALL = 100
_NUMBER = re.compile(r"[+-]?\d+")


@dataclass(frozen=True, slots=True)
class Step:
    """One share of the traffic for green.

    Attributes:
        weight: green's share in per cent, 1 to 100.
        hold: seconds that the step is held at least before it can pass.
        settle_timeout: seconds within which the routers must serve the written weights.
        budget: seconds that the gate may stay undecided, the hold included.
    """

    weight: int
    hold: float = 10.0
    settle_timeout: float = 60.0
    budget: float = 300.0

    @property
    def weights(self) -> Weights:
        """Return the weights of both sides."""
        return Weights.for_green(self.weight)


def parse_steps(text: str, make: Callable[[int], Step] = Step) -> tuple[Step, ...]:
    """Return the steps of a list such as 10,50,100.

    Args:
        text: green's shares in per cent, separated by commas.
        make: makes a step from its weight, with the run's hold and budgets.

    Raises:
        InvalidInputError: with every reason.
    """
    parts = [part.strip() for part in text.split(",")]
    numbers = [int(part) for part in parts if _NUMBER.fullmatch(part)]
    reasons = [f"{part!r} is no whole number of per cent" for part in parts if not _NUMBER.fullmatch(part)]
    reasons += _order_faults(numbers, complete=not reasons)
    steps = tuple(make(number) for number in numbers)
    _refuse(text, [*reasons, *_time_faults(steps)])
    return steps


def check_steps(steps: Sequence[Step], routers: Iterable[TrafficRouter] = ()) -> tuple[str, ...]:
    """Return every reason why the steps cannot be taken through these routers; empty is good.

    Args:
        steps: the steps in order.
        routers: the routers that must hold each weight.
    """
    weights = [step.weight for step in steps]
    return (*_order_faults(weights, complete=True), *_time_faults(steps), *_resolution_faults(weights, routers))


def require_steps(steps: Sequence[Step], routers: Iterable[TrafficRouter] = ()) -> None:
    """Refuse steps that cannot be taken, with every reason.

    Raises:
        InvalidInputError: with every reason.
    """
    _refuse(",".join(str(step.weight) for step in steps), check_steps(steps, routers))


def _refuse(text: str, reasons: Sequence[str]) -> None:
    if reasons:
        raise InvalidInputError("steps.invalid", f"steps {text!r}", tuple(reasons), "write them like --steps 10,50,100")


def _order_faults(weights: Sequence[int], *, complete: bool) -> list[str]:
    """Return what is wrong with range, order and end.

    Args:
        weights: weights in the order given.
        complete: whether nothing was left out, so that the end can be judged.
    """
    faults = [f"{weight} is not between 1 and {ALL} per cent" for weight in weights if not 1 <= weight <= ALL]
    seen = sorted({weight for weight in weights if weights.count(weight) > 1})
    faults += [f"{weight} stands {weights.count(weight)} times" for weight in seen]
    pairs = itertools.pairwise(weights)
    faults += [f"{later} comes after {earlier}: steps go up" for earlier, later in pairs if later < earlier]
    if complete and not weights:
        faults.append("there is no step")
    elif complete and ALL not in weights:
        faults.append(f"the last step is {weights[-1]}: a migration ends at {ALL}, else blue can never be let go")
    return faults


def _time_faults(steps: Iterable[Step]) -> list[str]:
    """Return what is wrong with the times of each step."""
    faults = []
    for step in steps:
        if step.hold < 0 or step.settle_timeout <= 0 or step.budget <= 0:
            faults.append(f"step {step.weight}: hold must be 0 or more, settle timeout and budget more than 0")
        elif step.budget < step.hold:
            faults.append(
                f"step {step.weight}: its budget of {step.budget:g}s ends before its hold of {step.hold:g}s, "
                "so it could never pass"
            )
    return faults


def _resolution_faults(weights: Iterable[int], routers: Iterable[TrafficRouter]) -> list[str]:
    """Return the weights that a router cannot hold exactly; from 100 positions on every per cent is one."""
    return [
        f"route {router.name!r} has {router.resolution} positions and cannot hold {weight} per cent; "
        f"nearest: {_nearest(weight, router.resolution)}"
        for router in routers
        for weight in weights
        if router.resolution < ALL and weight * router.resolution % ALL
    ]


def _nearest(weight: int, resolution: int) -> str:
    """Return the whole per cents on both sides of a weight that a router can hold."""
    possible = [percent for percent in range(1, ALL + 1) if percent * resolution % ALL == 0]
    below = max((percent for percent in possible if percent < weight), default=None)
    above = min((percent for percent in possible if percent > weight), default=None)
    return " or ".join(str(percent) for percent in (below, above) if percent is not None)
