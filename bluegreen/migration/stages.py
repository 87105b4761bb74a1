"""Which routes move when: together, or one after the other, as the configuration says with `after`.

A route that names another one in `after` stays on blue until that one has come to 100 %. So a load balancer can be
moved first, and the DNS name in front of it afterwards. Pure.
"""

from collections.abc import Iterable, Sequence

from bluegreen.config.models import Migration, Route
from bluegreen.model.ports import TrafficRouter, Weights
from bluegreen.traffic.states import State
from bluegreen.traffic.steps import Step, check_steps

ALL_BLUE, ALL_GREEN = Weights.for_green(0), Weights.for_green(100)


def stages(routes: Sequence[Route]) -> tuple[tuple[str, ...], ...]:
    """Return the names of the routes that move together, stage by stage.

    The loader has made sure that `after` names a route and goes in no circle.
    """
    found: list[tuple[str, ...]] = []
    left = list(routes)
    while left:
        moved = {name for stage in found for name in stage}
        now = tuple(route.name for route in left if route.after is None or route.after in moved)
        if not now:
            raise AssertionError("the configuration was loaded with a circle of routes")
        found.append(now)
        left = [route for route in left if route.name not in now]
    return tuple(found)


def steps_of(config: Migration) -> tuple[Step, ...]:
    """Return the steps of every stage with their times."""
    groups = stages(config.routes)
    return tuple(
        Step(
            weight=step.weight,
            hold=config.hold if step.hold is None else step.hold,
            settle_timeout=config.timeouts.settle,
            budget=config.budget if step.budget is None else step.budget,
            approve=step.approve,
            routes=group if len(groups) > 1 else (),
        )
        for group in groups
        for step in config.steps
    )


def faults(steps: Sequence[Step], routers: Iterable[TrafficRouter]) -> tuple[str, ...]:
    """Return every reason why the steps cannot be taken through these routers, stage by stage."""
    known = tuple(routers)
    groups = dict.fromkeys(step.routes for step in steps)
    return tuple(
        dict.fromkeys(
            fault
            for group in groups
            for fault in check_steps([step for step in steps if step.routes == group], _among(known, group))
        )
    )


def routers_of(step: Step, routers: Iterable[TrafficRouter]) -> tuple[TrafficRouter, ...]:
    """Return the routers that a step moves."""
    return _among(routers, step.routes)


def before(state: State, steps: Sequence[Step]) -> Weights:
    """Return the weights that the routes of a step serve before it."""
    step = steps[state.step]
    earlier = steps[state.step - 1] if state.step else None
    return earlier.weights if earlier is not None and earlier.routes == step.routes else ALL_BLUE


def served(state: State, steps: Sequence[Step], router: TrafficRouter) -> Weights:
    """Return the weights that a route shall serve while a step is judged."""
    step = steps[state.step]
    if not step.routes or router.name in step.routes:
        return step.weights
    done = any(router.name in earlier.routes for earlier in steps[: state.step])
    return ALL_GREEN if done else ALL_BLUE


def _among(routers: Iterable[TrafficRouter], names: Sequence[str]) -> tuple[TrafficRouter, ...]:
    return tuple(router for router in routers if not names or router.name in names)
