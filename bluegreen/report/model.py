"""A run as its readers see it: frozen, complete, made by fold.py from events alone.

Times are seconds since 1970. Nothing here formats anything for people.
"""

import enum
from dataclasses import dataclass, field

PHASES = ("assess", "export", "import", "volumes", "start", "verify", "shift", "bake", "finish")
FAIL = "FAIL"


class PhaseState(enum.StrEnum):
    """Where a phase stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class Outcome(enum.StrEnum):
    """How a run ended, or that it has not."""

    RUNNING = "running"
    MIGRATED = "migrated"
    REVERTED = "reverted"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PhaseView:
    """One phase; shift holds all steps."""

    name: str
    state: PhaseState = PhaseState.WAITING
    started: float | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class WeightPoint:
    """Weights that a route was given."""

    at: float
    route: str
    blue: int
    green: int
    forward: bool


@dataclass(frozen=True, slots=True)
class JudgementView:
    """One objective at one moment; the numbers of model.verdicts.Judgement."""

    objective: str
    verdict: str
    value: float | None
    threshold: float | None
    samples: int
    bad: int
    evidence: float | None
    needed: int | None
    reason: str
    example: str


@dataclass(frozen=True, slots=True)
class Sight:
    """A judgement with its moment and green's weight then."""

    at: float
    weight: int
    judgement: JudgementView


@dataclass(frozen=True, slots=True)
class ObjectiveView:
    """One objective over the run."""

    name: str
    series: tuple[Sight, ...]

    @property
    def latest(self) -> JudgementView:
        """Return the last judgement."""
        return self.series[-1].judgement


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of the shift.

    Attributes:
        verdict: PASS once passed, FAIL once reverted, else what the gate said last; empty before it spoke.
        passed: whether the step was passed.
        settled: seconds until the weight took effect.
        hold: seconds that the step is held at least, when told.
        budget: seconds that it may stay undecided, when told.
        routes: the routes that it moves, when told.
        observed: requests of real users by probe, on green and in all.
    """

    weight: int
    started: float
    verdict: str = ""
    passed: bool = False
    settled: float | None = None
    seconds: float | None = None
    ended: float | None = None
    hold: float | None = None
    budget: float | None = None
    judgements: tuple[JudgementView, ...] = ()
    routes: tuple[str, ...] = ()
    observed: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class FindingView:
    """One finding of the assessment."""

    rule: str
    severity: str
    subject: str
    reason: str
    action: str


@dataclass(frozen=True, slots=True)
class PlanView:
    """What the run set out to do."""

    objects: int = 0
    by_kind: tuple[tuple[str, int], ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()
    digest: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VolumeView:
    """One stage of the volumes' move, as last told."""

    stage: str
    phase: str
    message: str
    bytes_done: int
    bytes_total: int
    started: float
    at: float


@dataclass(frozen=True, slots=True)
class CheckView:
    """One comparison of blue and green."""

    name: str
    equal: bool
    blue: str
    green: str


@dataclass(frozen=True, slots=True)
class RevertView:
    """Why and how fast the run went back."""

    at: float
    reason: str
    judgements: tuple[JudgementView, ...]
    seconds: float | None = None

    @property
    def broken(self) -> JudgementView | None:
        """Return the objective that broke."""
        return next((one for one in self.judgements if one.verdict == FAIL), None)


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run stopped without an end of its own, and what to type next."""

    reason: str
    phase: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Moment:
    """One entry of the timeline."""

    at: float
    name: str
    words: str


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A cluster by context and version."""

    context: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class RunView:
    """Everything that is known of a run."""

    migration: str = ""
    blue: ClusterView = field(default_factory=ClusterView)
    green: ClusterView = field(default_factory=ClusterView)
    namespaces: tuple[str, ...] = ()
    planned_steps: tuple[int, ...] = ()
    data_policy: str = ""
    config_digest: str = ""
    started: float | None = None
    last: float | None = None
    resumed: int = 0
    phases: tuple[PhaseView, ...] = ()
    weights: tuple[WeightPoint, ...] = ()
    steps: tuple[StepView, ...] = ()
    objectives: tuple[ObjectiveView, ...] = ()
    findings: tuple[FindingView, ...] = ()
    plan: PlanView | None = None
    applied: tuple[tuple[str, int], ...] = ()
    last_applied: str = ""
    volumes: tuple[VolumeView, ...] = ()
    waiting: str = ""
    checks: tuple[CheckView, ...] = ()
    revert: RevertView | None = None
    stop: Stop | None = None
    outcome: Outcome = Outcome.RUNNING
    exit_code: int | None = None
    seconds: float | None = None
    notices: tuple[Moment, ...] = ()
    timeline: tuple[Moment, ...] = ()

    @property
    def objects(self) -> int:
        """Return how many objects were applied."""
        return sum(count for _, count in self.applied)

    @property
    def forward(self) -> tuple[int, ...]:
        """Return green's weights that were written while going forward, in order."""
        seen: list[int] = []
        for point in self.weights:
            if point.forward and point.green > 0 and point.green not in seen[-1:]:
                seen.append(point.green)
        return tuple(seen)

    @property
    def final(self) -> WeightPoint | None:
        """Return the weights that were written last."""
        return self.weights[-1] if self.weights else None

    @property
    def broken(self) -> JudgementView | None:
        """Return the objective that made the run go back."""
        return self.revert.broken if self.revert else None
