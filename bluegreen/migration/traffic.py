"""The acts of the shift: what the pure state machine asks for, done through routers, probes and the gate.

Which act comes next is decided in bluegreen.traffic.decide; each act here is idempotent and returns what happened in
a form that the durable run stores.
"""

import math
from collections.abc import Sequence
from typing import Any, assert_never

from bluegreen.config.models import Migration
from bluegreen.migration.context import Run
from bluegreen.model.errors import BugError, ConflictError
from bluegreen.model.ports import Weights
from bluegreen.model.verdicts import Verdict
from bluegreen.slo.health import BlueHealth, Health
from bluegreen.slo.objectives import Objective
from bluegreen.traffic import controller, weights
from bluegreen.traffic.feed import Watch
from bluegreen.traffic.pace import Pace
from bluegreen.traffic.states import (
    Action,
    BlueSeen,
    Command,
    Input,
    Judged,
    Ordered,
    Phase,
    Settled,
    SettleTimedOut,
    State,
    Written,
    target,
)
from bluegreen.traffic.steps import Step

# A way back is never given up.
REVERT_SECONDS = math.inf


def steps_of(config: Migration) -> tuple[Step, ...]:
    """Return the steps with their times."""
    return tuple(
        Step(
            weight=step.weight,
            hold=config.hold if step.hold is None else step.hold,
            settle_timeout=config.timeouts.settle,
            budget=config.budget if step.budget is None else step.budget,
        )
        for step in config.steps
    )


def objectives_of(config: Migration) -> tuple[Objective, ...]:
    """Return the objectives."""
    return tuple(
        Objective(
            name=given.name,
            probe=given.probe,
            good=given.good,
            min_samples=given.min_samples,
            below=given.below,
            alpha=given.alpha,
            compare_with_blue=given.compare_with_blue,
        )
        for given in config.objectives
    )


def watches_of(run: Run) -> tuple[Watch, ...]:
    """Return the probes with their intervals."""
    return tuple(Watch(run.probes[probe.name], probe.interval) for probe in run.config.probes)


def pace_of(run: Run) -> Pace:
    """Return the run's clock and its interruptible wait."""
    return Pace(run.clock, run.sleep)


def name_of(action: Action, state: State, steps: Sequence[Step]) -> str:
    """Return the name of the recorded step for an action."""
    weight = steps[state.step].weight
    if action is Action.JUDGE and state.phase is Phase.BAKING:
        return "bake"
    words = {Action.WRITE: "shift", Action.CHECK_BLUE: "check-blue", Action.CALL: "held"}
    return f"{words.get(action, str(action))}-{weight}"


def act(run: Run, action: Action, state: State, steps: Sequence[Step]) -> Input:  # noqa: PLR0911 - a line per action
    """Do what the state asks for and return what happened."""
    if action not in (Action.ASK, Action.CALL):
        run.resumed = False
    match action:
        case Action.WRITE:
            return _write(run, state, steps)
        case Action.SETTLE:
            return _settle(run, state, steps)
        case Action.JUDGE:
            return _judge(run, state, steps)
        case Action.CHECK_BLUE:
            return _check_blue(run)
        case Action.REVERT:
            return _revert(run)
        case Action.ASK:
            return _ask(run, "the gate is undecided or a route did not follow; a person must decide")
        case Action.CALL:
            return _ask(
                run, f"green failed, but blue is not fit to take the users back: {'; '.join(_blue(run).reasons)}"
            )
        case Action.STOP:
            raise BugError("run.nothing-asked", f"{action} in phase {state.phase}", "it asks for nothing")
        case _:
            assert_never(action)


def _write(run: Run, state: State, steps: Sequence[Step]) -> Written:
    """Write the step's weights on every route, receiver first."""
    wanted = target(state, steps)
    before = steps[state.step - 1].weights if state.step else Weights.for_green(0)
    step = steps[state.step]
    run.emit("step.started", weight=step.weight, hold=step.hold, budget=step.budget)
    run.traffic_moved = True
    weights.shift(run.routers, wanted, before, run.emit)
    return Written(wanted)


def _settle(run: Run, state: State, steps: Sequence[Step]) -> Settled | SettleTimedOut:
    """Wait until the weights have taken effect."""
    step, began = steps[state.step], run.clock()
    if not weights.settle(run.routers, target(state, steps), step.settle_timeout, pace_of(run), run.emit):
        return SettleTimedOut()
    run.emit("step.settled", weight=step.weight, seconds=round(run.clock() - began, 3))
    return Settled()


def _judge(run: Run, state: State, steps: Sequence[Step]) -> Judged:
    """Judge green at this weight, or during the bake."""
    step = steps[state.step]
    baking = state.phase is Phase.BAKING
    if baking:
        bake = run.config.bake
        step = Step(step.weight, hold=bake, settle_timeout=step.settle_timeout, budget=bake + step.budget)
    outcome = controller.judge(watches_of(run), objectives_of(run.config), step, pace=pace_of(run), emit=run.emit)
    run.blue_seen = outcome.blue
    if outcome.verdict is Verdict.FAIL:
        broken = [judgement for judgement in outcome.judgements if judgement.verdict is Verdict.FAIL]
        run.failure = "; ".join(judgement.line() for judgement in broken)
    elif outcome.verdict is Verdict.PASS:
        require_served(run, step.weights)
    if outcome.verdict is Verdict.PASS and not baking:
        run.emit("step.passed", weight=step.weight, seconds=outcome.seconds)
    return Judged(outcome.verdict, over=outcome.verdict not in (Verdict.PASS, Verdict.FAIL))


def require_served(run: Run, wanted: Weights) -> None:
    """Refuse to go on when a route serves something else than what was judged.

    Raises:
        ConflictError: somebody else wrote, or the router was reloaded.
    """
    for router in run.routers:
        served = router.read()
        if served != wanted:
            raise ConflictError(
                "traffic.not-served",
                f"checking route {router.name}",
                f"it serves {served.blue}/{served.green}, judged was {wanted.blue}/{wanted.green}",
                "find out who wrote or reloaded it, then run the same command again",
            )


def _blue(run: Run) -> BlueHealth:
    """Return blue as last seen, or unknown."""
    return run.blue_seen or BlueHealth(Health.UNKNOWN, ("blue was not looked at yet",))


def _check_blue(run: Run) -> BlueSeen:
    """Say whether blue can take the users back; a look that was taken with the verdict counts."""
    if _blue(run).health is not Health.HEALTHY:
        run.blue_seen = controller.check_blue(
            watches_of(run), objectives_of(run.config), pace=pace_of(run), emit=run.emit
        )
    return BlueSeen(_blue(run).health)


def _revert(run: Run) -> Written | BlueSeen:
    """Send everybody back to blue in one jump."""

    def check() -> BlueHealth:
        return controller.check_blue(watches_of(run), objectives_of(run.config), pace=pace_of(run), emit=run.emit)

    def emit(name: str, /, **data: Any) -> None:
        reason = {"reason": run.failure} if name == "revert.started" else {}
        run.emit(name, **reason, **data)

    known = run.blue_seen if _blue(run).health is Health.HEALTHY else None
    back = weights.revert(run.routers, check, pace=pace_of(run), within=REVERT_SECONDS, emit=emit, known=known)
    run.blue_seen = back.blue
    return Written(Weights.for_green(0)) if back.reverted else BlueSeen(back.blue.health)


def _ask(run: Run, reason: str) -> Ordered:
    """Pause for a person; starting the command again is the order to go on."""
    if run.resumed:
        run.resumed = False
    else:
        run.pause(reason)
    return Ordered(Command.RESUME)
