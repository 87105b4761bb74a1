"""Writing weights and going back: idempotent, compare-and-set, one bad route never holds up the others."""

import pytest
from fake_traffic import FakeRouter, FakeTime, Returning, Told

from bluegreen.model.errors import ConflictError, NoSharesError, TransientError
from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side
from bluegreen.slo.health import BlueHealth, Health
from bluegreen.traffic.pace import Pace
from bluegreen.traffic.weights import revert, settle, shift

ALL_BLUE, HALF = Weights(100, 0), Weights(50, 50)
HEALTHY, SICK = BlueHealth(Health.HEALTHY), BlueHealth(Health.SICK, ("errors: 9 of 9 bad",))


@pytest.fixture
def time():
    return FakeTime()


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def pace(time):
    return Pace(time.clock, time.sleep)


def test_every_route_is_written_and_told_with_from_and_to(told):
    routers = [FakeRouter("a"), FakeRouter("b")]
    shift(routers, HALF, ALL_BLUE, told)
    assert [router.raw[Side.GREEN] for router in routers] == [50, 50]
    assert told.names == ["weight.writing", "weight.written"] * 2
    assert told.of("weight.written")[0] == {
        "route": "a",
        "changed": True,
        "from_blue": 100,
        "from_green": 0,
        "blue": 50,
        "green": 50,
    }


def test_done_again_it_writes_nothing(told):
    router = FakeRouter()
    shift([router], HALF, ALL_BLUE, told)
    written = list(router.history)
    shift([router], HALF, ALL_BLUE, told)
    assert router.history == written
    assert told.of("weight.written")[1]["changed"] is False


@pytest.mark.parametrize("faults", [["away"], ["", "away"], ["", "cut"], ["", "", "away"]])
def test_killed_or_cut_anywhere_it_comes_to_the_same_end(faults, told):
    routers = [FakeRouter("a"), FakeRouter("b", faults=faults)]
    with pytest.raises(TransientError):
        shift(routers, HALF, ALL_BLUE, told)
    shift(routers, HALF, ALL_BLUE, told)
    assert [router.raw for router in routers] == [{Side.BLUE: 50, Side.GREEN: 50}] * 2


def test_another_writer_is_a_conflict(told):
    router = FakeRouter(raw={Side.BLUE: 70, Side.GREEN: 30})
    with pytest.raises(ConflictError):
        shift([router], HALF, ALL_BLUE, told)
    assert router.history == []
    assert "weight.written" not in told.names


def test_what_is_read_back_must_be_what_was_written(told):
    class Stubborn(FakeRouter):
        def shift(self, to, expect):
            pass

    with pytest.raises(ConflictError, match="100/0 is read back"):
        shift([Stubborn()], HALF, ALL_BLUE, told)


def test_settle_waits_for_the_slowest_and_then_for_proof(time, pace, told):
    routers = [FakeRouter("a", settle_seconds=30.0), FakeRouter("b", settles=[False, False])]
    shift(routers, HALF, ALL_BLUE, told)
    began = time.now
    assert settle(routers, HALF, 60.0, pace, told)
    assert 30 <= time.now - began < 31
    assert told.of("weight.settled")[0]["green"] == 50


def test_settle_gives_up_after_its_time_and_names_the_routes(time, pace, told):
    routers = [FakeRouter("a"), FakeRouter("b", faults=["", "", ""] + ["away"] * 999)]
    shift(routers, HALF, ALL_BLUE, told)
    began = time.now
    assert not settle(routers, HALF, 5.0, pace, told)
    assert 5 <= time.now - began < 6
    assert told.of("weight.unsettled")[0]["routes"] == ["b"]


def half_way(name="shop", **more):
    return FakeRouter(name, raw={Side.BLUE: 50, Side.GREEN: 50}, **more)


def back(routers, pace, told, *, blues=(HEALTHY,), known=None, within=60.0):
    turn = list(blues)
    return revert(
        routers,
        lambda: turn.pop(0) if len(turn) > 1 else turn[0],
        pace=pace,
        within=within,
        emit=told,
        known=known,
    )


def test_back_in_one_jump_without_waiting_when_blue_is_known(time, pace, told):
    router, began = half_way(), time.now
    way = back([router], pace, told, blues=(SICK,), known=HEALTHY)
    assert way.reverted
    assert router.history == [(100, 50), (100, 0)]
    assert time.now == began
    assert told.names == ["revert.started", "weight.writing", "weight.written", "revert.finished"]


def test_back_looks_once_before_it_writes(pace, told):
    class Slow(FakeRouter):
        def read(self):
            self.asked.append("read")
            return super().read()

        def shift(self, to, expect):
            self.asked.append("shift")
            super().shift(to, expect)

    router = Slow(raw={Side.BLUE: 50, Side.GREEN: 50})
    router.asked = []
    assert back([router], pace, told, known=HEALTHY).reverted
    assert router.asked[: router.asked.index("shift")] == ["read"]


