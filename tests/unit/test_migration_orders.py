"""Orders from another terminal: heard while the run judges or waits, followed once, and never against the laws."""

from functools import partial

import pytest
from fake_traffic import FakeRouter
from hypothesis import given
from hypothesis import strategies as st
from shift_run import NOW, Shift

from bluegreen.migration import waiting
from bluegreen.migration.orders import Orders, give, read_orders
from bluegreen.model.errors import ConflictError, RefusedError
from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side
from bluegreen.model.samples import Counts, NoData
from bluegreen.traffic.states import Command, Phase


@given(st.lists(st.sampled_from(list(Command)), max_size=5))
def test_what_is_given_is_read_back_in_order(tmp_path_factory, commands):
    path = tmp_path_factory.mktemp("orders") / "orders.jsonl"
    ids = [give(path, command, "ana@desk", NOW).id for command in commands]
    assert [order.id for order in read_orders(path)] == ids
    orders = Orders(path, done=set(ids[:1]))
    assert [order.id for order in orders.pending()] == ids[1:]


def test_a_line_that_is_no_order_is_left_out(tmp_path):
    path = tmp_path / "orders.jsonl"
    path.write_text('{"command": "explode"}\nnonsense\n')
    assert read_orders(path) == ()


def test_pause_holds_the_weights_and_resume_goes_on(tmp_path):
    shift = Shift(tmp_path, hold="60s", budget="90s").begin().in_phase(Phase.JUDGING)
    shift.order(Command.PAUSE)
    shift.in_phase(Phase.PAUSED)
    shift.until(lambda: shift.events("run.paused"))
    assert shift.green == 50
    assert shift.events("order.followed")[0]["by"] == "ana@desk"
    assert shift.events("run.paused")[0]["ended"] is False
    assert shift.events("run.paused")[0]["reason"] == "pause ordered by ana@desk"
    looks = len(shift.events("gate.judged"))
    shift.until(lambda: len(shift.events("gate.judged")) > looks + 1)  # it goes on judging
    shift.order(Command.RESUME)
    shift.in_phase(Phase.JUDGING)
    shift.order(Command.ABORT)
    assert shift.ended() is Phase.REVERTED
    assert shift.green == 0
    assert "abort ordered by ana@desk" in shift.events("revert.started")[0]["reason"]


def test_a_paused_run_still_goes_back_when_green_fails(tmp_path):
    shift = Shift(tmp_path, hold="60s", budget="90s").begin().in_phase(Phase.JUDGING)
    shift.order(Command.PAUSE)
    shift.in_phase(Phase.PAUSED)
    shift.answer = lambda side: Counts(10, 10) if side is Side.GREEN else Counts(20, 0)
    assert shift.ended() is Phase.REVERTED
    assert shift.green == 0
    assert "FAIL" in shift.events("revert.started")[0]["reason"]


def test_a_step_waits_for_its_approval_and_promote_gives_it(tmp_path):
    shift = Shift(tmp_path, steps=[{"weight": 50, "approve": True}, 100]).begin().in_phase(Phase.WAITING)
    shift.until(lambda: shift.events("run.paused"))
    assert shift.green == 0
    shift.until(lambda: shift.events("gate.judged"))
    assert {data["weight"] for data in shift.events("gate.judged")} == {0}, "the step is not written yet"
    ignored = shift.order(Command.RESUME)
    shift.until(lambda: shift.events("order.ignored"))
    assert shift.events("order.ignored")[0]["id"] == ignored.id
    shift.order(Command.PROMOTE)
    assert shift.ended() is Phase.DONE
    assert shift.green == 100


def test_promote_takes_the_next_step_over_a_silent_probe(tmp_path):
    shift = Shift(tmp_path, answer=lambda _side: NoData("nobody came")).begin().in_phase(Phase.JUDGING)
    shift.order(Command.PROMOTE)
    shift.in_phase(Phase.JUDGING, step=1)
    assert shift.green == 100
    shift.answer = lambda _side: Counts(20, 0)
    assert shift.ended() is Phase.DONE


def test_abort_is_heard_while_a_weight_does_not_settle(tmp_path):
    shift = Shift(tmp_path, routers=[FakeRouter(settles=[False] * 100_000)]).begin().in_phase(Phase.SETTLING)
    shift.order(Command.ABORT)
    assert shift.ended() is Phase.REVERTED
    assert shift.green == 0


def test_a_green_that_fails_is_not_waited_for_while_a_weight_does_not_settle(tmp_path):
    routers = [FakeRouter(settles=[False] * 100_000)]
    shift = Shift(tmp_path, routers=routers).begin().in_phase(Phase.SETTLING)
    shift.answer = lambda side: Counts(10, 10) if side is Side.GREEN else Counts(20, 0)
    assert shift.ended() is Phase.REVERTED


