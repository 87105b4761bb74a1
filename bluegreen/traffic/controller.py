"""Judging a step while it is served, and looking at blue before a way back.

Each function is one idempotent act of a durable run: called again after a crash it starts with empty windows, so
nothing that was seen before the crash can pass for evidence. It never writes a weight.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bluegreen.model.events import Emit
from bluegreen.model.refs import Side
from bluegreen.model.verdicts import Judgement, Verdict
from bluegreen.slo.gate import combine
from bluegreen.slo.gate import judge as judge_windows
from bluegreen.slo.health import BlueHealth, Health, blue_health
from bluegreen.slo.objectives import Objective
from bluegreen.slo.window import Window, open_windows
from bluegreen.traffic.feed import Feed, OpenFeed, ThreadedFeed, Watch
from bluegreen.traffic.pace import Pace
from bluegreen.traffic.states import Command
from bluegreen.traffic.steps import Step

LOOK_SECONDS = 1.0
_TICK_SECONDS = 0.1
_BLUE_SAMPLES, _BLUE_BAD = 5, 3

Commands = Callable[[], Command | None]
Until = Callable[[], bool]


def never() -> bool:
    """Say no; the `until` of who waits for nothing else."""
    return False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the judging of a step ended.

    Attributes:
        verdict: PASS, FAIL, or what was still open when the budget was used up or a command came.
        judgements: one per objective.
        blue: blue as it was seen at that moment, for a way back without delay.
        command: a person's command that ended the judging, None without one.
        seconds: how long it took.
        observed: where real users were seen, one per probe that counts them.
    """

    verdict: Verdict
    judgements: tuple[Judgement, ...]
    blue: BlueHealth
    command: Command | None
    seconds: float
    observed: tuple["Observed", ...] = ()


@dataclass(frozen=True, slots=True)
class Observed:
    """How many requests of real users a probe has counted on each side."""

    probe: str
    green: int
    total: int

    @property
    def share(self) -> float | None:
        """Return green's share, None without a request."""
        return self.green / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class _Bench:
    """What one judging works with."""

    objectives: tuple[Objective, ...]
    windows: dict[str, Window]
    feed: Feed
    pace: Pace
    began: float
    real: frozenset[str]

    def take_in(self) -> None:
        """Count every sample that has come, under each objective of its probe."""
        for reading in self.feed.drain():
            for window in self.windows.values():
                if window.objective.probe == reading.probe:
                    window.add(reading.side, reading.sample, reading.at)

    @property
    def elapsed(self) -> float:
        """Return the seconds since the judging began."""
        return self.pace.clock() - self.began

    def look(self, step: Step, command: Command | None) -> Outcome:
        """Judge what has been counted up to now."""
        now, elapsed = self.pace.clock(), self.elapsed
        judgements = judge_windows(self.objectives, self.windows, now, hold_left=step.hold - elapsed)
        blue = blue_health(self.objectives, self.windows, now)
        return Outcome(combine(judgements), judgements, blue, command, round(elapsed, 3), self.observed())

    def observed(self) -> tuple[Observed, ...]:
        """Return the counts of each probe that sees real users; objectives of one probe saw the same."""
        tallies = {w.objective.probe: w.tallies for w in self.windows.values() if w.objective.probe in self.real}
        return tuple(
            Observed(probe, seen[Side.GREEN].total, sum(tally.total for tally in seen.values()))
            for probe, seen in sorted(tallies.items())
        )


def judge(
    watches: Sequence[Watch],
    objectives: Sequence[Objective],
    step: Step,
    *,
    pace: Pace,
    emit: Emit,
    commands: Commands = lambda: None,
    until: Until = never,
    open_feed: OpenFeed = ThreadedFeed,
) -> Outcome:
    """Judge green until it fails, passes after the hold, a person gives a command, or the budget is used up.

    Args:
        watches: the probes with their intervals.
        objectives: what green must meet.
        step: the step that is served now; a bake is a step whose hold is the bake.
        pace: clock and wait; its `sleep` may leave by an exception, the probes are then let go.
        emit: told gate.judged at every look, once a second.
        commands: returns a command that has come since, or None; asked several times a second.
        until: ends the judging early, whatever the verdict; asked several times a second.
        open_feed: source of the samples.
    """
    bench = _open(watches, objectives, pace, open_feed)
    try:
        return _until_decided(bench, step, emit, commands, until)
    finally:
        bench.feed.close()


