"""The contract of TrafficRouter, run by every router against the real thing.

A router joins by one line in RIGS: a function that takes a directory and returns a rig with open_router, cut, mend,
write_elsewhere, visit and close; where a router leaves a mark, open_router takes its owner. What only one router can
get wrong has a file of its own, test_router_NAME.py.
"""

import threading
import time
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rig_alb import AlbRig
from rig_envoy import EnvoyRig
from rig_gateway import GatewayRig
from rig_haproxy import HaproxyRig
from rig_http import wait_until
from rig_powerdns import PowerDnsRig, Rfc2136Rig
from rig_route53 import Route53Rig

from bluegreen.model.errors import ConflictError, TransientError
from bluegreen.model.ports import MarkedRouter, Weights

RIGS = {
    "alb": AlbRig,
    "envoy": EnvoyRig,
    "gateway-api": pytest.param(GatewayRig, marks=pytest.mark.lab),
    "haproxy": HaproxyRig,
    "powerdns": PowerDnsRig,
    "rfc2136": Rfc2136Rig,
    "route53": Route53Rig,
}

# HAProxy's runtime has no place for a mark; every other router must leave one.
UNMARKED = {"haproxy"}
MARKED = {name: rig for name, rig in RIGS.items() if name not in UNMARKED}

ALL_BLUE, HALF, ALL_GREEN = Weights(100, 0), Weights(50, 50), Weights(0, 100)
# A walk on a backend that answers slowly is as telling, and fewer of them are long enough.
WALKS, SLOW_WALKS = 30, 8


@pytest.fixture(params=RIGS.values(), ids=RIGS)
def rig(request, tmp_path):
    rig = request.param(tmp_path)
    yield rig
    rig.close()


@pytest.fixture
def router(rig):
    return rig.open_router()


@pytest.fixture(params=MARKED.values(), ids=MARKED)
def marked(request, tmp_path):
    rig = request.param(tmp_path)
    yield rig
    rig.close()


def test_it_names_itself_and_its_limits(router):
    assert router.name == "shop"
    assert router.resolution >= 1
    assert router.settle_seconds >= 0


def test_what_is_written_is_read_back_settled_and_served(rig, router):
    assert router.read() == ALL_BLUE
    router.shift(Weights(90, 10), expect=ALL_BLUE)
    assert router.read() == Weights(90, 10)
    wait_until(lambda: router.settled(Weights(90, 10)))
    assert not router.settled(ALL_BLUE)
    seen = rig.visit(200)
    assert seen["failed"] == 0
    assert abs(seen["green"] - 20) <= (1 if rig.deterministic else 18)


def test_zero_gets_nothing(rig, router):
    assert rig.visit(50) == {"blue": 50, "green": 0, "failed": 0}
    router.shift(ALL_GREEN, expect=ALL_BLUE)
    wait_until(lambda: router.settled(ALL_GREEN))
    wait_until(lambda: rig.visit(1)["green"])  # a data plane may follow its controller a moment later
    assert rig.visit(50) == {"blue": 0, "green": 50, "failed": 0}


def test_asked_for_what_is_served_it_succeeds_whatever_was_expected(router):
    router.shift(HALF, expect=ALL_BLUE)
    router.shift(HALF, expect=ALL_BLUE)
    router.shift(HALF, expect=ALL_GREEN)
    assert router.read() == HALF


def test_a_second_writer_is_noticed_and_not_overwritten(rig, router):
    rig.write_elsewhere(Weights(70, 30))
    with pytest.raises(ConflictError, match=r"90/10"):
        router.shift(Weights(90, 10), expect=ALL_BLUE)
    assert router.read() == Weights(70, 30)


def test_any_walk_over_the_weights_is_exact(rig):
    @settings(max_examples=SLOW_WALKS if rig.slow else WALKS, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.integers(0, 100), max_size=6))
    def walk(greens):
        router = rig.open_router()
        served = router.read()
        for green in greens:
            to = Weights.for_green(green)
            router.shift(to, expect=served)
            served = router.read()
            assert served == to
            wait_until(partial(router.settled, to))

    walk()


def test_an_unreachable_backend_is_an_error_that_may_pass_and_then_it_goes_on(rig, router):
    rig.cut()
    for act in (router.read, lambda: router.shift(HALF, expect=ALL_BLUE), lambda: router.settled(HALF)):
        with pytest.raises(TransientError) as caught:
            act()
        assert caught.value.why
    rig.mend()
    router.shift(HALF, expect=ALL_BLUE)
    assert router.read() == HALF


def test_finalize_keeps_the_weights_and_may_be_called_twice(router):
    router.shift(ALL_GREEN, expect=ALL_BLUE)
    router.finalize()
    router.finalize()
    assert router.read() == ALL_GREEN


def test_it_leaves_a_mark_unless_its_backend_has_no_place_for_one(rig, router):
    assert isinstance(router, MarkedRouter) is not isinstance(rig, HaproxyRig)


def test_the_mark_is_nobodys_before_ours_after_a_shift_and_gone_after_finalize(marked):
    router = marked.open_router()
    assert router.marked_by() == ""
    router.shift(Weights(90, 10), expect=ALL_BLUE)
    assert router.marked_by() == "bluegreen"
    router.finalize()
    assert router.marked_by() == ""
    assert router.read() == Weights(90, 10)


def test_anothers_mark_is_told_and_kept(marked):
    marked.open_router(owner="somebody-else").shift(HALF, expect=ALL_BLUE)
    router = marked.open_router()
    assert router.marked_by() == "somebody-else"
    for act in (lambda: router.shift(ALL_GREEN, expect=HALF), router.finalize):
        with pytest.raises(ConflictError, match="somebody-else") as caught:
            act()
        assert caught.value.next_step
    assert router.marked_by() == "somebody-else"
    assert router.read() == HALF


def test_whose_mark_it_is_cannot_be_told_while_the_backend_is_away(marked):
    router = marked.open_router()
    marked.cut()
    with pytest.raises(TransientError) as caught:
        router.marked_by()
    assert caught.value.why
    marked.mend()
    assert router.marked_by() == ""


def test_users_with_kept_connections_lose_nothing_on_the_way_out_and_back(rig, router):
    ended, seen = threading.Event(), []
    users = [threading.Thread(target=lambda: seen.append(_use(rig, ended)), daemon=True) for _ in range(4)]
    for user in users:
        user.start()
    served = ALL_BLUE
    try:
        for green in (10, 50, 100, 0, 100, 37, 0):
            router.shift(Weights.for_green(green), expect=served)
            served = Weights.for_green(green)
            wait_until(partial(router.settled, served))
            time.sleep(0.1)
    finally:
        ended.set()
        for user in users:
            user.join(30)
    assert sum(part["failed"] for part in seen) == 0
    assert sum(part["green"] for part in seen) > 0


def _use(rig, ended):
    total = {"blue": 0, "green": 0, "failed": 0}
    while not ended.is_set():
        for key, count in rig.visit(10).items():
            total[key] += count
    return total
