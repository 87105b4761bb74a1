"""The kube room against the lab's two real servers; a lab that is not there is a failure, never a skip."""

import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from bluegreen.kube import ClusterSession, list_contexts, open_cluster
from bluegreen.kube.unnamed import path_of
from bluegreen.model.errors import ConflictError, NotFoundError, RefusedError, TransientError
from bluegreen.model.ports import ApiResource, Application, Raw
from bluegreen.model.refs import ObjectRef
from scenarios.lab.layout import kubeconfig

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

CONFIG_MAPS = ApiResource("v1", "ConfigMap", "configmaps", namespaced=True, verbs=frozenset())


@pytest.fixture(params=["old", "new"])
def cluster(request: pytest.FixtureRequest) -> ClusterSession:
    return open_cluster(request.param, str(kubeconfig()))


@pytest.fixture
def namespace(cluster: ClusterSession) -> Iterator[str]:
    name = f"kube-{uuid.uuid4().hex[:8]}"
    made = cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    cluster.delete(ObjectRef("v1", "Namespace", "", name), made["metadata"]["uid"])


def config_map(namespace: str, name: str, **data: str) -> Raw:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": namespace, "name": name}, "data": data}


def test_the_two_are_different_clusters():
    old, new = open_cluster("old", str(kubeconfig())).id, open_cluster("new", str(kubeconfig())).id

    assert set(list_contexts(str(kubeconfig()))) >= {"old", "new"}
    assert old.uid
    assert old.uid != new.uid
    assert (old.version[:5], new.version[:5]) == ("v1.34", "v1.37")


def test_discovery_knows_built_in_and_custom_kinds(cluster):
    found = {(r.api_version, r.kind): r for r in cluster.resources()}

    assert not found["v1", "Namespace"].namespaced
    assert found["apps/v1", "Deployment"].plural == "deployments"
    assert ("velero.io/v1", "Backup") in found
    assert ("v1", "Event") not in found
    assert ("autoscaling/v1", "HorizontalPodAutoscaler") not in found
    assert len({(r.api_version, r.plural) for r in found.values()}) == len(found)


def test_an_object_s_life(cluster, namespace):
    ref = ObjectRef("v1", "ConfigMap", namespace, "a")
    made = cluster.create(config_map(namespace, "a", k="1"))
    with pytest.raises(ConflictError) as exists:
        cluster.create(config_map(namespace, "a"))
    assert exists.value.code == "kube.exists"

    assert cluster.patch(ref, {"data": {"k": "2", "l": "3"}})["data"] == {"k": "2", "l": "3"}
    with pytest.raises(ConflictError):
        cluster.patch(ref, {"metadata": {"uid": str(uuid.uuid4())}, "data": {"k": "9"}})
    with pytest.raises(ConflictError):
        cluster.delete(ref, str(uuid.uuid4()))
    assert cluster.get(ref)["data"]["k"] == "2"

    cluster.delete(ref, made["metadata"]["uid"])
    cluster.delete(ref, made["metadata"]["uid"])
    with pytest.raises(NotFoundError):
        cluster.get(ref)


def test_a_field_of_another_manager_is_named_and_taken_only_by_force(cluster, namespace):
    ref = ObjectRef("v1", "ConfigMap", namespace, "a")
    transport = cluster._transport
    from bluegreen.kube.calls import APPLY_PATCH, Call  # noqa: PLC0415

    path = f"/api/v1/namespaces/{namespace}/configmaps/a"
    theirs = config_map(namespace, "a", k="theirs")
    query = {"fieldManager": "helm"}
    transport.send(Call("PATCH", path, "x", "patch", query=query, body=theirs, content_type=APPLY_PATCH))

    with pytest.raises(ConflictError, match=r"helm owns \.data\.k"):
        cluster.apply(config_map(namespace, "a", k="ours"))

    cluster.apply(config_map(namespace, "a", k="ours"), force=True, dry_run=True)
    assert cluster.get(ref)["data"]["k"] == "theirs"
    cluster.apply(config_map(namespace, "a", k="ours"), force=True)
    assert cluster.get(ref)["data"]["k"] == "ours"


def test_a_field_that_the_schema_does_not_know_is_refused_at_once(cluster, namespace):
    began = time.monotonic()

    with pytest.raises(RefusedError) as caught:
        cluster.apply(config_map(namespace, "a") | {"colour": "red"})

    assert "colour" in caught.value.why
    assert time.monotonic() - began < 30


def test_a_bad_secret_is_refused_without_its_value(cluster, namespace):
    meta = {"namespace": namespace, "name": "s"}
    bad = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "kubernetes.io/tls"}

    with pytest.raises(RefusedError) as caught:
        cluster.create(bad | {"stringData": {"canary-key": "canary-value"}})

    assert "canary" not in repr(caught.value.args)


