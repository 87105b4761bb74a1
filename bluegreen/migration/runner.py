"""Starts or resumes a migration in this process, waits for its end, and turns signals into a safe stop.

DBOS is imported only here and in the workflow, since its import costs a second.
"""

import atexit
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any, Never

from bluegreen.config.secrets import is_reference, resolve_secret
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
            # Ours, not a hash of the source, so that an upgrade with the same schema resumes; with the id in it,
            # so that a process which shares the database never takes over another one's migration.
            "application_version": f"schema-{SCHEMA}-{run.manifest.id}",
            "executor_id": run.manifest.id,
            "log_level": "ERROR",
        }
    )
    from bluegreen.migration.workflow import migrate  # noqa: PLC0415 - registers the workflow before the launch

    _catch_signals(run)
    DBOS.launch()
    with SetWorkflowID(run.manifest.id):
        handle = DBOS.start_workflow(migrate, run.manifest.id)
    threading.Thread(target=_await_result, args=(run, handle), daemon=True).start()
    while not run.stop.ended.wait(0.1):
        pass
    return run.stop.ending or Ending("failed", 1, "ended without saying how")


def state_url(state: str) -> str:
    """Return where the run is remembered, a reference to a URL resolved.

    Raises:
        InvalidInputError: the reference points at nothing.
    """
    return resolve_secret(state, os.environ, Path.cwd()) if is_reference(state) else state


def leave(code: int) -> Never:
    """End the process at once: parked steps hold threads that never return."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    atexit._run_exitfuncs()  # noqa: SLF001 - what must be removed, such as a key in a temporary file
    os._exit(code)


def _await_result(run: Run, handle: Any) -> None:
    """Turn the workflow's result into the ending of this process."""
    try:
        result = handle.get_result()
    except BaseException as error:  # noqa: BLE001 - the thread must report whatever ended the workflow
        run.crashed = True
        run.stop.finish(Ending("failed", 1, f"{type(error).__name__}: {error}", "run the same command again to go on"))
        return
    outcome = result["outcome"]
    refused = result.get("refused", {})
    run.stop.finish(
        Ending(outcome, EXIT_CODES[outcome], refused.get("text") or result.get("reason", ""), refused.get("next", ""))
    )


def _catch_signals(run: Run) -> None:
    """Make the first signal ask for a safe stop and the second leave at once, until the process ends."""

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if run.stop.asked.is_set():
            os._exit(128 + number)
        run.stop.asked.set()
        threading.Thread(target=tell, daemon=True).start()

    def tell() -> None:
        run.emit("notice", text="stopping at the next safe point; again to stop now")

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)


def _quiet() -> None:
    """Keep libraries off the terminal; what they say reaches people through our events and errors."""
    for name in ("dbos", "sqlalchemy", "httpx", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
