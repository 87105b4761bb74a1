"""The words of the state machine: where a shift stands, what can happen to it, what it asks for.

Values only, each JSON-ready by its fields, so that a durable run can store a state between any two acts.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from bluegreen.model.ports import Weights
from bluegreen.model.verdicts import Verdict
from bluegreen.slo.health import Health
from bluegreen.traffic.steps import Step


class Phase(enum.StrEnum):
    """Where a shift stands; WAITING is for a person's approval of the step, PAUSED for a person's decision."""

    WAITING = "waiting"
    SHIFTING = "shifting"
    SETTLING = "settling"
    JUDGING = "judging"
    HOLDING = "holding"
    PAUSED = "paused"
    CHECKING = "checking"
    REVERTING = "reverting"
    REVERTED = "reverted"
    BAKING = "baking"
    DONE = "done"
    HELD = "held"


class Action(enum.StrEnum):
    """What a state asks the caller to do; each is idempotent."""

    WRITE = "write"
    SETTLE = "settle"
    JUDGE = "judge"
    ASK = "ask"
    CHECK_BLUE = "check_blue"
    REVERT = "revert"
    CALL = "call"
    STOP = "stop"


class Command(enum.StrEnum):
    """What a person may order from another terminal."""

    PAUSE = "pause"
    RESUME = "resume"
    PROMOTE = "promote"
    ABORT = "abort"


@dataclass(frozen=True, slots=True)
class State:
    """Where a shift stands, complete.

    Attributes:
        phase: what is going on.
        step: index of the step that is in progress.
        earned: most per cent that green may be sent, by the gate or by a person's promote.
        resume: phase to which a paused shift goes back.
    """

    phase: Phase
    step: int
    earned: int
    resume: Phase = Phase.JUDGING


@dataclass(frozen=True, slots=True)
class Written:
    """Weights were read back from every router after a write."""

    served: Weights


@dataclass(frozen=True, slots=True)
class Settled:
    """Every router serves the written weights."""


@dataclass(frozen=True, slots=True)
class SettleTimedOut:
    """A router does not serve them within the step's time."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The gate has spoken.

    Attributes:
        verdict: the verdict.
        over: whether the step's budget is used up, so that an open verdict pauses instead of holding.
    """

    verdict: Verdict
    over: bool = True


@dataclass(frozen=True, slots=True)
class BudgetElapsed:
    """The time for the present phase is used up."""


@dataclass(frozen=True, slots=True)
class BlueSeen:
    """Blue was looked at."""

    health: Health


@dataclass(frozen=True, slots=True)
class RouterUnreachable:
    """A router could not be reached; nothing, or only the receiver's raise, was written."""


@dataclass(frozen=True, slots=True)
class RouterRefused:
    """A router refused: somebody else wrote, or the server is not there."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """A person gave a command."""

    command: Command


Input = (
    Written | Settled | SettleTimedOut | Judged | BudgetElapsed | BlueSeen | RouterUnreachable | RouterRefused | Ordered
)

TERMINAL = frozenset({Phase.REVERTED, Phase.DONE})
GOING_BACK = frozenset({Phase.CHECKING, Phase.REVERTING, Phase.HELD})


def start(steps: Sequence[Step]) -> State:
    """Return the state before the first write; the first step is earned by what was verified before it."""
    return State(entry(steps[0]), step=0, earned=steps[0].weight)


def entry(step: Step) -> Phase:
    """Return where a step begins: at its write, or at a person's approval of it."""
    return Phase.WAITING if step.approve else Phase.SHIFTING


def target(state: State, steps: Sequence[Step]) -> Weights:
    """Return the weights that a state wants to be served."""
    if state.phase in {Phase.REVERTING, Phase.REVERTED}:
        return Weights.for_green(0)
    return steps[state.step].weights


def may_scale_blue_down(state: State) -> bool:
    """Return whether blue is no longer needed for a way back (law 1)."""
    return state.phase is Phase.DONE
