"""How long and how often a call is tried again: one policy for the whole room.

A server's Retry-After is a floor, never shortened; the total time is bounded, so that a step fails within its budget
rather than hang. It knows nothing of HTTP.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from bluegreen.model.errors import TransientError

if TYPE_CHECKING:
    import tenacity

FIRST_WAIT = 0.1
LONGEST_WAIT = 5.0


class Patience(msgspec.Struct, frozen=True):
    """The budget of one call.

    Attributes:
        total: seconds from the first attempt until giving up.
        one: seconds that one attempt may take.
        drops: how many lost connections in a row are enough, 0 for as many as the total allows.
        clock: monotonic seconds.
        sleep: waits that many seconds.
    """

    total: float = 120.0
    one: float = 30.0
    drops: int = 0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def _pause(state: "tenacity.RetryCallState") -> float:
    import random  # noqa: PLC0415 - loaded on use, as tenacity is

    backoff = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (state.attempt_number - 1))
    jittered = backoff * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, TransientError) else None
    return max(jittered, asked or 0.0)


def _was_dropped(state: "tenacity.RetryCallState") -> bool:
    error = state.outcome.exception() if state.outcome else None
    return isinstance(error, TransientError) and error.code == "kube.connection"


def persist(act: Callable[[float], Any], patience: Patience) -> Any:
    """Call until it succeeds, fails for good, or the budget is spent.

    Args:
        act: called with the seconds that this attempt may take; a TransientError means again.
        patience: budget, clock and sleep.

    Raises:
        TransientError: the last one, when the budget is spent.
    """
    end = patience.clock() + patience.total
    failed: list[TransientError] = []
    try:
        return act(max(0.1, min(patience.one, patience.total)))
    except TransientError as error:
        failed.append(error)
    import tenacity  # noqa: PLC0415 - only what failed needs it

    dropped = 0

    def attempt() -> Any:
        """Stand for the first attempt once, so that waits and budget count it; nearly all calls never come here."""
        if failed:
            raise failed.pop()
        return act(max(0.1, min(patience.one, end - patience.clock())))

    def spent(state: "tenacity.RetryCallState") -> bool:
        nonlocal dropped
        dropped = dropped + 1 if _was_dropped(state) else 0
        return patience.clock() + state.upcoming_sleep >= end or 0 < patience.drops <= dropped

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(TransientError),
        wait=_pause,
        stop=spent,
        sleep=patience.sleep,
        reraise=True,
    )
    return retrying(attempt)