@pytest.mark.parametrize("blue", [SICK, BlueHealth(Health.UNKNOWN, ("no data",))])
def test_onto_a_blue_that_is_not_known_to_be_well_nobody_is_sent(blue, pace, told):
    router = half_way()
    way = back([router], pace, told, blues=(blue,))
    assert (way.reverted, way.blue, way.left) == (False, blue, ("shop",))
    assert router.history == []
    assert told.of("revert.held")[0]["reasons"] == list(blue.reasons)


def test_one_route_that_fails_does_not_hold_up_the_others(pace, told):
    class Mad(FakeRouter):
        def read(self):
            raise ZeroDivisionError

    mad, good = Mad("mad"), half_way("good")
    with pytest.raises(TransientError, match="not back: mad"):
        back([mad, good], pace, told, within=10.0)
    assert good.raw == {Side.BLUE: 100, Side.GREEN: 0}
    assert "ZeroDivisionError" in told.of("revert.retried")[0]["reason"]


@pytest.mark.parametrize("faults", [["away"] * 5, ["", "", "cut"], ["", "", "away", "", "", "cut"]])
def test_it_tries_again_until_all_are_back(faults, pace, told):
    router = half_way(faults=faults)
    assert back([router], pace, told).reverted
    assert router.raw == {Side.BLUE: 100, Side.GREEN: 0}


def test_another_writers_weights_do_not_stop_the_way_back(pace, told):
    router = FakeRouter(raw={Side.BLUE: 13, Side.GREEN: 87})
    assert back([router], pace, told).reverted


def test_blue_that_falls_sick_between_two_tries_is_not_sent_more(pace, told):
    router = half_way(faults=["away"])
    way = back([router], pace, told, blues=(HEALTHY, SICK))
    assert not way.reverted
    assert router.history == []


def test_already_back_is_done(pace, told):
    router = FakeRouter()
    assert back([router], pace, told).reverted
    assert router.history == []


def test_from_where_nobody_is_served_blue_is_brought_back(pace, told):
    dark, good = Returning("dark", raw={Side.BLUE: 0, Side.GREEN: 0}), half_way("good")
    assert back([dark, good], pace, told).reverted
    assert dark.raw == good.raw == {Side.BLUE: 100, Side.GREEN: 0}
    assert told.of("weight.written")[0] == {"route": "dark", "changed": True, "beside": "", "blue": 100, "green": 0}
    assert "notice" not in told.names


def test_who_serves_beside_blue_is_told_and_does_not_hold_up_the_way_back(pace, told):
    router = Returning(raw={Side.BLUE: 50, Side.GREEN: 50}, beside="third takes traffic; silence it")
    assert back([router], pace, told).reverted
    assert router.raw == {Side.BLUE: 100, Side.GREEN: 0}
    assert told.of("notice")[0]["text"] == "route shop is back on blue, but third takes traffic; silence it"


def test_a_router_that_can_be_brought_back_goes_the_usual_way_while_it_has_shares(pace, told):
    router = Returning(raw={Side.BLUE: 50, Side.GREEN: 50})
    assert back([router], pace, told).reverted
    assert router.history == [(100, 50), (100, 0)]


def test_bringing_back_is_tried_again(pace, told):
    router = Returning(raw={Side.BLUE: 0, Side.GREEN: 0}, faults=["away"])
    assert back([router], pace, told).reverted
    assert told.of("revert.retried")[0]["reason"] == "bringing back: away [fake.away]"


def test_out_of_nobody_served_onto_a_sick_blue_nobody_is_sent(pace, told):
    router = Returning(raw={Side.BLUE: 0, Side.GREEN: 0})
    assert not back([router], pace, told, blues=(SICK,)).reverted
    assert router.raw == {Side.BLUE: 0, Side.GREEN: 0}


def test_a_router_that_cannot_be_brought_back_is_retried_with_what_to_type(pace, told):
    class Dark(FakeRouter):
        def read(self):
            raise NoSharesError("fake.no-shares", "reading", "nobody is served", "set weight shop/blue 100")

    with pytest.raises(TransientError, match="not back: shop"):
        back([Dark()], pace, told, within=5.0)
    assert told.of("revert.retried")[0]["next"] == "set weight shop/blue 100"


def test_on_the_way_out_what_is_no_shares_is_refused(told):
    router = Returning(raw={Side.BLUE: 0, Side.GREEN: 0})
    with pytest.raises(NoSharesError):
        shift([router], HALF, ALL_BLUE, told)
    assert router.raw == {Side.BLUE: 0, Side.GREEN: 0}