def test_a_thousand_objects_by_many_threads_and_back(cluster, namespace, record_property):
    names = [f"c{i}" for i in range(1000)]
    began = time.monotonic()
    threads = [threading.Thread(target=apply_all, args=(cluster, namespace, names[n::32])) for n in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    applied = time.monotonic()
    found = [c["metadata"]["name"] for c in cluster.list(CONFIG_MAPS, namespace)]
    listed = time.monotonic()

    assert sorted(n for n in found if n != "kube-root-ca.crt") == sorted(names)
    assert list(cluster.list(CONFIG_MAPS, namespace, "a=b")) == []
    record_property("applies_per_second", round(1000 / (applied - began)))
    record_property("list_seconds", round(listed - applied, 2))


def test_a_thousand_objects_from_one_thread_over_one_connection(cluster, namespace, record_property):
    port, used, found = int(cluster.id.server.rpartition(":")[2]), set(), {}
    before = connections(port)
    began = time.monotonic()
    for number, answer in cluster.apply_each(
        Application(config_map(namespace, f"c{i}", k=f"v{i}")) for i in range(1000)
    ):
        found[number] = answer["data"]["k"]
        used |= connections(port) - before if number % 50 == 0 else set()
    record_property("applies_per_second", round(1000 / (time.monotonic() - began)))

    assert found == {i: f"v{i}" for i in range(1000)}
    assert {c["metadata"]["name"] for c in cluster.list(CONFIG_MAPS, namespace)} >= {f"c{i}" for i in range(1000)}
    assert len(used) == 1
    list(cluster.apply_each([Application(config_map(namespace, "c0", k="new"))]))
    assert connections(port) - before <= used, "the next ones go over it as well"


def connections(port: int) -> set[str]:
    """Return our established connections to a port, by the number of the socket."""
    ours = {str(fd.readlink()) for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink()}
    rows = [line.split() for line in Path("/proc/self/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    open_there = {row[9] for row in rows if row[3] == "01" and int(row[2].rpartition(":")[2], 16) == port}
    return {number for number in open_there if f"socket:[{number}]" in ours}


def test_what_the_server_refuses_of_many_comes_under_its_number(cluster, namespace):
    cluster.create(config_map(namespace, "theirs", k="theirs"))
    big = config_map(namespace, "big", k="x" * 1_000_000)
    wanted = [
        config_map(namespace, "a", k="ours"),
        config_map(namespace, "theirs", k="ours"),
        config_map(namespace, "b") | {"colour": "red"},
        config_map(f"{namespace}-none", "c"),
        big,
    ]

    found = dict(cluster.apply_each(map(Application, wanted)))

    assert [type(found[n]) for n in range(1, 4)] == [ConflictError, RefusedError, NotFoundError]
    assert "colour" in str(found[2])
    assert (found[0]["data"], found[4]["data"]) == (wanted[0]["data"], big["data"])
    assert set(dict(cluster.apply_each([Application(wanted[1], force=True)], dry_run=True))) == {0}
    assert cluster.get(ObjectRef("v1", "ConfigMap", namespace, "theirs"))["data"] == {"k": "theirs"}


def apply_all(cluster: ClusterSession, namespace: str, names: list[str]) -> None:
    for name in names:
        cluster.apply(config_map(namespace, name, k=name))


@pytest.fixture
def pod(cluster: ClusterSession, namespace: str) -> str:
    command = ["sh", "-c", "sleep 100000"]
    container = {"name": "c", "image": "bluegreen-lab/busybox:1", "imagePullPolicy": "IfNotPresent", "command": command}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 1}
    meta = {"namespace": namespace, "name": "p"}
    wait_for_account(cluster, namespace)
    cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    end = time.monotonic() + 180
    while cluster.get(ObjectRef("v1", "Pod", namespace, "p"))["status"].get("phase") != "Running":
        assert time.monotonic() < end
        time.sleep(0.3)
    return "p"


def wait_for_account(cluster: ClusterSession, namespace: str) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            cluster.get(ObjectRef("v1", "ServiceAccount", namespace, "default"))
        except NotFoundError:
            assert time.monotonic() < end
            time.sleep(0.2)
        else:
            return


def test_exec_gives_output_errors_and_exit_code(cluster, namespace, pod):
    result = cluster.exec(namespace, pod, "c", ("sh", "-c", "echo out; echo err >&2; exit 7"), 20)
    assert (result.exit_code, result.stdout, result.stderr) == (7, "out\n", "err\n")

    big = cluster.exec(namespace, pod, "c", ("sh", "-c", "seq 1 50000"), 30)
    assert big.stdout.split() == [str(i) for i in range(1, 50001)]

    began = time.monotonic()
    with pytest.raises(TransientError, match="within 1 s"):
        cluster.exec(namespace, pod, "c", ("sh", "-c", "sleep 20"), 1)
    assert time.monotonic() - began < 15

    with pytest.raises(RefusedError):
        cluster.exec(namespace, pod, "c", ("no-such-program",), 10)
    with pytest.raises(RefusedError):
        cluster.exec(namespace, pod, "no-such-container", ("true",), 10)
    with pytest.raises(NotFoundError):
        cluster.exec(namespace, "no-such-pod", "c", ("true",), 10)


def test_exec_writes_no_key_to_a_disk(cluster, namespace, pod, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    path_of.cache_clear()  # what was written before would be written no more

    assert cluster.exec(namespace, pod, "c", ("true",), 20).exit_code == 0
    assert list(tmp_path.iterdir()) == []


def test_rights_are_told(cluster):
    assert cluster.may("create", "", "pods/exec", "default")
    assert cluster.may("list", "", "nodes")


def test_an_unknown_context_names_the_known_ones():
    with pytest.raises(RefusedError, match="new") as caught:
        open_cluster("olt", str(kubeconfig()))

    assert caught.value.code == "kube.context"
