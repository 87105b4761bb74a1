"""The durable order of a migration: DBOS records each step's outcome, and a restart goes on after the last one.

Nothing here touches a cluster or a router; steps do. The order of steps depends on recorded results only.
"""

from collections.abc import Sequence
from typing import Any

from dbos import DBOS

from bluegreen.migration import cancelling, phases, traffic
from bluegreen.migration.claims import request_of
from bluegreen.migration.context import Run, active
from bluegreen.migration.failpoints import hit
from bluegreen.migration.objects import Moved
from bluegreen.migration.perform import Act, perform
from bluegreen.migration.records import from_record, to_record
from bluegreen.migration.stages import steps_of
from bluegreen.model.errors import BugError
from bluegreen.model.ports import CachedRouter
from bluegreen.traffic.decide import action, decide
from bluegreen.traffic.states import TERMINAL, Input, Phase, State, start
from bluegreen.traffic.steps import Step

PREPARATION: tuple[tuple[str, Act], ...] = (
    ("assess", phases.assess),
    ("export", phases.export_objects),
    ("import", phases.import_idle),
    ("routes-prepare", phases.lower_ttls),
    ("volumes", phases.move_volumes),
    ("start", phases.start_workloads),
    ("verify", phases.verify_both),
    ("routes-wait", phases.await_ttls),
)
_CACHED_ONLY = frozenset({"routes-prepare", "routes-wait"})


@DBOS.workflow(name="bluegreen.migrate", max_recovery_attempts=None)
def migrate(migration: str) -> dict[str, Any]:
    """Run one migration to its end.

    Args:
        migration: id of the migration that this process has activated.

    Returns:
        outcome (migrated, reverted or failed), with the reason when it is not migrated.
    """
    run = active()
    try:
        return _all_of_it(run, migration)
    except Exception as error:  # noqa: BLE001 - recorded, it would end the run for good; parked, a resume goes on
        run.crash(error)


def _all_of_it(run: Run, migration: str) -> dict[str, Any]:
    """Prepare, shift, finish."""
    if run.manifest.id != migration:
        raise BugError("run.foreign", f"working on {run.manifest.id}", f"asked to work on {migration}")
    cached = any(isinstance(router, CachedRouter) for router in run.routers)
    for name, act in PREPARATION:
        if name in _CACHED_ONLY and not cached:
            continue
        result = _recorded(run, name, act)
        if "refused" in result:
            return _failed(run, name, result, cached=cached)
        if name == "export":
            run.moved, run.request = Moved.of_record(result["moved"]), request_of(result["request"])
    try:
        ended = _shift(run)
    except _ShiftRefusedError as refused:
        return _failed(run, refused.name, refused.result, cached=cached)
    run.closing = True
    if ended.phase is Phase.REVERTED:
        _recorded(run, "routes-restore", phases.restore_routes)
        return {"outcome": "reverted", "reason": run.failure}
    _recorded(run, "finish", phases.finish)
    return {"outcome": "migrated"}


def _failed(run: Run, name: str, result: dict[str, Any], *, cached: bool) -> dict[str, Any]:
    """Take back what is under way and put back what was prepared on the routes; return how the migration has ended."""
    run.closing = True
    if cancelling.to_cancel(name, result):
        _recorded(run, cancelling.STEP, cancelling.cancel_move)
    if cached:
        _recorded(run, "routes-restore", phases.restore_routes)
    return {"outcome": "failed", "phase": name, **result}


class _ShiftRefusedError(Exception):
    """An act of the shift was refused before any traffic moved; its record is the end of the run.

    Attributes:
        name: the recorded step.
        result: its record.
    """

    def __init__(self, name: str, result: dict[str, Any]) -> None:
        self.name, self.result = name, result
        super().__init__(name)


def _shift(run: Run) -> State:
    """Take the steps until all traffic is on green and baked, or back on blue."""
    steps = steps_of(run.config)
    run.shifting = True
    state = start(steps)
    while state.phase not in TERMINAL:
        state = decide(state, _happened(run, state, steps), steps)
    return state


def _happened(run: Run, state: State, steps: Sequence[Step]) -> Input:
    """Do what a state asks for as one recorded step and return what happened.

    Raises:
        _ShiftRefusedError: it was refused, and no traffic has moved yet.
    """
    wanted = action(state)
    name = traffic.name_of(wanted, state, steps)

    def act(run: Run) -> dict[str, Any]:
        run.followed = ""
        happened = to_record(traffic.act(run, wanted, state, steps))
        told = {"failure": run.failure, "why": run.why, "order": run.followed}
        return {**happened, **told, "late": run.limits.over()}

    record = _recorded(run, name, act)
    if "refused" in record:
        raise _ShiftRefusedError(name, record)
    run.failure, run.why = str(record.get("failure", "")), str(record.get("why", ""))
    run.orders.done.add(str(record.get("order", "")))
    happened = from_record(record)
    run.limits.answered(happened, late=record.get("late") is True)
    return happened


def _recorded(run: Run, name: str, act: Act) -> dict[str, Any]:
    """Run one recorded step, framed by its events."""

    def framed() -> dict[str, Any]:
        try:
            return _framed(run, name, act)
        except Exception as error:  # noqa: BLE001 - recorded, it would end the run for good; parked, a resume goes on
            run.crash(error)

    result: dict[str, Any] = DBOS.run_step({"name": name}, framed)
    hit(f"{name}.recorded")
    return result


def _framed(run: Run, name: str, act: Act) -> dict[str, Any]:
    """Do a step between its two events."""
    run.phase = name
    began = run.clock()
    run.emit("phase.started", phase=name)
    result = perform(run, name, act)
    run.emit("phase.finished", phase=name, seconds=round(run.clock() - began, 3), ok="refused" not in result)
    return result
