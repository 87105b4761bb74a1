"""The state machine: every state with every input, and the stories that matter."""

import itertools

import pytest

from bluegreen.model.errors import BugError
from bluegreen.model.ports import Weights
from bluegreen.model.verdicts import Verdict
from bluegreen.slo.health import Health
from bluegreen.traffic.decide import action, decide
from bluegreen.traffic.laws import check_transition
from bluegreen.traffic.states import (
    TERMINAL,
    Action,
    BlueSeen,
    BudgetElapsed,
    Command,
    Judged,
    Ordered,
    Phase,
    RouterRefused,
    RouterUnreachable,
    Settled,
    SettleTimedOut,
    State,
    Written,
    may_scale_blue_down,
    start,
    target,
)
from bluegreen.traffic.steps import Step

STEPS = tuple(Step(weight) for weight in (10, 50, 100))
PASS, FAIL, OPEN, BLIND = (Judged(verdict) for verdict in Verdict)
HEALTHY, SICK, UNKNOWN = (BlueSeen(health) for health in (Health.HEALTHY, Health.SICK, Health.UNKNOWN))
PAUSE, RESUME, PROMOTE, ABORT = (Ordered(command) for command in Command)
INPUTS = (
    *(Written(Weights.for_green(green)) for green in (0, 10, 50, 100, 37)),
    Settled(),
    SettleTimedOut(),
    *(Judged(verdict, over) for verdict in Verdict for over in (True, False)),
    BudgetElapsed(),
    HEALTHY,
    SICK,
    UNKNOWN,
    RouterUnreachable(),
    RouterRefused(),
    PAUSE,
    RESUME,
    PROMOTE,
    ABORT,
)


APPROVED = (Step(10), Step(50, approve=True), Step(100))
STAGED = tuple(Step(weight, approve=name == "dns", routes=(name,)) for name in ("lb", "dns") for weight in (50, 100))


def reachable(steps=STEPS):
    """Return every state that can be reached from the start."""
    seen, todo = set(), [start(steps)]
    while todo:
        state = todo.pop()
        if state not in seen:
            seen.add(state)
            todo += [decide(state, happened, steps) for happened in INPUTS]
    return seen


def after(*inputs, state=None):
    state = state or start(STEPS)
    for happened in inputs:
        state = decide(state, happened, STEPS)
    return state


UP_TO_HALF = (Written(Weights(90, 10)), Settled(), PASS, Written(Weights(50, 50)), Settled())
UP_TO_BAKE = (*UP_TO_HALF, PASS, Written(Weights(0, 100)), Settled(), PASS)


def test_every_state_takes_every_input_without_breaking_a_law():
    states = reachable(APPROVED) | reachable(STAGED)
    assert {state.phase for state in states} == set(Phase)
    assert len(states) > 30


def test_every_state_has_one_action_and_only_the_end_stops():
    for state in reachable():
        assert (action(state) is Action.STOP) is (state.phase in TERMINAL)


def test_from_every_state_there_is_a_way_to_an_end():
    ends = {state: state.phase in TERMINAL for state in reachable()}
    for _ in range(len(ends)):
        ends = {
            state: ended or any(ends[decide(state, happened, STEPS)] for happened in INPUTS)
            for state, ended in ends.items()
        }
        if all(ends.values()):
            break
    assert all(ends.values())


def test_from_every_state_but_the_end_a_person_can_go_back_to_a_healthy_blue():
    for state in reachable():
        if state.phase not in TERMINAL:
            assert after(ABORT, HEALTHY, Written(Weights(100, 0)), state=state).phase is Phase.REVERTED


def test_the_good_way():
    assert after().phase is Phase.SHIFTING
    assert after(Written(Weights(90, 10))).phase is Phase.SETTLING
    assert after(*UP_TO_HALF) == State(Phase.JUDGING, 1, 50)
    assert after(*UP_TO_BAKE).phase is Phase.BAKING
    done = after(*UP_TO_BAKE, PASS)
    assert done.phase is Phase.DONE
    assert may_scale_blue_down(done)
    assert not may_scale_blue_down(after(*UP_TO_BAKE))


@pytest.mark.parametrize(
    "way", [(), UP_TO_HALF, UP_TO_BAKE, (*UP_TO_HALF, OPEN), (*UP_TO_BAKE, OPEN), (*UP_TO_HALF, PAUSE)]
)
def test_a_fail_looks_at_blue_first_from_wherever_it_comes(way):
    state = after(*way, FAIL)
    assert (state.phase, action(state)) == (Phase.CHECKING, Action.CHECK_BLUE)
    assert after(HEALTHY, state=state).phase is Phase.REVERTING
    assert target(after(HEALTHY, state=state), STEPS) == Weights(100, 0)
    for bad in (SICK, UNKNOWN):
        held = after(bad, state=state)
        assert (held.phase, action(held)) == (Phase.HELD, Action.CALL)
        assert after(HEALTHY, state=held).phase is Phase.REVERTING


@pytest.mark.parametrize("verdict", [Verdict.INCONCLUSIVE, Verdict.PROBE_ERROR])
def test_an_open_verdict_holds_then_pauses_for_a_person(verdict):
    holding = after(*UP_TO_HALF, Judged(verdict, over=False))
    assert (holding.phase, action(holding)) == (Phase.HOLDING, Action.JUDGE)
    for used_up in (Judged(verdict), BudgetElapsed()):
        paused = after(used_up, state=holding)
        assert (paused.phase, paused.step, action(paused)) == (Phase.PAUSED, 1, Action.ASK)
        assert after(RESUME, state=paused) == State(Phase.JUDGING, 1, 50)
        assert after(PROMOTE, state=paused) == State(Phase.SHIFTING, 2, 100)
        assert after(PASS, state=paused) == paused