def test_a_weight_that_does_not_settle_pauses_and_says_where(tmp_path):
    routers = [FakeRouter(settles=[False] * 100_000)]
    shift = Shift(tmp_path, routers=routers, timeouts={"settle": "1s"}).begin().in_phase(Phase.PAUSED)
    shift.until(lambda: shift.events("run.paused"))
    assert "50 % is not in effect on shop" in shift.events("run.paused")[0]["reason"]
    shift.order(Command.ABORT)
    assert shift.ended() is Phase.REVERTED


def test_a_second_writer_pauses_and_the_reason_is_told(tmp_path):
    class Taken(FakeRouter):
        def shift(self, to, expect):
            if to.green:
                raise ConflictError("fake.conflict", "shifting", "somebody else has written")
            super().shift(to, expect)

    shift = Shift(tmp_path, routers=[Taken()]).begin().in_phase(Phase.PAUSED)
    shift.until(lambda: shift.events("run.paused"))
    assert "somebody else has written" in shift.events("run.paused")[0]["reason"]
    shift.order(Command.ABORT)
    assert shift.ended() is Phase.REVERTED


def test_a_router_that_is_away_is_tried_again_and_an_abort_is_heard_meanwhile(tmp_path):
    shift = Shift(tmp_path, routers=[FakeRouter(faults=["away"] * 3)]).begin()
    assert shift.ended() is Phase.DONE
    assert len(shift.events("step.retried")) == 3


def test_nobodys_answer_ends_the_process_and_leaves_the_weights(tmp_path):
    more = {"budget": "300ms", "timeouts": {"pause": "1500ms"}}
    shift = Shift(tmp_path, answer=lambda _side: NoData("nobody came"), **more).begin()
    assert shift.run.stop.ended.wait(30)
    assert (shift.run.stop.ending.outcome, shift.run.stop.ending.exit_code) == ("paused", 4)
    assert shift.green == 50
    assert shift.events("run.paused")[-1]["ended"] is True


def test_held_on_a_sick_blue_it_goes_back_when_blue_is_well(tmp_path):
    shift = Shift(tmp_path, hold="60s", budget="90s").begin().in_phase(Phase.JUDGING)
    shift.answer = lambda _side: Counts(10, 10)
    shift.order(Command.ABORT)
    shift.in_phase(Phase.HELD)
    assert shift.green == 50
    shift.answer = lambda _side: Counts(20, 0)
    assert shift.ended() is Phase.REVERTED
    assert shift.green == 0


@pytest.mark.parametrize(
    ("blue", "words", "typed"),
    [
        (Counts(0, 10), "blue is unhealthy", "mend blue"),
        (NoData("nobody came"), "its health is not known", "bluegreen traffic set 0 --force unfinished --force locked"),
    ],
    ids=["sick", "no requests"],
)
def test_held_it_says_whether_blue_is_sick_or_only_unseen(tmp_path, monkeypatch, blue, words, typed):
    monkeypatch.setattr(waiting.controller, "check_blue", partial(waiting.controller.check_blue, within=0.3))
    answer = {Side.BLUE: blue, Side.GREEN: Counts(20, 0)}
    shift = Shift(tmp_path, answer.__getitem__, hold="60s", budget="90s").begin().in_phase(Phase.JUDGING)
    shift.order(Command.ABORT)
    shift.in_phase(Phase.HELD).until(lambda: shift.events("run.paused"))
    told = shift.events("run.paused")[-1]
    assert words in told["reason"]
    assert typed in told["next"]
    assert ("mend blue" in told["next"]) is (words == "blue is unhealthy")
    shift.answer = lambda _side: Counts(20, 0)
    assert shift.ended() is Phase.REVERTED


def test_routes_move_one_after_the_other(tmp_path):
    routers = [FakeRouter("dns"), FakeRouter("lb")]
    routes = [{"name": "dns", "router": "fake", "after": "lb"}, {"name": "lb", "router": "fake"}]
    shift = Shift(tmp_path, routers=routers, routes=routes).begin()
    assert shift.ended() is Phase.DONE
    written = [(data["route"], data["green"]) for data in shift.events("weight.written")]
    assert written == [("lb", 50), ("lb", 100), ("dns", 50), ("dns", 100)]


def test_an_abort_before_traffic_ends_the_preparation(tmp_path):
    run = Shift(tmp_path).run
    run.shifting = False
    run.sleep(0)
    give(run.orders.path, Command.ABORT, "ana@desk", NOW)
    with pytest.raises(RefusedError, match="aborted by ana@desk"):
        run.sleep(0)
    assert Weights.for_green(0) == run.routers[0].read()
