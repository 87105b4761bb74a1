"""The steps of a shift, and everything that can be wrong with them, told at once.

A step is data. Nothing here decides when to go on; that is decide.py's.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bluegreen.model.ports import TrafficRouter, Weights

ALL = 100


@dataclass(frozen=True, slots=True)
class Step:
    """One share of the traffic for green.

    Attributes:
        weight: green's share in per cent, 1 to 100.
        hold: seconds that the step is held at least before it can pass.
        settle_timeout: seconds within which the routers must serve the written weights.
        budget: seconds that the gate may stay undecided, the hold included.
        approve: whether a person must approve before it is taken.
        routes: names of the routes that it moves; empty for all.
    """

    weight: int
    hold: float = 10.0
    settle_timeout: float = 60.0
    budget: float = 300.0
    approve: bool = False
    routes: tuple[str, ...] = ()

    @property
    def weights(self) -> Weights:
        """Return the weights of both sides."""
        return Weights.for_green(self.weight)


def check_steps(steps: Sequence[Step], routers: Iterable[TrafficRouter] = ()) -> tuple[str, ...]:
    """Return every reason why the steps cannot be taken through these routers; empty is good.

    Args:
        steps: the steps in order.
        routers: the routers that must hold each weight.
    """
    weights = [step.weight for step in steps]
    return (*_order_faults(weights), *_time_faults(steps), *_resolution_faults(weights, routers))


def _order_faults(weights: Sequence[int]) -> list[str]:
    """Return what is wrong with range, order and end."""
    faults = [f"{weight} is not between 1 and {ALL} per cent" for weight in weights if not 1 <= weight <= ALL]
    seen = sorted({weight for weight in weights if weights.count(weight) > 1})
    faults += [f"{weight} stands {weights.count(weight)} times" for weight in seen]
    pairs = itertools.pairwise(weights)
    faults += [f"{later} comes after {earlier}: steps go up" for earlier, later in pairs if later < earlier]
    if not weights:
        faults.append("there is no step")
    elif ALL not in weights:
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
        if not can_hold(router, weight)
    ]


def can_hold(router: TrafficRouter, weight: int) -> bool:
    """Return whether a router can hold a share exactly; from 100 positions on every per cent is one."""
    return router.resolution >= ALL or weight * router.resolution % ALL == 0


def _nearest(weight: int, resolution: int) -> str:
    """Return the whole per cents on both sides of a weight that a router can hold."""
    possible = [percent for percent in range(1, ALL + 1) if percent * resolution % ALL == 0]
    below = max((percent for percent in possible if percent < weight), default=None)
    above = min((percent for percent in possible if percent > weight), default=None)
    return " or ".join(str(percent) for percent in (below, above) if percent is not None)
