"""Starts or resumes a migration in this process, waits for its end, and turns signals into a safe stop.

DBOS is imported only here and in the workflow, since its import costs a second.
"""

import logging
import os
import signal
import sys
import threading
from types import FrameType
from typing import Any, Never

from bluegreen.migration.context import Ending, Run, activate
from bluegreen.migration.store import SCHEMA

EXIT_CODES = {"migrated": 0, "failed": 1, "reverted": 3, "paused": 4, "interrupted": 130}


def execute(run: Run, state: str) -> Ending:
    """Run the migration until it ends, pauses or is stopped.

    Args:
        run: the migration, its lock held.
        state: sqlite, or the URL of a PostgreSQL database.
    """
    from dbos import DBOS, SetWorkflowID  # noqa: PLC0415 - see module docstring

    activate(run)
    _quiet()
    DBOS(
        config={
            "name": "bluegreen",
            "system_database_url": run.store.database if state == "sqlite" else state,
            # Ours, not a hash of the source: an upgrade with the same schema resumes, another one is refused.
            "application_version": f"schema-{SCHEMA}",
            "executor_id": run.manifest.id,
            "log_level": "ERROR",
        }
    )
    from bluegreen.migration.workflow import migrate  # noqa: PLC0415 - registers the workflow before the launch

    DBOS.launch()
    with SetWorkflowID(run.manifest.id):
        handle = DBOS.start_workflow(migrate, run.manifest.id)
    threading.Thread(target=_await_result, args=(run, handle), daemon=True).start()
    _wait(run)
    return run.stop.ending or Ending("failed", 1, "ended without saying how")


def leave(code: int) -> Never:
    """End the process at once: parked steps hold threads that never return."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    os._exit(code)


def _await_result(run: Run, handle: Any) -> None:
    """Turn the workflow's result into the ending of this process."""
    try:
        result = handle.get_result()
    except BaseException as error:  # noqa: BLE001 - the thread must report whatever ended the workflow
        run.stop.finish(Ending("failed", 1, f"{type(error).__name__}: {error}", "run the same command again to go on"))
        return
    outcome = result["outcome"]
    refused = result.get("refused", {})
    run.stop.finish(
        Ending(outcome, EXIT_CODES[outcome], refused.get("text") or result.get("reason", ""), refused.get("next", ""))
    )


def _wait(run: Run) -> None:
    """Wait for the end; the first signal asks for a safe stop, the second leaves at once."""

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if run.stop.asked.is_set():
            os._exit(128 + number)
        run.stop.asked.set()
        run.emit("notice", text="stopping at the next safe point; again to stop now")

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        while not run.stop.ended.wait(0.1):
            pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _quiet() -> None:
    """Keep libraries off the terminal; what they say reaches people through our events and errors."""
    for name in ("dbos", "sqlalchemy", "httpx", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
