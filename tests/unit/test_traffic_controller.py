"""Judging a step in fake time, and the threads that feed it in real time."""

import itertools
import threading
import time as real_time
from collections import Counter

import pytest
from fake_traffic import FakeFeed, FakeProbe, FakeTime, Told, nothing

from bluegreen.model.refs import Side
from bluegreen.model.samples import Broken, Counts
from bluegreen.model.verdicts import Verdict
from bluegreen.slo.health import Health
from bluegreen.slo.objectives import Objective
from bluegreen.traffic.controller import check_blue, judge
from bluegreen.traffic.feed import ThreadedFeed, Watch
from bluegreen.traffic.pace import Pace, StopAskedError, stoppable
from bluegreen.traffic.states import Command
from bluegreen.traffic.steps import Step

ERRORS = Objective("errors", "web", 0.99, min_samples=20)
STEP = Step(10, hold=15.0, budget=60.0)


def green_is(sample):
    return FakeProbe(answer=lambda side: sample if side is Side.GREEN else Counts(1, 0))


class Bench:
    def __init__(self, *probes, interval=0.5):
        self.time, self.told = FakeTime(), Told()
        self.pace = Pace(self.time.clock, self.time.sleep)
        self.watches = [Watch(probe, interval) for probe in probes]
        self.feeds = []

    def open_feed(self, watches, clock):
        self.feeds.append(FakeFeed(self.time, watches))
        return self.feeds[-1]

    def judge(self, *objectives, step=STEP, **more):
        return judge(
            self.watches,
            objectives or [ERRORS],
            step,
            pace=self.pace,
            emit=self.told,
            open_feed=self.open_feed,
            **more,
        )

    def check_blue(self, *objectives, **more):
        return check_blue(
            self.watches,
            objectives or [ERRORS],
            pace=self.pace,
            emit=self.told,
            open_feed=self.open_feed,
            **more,
        )


def test_a_good_green_passes_when_the_hold_is_over():
    bench = Bench(green_is(Counts(1, 0)))
    outcome = bench.judge()
    assert outcome.verdict is Verdict.PASS
    assert 15 <= outcome.seconds < 16.2
    assert outcome.blue.health is Health.HEALTHY
    assert bench.feeds[0].closed


def test_a_bad_green_fails_at_once_and_blue_is_known():
    outcome = Bench(green_is(Counts(0, 1, example="HTTP 500"))).judge()
    assert outcome.verdict is Verdict.FAIL
    assert outcome.seconds < 12
    assert outcome.blue.health is Health.HEALTHY
    assert outcome.judgements[0].example == "HTTP 500"


def test_starved_or_blind_it_ends_open_when_the_budget_is_used_up():
    starved = Bench(FakeProbe(answer=nothing)).judge()
    assert (starved.verdict, starved.blue.health) == (Verdict.INCONCLUSIVE, Health.UNKNOWN)
    blind = Bench(FakeProbe(answer=lambda side: Broken("no route"))).judge()
    assert blind.verdict is Verdict.PROBE_ERROR
    assert 60 <= starved.seconds <= 61.1
    assert 60 <= blind.seconds <= 61.1


def test_it_tells_what_it_sees_at_most_once_a_second():
    bench = Bench(green_is(Counts(1, 0)))
    bench.judge()
    looks = bench.told.of("gate.judged")
    assert 13 <= len(looks) <= 16
    assert looks[-1]["verdict"] == "PASS"
    first = looks[0]
    assert {"weight", "verdict", "elapsed", "hold", "budget", "blue", "judgements", "observed"} == set(first)
    assert first["judgements"][0]["objective"] == "errors"
    assert first["judgements"][0]["verdict"] == "INCONCLUSIVE"
    assert all(b["elapsed"] - a["elapsed"] >= 0.99 for a, b in itertools.pairwise(looks))


def test_a_command_ends_it_within_a_tick():
    bench = Bench(green_is(Counts(1, 0)))
    outcome = bench.judge(commands=lambda: Command.ABORT if bench.time.now > 1004.35 else None)
    assert outcome.command is Command.ABORT
    assert outcome.seconds < 4.6
    assert bench.feeds[0].closed


def test_a_sleep_that_leaves_lets_the_probes_go():
    bench = Bench(green_is(Counts(1, 0)))

    def leave(seconds):
        raise StopAskedError

    bench.pace = Pace(bench.time.clock, leave)
    with pytest.raises(StopAskedError):
        bench.judge()
    assert bench.feeds[0].closed


def test_each_objective_has_its_own_probe():
    users = FakeProbe("users", synthetic=False, answer=lambda side: Counts(0, 3, synthetic=False))
    bench = Bench(green_is(Counts(1, 0)), users)
    outcome = bench.judge(ERRORS, Objective("users", "users", 0.9))
    assert [judgement.samples > 0 for judgement in outcome.judgements] == [True, True]
    assert outcome.judgements[0].bad == 0
    assert outcome.judgements[1].verdict is Verdict.INCONCLUSIVE  # both sides fail alike
    assert outcome.blue.health is Health.SICK


