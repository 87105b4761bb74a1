"""Waiting for a person: the run goes on judging, hears orders, and still goes back when green fails.

Only the pure state machine decides what an order changes; one that would change nothing is told and forgotten.
"""

import math
from collections.abc import Sequence

from bluegreen.migration import stages, unfit
from bluegreen.migration.context import Run
from bluegreen.migration.objectives import objectives_of
from bluegreen.model.verdicts import Verdict
from bluegreen.slo.health import BlueHealth, Health
from bluegreen.traffic import controller
from bluegreen.traffic.decide import decide
from bluegreen.traffic.feed import Watch
from bluegreen.traffic.pace import Pace
from bluegreen.traffic.states import BlueSeen, Command, Input, Judged, Ordered, Phase, State
from bluegreen.traffic.steps import Step

_LOOK_AGAIN_SECONDS = 2.0
_LISTEN_SECONDS = 0.1


def watches_of(run: Run) -> tuple[Watch, ...]:
    """Return the probes with their intervals."""
    return tuple(Watch(run.probes[probe.name], probe.interval) for probe in run.config.probes)


def pace_of(run: Run) -> Pace:
    """Return the run's clock and its interruptible wait."""
    return Pace(run.clock, run.sleep)


def listening(run: Run, state: State, steps: Sequence[Step]) -> controller.Commands:
    """Return what hears orders in a state: the next command that changes it, or None."""

    def listen() -> Command | None:
        _tell_late(run)
        for order in run.orders.pending():
            if order.id == run.followed:
                continue
            if decide(state, Ordered(order.command), steps) == state:
                run.orders.done.add(order.id)
                run.emit("order.ignored", id=order.id, command=str(order.command), by=order.by, phase=str(state.phase))
                continue
            run.why = f"{order.command} ordered by {order.by}"
            run.failure = run.why if order.command is Command.ABORT else run.failure
            run.follow(order)
            return order.command
        return None

    return listen


def _tell_late(run: Run) -> None:
    """Say once that the time of the whole run is over."""
    if run.limits.over() and not run.limits.told:
        run.limits.told = True
        run.emit("notice", text=f"{run.limits.words}; nothing goes on without a person, and green is judged meanwhile")


def note_failure(run: Run, outcome: controller.Outcome) -> None:
    """Remember what was seen of blue, why green goes back, and what is still open; an order is its own reason."""
    run.blue_seen = outcome.blue
    if outcome.command is not None:
        return
    broken = [judgement for judgement in outcome.judgements if judgement.verdict is outcome.verdict]
    if outcome.verdict is Verdict.FAIL:
        run.failure = "; ".join(judgement.line() for judgement in broken)
    elif outcome.verdict is not Verdict.PASS:
        run.why = "; ".join(judgement.line() for judgement in broken)


def blue_of(run: Run) -> BlueHealth:
    """Return blue as last seen, or unknown."""
    return run.blue_seen or BlueHealth(Health.UNKNOWN, ("blue was not looked at yet",))


def look_at_blue(run: Run) -> BlueHealth:
    """Look at blue afresh."""
    return controller.check_blue(watches_of(run), objectives_of(run.config), pace=pace_of(run), emit=run.emit)


def ask(run: Run, state: State, steps: Sequence[Step]) -> Input:
    """Wait for an order, judging green at the weight that is served; starting the command again is one to go on."""
    if run.resumed and state.phase is Phase.PAUSED:
        run.resumed = False
        return Ordered(Command.RESUME)
    step = steps[state.step]
    approval = state.phase is Phase.WAITING
    reason = f"step {step.weight} needs a person's approval" if approval else run.why or "a person must decide"
    _tell(run, reason, "bluegreen promote" if approval else "bluegreen resume")
    outcome = controller.judge(
        watches_of(run),
        objectives_of(run.config),
        Step(_served(state, steps), hold=math.inf, budget=run.config.timeouts.pause),
        pace=pace_of(run),
        emit=run.emit,
        commands=listening(run, state, steps),
        until=lambda: run.limits.over() and not run.traffic_moved,
    )
    return _answered(run, outcome, reason)


def _served(state: State, steps: Sequence[Step]) -> int:
    """Return green's share while it is waited: that of the step before where this one was not written yet."""
    written = state.phase is Phase.PAUSED and state.resume is not Phase.SHIFTING
    return steps[state.step].weight if written else stages.before(state, steps).green


def _answered(run: Run, outcome: controller.Outcome, reason: str) -> Input:
    """Return what ended the waiting; nobody's answer ends the process."""
    if outcome.command is None and outcome.verdict is not Verdict.FAIL:
        if not run.traffic_moved:
            run.limits.require_overall()
        run.pause(reason)
    run.emit("run.continued", command=str(outcome.command or ""), verdict=str(outcome.verdict))
    if outcome.command is not None:
        run.blue_seen = outcome.blue
        return Ordered(outcome.command)
    note_failure(run, outcome)
    return Judged(Verdict.FAIL)


def call(run: Run, state: State, steps: Sequence[Step]) -> Input:
    """Call a person because blue is sick, too, or unseen; go back as soon as blue can take the users."""
    blue = blue_of(run)
    reason = f"green failed, but nothing goes back: {unfit.words(blue)}"
    _tell(run, reason, unfit.next_step_beside(blue))
    listen, end = listening(run, state, steps), run.clock() + run.config.timeouts.pause
    while run.clock() < end:
        if not run.traffic_moved:
            run.limits.require_overall()
        if (command := _heard(run, listen)) is not None:
            run.emit("run.continued", command=str(command), verdict="")
            return Ordered(command)
        run.blue_seen = look_at_blue(run)
        if run.blue_seen.health is Health.HEALTHY:
            run.emit("run.continued", command="", verdict="blue is healthy again")
            return BlueSeen(Health.HEALTHY)
    return run.pause(reason)


def _heard(run: Run, listen: controller.Commands) -> Command | None:
    """Listen for some seconds."""
    end = run.clock() + _LOOK_AGAIN_SECONDS
    while run.clock() < end:
        if (command := listen()) is not None:
            return command
        run.sleep(_LISTEN_SECONDS)
    return None


def _tell(run: Run, reason: str, how: str) -> None:
    run.emit("run.paused", reason=reason, phase=run.phase, next=f"{how}; or: bluegreen abort", ended=False)
