"""The durable order of a migration: DBOS records each step's outcome, and a restart goes on after the last one.

Nothing here touches a cluster or a router; steps do. The order of steps depends on recorded results only.
"""

from collections.abc import Iterator
from typing import Any

from dbos import DBOS

from bluegreen.migration import phases, traffic
from bluegreen.migration.context import Run, active
from bluegreen.migration.failpoints import hit
from bluegreen.migration.perform import Act, perform

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
        result = _phase(run, name, act)
        if "refused" in result:
            return {"outcome": "failed", "phase": name, **result}
    for name, act in _traffic_steps(run):
        result = _phase(run, name, act)
        if result.get("verdict") == "FAIL":
            return {"outcome": "reverted", **_phase(run, f"revert-{name}", traffic.go_back(result))}
        if "refused" in result:
            return {"outcome": "failed", "phase": name, **result}
    _phase(run, "finish", phases.finish)
    return {"outcome": "migrated"}


def _traffic_steps(run: Run) -> Iterator[tuple[str, Act]]:
    """Yield shift, settle and judge of every step, then the bake."""
    steps = traffic.steps_of(run)
    for index, step in enumerate(steps):
        yield f"shift-{step.weight}", traffic.shift(index)
        yield f"judge-{step.weight}", traffic.judge(index)
    yield "bake", traffic.bake


def _phase(run: Run, name: str, act: Act) -> dict[str, Any]:
    """Run one recorded step, framed by its events."""

    def framed() -> dict[str, Any]:
        run.phase = name
        started = run.clock()
        run.emit("phase.started", phase=name)
        result = perform(run, name, act)
        run.emit("phase.finished", phase=name, seconds=round(run.clock() - started, 3), ok="refused" not in result)
        return result

    result: dict[str, Any] = DBOS.run_step({"name": name}, framed)
    hit(f"{name}.recorded")
    run.traffic_moved = run.traffic_moved or name.startswith("shift-")
    return result