def _open(watches: Sequence[Watch], objectives: Sequence[Objective], pace: Pace, open_feed: OpenFeed) -> _Bench:
    began = pace.clock()
    feed = open_feed(watches, pace.clock)
    real = frozenset(watch.probe.name for watch in watches if watch.probe.users)
    return _Bench(tuple(objectives), open_windows(objectives, began), feed, pace, began, real)


def _until_decided(bench: _Bench, step: Step, emit: Emit, commands: Commands, until: Until) -> Outcome:
    """Look once a second, listen to commands more often."""
    due = LOOK_SECONDS
    while True:
        bench.pace.sleep(min(_TICK_SECONDS, max(0.0, due - bench.elapsed)))
        command, ended = commands(), until()
        if command is None and not ended and bench.elapsed < due:
            continue
        bench.take_in()
        outcome = bench.look(step, command)
        emit("gate.judged", **_shown(outcome, step))
        if ended or _final(outcome, step):
            return outcome
        due = bench.elapsed + LOOK_SECONDS


def _final(outcome: Outcome, step: Step) -> bool:
    decided = outcome.verdict in {Verdict.PASS, Verdict.FAIL}
    return decided or outcome.command is not None or outcome.seconds >= step.budget


def _shown(outcome: Outcome, step: Step) -> dict[str, Any]:
    """Return one look in the form that a live view draws."""
    return {
        "weight": step.weight,
        "verdict": outcome.verdict.value,
        "elapsed": outcome.seconds,
        "hold": step.hold if math.isfinite(step.hold) else None,
        "budget": step.budget if math.isfinite(step.budget) else None,
        "blue": outcome.blue.health.value,
        "observed": [{"probe": o.probe, "green": o.green, "total": o.total} for o in outcome.observed],
        "judgements": [shown(judgement) for judgement in outcome.judgements],
    }


def shown(judgement: Judgement) -> dict[str, Any]:
    """Return a judgement in the form that events hold."""
    return {
        "objective": judgement.objective,
        "verdict": judgement.verdict.value,
        "value": judgement.value,
        "threshold": judgement.threshold,
        "samples": judgement.samples,
        "bad": judgement.bad,
        "evidence": judgement.evidence,
        "needed": judgement.needed,
        "reason": judgement.reason,
        "example": judgement.example,
        "p99": judgement.p99,
    }


def check_blue(
    watches: Sequence[Watch],
    objectives: Sequence[Objective],
    *,
    pace: Pace,
    emit: Emit,
    within: float = 5.0,
    open_feed: OpenFeed = ThreadedFeed,
) -> BlueHealth:
    """Look at blue afresh; for a way back that has no judging just behind it.

    Args:
        watches: the probes with their intervals.
        objectives: what is asked of a healthy side.
        pace: clock and wait.
        emit: told blue.checked.
        within: seconds; it ends earlier once every objective has seen five requests, or three bad ones were seen.
        open_feed: source of the samples.
    """
    bench = _open(watches, objectives, pace, open_feed)
    try:
        blue = _look_at_blue(bench, within)
    finally:
        bench.feed.close()
    emit("blue.checked", health=blue.health.value, reasons=list(blue.reasons), seconds=round(bench.elapsed, 3))
    return blue


def _look_at_blue(bench: _Bench, within: float) -> BlueHealth:
    while True:
        bench.pace.sleep(_TICK_SECONDS)
        bench.take_in()
        blue = blue_health(bench.objectives, bench.windows, bench.pace.clock())
        tallies = [window.tallies[Side.BLUE] for window in bench.windows.values()]
        enough = all(tally.total >= _BLUE_SAMPLES for tally in tallies)
        sick = blue.health is Health.SICK and any(tally.bad >= _BLUE_BAD for tally in tallies)
        if enough or sick or bench.elapsed >= within:
            return blue
