"""An abort while volumes are moved, with the real command, Velero and both clusters: nothing of the move is left.

The second test asks the command beforehand what becomes of a way back that nothing can see.
"""

import json
import sys
from pathlib import Path

import pytest

from scenarios.cluster import NEW, OLD, get, kubectl

sys.path.insert(0, str(Path(__file__).parent))
from small import Small, pages, wait_until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]

NAME, NODE_PORT = "chaos-volumes", 30020
MOVE = {
    "data": {"policy": "copy", "mover": "velero", "with": {"carrierImage": "bluegreen-lab/pause:1"}},
    "transform": {"storageClasses": {"lab-standard": "lab-fast"}},
}


def store():
    """Return a workload with a claim, beside the page."""
    labels, meta = {"app": "store"}, {"name": "store", "namespace": NAME}
    container = {
        "name": "store",
        "image": "bluegreen-lab/shop:1",
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", "head -c 4000000 /dev/urandom > /data/rows; sleep 100000"],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    claim = {"accessModes": ["ReadWriteOnce"], "storageClassName": "lab-standard"}
    claim["resources"] = {"requests": {"storage": "32Mi"}}
    spec = {
        "serviceName": "store",
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
        },
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}],
    }
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta, "spec": spec}


@pytest.fixture(scope="module")
def port():
    with pages((NAME,), NODE_PORT) as ports:
        kubectl(OLD, "apply", "-f", "-", stdin=json.dumps(store()))
        kubectl(OLD, "-n", NAME, "rollout", "status", "statefulset/store", "--timeout=90s")
        yield ports[NAME]


def left_on_green(name):
    """Return what of a move is on green: Velero's restore, pods and claims that carry its mark."""
    found = get(NEW, "restores.velero.io", "-n", "velero")["items"]
    restores = [one["metadata"]["name"] for one in found if one["metadata"]["name"] == name]
    marked = get(NEW, "pods,persistentvolumeclaims", "-n", NAME, "-l", f"bluegreen.io/move={name}")["items"]
    return restores + [one["metadata"]["name"] for one in marked]


def backups(name):
    found = get(OLD, "backups.velero.io", "-n", "velero")["items"]
    return [one["metadata"]["name"] for one in found if one["metadata"]["name"] == name]


def test_an_abort_while_volumes_are_moved_leaves_nothing_of_the_move(port, tmp_path):
    with Small(tmp_path, NAME, port, **MOVE) as small:
        running = small.migrate()
        small.told("volume.progress", 180.0, stage="restore")  # backups wait for each other's end, and for a sync
        move = small.events("run.started")[0]["data"]["migration"]
        wait_until(lambda: left_on_green(move))
        assert small.command("abort")[0] == 0
        assert small.ended(running) == 1

        assert "aborted by" in small.told("run.finished")["data"]["reason"]
        assert small.told("notice")["data"]["text"] == (
            "the move of the volumes was cancelled; nothing of it is left on green"
        )
        wait_until(lambda: left_on_green(move) == [], 60.0, lambda: left_on_green(move), pause=1.0)
        wait_until(lambda: backups(move) == [], 120.0, lambda: backups(move), pause=1.0)
        said = small.command("status")[1]
        assert "volumes=failed" in said
        assert "finish=done" not in said
        assert small.weights() == (100, 0)
        assert small.users.leave()["failed"] == 0


def test_who_sees_blue_by_its_users_only_is_warned_before_anything_begins(port, tmp_path):
    with Small(tmp_path, NAME, port, **MOVE) as small:
        usual = small.config()
        assert "no request reaches blue" not in small.command("migrate", "--dry-run=client")[1]
        small.changes |= {
            key: [one for one in usual[key] if one["name"] == "users"] for key in ("probes", "objectives")
        }
        small.write_config()
        code, said = small.command("migrate", "--dry-run=client")
        assert code == 0
        assert "With green at 100 % no request reaches blue" in said
        assert "probe: http" in said
