"""Routes move together or one after the other, each through all steps."""

import pytest
from fake_traffic import FakeRouter

from bluegreen.config.models import Route
from bluegreen.migration import stages
from bluegreen.model.ports import Weights
from bluegreen.model.verdicts import Verdict
from bluegreen.traffic.decide import decide
from bluegreen.traffic.states import Judged, Phase, Settled, State, Written, start, target
from bluegreen.traffic.steps import Step


def route(name, after=None):
    return Route(name=name, router="haproxy", after=after)


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ([route("a"), route("b")], (("a", "b"),)),
        ([route("dns", "lb"), route("lb")], (("lb",), ("dns",))),
        ([route("c", "b"), route("b", "a"), route("a"), route("d")], (("a", "d"), ("b",), ("c",))),
    ],
)
def test_routes_wait_for_those_they_name(routes, expected):
    assert stages.stages(routes) == expected


STEPS = tuple(Step(weight, routes=(name,)) for name in ("lb", "dns") for weight in (50, 100))


def through(steps):
    """Take every step; yield each state with what it wants written."""
    state, seen = start(steps), []
    while state.phase is not Phase.BAKING:
        seen.append((state.step, steps[state.step].routes, target(state, steps).green, state.earned))
        for happened in (Written(target(state, steps)), Settled(), Judged(Verdict.PASS)):
            state = decide(state, happened, steps)
    return seen


def test_the_second_route_starts_from_nothing_and_earns_its_own_share():
    assert through(STEPS) == [
        (0, ("lb",), 50, 50),
        (1, ("lb",), 100, 100),
        (2, ("dns",), 50, 50),
        (3, ("dns",), 100, 100),
    ]


def test_what_each_route_served_before_and_shall_serve_now():
    lb, dns = FakeRouter("lb"), FakeRouter("dns")
    at = [State(Phase.JUDGING, step, 100) for step in range(4)]
    assert [stages.before(state, STEPS).green for state in at] == [0, 50, 0, 50]
    assert [stages.served(state, STEPS, lb).green for state in at] == [50, 100, 100, 100]
    assert [stages.served(state, STEPS, dns).green for state in at] == [0, 0, 50, 100]
    assert stages.routers_of(STEPS[2], (lb, dns)) == (dns,)
    assert stages.served(State(Phase.JUDGING, 0, 50), (Step(50),), dns) == Weights(50, 50)


def test_each_stage_is_checked_for_itself():
    assert stages.faults(STEPS, (FakeRouter("lb"), FakeRouter("dns"))) == ()
    coarse = FakeRouter("dns", resolution=1)
    assert stages.faults(STEPS, (FakeRouter("lb"), coarse)) != ()
