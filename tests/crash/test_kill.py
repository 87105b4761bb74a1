"""kill -9 in every phase of the shop's move: the same command goes on, and the end is that of a run nobody killed."""

import sys
from pathlib import Path

import pytest

from scenarios import stage
from scenarios.cluster import NEW, OLD, get
from scenarios.run import users

sys.path.insert(0, str(Path(__file__).parent))
from killed_runs import Migration, seeded

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

# Long phases are killed somewhere inside; the seconds are what a phase takes at least on the lab.
INSIDE = {"import": 0.3, "volumes": 12.0, "start": 4.0, "judge-50": 1.5, "judge-100": 1.5, "bake": 1.5}
OFTEN = 0.5
# Every other step, and those now and then, between its effect and its record: the moment that makes it run twice.
PREPARATION = ("assess", "export", "import", "volumes", "start", "verify")
SHIFT = ("shift-50", "settle-50", "judge-50", "shift-100", "settle-100", "judge-100", "bake", "finish")


def test_killed_in_every_phase_it_comes_to_the_same_end():
    chance = seeded()
    with stage.taken():
        migration = Migration.prepared("happy", "50,100")
        with users(rate=40, seconds=600) as load:
            killed = [killed_in(migration, phase, chance) for phase in (*PREPARATION, *SHIFT)]
            assert migration.finish() == 0, migration.said[-1][-2000:]
        blue, green = stage.rows(OLD), stage.rows(NEW)

        assert stage.weights() == {"blue": 0, "green": 100}
        assert blue == green
        assert load.summary["failed"] == 0
        assert load.summary["requests"] > 1000
        assert killed.count("between") >= len(killed) - len(INSIDE) - 2
        assert one_of_each(migration)
        assert [e["data"]["outcome"] for e in migration.events("run.finished")] == ["migrated"]
        assert workloads(NEW) == workloads(OLD)


def killed_in(migration, phase, chance):
    """Kill it between the phase's effect and its record, or now and then somewhere inside; return which it was."""
    if migration.recorded(phase):
        return "late"  # the kill in the phase before came late, and this one is over
    if phase in INSIDE and chance.random() < OFTEN:
        assert migration.die_within(phase, chance.uniform(0, INSIDE[phase])) == -9, phase
        return "inside"
    assert migration.die_at(f"{phase}.acted") == -9, phase
    return "between"


def one_of_each(migration):
    """Return whether the volumes were backed up and restored exactly once."""
    name = migration.directory.name
    backups = [
        b for b in get(OLD, "backups.velero.io", "-n", "velero")["items"] if b["metadata"]["name"].startswith(name)
    ]
    restores = [
        r for r in get(NEW, "restores.velero.io", "-n", "velero")["items"] if r["metadata"]["name"].startswith(name)
    ]
    return len(backups) == 1 and len(restores) == 1


def workloads(context):
    """Return each workload of the shop with its replicas, and each schedule with whether it is suspended."""
    found = get(context, "deployments,statefulsets,cronjobs", "-n", "shop")["items"]
    return {
        (o["kind"], o["metadata"]["name"]): o["spec"].get("replicas", o["spec"].get("suspend", False)) for o in found
    }
