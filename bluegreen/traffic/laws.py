"""The laws, as checks of one transition; they stay on in production.

A broken law is a bug of ours and stops the run where it is: nobody's users are worth a guess. Law numbers are those of
the architecture.
"""

from collections.abc import Iterator, Sequence

from bluegreen.model.errors import BugError
from bluegreen.model.verdicts import Verdict
from bluegreen.slo.health import Health
from bluegreen.traffic.states import (
    GOING_BACK,
    TERMINAL,
    BlueSeen,
    Command,
    Input,
    Judged,
    Ordered,
    Phase,
    State,
    may_scale_blue_down,
    target,
)
from bluegreen.traffic.steps import ALL, Step

_LEFT_ALONE = frozenset({Verdict.INCONCLUSIVE, Verdict.PROBE_ERROR})


def check_transition(before: State, happened: Input, after: State, steps: Sequence[Step]) -> State:
    """Return the state after, or refuse a transition that breaks a law.

    Raises:
        BugError: with every law that is broken.
    """
    broken = (
        *_earned(before, happened, after, steps),
        *_both_sides(after, steps),
        *_verdicts(before, happened, after),
        *_way_back(before, happened, after),
    )
    if broken:
        what = f"{before.phase} and {happened} to {after.phase}"
        raise BugError("traffic.law-broken", what, "; ".join(broken), "the weights stay as they are; report this")
    return after


def _earned(before: State, happened: Input, after: State, steps: Sequence[Step]) -> Iterator[str]:
    """Yield breaches of law 1: green gets what is earned, one step at a time; blue stays until the bake has ended."""
    passed = happened == Ordered(Command.PROMOTE) or (isinstance(happened, Judged) and happened.verdict is Verdict.PASS)
    if target(after, steps).green > after.earned:
        yield "law 1: green would be sent more than it has earned"
    if after.earned > before.earned and not passed:
        yield "law 1: green earned weight without a PASS or a promote"
    if after.step > before.step + 1:
        yield "law 1: a step was skipped"
    if may_scale_blue_down(after) and not may_scale_blue_down(before):
        baked = Phase.BAKING in {before.phase, before.resume if before.phase is Phase.PAUSED else before.phase}
        if not (baked and passed):
            yield "law 1: blue would be let go before the bake has ended"


def _both_sides(after: State, steps: Sequence[Step]) -> Iterator[str]:
    """Yield breaches of law 2: the weights are never 0/0."""
    wanted = target(after, steps)
    if wanted.blue + wanted.green != ALL:
        yield "law 2: the weights do not sum to 100"


def _verdicts(before: State, happened: Input, after: State) -> Iterator[str]:
    """Yield breaches of law 3: FAIL goes back; an open verdict neither goes back nor on."""
    match happened:
        case Judged(Verdict.FAIL) if before.phase not in GOING_BACK | TERMINAL and after.phase is not Phase.CHECKING:
            yield "law 3: a FAIL does not lead back"
        case Judged(verdict) if verdict in _LEFT_ALONE:
            moved = after.phase in GOING_BACK | TERMINAL and after.phase is not before.phase
            if moved or after.step != before.step or after.earned != before.earned:
                yield f"law 3: {verdict} moved traffic"


def _way_back(before: State, happened: Input, after: State) -> Iterator[str]:
    """Yield breaches of law 4: back only onto a blue that was seen healthy."""
    sets_out = after.phase is Phase.REVERTING and before.phase is not Phase.REVERTING
    if sets_out and happened != BlueSeen(Health.HEALTHY):
        yield "law 4: going back without having seen a healthy blue"
    if after.phase is Phase.REVERTED and before.phase not in {Phase.REVERTING, Phase.REVERTED}:
        yield "law 4: reverted without reverting"
