"""The contract of the VolumeMover port, kept by every adapter against the two real clusters of the lab.

Each test has its own namespace on both sides and removes it; a lab that is not there is a failure, never a skip.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from bluegreen.kube import ClusterSession, open_cluster
from bluegreen.model.errors import ConflictError, NotFoundError, TransientError
from bluegreen.model.ports import ApiResource, Cluster, MoveStatus, Raw, VolumeMover, VolumePod, VolumeRequest
from bluegreen.model.refs import ObjectRef, ref_of
from bluegreen_adapters.velero_mover import open_mover
from scenarios.lab.layout import kubeconfig

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

IMAGE = "bluegreen-lab/busybox:1"
PODS = ApiResource("v1", "Pod", "pods", namespaced=True, verbs=frozenset())
FILL = (
    "mkdir -p /data/db && echo 1,anna > /data/db/rows && ln -s rows /data/db/link"
    " && head -c 300000 /dev/urandom > /data/db/blob && chown -R 999:999 /data && chmod 700 /data /data/db"
)
SUM = ("sh", "-c", "cd /data && find . | sort && stat -c '%n %u %g %a' . db db/rows && sha256sum db/rows db/blob")


def _lab(context: str) -> ClusterSession:
    return open_cluster(context, str(kubeconfig()))


def _until(what: str, seen: Callable[[], object], seconds: float = 120, pause: float = 0.5) -> None:
    end = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(pause)


def _absent(cluster: Cluster, ref: ObjectRef) -> bool:
    try:
        cluster.get(ref)
    except NotFoundError:
        return True
    return False


def _running(cluster: Cluster, namespace: str, name: str) -> bool:
    ref = ObjectRef("v1", "Pod", namespace, name)
    if _absent(cluster, ref):
        return False
    conditions = cluster.get(ref).get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _store(namespace: str) -> list[Raw]:
    """An application with what makes restores stumble: init container, config, account, priority, scratch volume."""
    container = {
        "name": "store",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", "sleep 100000"],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "conf", "mountPath": "/conf"}],
    }
    pod = {
        "serviceAccountName": "store",
        "terminationGracePeriodSeconds": 1,
        "priorityClassName": "system-cluster-critical",
        "initContainers": [container | {"name": "first", "command": ["true"]}],
        "containers": [container],
        "volumes": [{"name": "conf", "configMap": {"name": "conf"}}, {"name": "scratch", "emptyDir": {}}],
    }
    claim = {
        "metadata": {"name": "data", "labels": {"app": "store"}},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "lab-standard",
            "resources": {"requests": {"storage": "32Mi"}},
        },
    }
    meta = {"namespace": namespace}
    labels = {"app": "store"}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta | {"name": "store"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta | {"name": "conf"}, "data": {"a": "b"}},
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": meta | {"name": "store"},
            "spec": {
                "serviceName": "store",
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
                "volumeClaimTemplates": [claim],
            },
        },
    ]


def _reader(namespace: str, claim: str) -> Raw:
    container = {
        "name": "reader",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", "sleep 100000"],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    spec = {
        "containers": [container],
        "terminationGracePeriodSeconds": 1,
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": namespace, "name": "reader"}, "spec": spec}


@dataclass(frozen=True)
class World:
    blue: ClusterSession
    green: ClusterSession
    namespace: str
    request: VolumeRequest

    def mover(self) -> VolumeMover:
        """Open a new mover each time: one that remembers something would not survive a crash."""
        return open_mover(self.blue, self.green, {"carrierImage": "bluegreen-lab/pause:1"}, "velero")

    def step(self) -> MoveStatus:
        time.sleep(0.5)
        return self.mover().poll(self.request)

    def finish(self) -> list[MoveStatus]:
        seen: list[MoveStatus] = []
        _until("the move is over", lambda: seen.append(self.step()) or seen[-1].done or seen[-1].failed, 240)
        assert seen[-1].done, seen[-1]
        return seen

    def checksum(self, cluster: ClusterSession, pod: str, container: str) -> str:
        result = cluster.exec(self.namespace, pod, container, SUM, 30)
        assert result.exit_code == 0, result.stderr
        return result.stdout

    def on_green(self) -> str:
        self.green.create(_reader(self.namespace, "data-store-0"))
        _until("the reader runs", lambda: _running(self.green, self.namespace, "reader"))
        text = self.checksum(self.green, "reader", "reader")
        reader = self.green.get(ObjectRef("v1", "Pod", self.namespace, "reader"))
        self.green.delete(ref_of(reader), reader["metadata"]["uid"])
        _until("the reader is gone", lambda: _absent(self.green, ref_of(reader)))
        return text

    def claim(self) -> Raw:
        return self.green.get(ObjectRef("v1", "PersistentVolumeClaim", self.namespace, "data-store-0"))


def _request(namespace: str, labels: dict[str, str]) -> VolumeRequest:
    pod = VolumePod(namespace, "store-0", labels, ("data-store-0",))
    return VolumeRequest(f"{namespace}-1", (namespace,), {"lab-standard": "lab-fast"}, (pod,))


@pytest.fixture
def idle() -> World:
    """The two clusters with nothing of ours in them."""
    request = _request("mover-none", {"app": "store"})
    return World(_lab("old"), _lab("new"), "mover-none", request)


@pytest.fixture(scope="module")
def leaving() -> Iterator[list[str]]:
    """Namespaces that are on their way out; the last test waits for them, since each takes a quarter of a minute."""
    names: list[str] = []
    yield names
    for cluster in (_lab("old"), _lab("new")):
        for name in names:
            ref = ObjectRef("v1", "Namespace", "", name)
            _until("the namespace is gone", lambda cluster=cluster, ref=ref: _absent(cluster, ref), 180)


@pytest.fixture
def world(leaving: list[str]) -> Iterator[World]:
    blue, green = _lab("old"), _lab("new")
    namespace = f"mover-{uuid.uuid4().hex[:8]}"
    blue.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    made = None
    try:
        for obj in _store(namespace):
            blue.create(obj)
        _until("the store runs", lambda: _running(blue, namespace, "store-0"))
        assert blue.exec(namespace, "store-0", "store", ("sh", "-c", FILL), 30).exit_code == 0
        pod = blue.get(ObjectRef("v1", "Pod", namespace, "store-0"))
        made = World(blue, green, namespace, _request(namespace, pod["metadata"]["labels"]))
        yield made
    finally:
        _clean_up(blue, green, namespace, made)
        leaving.append(namespace)


def _clean_up(blue: ClusterSession, green: ClusterSession, namespace: str, made: World | None) -> None:
    if made:
        for attempt in "12":
            made.mover().cancel(replace(made.request, id=f"{namespace}-{attempt}"))
    ref = ObjectRef("v1", "Namespace", "", namespace)
    for cluster in (blue, green):
        if not _absent(cluster, ref):
            cluster.delete(ref, cluster.get(ref)["metadata"]["uid"])


def test_a_healthy_pair_gives_no_reason(idle: World):
    assert idle.mover().check() == ()


def test_the_plan_names_claims_and_what_becomes_of_the_pods(idle: World):
    text = " ".join(idle.mover().describe(idle.request))

    assert f"{idle.namespace}/data-store-0" in text
    assert "carrier" in text


def test_data_and_only_data_comes_across_and_the_move_stays_finished(world: World):
    before = world.blue.get(ObjectRef("v1", "Pod", world.namespace, "store-0"))

    seen = world.finish()

    assert world.checksum(world.blue, "store-0", "store") == world.on_green()
    assert world.claim()["spec"]["storageClassName"] == "lab-fast"
    assert world.claim()["status"]["phase"] == "Bound"
    assert list(world.green.list(PODS, world.namespace)) == []
    after = world.blue.get(ObjectRef("v1", "Pod", world.namespace, "store-0"))
    assert {k: before[k] for k in ("metadata", "spec")} == {k: after[k] for k in ("metadata", "spec")}
    stages = dict.fromkeys(status.stage for status in seen)
    assert [stage for stage in stages if stage in {"backup", "restore", "done"}] == ["backup", "restore", "done"]
    uid = world.claim()["metadata"]["uid"]
    assert world.step().done
    assert world.claim()["metadata"]["uid"] == uid


STRICT = {"pod-security.kubernetes.io/enforce": "restricted"}
LOCKED = {
    "runAsUser": 999,
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def _strict_web(namespace: str) -> list[Raw]:
    """A Deployment with two claims that even a locked-down namespace lets in."""
    names = ("one", "two")
    container = {
        "name": "web",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", "echo 1 > /one/x; echo 2 > /two/x; sleep 100000"],
        "volumeMounts": [{"name": name, "mountPath": f"/{name}"} for name in names],
        "securityContext": LOCKED,
    }
    spec = {
        "containers": [container],
        "securityContext": {"fsGroup": 999},
        "terminationGracePeriodSeconds": 1,
        "volumes": [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names],
    }
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec}
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "32Mi"}}}
    claims = [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "namespace": namespace},
            "spec": claim | {"storageClassName": "lab-standard"},
        }
        for name in names
    ]
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template},
    }
    return [*claims, deployment]


def test_a_locked_down_namespace_with_a_quota_lets_the_carriers_in(world: World):
    name = world.namespace
    for obj in _strict_web(name):
        world.blue.create(obj)
    _until("web runs", lambda: any(_running(world.blue, name, pod["metadata"]["name"]) for pod in _web(world)))
    world.green.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": STRICT}})
    hard = {"pods": "1", "requests.cpu": "1", "limits.cpu": "1", "requests.memory": "512Mi", "limits.memory": "512Mi"}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": name}}
    world.green.create(quota | {"spec": {"hard": hard}})
    (pod,) = _web(world)
    asked = VolumePod(name, pod["metadata"]["name"], pod["metadata"]["labels"], ("one", "two"))

    replace(world, request=replace(world.request, pods=(asked,))).finish()

    for claim in ("one", "two"):
        found = world.green.get(ObjectRef("v1", "PersistentVolumeClaim", name, claim))
        assert found["status"]["phase"] == "Bound"
    assert list(world.green.list(PODS, name)) == []


def _web(world: World) -> list[Raw]:
    return list(world.blue.list(PODS, world.namespace, "app=web"))


def test_a_second_attempt_replaces_what_the_first_made(world: World):
    world.finish()
    first = world.claim()["metadata"]["uid"]
    world.blue.exec(world.namespace, "store-0", "store", ("sh", "-c", "echo 2,bert >> /data/db/rows"), 30)

    second = replace(world, request=replace(world.request, id=f"{world.namespace}-2"))
    second.finish()

    assert second.claim()["metadata"]["uid"] != first
    assert second.checksum(world.blue, "store-0", "store") == second.on_green()


def test_a_claim_that_is_not_ours_stops_the_move(world: World):
    world.green.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.namespace}})
    source = world.blue.get(ObjectRef("v1", "PersistentVolumeClaim", world.namespace, "data-store-0"))
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": "lab-fast", "resources": source["spec"]["resources"]}
    meta = {"name": "data-store-0", "namespace": world.namespace}
    stranger = world.green.create({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec})

    with pytest.raises(ConflictError, match="no move of ours made it"):
        world.step()

    world.mover().cancel(world.request)
    assert world.claim()["metadata"]["uid"] == stranger["metadata"]["uid"]


def test_cancelling_takes_away_what_was_made_and_is_idempotent(world: World):
    _until("green gets its restore", lambda: world.step().stage == "restore")
    world.step()

    world.mover().cancel(world.request)
    world.mover().cancel(world.request)

    claim = ObjectRef("v1", "PersistentVolumeClaim", world.namespace, "data-store-0")
    assert _absent(world.green, claim)
    assert list(world.green.list(PODS, world.namespace)) == []
    _until(
        "the backup is deleted",
        lambda: _absent(world.blue, ObjectRef("velero.io/v1", "Backup", "velero", world.request.id)),
    )


def test_a_volume_whose_restore_has_only_just_begun_is_given_up_soon(world: World):
    """Velero 1.18's data mover waits without end for a phase that is past, when it is cancelled before its start."""
    kind = ApiResource("velero.io/v1", "PodVolumeRestore", "podvolumerestores", namespaced=True, verbs=frozenset())
    label = f"velero.io/restore-name={world.request.id}"

    def phases() -> list[str]:
        return [volume.get("status", {}).get("phase", "") for volume in world.green.list(kind, "velero", label)]

    _until("Velero fills the claim", lambda: phases() or (world.step() and False))
    _until("the data mover is to begin", lambda: phases() == ["InProgress"], pause=0.02)

    try:
        world.mover().cancel(world.request)
    except TransientError as late:
        # Velero finalizes one Restore at a time, and waits minutes for claims of another that vanished: other tests'.
        if "Finalizing" not in late.why:
            raise
        world.mover().cancel(world.request)

    assert list(world.green.list(PODS, world.namespace)) == []
