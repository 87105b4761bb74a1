"""The acts of the shift: what the pure state machine asks for, done through routers, probes and the gate.

Which act comes next is decided in bluegreen.traffic.decide; each act here is idempotent and returns what happened in
a form that the durable run stores. While anything is waited for, green is judged and people are listened to.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, assert_never

from bluegreen.migration import stages, waiting
from bluegreen.migration.context import Run
from bluegreen.migration.objectives import objectives_of
from bluegreen.migration.waiting import blue_of, listening, note_failure, pace_of, watches_of
from bluegreen.model.errors import BugError, ConflictError, RefusedError, TransientError
from bluegreen.model.ports import CachedRouter, Weights
from bluegreen.model.verdicts import Verdict
from bluegreen.slo.health import BlueHealth, Health
from bluegreen.traffic import controller, weights
from bluegreen.traffic.settling import Background, Settling
from bluegreen.traffic.states import (
    Action,
    BlueSeen,
    BudgetElapsed,
    Input,
    Judged,
    Ordered,
    Phase,
    RouterRefused,
    Settled,
    SettleTimedOut,
    State,
    Written,
    target,
)
from bluegreen.traffic.steps import Step

# A way back is never given up.
REVERT_SECONDS = math.inf
_ROUTER_AWAY_SECONDS = 300.0
_BOUNDED = frozenset({Action.WRITE, Action.SETTLE, Action.JUDGE})
_LISTENS = _BOUNDED | {Action.ASK, Action.CALL}


def name_of(action: Action, state: State, steps: Sequence[Step]) -> str:
    """Return the name of the recorded step for an action."""
    step = steps[state.step]
    if action is Action.JUDGE and state.phase is Phase.BAKING:
        return "bake"
    words = {Action.WRITE: "shift", Action.CHECK_BLUE: "check-blue", Action.CALL: "held"}
    stage = "".join(f"-{name}" for name in step.routes)
    return f"{words.get(action, str(action))}{stage}-{step.weight}"


def act(run: Run, action: Action, state: State, steps: Sequence[Step]) -> Input:
    """Do what the state asks for and return what happened; an order that has come since goes first."""
    if action not in (Action.ASK, Action.CALL):
        run.resumed = False
    if action in _LISTENS and not run.traffic_moved:
        run.limits.require_overall()
    listen = listening(run, state, steps)
    if action in _LISTENS and (command := listen()) is not None:
        return Ordered(command)
    if action in _BOUNDED and run.limits.over():
        return _late(run)
    try:
        return _act(run, action, state, steps)
    except RefusedError as error:
        if action not in _BOUNDED:
            raise
        run.why = str(error)
        run.emit("route.refused", reason=str(error), next=error.next_step)
        return RouterRefused()


def _late(run: Run) -> BudgetElapsed:
    """Stop going on because the time of the whole run is over; the weights stay, and a person is asked."""
    run.why = f"{run.limits.words}; the weights stay as they are"
    return BudgetElapsed()


def _act(run: Run, action: Action, state: State, steps: Sequence[Step]) -> Input:  # noqa: PLR0911 - a line per action
    match action:
        case Action.WRITE:
            return _write(run, state, steps)
        case Action.SETTLE:
            return _settle(run, state, steps)
        case Action.JUDGE:
            return _bake(run, state, steps) if state.phase is Phase.BAKING else _judge(run, state, steps)
        case Action.CHECK_BLUE:
            return _check_blue(run)
        case Action.REVERT:
            return _revert(run)
        case Action.ASK:
            return waiting.ask(run, state, steps)
        case Action.CALL:
            return waiting.call(run, state, steps)
        case Action.STOP:
            raise BugError("run.nothing-asked", f"{action} in phase {state.phase}", "it asks for nothing")
        case _:
            assert_never(action)


def _write(run: Run, state: State, steps: Sequence[Step]) -> Input:
    """Write the step's weights on its routes, receiver first; a route that is away is tried again under the gate."""
    step, wanted, expected = steps[state.step], target(state, steps), stages.before(state, steps)
    routers = stages.routers_of(step, run.routers)
    run.emit("step.started", weight=step.weight, hold=step.hold, budget=step.budget, routes=[r.name for r in routers])
    run.traffic_moved = True
    end = run.clock() + _ROUTER_AWAY_SECONDS
    while True:
        try:
            weights.shift(routers, wanted, expected, run.emit)
        except TransientError as error:
            run.emit("step.retried", step=f"shift-{step.weight}", reason=str(error), wait=1.0)
            happened = _meanwhile(run, state, steps, error.retry_after or 1.0)
            if happened is not None:
                return happened
            if run.limits.over():
                return _late(run)
            if run.clock() >= end:
                run.why = str(error)
                return BudgetElapsed()
        else:
            return Written(wanted)


def _meanwhile(run: Run, state: State, steps: Sequence[Step], seconds: float) -> Input | None:
    """Judge green and listen for some seconds; return what then has to come first."""
    outcome = _watch(run, state, steps, replace(steps[state.step], hold=math.inf, budget=seconds))
    if outcome.command is not None:
        return Ordered(outcome.command)
    return Judged(Verdict.FAIL) if outcome.verdict is Verdict.FAIL else None


def _watch(
    run: Run, state: State, steps: Sequence[Step], step: Step, until: controller.Until = controller.never
) -> controller.Outcome:
    """Judge green as long as a step says, and remember what was seen of blue and what broke."""
    outcome = controller.judge(
        watches_of(run),
        objectives_of(run.config),
        step,
        pace=pace_of(run),
        emit=run.emit,
        commands=listening(run, state, steps),
        until=lambda: until() or run.limits.over(),
    )
    note_failure(run, outcome)
    return outcome


