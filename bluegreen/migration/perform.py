"""One durable step: checkpoint, act, record; and what an error does to the run.

Transient errors are tried again within a budget, then the run pauses, as it does when the step's own time is over. A
refusal before traffic moved ends the migration as failed; after it the run pauses for a person and the weights stay. A
step must be idempotent: it runs again when the process died between its effect and its record.
"""

from collections.abc import Callable, Mapping
from typing import Any

from bluegreen.migration.context import Run
from bluegreen.migration.failpoints import hit
from bluegreen.model.errors import BluegreenError, OutOfTimeError, RefusedError, TransientError

RETRY_BUDGET_SECONDS = 300.0
_BACKOFF_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0)

Act = Callable[[Run], Mapping[str, Any] | None]


def perform(run: Run, name: str, act: Act) -> dict[str, Any]:
    """Do one step and return its JSON-ready result; {"refused": {...}} when it cannot be done.

    Args:
        run: the migration.
        name: step name, also the prefix of its failpoints.
        act: the idempotent effect.
    """
    run.limits.enter(name)
    try:
        result = _in_time(run, name, act)
    except RefusedError as error:
        if run.traffic_moved:
            run.pause(str(error))
        result = {"refused": refusal(error)}
    except Exception as error:  # noqa: BLE001 - whatever it is, the run must stop without recording the step
        run.crash(error)
    hit(f"{name}.acted")
    return result


def _in_time(run: Run, name: str, act: Act) -> dict[str, Any]:
    """Call act within the step's time; when that is over, leave, so that a resume goes on with new time."""
    try:
        run.checkpoint()
        hit(f"{name}.before")
        return _attempt(run, name, act)
    except OutOfTimeError as error:
        run.limits.require_overall()  # where that is over as well, there is nothing to go on with
        run.pause(f"{run.limits.phase_words}; {error}")


def _attempt(run: Run, name: str, act: Act) -> dict[str, Any]:
    """Call act until it succeeds, is refused, or the budget for transient errors is used up."""
    deadline: float | None = None
    tries = 0
    while True:
        try:
            return dict(act(run) or {})
        except OutOfTimeError:
            raise
        except TransientError as error:
            deadline = deadline or run.clock() + RETRY_BUDGET_SECONDS
            if run.clock() >= deadline:
                run.pause(str(error))
            wait = error.retry_after or _BACKOFF_SECONDS[min(tries, len(_BACKOFF_SECONDS) - 1)]
            if run.limits.phase_left <= wait:
                raise run.limits.out_of_phase(error.what, error.why) from error
            run.emit("step.retried", step=name, reason=str(error), wait=wait)
            tries += 1
            run.sleep(wait)


def refusal(error: BluegreenError) -> dict[str, str]:
    """Return an error in the form that a step's record and the report hold."""
    return {"code": error.code, "what": error.what, "why": error.why, "next": error.next_step, "text": str(error)}
