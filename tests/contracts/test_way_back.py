"""The shift with everything real: HAProxy, two servers, users, probes, the gate; how long a way back takes."""

import threading
import time

import pytest
from rig_haproxy import HaproxyRig

from bluegreen.model.errors import ConflictError
from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side
from bluegreen.model.verdicts import Verdict
from bluegreen.slo.health import Health
from bluegreen.slo.objectives import Objective
from bluegreen.traffic.controller import check_blue, judge
from bluegreen.traffic.feed import Watch
from bluegreen.traffic.pace import stoppable
from bluegreen.traffic.steps import Step
from bluegreen.traffic.weights import revert, settle, shift
from bluegreen_adapters import haproxy_probe, http_probe

ALL_BLUE, HALF = Weights(100, 0), Weights(50, 50)
ERRORS = Objective("errors", "http", 0.99, min_samples=20)
USERS = Objective("users", "users", 0.99, min_samples=20)


class Events:
    def __init__(self):
        self.seen = []

    def __call__(self, name, /, **data):
        self.seen.append((time.monotonic(), name, data))

    def first(self, name):
        return next(at for at, seen, _ in self.seen if seen == name)


class Users:
    """Four people who keep asking through HAProxy."""

    def __init__(self, rig):
        self.rig, self.ended, self.seen = rig, threading.Event(), []
        self.threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(4)]
        for thread in self.threads:
            thread.start()

    def _ask(self):
        while not self.ended.is_set():
            self.seen.append(self.rig.visit(5))
            time.sleep(0.1)

    def leave(self):
        self.ended.set()
        for thread in self.threads:
            thread.join(10)
        return {key: sum(part[key] for part in self.seen) for key in ("blue", "green", "failed")}


@pytest.fixture
def rig(tmp_path):
    rig = HaproxyRig(tmp_path)
    yield rig
    rig.close()


@pytest.fixture
def shop(rig):
    """Return router, watches, pace and events."""
    urls = {str(side): server.url for side, server in rig.sides.items()}
    http = http_probe.open_probe("http", {**urls, "timeout": "1s"})
    users = haproxy_probe.open_probe("users", rig.settings())
    yield rig.open_router(), [Watch(http, 0.25), Watch(users, 0.5)], stoppable(threading.Event()), Events()
    http.close()
    users.close()


def test_a_good_green_is_passed_by_users_and_probe_alike(rig, shop):
    router, watches, pace, events = shop
    users = Users(rig)
    shift([router], HALF, ALL_BLUE, events)
    assert settle([router], HALF, 5.0, pace, events)
    outcome = judge(watches, [ERRORS, USERS], Step(50, hold=3, budget=20), pace=pace, emit=events)
    assert outcome.verdict is Verdict.PASS, [j.line() for j in outcome.judgements]
    assert all(judgement.samples >= 20 for judgement in outcome.judgements)
    assert users.leave()["failed"] == 0


def test_a_green_that_breaks_is_left_within_moments_of_the_verdict(rig, shop):
    router, watches, pace, events = shop
    users = Users(rig)
    shift([router], HALF, ALL_BLUE, events)
    rig.sides[Side.GREEN].manners.status = 500
    began = time.monotonic()
    outcome = judge(watches, [ERRORS, USERS], Step(50, hold=3, budget=60), pace=pace, emit=events)
    decided = time.monotonic()
    assert outcome.verdict is Verdict.FAIL
    assert outcome.blue.health is Health.HEALTHY
    looks = []
    way = revert([router], lambda: looks.append("blue"), pace=pace, within=10, emit=events, known=outcome.blue)
    written = time.monotonic()
    assert way.reverted
    assert rig.visit(20) == {"blue": 20, "green": 0, "failed": 0}
    assert looks == [], "blue was known to be healthy, and a look at it takes its time"
    assert written - decided < 1.0
    assert decided - began < 20
    users.leave()
    print(f"verdict after {decided - began:.1f} s, back {(written - decided) * 1000:.1f} ms later")  # noqa: T201 - measured


def test_nobody_is_sent_back_to_a_blue_that_died_meanwhile(rig, shop):
    router, watches, pace, events = shop
    shift([router], HALF, ALL_BLUE, events)
    rig.sides[Side.BLUE].stop()
    way = revert(
        [router],
        lambda: check_blue(watches, [ERRORS], pace=pace, emit=events),
        pace=pace,
        within=10,
        emit=events,
    )
    assert not way.reverted
    assert way.blue.health is Health.SICK
    assert router.read() == HALF


def test_both_sides_down_is_nobodys_fault(rig, shop):
    _, watches, pace, events = shop
    for server in rig.sides.values():
        server.stop()
    outcome = judge(watches, [ERRORS], Step(50, hold=1, budget=6), pace=pace, emit=events)
    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert outcome.blue.health is Health.SICK


def test_haproxy_gone_is_a_broken_probe_and_a_revert_that_waits_for_it(rig, shop):
    router, watches, pace, events = shop
    shift([router], HALF, ALL_BLUE, events)
    rig.cut()
    outcome = judge(watches, [USERS], Step(50, hold=1, budget=2), pace=pace, emit=events)
    assert outcome.verdict is Verdict.PROBE_ERROR
    retried = []

    def mend_after_the_first_try(name, /, **data):
        events(name, **data)
        if name == "revert.retried" and not retried:
            retried.append(data)
            rig.mend()

    way = revert(
        [router],
        lambda: check_blue(watches, [ERRORS], pace=pace, emit=events),
        pace=pace,
        within=20,
        emit=mend_after_the_first_try,
    )
    assert way.reverted
    assert retried
    assert router.read() == ALL_BLUE


def test_a_reload_in_the_middle_stops_the_next_step(rig, shop):
    router, _, _, events = shop
    shift([router], HALF, ALL_BLUE, events)
    rig.reload()
    with pytest.raises(ConflictError, match="reloaded"):
        shift([router], Weights(0, 100), HALF, events)
