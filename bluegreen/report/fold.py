"""Folds events into the view of a run, one at a time and without any I/O.

Unknown events pass without a trace; an event that is told twice after a resume changes nothing twice.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from bluegreen.model.events import Event
from bluegreen.report.model import (
    FAIL,
    PHASES,
    CheckView,
    ClusterView,
    FindingView,
    JudgementView,
    Moment,
    ObjectiveView,
    Outcome,
    PhaseState,
    PhaseView,
    PlanView,
    RevertView,
    RunView,
    Sight,
    StepView,
    Stop,
    VolumeView,
    WeightPoint,
)
from bluegreen.report.reading import counts, instant, number, records, text, texts, whole
from bluegreen.report.words import IN_TIMELINE, waiting, words

_SERIES_LIMIT = 4000
_NOTICES = frozenset(
    {
        "notice", "run.paused", "run.continued", "run.interrupted", "run.crashed", "step.retried", "revert.held",
        "order.followed", "order.ignored", "route.refused", "weight.unproven", "residual.seen",
    }
)  # fmt: skip
_PART_OF = {"routes-prepare": "import", "routes-wait": "verify"}
_ENDED = frozenset({Outcome.MIGRATED, Outcome.REVERTED, Outcome.FAILED})


def fold(events: Iterable[Event]) -> RunView:
    """Return the view of a run."""
    folding = Folding()
    for event in events:
        folding.add(event)
    return folding.view()


class Folding:
    """A view in the making: takes events in order, gives a frozen view at any time."""

    def __init__(self) -> None:
        self._run = RunView()
        self._phases: dict[str, PhaseView] = {name: PhaseView(name) for name in PHASES}
        self._series: dict[str, list[Sight]] = {}
        self._steps: dict[tuple[tuple[str, ...], int], StepView] = {}
        self._stage: tuple[str, ...] = ()
        self._applied: dict[str, int] = {}
        self._findings: dict[tuple[str, str], FindingView] = {}
        self._volumes: dict[str, VolumeView] = {}
        self._checks: dict[str, CheckView] = {}
        self._weights: list[WeightPoint] = []
        self._timeline: list[Moment] = []
        self._notices: list[Moment] = []
        self._handlers: dict[str, Callable[[Mapping[str, Any], float], None]] = {
            "run.started": self._run_started,
            "run.resumed": self._run_resumed,
            "phase.started": self._phase_started,
            "phase.finished": self._phase_finished,
            "finding": self._finding,
            "plan.made": self._plan_made,
            "object.applied": self._object_applied,
            "volume.progress": self._volume_progress,
            "ready.waiting": self._ready_waiting,
            "verify.checked": self._verify_checked,
            "step.started": self._step_started,
            "weight.written": self._weight_written,
            "step.settled": self._step_settled,
            "gate.judged": self._gate_judged,
            "step.passed": self._step_passed,
            "revert.started": self._revert_started,
            "revert.finished": self._revert_finished,
            "run.paused": self._run_paused,
            "run.continued": self._run_continued,
            "run.interrupted": self._run_interrupted,
            "run.crashed": self._run_crashed,
            "run.finished": self._run_finished,
        }

    def add(self, event: Event) -> None:
        """Take one event."""
        at = instant(event)
        self._run = replace(self._run, last=at, started=self._run.started or at)
        handle = self._handlers.get(event.name)
        if handle is not None:
            handle(event.data, at)
        moment = Moment(at, event.name, words(event))
        if event.name in IN_TIMELINE and moment.words:
            self._timeline.append(moment)
        if event.name in _NOTICES:
            self._notices = [*self._notices[-9:], moment]

    def view(self) -> RunView:
        """Return the frozen view of what was taken so far."""
        return replace(
            self._run,
            phases=tuple(self._ended(phase) for phase in self._phases.values()),
            weights=tuple(self._weights),
            steps=tuple(self._steps.values()),
            objectives=tuple(ObjectiveView(name, tuple(series)) for name, series in self._series.items()),
            findings=tuple(self._findings.values()),
            applied=tuple(self._applied.items()),
            volumes=tuple(self._volumes.values()),
            checks=tuple(self._checks.values()),
            notices=tuple(self._notices),
            timeline=tuple(self._timeline),
        )

    def _ended(self, phase: PhaseView) -> PhaseView:
        """Return a phase as the end of the run leaves it."""
        if self._run.outcome not in _ENDED:
            return phase
        if phase.state is PhaseState.RUNNING:
            good = self._run.outcome is Outcome.MIGRATED
            return replace(phase, state=PhaseState.DONE if good else PhaseState.FAILED)
        return replace(phase, state=PhaseState.SKIPPED) if phase.state is PhaseState.WAITING else phase

    def _run_started(self, data: Mapping[str, Any], at: float) -> None:
        self._run = replace(
            self._run,
            started=at,
            migration=text(data, "migration"),
            blue=ClusterView(text(data, "from"), text(data, "from_version")),
            green=ClusterView(text(data, "to"), text(data, "to_version")),
            namespaces=texts(data, "namespaces"),
            planned_steps=tuple(int(step) for step in texts(data, "steps") if step.isdigit()),
            data_policy=text(data, "data_policy"),
            config_digest=text(data, "config_digest"),
        )

    def _run_resumed(self, data: Mapping[str, Any], at: float) -> None:  # noqa: ARG002 - one shape for all
        self._run = replace(
            self._run, resumed=self._run.resumed + 1, outcome=Outcome.RUNNING, stop=None, exit_code=None, seconds=None
        )

    def _phase_started(self, data: Mapping[str, Any], at: float) -> None:
        name = _phase_of(text(data, "phase"))
        shift = self._phases["shift"]
        if name != "shift" and shift.state is PhaseState.RUNNING:
            state = PhaseState.FAILED if name == "revert" else PhaseState.DONE
            self._phases["shift"] = replace(shift, state=state)
        phase = self._phases.get(name, PhaseView(name))
        self._phases[name] = replace(phase, state=PhaseState.RUNNING, started=phase.started or at)

    def _phase_finished(self, data: Mapping[str, Any], at: float) -> None:
        told = text(data, "phase")
        name = _phase_of(told)
        phase = self._phases.get(name, PhaseView(name))
        state = PhaseState.DONE if data.get("ok", True) is not False else PhaseState.FAILED
        if name == "shift" != told and state is PhaseState.DONE:
            state = PhaseState.RUNNING  # one part of the shift is over, not the shift
        seconds = phase.seconds + (number(data, "seconds") or 0.0)
        self._phases[name] = replace(phase, state=state, started=phase.started or at, seconds=seconds)
        self._run = replace(self._run, waiting="")

    def _finding(self, data: Mapping[str, Any], at: float) -> None:  # noqa: ARG002
        found = FindingView(*(text(data, key) for key in ("rule", "severity", "subject", "reason", "action")))
        self._findings[found.rule, found.subject] = found

    def _plan_made(self, data: Mapping[str, Any], at: float) -> None:  # noqa: ARG002
        left_out = data.get("left_out")
        self._run = replace(
            self._run,
            plan=PlanView(
                objects=whole(data, "objects"),
                by_kind=counts(data, "by_kind"),
                left_out=counts(data, "left_out") or ((("objects", left_out),) if isinstance(left_out, int) else ()),
                digest=text(data, "digest"),
                notes=texts(data, "notes"),
            ),
        )

    def _object_applied(self, data: Mapping[str, Any], at: float) -> None:  # noqa: ARG002
        action = text(data, "action") or "applied"
        self._applied[action] = self._applied.get(action, 0) + 1
        self._run = replace(self._run, last_applied=text(data, "ref"))

    def _volume_progress(self, data: Mapping[str, Any], at: float) -> None:
        stage = text(data, "stage")
        known = self._volumes.get(stage)
        self._volumes[stage] = VolumeView(
            stage=stage,
            phase=text(data, "phase"),
            message=text(data, "message"),
            bytes_done=whole(data, "bytes_done"),
            bytes_total=whole(data, "bytes_total"),
            started=known.started if known else at,
            at=at,
        )

    def _ready_waiting(self, data: Mapping[str, Any], at: float) -> None:  # noqa: ARG002
        self._run = replace(self._run, waiting=waiting(data))

    def _verify_checked(self, data: Mapping[str, Any], at: float) -> None:  # noqa: ARG002
        name = text(data, "name")
        self._checks[name] = CheckView(name, data.get("equal") is True, text(data, "blue"), text(data, "green"))

    def _step_started(self, data: Mapping[str, Any], at: float) -> None:
        weight, self._stage = whole(data, "weight"), texts(data, "routes")
        known = self._steps.get((self._stage, weight), StepView(weight, at, routes=self._stage))
        step = replace(known, hold=number(data, "hold"), budget=number(data, "budget"))
        self._steps[self._stage, weight] = step

    def _weight_written(self, data: Mapping[str, Any], at: float) -> None:
        blue, green = whole(data, "blue"), whole(data, "green")
        forward = self._run.revert is None and green >= whole(data, "from_green")
        self._weights.append(WeightPoint(at, text(data, "route"), blue, green, forward))

    def _step_settled(self, data: Mapping[str, Any], at: float) -> None:
        self._change_step(data, at, settled=number(data, "seconds"))

    def _gate_judged(self, data: Mapping[str, Any], at: float) -> None:
        weight = whole(data, "weight")
        judgements = _judgements(data)
        for judgement in judgements:
            series = self._series.setdefault(judgement.objective, [])
            series.append(Sight(at, weight, judgement))
            if len(series) > _SERIES_LIMIT:
                del series[1 : _SERIES_LIMIT // 2 : 2]  # the older half at half the density
        step = self._steps.get((self._stage, weight))
        if step is not None and not step.passed:
            self._change_step(data, at, verdict=text(data, "verdict"), judgements=judgements, observed=_observed(data))

    def _step_passed(self, data: Mapping[str, Any], at: float) -> None:
        self._change_step(data, at, verdict="PASS", passed=True, seconds=number(data, "seconds"), ended=at)

    def _change_step(self, data: Mapping[str, Any], at: float, **changes: Any) -> None:
        key = (self._stage, whole(data, "weight"))
        self._steps[key] = replace(self._steps.get(key, StepView(key[1], at)), **changes)

    def _revert_started(self, data: Mapping[str, Any], at: float) -> None:
        last = tuple(series[-1].judgement for series in self._series.values() if series[-1].judgement.verdict == FAIL)
        revert = RevertView(at, text(data, "reason"), _judgements(data) or last)
        for name, phase in self._phases.items():
            if phase.state is PhaseState.RUNNING and name != "revert":
                seconds = max(phase.seconds, at - (phase.started or at))
                self._phases[name] = replace(phase, state=PhaseState.FAILED, seconds=seconds)
        self._run = replace(self._run, revert=revert)
        for key, step in self._steps.items():
            if not step.passed:
                verdict = FAIL if revert.broken else step.verdict
                self._steps[key] = replace(step, verdict=verdict, ended=at, seconds=at - step.started)

    def _revert_finished(self, data: Mapping[str, Any], at: float) -> None:
        if self._run.revert is not None:
            seconds = number(data, "seconds")
            took = at - self._run.revert.at if seconds is None else seconds
            self._run = replace(self._run, revert=replace(self._run.revert, seconds=took))

    def _run_paused(self, data: Mapping[str, Any], at: float) -> None:  # noqa: ARG002
        self._stop(data, Outcome.PAUSED, text(data, "reason"))

    def _run_continued(self, data: Mapping[str, Any], at: float) -> None:  # noqa: ARG002
        self._run = replace(self._run, outcome=Outcome.RUNNING, stop=None)

    def _run_interrupted(self, data: Mapping[str, Any], at: float) -> None:  # noqa: ARG002
        self._stop(data, Outcome.INTERRUPTED, text(data, "reason") or "somebody asked it to stop")

    def _run_crashed(self, data: Mapping[str, Any], at: float) -> None:  # noqa: ARG002
        self._stop(data, Outcome.FAILED, text(data, "reason"))

    def _stop(self, data: Mapping[str, Any], outcome: Outcome, reason: str) -> None:
        stop = Stop(reason, text(data, "phase"), text(data, "next"))
        self._run = replace(self._run, outcome=outcome, stop=stop)

    def _run_finished(self, data: Mapping[str, Any], at: float) -> None:
        told = text(data, "outcome")
        outcome = Outcome(told) if told in set(Outcome) else Outcome.FAILED
        code = number(data, "exit_code")
        stop = self._run.stop
        reason = text(data, "reason")
        if stop is None and reason:
            stop = Stop(reason, text(data, "phase"), text(data, "next"))
        seconds = number(data, "seconds")
        started = self._run.started or at
        self._run = replace(
            self._run,
            outcome=outcome,
            exit_code=None if code is None else int(code),
            seconds=at - started if seconds is None else seconds,
            stop=stop,
        )


def _phase_of(told: str) -> str:
    """Return the phase that a recorded step such as shift-10 or judge-10 belongs to."""
    if told.startswith(("shift-", "settle-", "judge-", "ask-")):
        return "shift"
    if told in _PART_OF:
        return _PART_OF[told]
    return "revert" if told.startswith(("revert", "check-blue", "held")) else told


def judgement_of(one: Mapping[str, Any]) -> JudgementView:
    """Return a judgement from its JSON form."""
    needed = number(one, "needed")
    return JudgementView(
        objective=text(one, "objective"),
        verdict=text(one, "verdict"),
        value=number(one, "value"),
        threshold=number(one, "threshold"),
        samples=whole(one, "samples"),
        bad=whole(one, "bad"),
        evidence=number(one, "evidence"),
        needed=None if needed is None else int(needed),
        reason=text(one, "reason"),
        example=text(one, "example"),
    )


def _observed(data: Mapping[str, Any]) -> tuple[tuple[str, int, int], ...]:
    return tuple((text(one, "probe"), whole(one, "green"), whole(one, "total")) for one in records(data, "observed"))


def _judgements(data: Mapping[str, Any]) -> tuple[JudgementView, ...]:
    return tuple(judgement_of(one) for one in records(data, "judgements"))