def _settle(run: Run, state: State, steps: Sequence[Step]) -> Input:
    """Wait until the weights have taken effect; a green that fails meanwhile is not waited for."""
    step, began = steps[state.step], run.clock()
    routers = stages.routers_of(step, run.routers)
    settling = Settling(routers, target(state, steps), run.clock, run.emit)
    if not settling.poll():
        budget = settling.least + step.settle_timeout
        with Background(settling.poll) as ready:
            outcome = _watch(run, state, steps, replace(step, hold=math.inf, budget=budget), until=ready.done)
        if outcome.command is not None:
            return Ordered(outcome.command)
        if outcome.verdict is Verdict.FAIL:
            return Judged(Verdict.FAIL)
        if not ready.done() and run.limits.over():
            return _late(run)
        if not ready.done():
            return _unsettled(run, step, settling, run.clock() - began)
    run.emit("step.settled", weight=step.weight, seconds=round(run.clock() - began, 3))
    return Settled()


def _unsettled(run: Run, step: Step, settling: Settling, seconds: float) -> SettleTimedOut:
    late = list(settling.late)
    run.why = f"{step.weight} % is not in effect on {', '.join(late)} after {seconds:.0f} s"
    run.emit("weight.unsettled", green=step.weight, routes=late, seconds=round(seconds, 3))
    return SettleTimedOut()


def _judge(run: Run, state: State, steps: Sequence[Step]) -> Input:
    """Judge green at this weight."""
    step = steps[state.step]
    outcome = _watch(run, state, steps, step)
    if outcome.command is not None:
        return Ordered(outcome.command)
    if outcome.verdict is Verdict.PASS:
        _require_step(run, state, steps)
        run.emit("step.passed", weight=step.weight, seconds=outcome.seconds, observed=_shares(outcome))
    return _verdict(run, outcome)


def _verdict(run: Run, outcome: controller.Outcome) -> Input:
    """Return what the gate said; where it has said nothing yet, that the step's time or the whole run's is over."""
    decided = outcome.verdict in (Verdict.PASS, Verdict.FAIL)
    if not decided and run.limits.over():
        return _late(run)
    return Judged(outcome.verdict, over=not decided)


def _shares(outcome: controller.Outcome) -> list[dict[str, Any]]:
    return [{"probe": seen.probe, "green": seen.green, "total": seen.total} for seen in outcome.observed]


def _bake(run: Run, state: State, steps: Sequence[Step]) -> Input:
    """Judge green while it serves alone, and longer while clients of an old DNS answer still come to blue."""
    step, bake = steps[state.step], run.config.bake
    outcome = _watch(run, state, steps, replace(step, hold=bake, budget=bake + step.budget))
    end = run.clock() + run.config.timeouts.residual
    while outcome.verdict is Verdict.PASS and outcome.command is None and (left := _residual(run, outcome)):
        run.emit("residual.seen", **left)
        if run.clock() >= end:
            run.emit("notice", text=f"{left['share']:.1%} of the users still come to blue; it goes on serving them")
            break
        outcome = _watch(run, state, steps, replace(step, hold=min(10.0, end - run.clock()), budget=step.budget))
    if outcome.command is not None:
        return Ordered(outcome.command)
    if outcome.verdict is Verdict.PASS:
        _require_step(run, state, steps)
    return _verdict(run, outcome)


def _residual(run: Run, outcome: controller.Outcome) -> dict[str, Any] | None:
    """Return who still comes to blue at 100 %, None when few enough do or no route is cached by anybody."""
    if not any(isinstance(router, CachedRouter) for router in run.routers):
        return None
    for seen in outcome.observed:
        blue = seen.total - seen.green
        if seen.total and blue / seen.total > run.config.residual:
            return {"probe": seen.probe, "blue": blue, "total": seen.total, "share": blue / seen.total}
    return None


def _require_step(run: Run, state: State, steps: Sequence[Step]) -> None:
    for router in run.routers:
        require_served((router,), stages.served(state, steps, router))


def require_served(routers: Sequence[Any], wanted: Weights) -> None:
    """Refuse to go on when a route serves something else than what was judged.

    Raises:
        ConflictError: somebody else wrote, or the router was reloaded.
    """
    for router in routers:
        now = router.read()
        if now != wanted:
            raise ConflictError(
                "traffic.not-served",
                f"checking route {router.name}",
                f"it serves {now.blue}/{now.green}, judged was {wanted.blue}/{wanted.green}",
                "find out who wrote or reloaded it, then run the same command again",
            )


def _check_blue(run: Run) -> BlueSeen:
    """Say whether blue can take the users back; a look that was taken with the verdict counts."""
    if blue_of(run).health is not Health.HEALTHY:
        run.blue_seen = waiting.look_at_blue(run)
    return BlueSeen(blue_of(run).health)


def _revert(run: Run) -> Written | BlueSeen:
    """Send everybody back to blue in one jump."""

    def check() -> BlueHealth:
        return waiting.look_at_blue(run)

    def emit(name: str, /, **data: Any) -> None:
        reason = {"reason": run.failure} if name == "revert.started" else {}
        run.emit(name, **reason, **data)

    known = run.blue_seen if blue_of(run).health is Health.HEALTHY else None
    back = weights.revert(run.routers, check, pace=pace_of(run), within=REVERT_SECONDS, emit=emit, known=known)
    run.blue_seen = back.blue
    return Written(Weights.for_green(0)) if back.reverted else BlueSeen(back.blue.health)
