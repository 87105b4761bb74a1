"""The durable order of a migration: DBOS records each step's outcome, and a restart goes on after the last one.

Nothing here touches a cluster or a router; steps do. The order of steps depends on recorded results only.
"""

from collections.abc import Sequence
from typing import Any

from dbos import DBOS

from bluegreen.migration import phases, traffic
from bluegreen.migration.context import Run, active
from bluegreen.migration.failpoints import hit
from bluegreen.migration.perform import Act, perform
from bluegreen.migration.records import from_record, to_record
from bluegreen.traffic.decide import action, decide
from bluegreen.traffic.states import TERMINAL, Input, Phase, State, start
from bluegreen.traffic.steps import Step

PREPARATION: tuple[tuple[str, Act], ...] = (
    ("assess", phases.assess),
    ("export", phases.export_objects),
    ("import", phases.import_idle),
    ("volumes", phases.move_volumes),
    ("start", phases.start_workloads),
    ("verify", phases.verify_both),
)


@DBOS.workflow(name="bluegreen.migrate", max_recovery_attempts=None)
def migrate(migration: str) -> dict[str, Any]:
    """Run one migration to its end.

    Args:
        migration: id of the migration that this process has activated.

    Returns:
        outcome (migrated, reverted or failed), with the reason when it is not migrated.
    """
    run = active()
    if run.manifest.id != migration:
        raise RuntimeError(f"this process works on {run.manifest.id}, not on {migration}")
    for name, act in PREPARATION:
        result = _recorded(run, name, act)
        if "refused" in result:
            return {"outcome": "failed", "phase": name, **result}
    ended = _shift(run)
    if ended.phase is Phase.REVERTED:
        return {"outcome": "reverted", "reason": run.failure}
    _recorded(run, "finish", phases.finish)
    return {"outcome": "migrated"}


def _shift(run: Run) -> State:
    """Take the steps until all traffic is on green and baked, or back on blue."""
    steps = traffic.steps_of(run.config)
    state = start(steps)
    while state.phase not in TERMINAL:
        state = decide(state, _happened(run, state, steps), steps)
    return state


def _happened(run: Run, state: State, steps: Sequence[Step]) -> Input:
    """Do what a state asks for as one recorded step and return what happened."""
    wanted = action(state)

    def act(run: Run) -> dict[str, Any]:
        return {**to_record(traffic.act(run, wanted, state, steps)), "failure": run.failure}

    record = _recorded(run, traffic.name_of(wanted, state, steps), act)
    run.failure = run.failure or record["failure"]
    return from_record(record)


def _recorded(run: Run, name: str, act: Act) -> dict[str, Any]:
    """Run one recorded step, framed by its events."""

    def framed() -> dict[str, Any]:
        run.phase = name
        began = run.clock()
        run.emit("phase.started", phase=name)
        result = perform(run, name, act)
        run.emit("phase.finished", phase=name, seconds=round(run.clock() - began, 3), ok="refused" not in result)
        return result

    result: dict[str, Any] = DBOS.run_step({"name": name}, framed)
    hit(f"{name}.recorded")
    return result
