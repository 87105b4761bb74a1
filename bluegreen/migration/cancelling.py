"""Takes back a move of volumes that nobody waits for any more, because the migration was ended in the middle of it.

What it cannot take back it names, with what to type. It must never hide how the migration has ended, nor keep it from
ending: the mover is asked once, in the time that the mover itself keeps.
"""

from collections.abc import Mapping
from typing import Any

from bluegreen.migration.context import Run
from bluegreen.model.errors import BluegreenError, clean_text

STEP = "volumes-cancel"
_ENDED_BY = frozenset({"run.aborted", "run.out-of-time"})


def to_cancel(phase: str, result: Mapping[str, Any]) -> bool:
    """Return whether a move may be under way that nobody will wait for.

    A move that failed by itself stays, for a person to look at.

    Args:
        phase: the recorded step with which the migration ended.
        result: its record.
    """
    return phase == "volumes" and result["refused"]["code"] in _ENDED_BY


def cancel_move(run: Run) -> dict[str, Any]:
    """Cancel the move of this migration and say what became of it; idempotent.

    Args:
        run: the migration; told a notice, also of what could not be cancelled.
    """
    if run.mover is None or run.request is None or not run.request.pods:
        return {"cancelled": True}
    try:
        run.mover.cancel(run.request)
    except BluegreenError as error:
        return _left(run, f"{error}; next: {error.next_step}" if error.next_step else str(error))
    except Exception as error:  # noqa: BLE001 - a fault of a mover must not hide that the migration was ended
        return _left(run, clean_text(f"{type(error).__name__}: {error}"))
    run.emit("notice", text="the move of the volumes was cancelled; nothing of it is left on green")
    return {"cancelled": True}


def _left(run: Run, reason: str) -> dict[str, Any]:
    run.emit("notice", text=f"the move of the volumes could not be cancelled: {reason}")
    return {"cancelled": False}