def test_a_bake_that_cannot_be_judged_is_not_done():
    paused = after(*UP_TO_BAKE, OPEN)
    assert (paused.phase, paused.resume) == (Phase.PAUSED, Phase.BAKING)
    assert after(RESUME, state=paused).phase is Phase.BAKING
    assert after(PROMOTE, state=paused).phase is Phase.DONE


def test_weights_that_are_not_served_do_not_advance():
    assert after(Written(Weights(63, 37))).phase is Phase.SHIFTING
    reverting = after(FAIL, HEALTHY)
    assert after(Written(Weights(90, 10)), state=reverting).phase is Phase.REVERTING


def test_a_router_that_refuses_or_does_not_settle_pauses_and_one_that_is_away_is_tried_again():
    assert after(RouterRefused()).resume is Phase.SHIFTING
    assert after(RouterUnreachable()) == after()
    stuck = after(Written(Weights(90, 10)), SettleTimedOut())
    assert (stuck.phase, stuck.resume) == (Phase.PAUSED, Phase.SETTLING)
    assert after(PROMOTE, state=stuck).phase is Phase.JUDGING


def test_a_way_back_is_never_paused_or_given_up():
    reverting = after(*UP_TO_HALF, FAIL, HEALTHY)
    for happened in (PAUSE, RESUME, PROMOTE, ABORT, RouterRefused(), RouterUnreachable(), BudgetElapsed(), PASS, OPEN):
        assert after(happened, state=reverting) == reverting
    assert after(SICK, state=reverting).phase is Phase.HELD


def test_beyond_help_of_blue_a_person_can_take_green_forward():
    assert after(*UP_TO_HALF, FAIL, SICK, PROMOTE) == State(Phase.SHIFTING, 2, 100)


def test_an_end_is_an_end():
    for way in ((FAIL, HEALTHY, Written(Weights(100, 0))), (*UP_TO_BAKE, PASS)):
        state = after(*way)
        assert all(after(happened, state=state) == state for happened in INPUTS)


@pytest.mark.parametrize(
    ("before", "happened", "afterwards", "law"),
    [
        (State(Phase.JUDGING, 0, 10), PASS, State(Phase.SHIFTING, 1, 10), "law 1"),
        (State(Phase.JUDGING, 0, 10), OPEN, State(Phase.SHIFTING, 1, 50), "law 1"),
        (State(Phase.JUDGING, 0, 10), PASS, State(Phase.SHIFTING, 2, 100), "law 1: a step was skipped"),
        (State(Phase.JUDGING, 2, 100), PASS, State(Phase.DONE, 2, 100), "law 1: blue would be let go"),
        (State(Phase.BAKING, 2, 100), BudgetElapsed(), State(Phase.DONE, 2, 100), "law 1: blue would be let go"),
        (State(Phase.JUDGING, 0, 10), FAIL, State(Phase.HOLDING, 0, 10), "law 3: a FAIL"),
        (State(Phase.JUDGING, 0, 10), BLIND, State(Phase.CHECKING, 0, 10), "law 3: PROBE_ERROR"),
        (State(Phase.JUDGING, 0, 10), OPEN, State(Phase.REVERTING, 0, 10), "law 3"),
        (State(Phase.JUDGING, 0, 10), FAIL, State(Phase.REVERTING, 0, 10), "law 4"),
        (State(Phase.CHECKING, 0, 10), SICK, State(Phase.REVERTING, 0, 10), "law 4"),
        (State(Phase.CHECKING, 0, 10), UNKNOWN, State(Phase.REVERTING, 0, 10), "law 4"),
        (State(Phase.CHECKING, 0, 10), HEALTHY, State(Phase.REVERTED, 0, 10), "law 4"),
    ],
)
def test_a_transition_that_breaks_a_law_is_a_bug(before, happened, afterwards, law):
    with pytest.raises(BugError, match=law):
        check_transition(before, happened, afterwards, STEPS)


def test_a_restart_in_any_state_asks_for_the_same_again():
    for state, happened in itertools.product(reachable(), INPUTS):
        copy = State(state.phase, state.step, state.earned, state.resume)
        assert action(copy) is action(state)
        assert decide(copy, happened, STEPS) == decide(state, happened, STEPS)


def test_a_step_that_needs_approval_waits_for_promote_alone():
    waiting = State(Phase.WAITING, 1, 50)
    state = start(APPROVED)
    for happened in (Written(Weights(90, 10)), Settled(), PASS):
        state = decide(state, happened, APPROVED)
    assert state == waiting
    assert action(state) is Action.ASK
    for ignored in (RESUME, PAUSE, PASS, OPEN, BLIND, BudgetElapsed(), Settled()):
        assert decide(waiting, ignored, APPROVED) == waiting
    assert decide(waiting, PROMOTE, APPROVED).phase is Phase.SHIFTING
    assert decide(waiting, FAIL, APPROVED).phase is Phase.CHECKING
    assert decide(waiting, ABORT, APPROVED).phase is Phase.CHECKING


def test_a_first_step_can_need_approval_too():
    assert start((Step(100, approve=True),)).phase is Phase.WAITING


def test_another_stage_earns_its_own_weight():
    state = State(Phase.JUDGING, 1, 100)
    state = decide(state, PASS, STAGED)
    assert state == State(Phase.WAITING, 2, 50)
    assert decide(decide(state, PROMOTE, STAGED), Written(Weights(50, 50)), STAGED).phase is Phase.SETTLING
