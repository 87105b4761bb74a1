"""Written weights have taken effect when every route says so, a random one is proven, and old answers are over."""

import random
import threading
from dataclasses import dataclass, field

import pytest
from fake_traffic import FakeRouter, FakeTime, Told

from bluegreen.model.errors import ConflictError, TransientError
from bluegreen.model.ports import Drawn, Weights
from bluegreen.model.refs import Side
from bluegreen.traffic.settling import ALLOWANCE_SECONDS, Background, Settling

TENTH = Weights(90, 10)


@dataclass
class DnsLike(FakeRouter):
    """A router that is cached and draws at random, as DNS does."""

    truth: dict[str, float] = field(default_factory=lambda: {"ns1": 0.10, "ns2": 0.10})
    asked: list[str] = field(default_factory=list)
    odd: int = 0

    @property
    def servers(self):
        return tuple(self.truth)

    def prepare(self):
        return 0.0

    def draw(self, server, count):
        self.asked.append(server)
        if self.truth[server] < 0:
            raise TransientError("dns.no-answer", "asking", "no answer")
        dice = random.Random(f"{server}{count}")  # noqa: S311 - a simulation
        green = sum(dice.random() < self.truth[server] for _ in range(count))
        return Drawn(count - green - self.odd, green, self.odd)


def served(router=None, **more):
    router = router or DnsLike(**more)
    router.raw = {Side.BLUE: 90, Side.GREEN: 10}
    return router


def test_a_plain_router_settles_at_once():
    assert Settling([served(FakeRouter())], TENTH, FakeTime().clock, Told()).poll()


def test_each_server_is_proven_once_and_the_old_ttl_is_waited_for():
    time, told, router = FakeTime(), Told(), served(settle_seconds=5.0)
    settling = Settling([router], TENTH, time.clock, told)
    assert settling.least == 5.0 + ALLOWANCE_SECONDS
    assert not settling.poll()
    assert [event["server"] for event in told.of("weight.proven")] == ["ns1", "ns2"]
    time.sleep(7.1)
    assert settling.poll()
    assert router.asked == ["ns1", "ns2"]
    assert told.of("weight.proven")[0]["samples"] > 1000


def test_a_server_that_serves_another_share_is_told_and_never_proven_by_many_tries():
    told, router = Told(), served(truth={"ns1": 0.10, "ns2": 0.0})
    settling = Settling([router], TENTH, FakeTime().clock, told)
    for _ in range(50):
        assert not settling.poll()
    assert settling.late == ("shop",)
    assert len(told.of("weight.unproven")) == 3
    assert told.of("weight.unproven")[0]["server"] == "ns2"


def test_answers_of_neither_side_prove_nothing():
    told = Told()
    assert not Settling([served(odd=1)], TENTH, FakeTime().clock, told).poll()
    assert told.of("weight.unproven")[0]["other"] == 1


def test_a_silent_server_is_asked_again():
    router = served(truth={"ns1": -1.0})
    settling = Settling([router], TENTH, FakeTime().clock, Told())
    assert not settling.poll()
    router.truth["ns1"] = 0.10
    settling.poll()
    assert settling.late == ()


def test_the_background_ends_says_and_raises():
    with Background(lambda: True, every=0.01) as ready:
        for _ in range(500):
            if ready.done():
                break
            threading.Event().wait(0.01)
        assert ready.done()

    def fault():
        raise ConflictError("x", "y", "z")

    with Background(fault, every=0.01) as ready, pytest.raises(ConflictError):
        for _ in range(500):
            ready.done()
            threading.Event().wait(0.01)
