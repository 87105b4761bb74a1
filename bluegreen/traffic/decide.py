"""What to do next: a pure state machine of one shift, run again from every interrupted state.

`action` says what a state asks for, `decide` what follows from what happened. A state is durable as it is: after a
crash the caller does `action(state)` once more, which is safe because every act is idempotent. Nothing here does I/O;
every transition is checked against the laws before it is returned, in production, too.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from bluegreen.model.ports import Weights
from bluegreen.model.verdicts import Verdict
from bluegreen.slo.health import Health
from bluegreen.traffic.laws import check_transition
from bluegreen.traffic.states import (
    GOING_BACK,
    TERMINAL,
    Action,
    BlueSeen,
    BudgetElapsed,
    Command,
    Input,
    Judged,
    Ordered,
    Phase,
    RouterRefused,
    RouterUnreachable,
    Settled,
    SettleTimedOut,
    State,
    Written,
    entry,
    target,
)
from bluegreen.traffic.steps import Step

_JUDGED = frozenset({Phase.JUDGING, Phase.HOLDING})


def action(state: State) -> Action:  # noqa: PLR0911 - one line per phase is the clearest table
    """Return what a state asks for; after a crash, ask again and do it again."""
    match state.phase:
        case Phase.SHIFTING:
            return Action.WRITE
        case Phase.SETTLING:
            return Action.SETTLE
        case Phase.JUDGING | Phase.HOLDING | Phase.BAKING:
            return Action.JUDGE
        case Phase.PAUSED | Phase.WAITING:
            return Action.ASK
        case Phase.CHECKING:
            return Action.CHECK_BLUE
        case Phase.REVERTING:
            return Action.REVERT
        case Phase.HELD:
            return Action.CALL
        case Phase.REVERTED | Phase.DONE:
            return Action.STOP
        case _:
            assert_never(state.phase)


def decide(state: State, happened: Input, steps: Sequence[Step]) -> State:
    """Return the next state.

    What makes no sense in a state (a late answer, a command that came too late) leaves it as it is.

    Args:
        state: where the shift stands.
        happened: what the last action, the clock or a person brought.
        steps: the steps, in order, the last of them 100.

    Raises:
        BugError: the transition would break a law.
    """
    after = state if state.phase in TERMINAL else _next(state, happened, steps)
    return check_transition(state, happened, after, steps)


def _next(state: State, happened: Input, steps: Sequence[Step]) -> State:  # noqa: PLR0911 - a table, too
    """Return the next state of a shift that has not ended."""
    match happened:
        case Written(served):
            return _written(state, served, steps)
        case Settled():
            return _when(state, Phase.SETTLING, to=Phase.JUDGING)
        case Judged(verdict, over):
            return _judged(state, verdict, steps, over=over)
        case BlueSeen(health):
            return _blue_seen(state, health)
        case RouterRefused() | SettleTimedOut() | BudgetElapsed():
            return _stuck(state)
        case RouterUnreachable():
            return state
        case Ordered(command):
            return _ordered(state, command, steps)
        case _:
            assert_never(happened)


def _when(state: State, phase: Phase, to: Phase) -> State:
    return replace(state, phase=to) if state.phase is phase else state


def _written(state: State, served: Weights, steps: Sequence[Step]) -> State:
    """Go on only when what was read back is what was wanted."""
    if served != target(state, steps):
        return state
    if state.phase is Phase.REVERTING:
        return replace(state, phase=Phase.REVERTED)
    return _when(state, Phase.SHIFTING, to=Phase.SETTLING)


def _judged(state: State, verdict: Verdict, steps: Sequence[Step], *, over: bool) -> State:
    """Follow a verdict: FAIL from anywhere leads back, PASS on only from where it was asked for, the rest holds."""
    if state.phase in GOING_BACK:
        return state
    match verdict:
        case Verdict.FAIL:
            return replace(state, phase=Phase.CHECKING)
        case Verdict.PASS:
            return _advance(state, steps) if state.phase in {*_JUDGED, Phase.BAKING} else state
        case Verdict.INCONCLUSIVE | Verdict.PROBE_ERROR:
            asked = state.phase in {*_JUDGED, Phase.BAKING}
            return _pause(state) if asked and over else _when(state, Phase.JUDGING, to=Phase.HOLDING)
        case _:
            assert_never(verdict)


def _advance(state: State, steps: Sequence[Step]) -> State:
    """Take the next step, bake after the last, be done after the bake."""
    if state.phase is Phase.BAKING:
        return replace(state, phase=Phase.DONE)
    if state.step + 1 == len(steps):
        return replace(state, phase=Phase.BAKING)
    following = state.step + 1
    step, same = steps[following], steps[following].routes == steps[state.step].routes
    earned = max(state.earned, step.weight) if same else step.weight
    return State(entry(step), following, earned=earned)


def _blue_seen(state: State, health: Health) -> State:
    """Go back onto a healthy blue; hold on anything else, also half-way back."""
    if state.phase not in GOING_BACK:
        return state
    return replace(state, phase=Phase.REVERTING if health is Health.HEALTHY else Phase.HELD)


def _stuck(state: State) -> State:
    """Pause for a person where time is up or a router refuses; a way back is never given up, and held stays held."""
    match state.phase:
        case Phase.SHIFTING | Phase.SETTLING | Phase.JUDGING | Phase.HOLDING | Phase.BAKING:
            return _pause(state)
        case Phase.CHECKING:
            return replace(state, phase=Phase.HELD)
        case Phase.WAITING | Phase.PAUSED | Phase.REVERTING | Phase.HELD | Phase.REVERTED | Phase.DONE:
            return state
        case _:
            assert_never(state.phase)


def _pause(state: State) -> State:
    """Pause, and remember where to go on; a held step starts its judging anew."""
    back = Phase.JUDGING if state.phase is Phase.HOLDING else state.phase
    return replace(state, phase=Phase.PAUSED, resume=back)


def _ordered(state: State, command: Command, steps: Sequence[Step]) -> State:
    """Follow a person's command."""
    match command:
        case Command.PAUSE:
            return state if state.phase in {*GOING_BACK, Phase.PAUSED, Phase.WAITING} else _pause(state)
        case Command.RESUME:
            return _when(_when(state, Phase.PAUSED, to=state.resume), Phase.HELD, to=Phase.CHECKING)
        case Command.PROMOTE:
            return _promoted(state, steps)
        case Command.ABORT:
            return state if state.phase is Phase.REVERTING else replace(state, phase=Phase.CHECKING)
        case _:
            assert_never(command)


def _promoted(state: State, steps: Sequence[Step]) -> State:
    """Go on because a person says so: over an open verdict, an unsettled weight, or a blue that is beyond help."""
    phase = state.resume if state.phase is Phase.PAUSED else state.phase
    match phase:
        case Phase.JUDGING | Phase.HOLDING | Phase.BAKING | Phase.HELD:
            return _advance(replace(state, phase=phase), steps)
        case Phase.SETTLING:
            return replace(state, phase=Phase.JUDGING)
        case Phase.SHIFTING | Phase.WAITING:
            return replace(state, phase=Phase.SHIFTING)
        case Phase.PAUSED | Phase.CHECKING | Phase.REVERTING | Phase.REVERTED | Phase.DONE:
            return state
        case _:
            assert_never(phase)