def test_blue_afresh():
    healthy = Bench(green_is(Counts(0, 1)))
    assert healthy.check_blue().health is Health.HEALTHY
    assert healthy.time.now - 1000 < 3
    sick = Bench(FakeProbe(answer=lambda side: Counts(0, 1)))
    assert sick.check_blue().health is Health.SICK
    assert sick.told.of("blue.checked")[0]["health"] == "sick"
    unknown = Bench(FakeProbe(answer=nothing))
    assert unknown.check_blue(within=4.0).health is Health.UNKNOWN
    assert 4 <= unknown.time.now - 1000 < 4.3


def test_one_flake_of_blue_does_not_hold_a_way_back():
    turns = iter([Counts(0, 1)])
    probe = FakeProbe(answer=lambda side: next(turns, Counts(1, 0)) if side is Side.BLUE else Counts(0, 1))
    assert Bench(probe).check_blue().health is Health.HEALTHY


# ---- in real time ----


def test_a_probe_that_hangs_or_raises_holds_up_nobody():
    gone = threading.Event()

    def hang(side):
        gone.wait(30)
        return Counts(1, 0)

    def explode(side):
        raise RuntimeError("oops")

    def enough(readings):
        seen = Counter((reading.probe, reading.side) for reading in readings)
        return all(seen[probe, side] >= 2 for probe in ("explodes", "works") for side in Side)

    watches = [
        Watch(FakeProbe("hangs", answer=hang), 0.02),
        Watch(FakeProbe("explodes", answer=explode), 0.02),
        Watch(FakeProbe("works"), 0.02),
    ]
    began = real_time.monotonic()
    feed = ThreadedFeed(watches, real_time.monotonic)
    readings = []
    while not enough(readings):
        assert real_time.monotonic() - began < 30, readings
        real_time.sleep(0.05)
        readings += feed.drain()
    at_most = (real_time.monotonic() - began) / 0.02 + 2
    feed.close()
    gone.set()
    for thread in feed._threads:
        thread.join(30)
    assert {reading.probe for reading in readings} == {"explodes", "works"}
    assert any(isinstance(r.sample, Broken) and "oops" in r.sample.reason for r in readings)
    for side in Side:
        assert len([r for r in readings if r.probe == "works" and r.side is side]) <= at_most
    assert not any(thread.is_alive() for thread in feed._threads)


def test_what_users_met_before_is_not_this_steps():
    waiting = {side: [Counts(0, 999)] for side in Side}
    probe = FakeProbe("users", synthetic=False, answer=lambda side: (waiting[side] or [Counts(1, 0)]).pop())
    began = real_time.monotonic()
    feed = ThreadedFeed([Watch(probe, 0.05)], real_time.monotonic)
    readings = []
    while {reading.side for reading in readings} != set(Side):
        assert real_time.monotonic() - began < 30
        real_time.sleep(0.05)
        readings += feed.drain()
    feed.close()
    assert all(reading.sample == Counts(1, 0) for reading in readings)


def test_a_stop_ends_a_wait_at_once_and_is_no_result():
    stop = threading.Event()
    pace = stoppable(stop)
    threading.Timer(0.05, stop.set).start()
    began = real_time.monotonic()
    with pytest.raises(StopAskedError):
        judge([Watch(FakeProbe(), 0.05)], [ERRORS], STEP, pace=pace, emit=Told())
    assert real_time.monotonic() - began < STEP.hold - 1.0
    assert not issubclass(StopAskedError, Exception)


def test_a_real_judging_in_real_time():
    objective = Objective("errors", "web", 0.99, min_samples=20)
    outcome = judge(
        [Watch(green_is(Counts(1, 0)), 0.02)],
        [objective],
        Step(10, hold=1.2, budget=60),
        pace=stoppable(threading.Event()),
        emit=Told(),
    )
    assert outcome.verdict is Verdict.PASS
    assert outcome.seconds < 30


def test_pods_are_no_users_and_are_not_counted_as_such():
    users = FakeProbe("users", synthetic=False, answer=lambda side: Counts(1, 0, synthetic=False))
    pods = FakeProbe("pods", synthetic=False, users=False, answer=lambda side: Counts(3, 0, synthetic=False))
    outcome = Bench(users, pods, green_is(Counts(1, 0))).judge(
        ERRORS, Objective("users", "users", 0.9), Objective("pods", "pods", 0.9)
    )
    assert [seen.probe for seen in outcome.observed] == ["users"]
    assert outcome.blue.health is Health.HEALTHY
