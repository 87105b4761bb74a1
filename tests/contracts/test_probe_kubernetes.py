"""The probe of workloads on the lab's two real clusters: pods that serve, crash, lack memory, find no image or room.

What each look counts is in tests/unit/test_kubernetes_probe.py; here it is whether real pods look as those do.
"""

import contextlib
import time
import uuid

import pytest

from bluegreen.config.loader import load
from bluegreen.kube import open_cluster
from bluegreen.migration.connect import blind, connect_traffic
from bluegreen.migration.reasons import Reasons
from bluegreen.migration.sides import SideClusters
from bluegreen.model.refs import ObjectRef, Side
from bluegreen.model.samples import Broken, Counts, NoData
from bluegreen_adapters.kubernetes_probe import open_probe
from scenarios.lab.layout import kubeconfig

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

KUBECONFIG = str(kubeconfig())
CONTEXTS = {Side.BLUE: "old", Side.GREEN: "new"}
IMAGE = "bluegreen-lab/busybox:1"
CONFIG = """\
from: old
to: new
kubeconfig: {kubeconfig}
namespaces: [{namespace}]
routes: [{{name: r, router: haproxy, with: {{socket: /nowhere, backend: x}}}}]
probes:
- {{name: pods, probe: kubernetes, with: {{namespaces: [{namespace}], grace: 2s{more}}}}}
objectives: [{{name: o, probe: pods, good: 99%}}]
"""


@pytest.fixture
def namespace():
    name = f"probes-{uuid.uuid4().hex[:8]}"
    with contextlib.ExitStack() as stack:
        for context in CONTEXTS.values():
            cluster = open_cluster(context, KUBECONFIG)
            made = cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
            stack.callback(cluster.delete, ObjectRef("v1", "Namespace", "", name), made["metadata"]["uid"])
        yield name


@pytest.fixture
def probe(namespace, tmp_path):
    return opened(namespace, tmp_path)


def opened(namespace, directory, more=""):
    """Open the probe as a migration does, from a configuration."""
    text = CONFIG.format(kubeconfig=KUBECONFIG, namespace=namespace, more=more)
    (directory / "bluegreen.yaml").write_text(text)
    config = load(None, {}, {}, directory).config
    return connect_traffic(config, Reasons())[1]["pods"]


def run(namespace, name, command="sleep 3600", side=Side.GREEN, image=IMAGE, **container):
    """Start a pod of one container."""
    spec = {"name": "c", "image": image, "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", command]}
    pod = {"containers": [{**spec, **container}], "terminationGracePeriodSeconds": 0}
    meta = {"namespace": namespace, "name": name, "labels": {"app": name}}
    open_cluster(CONTEXTS[side], KUBECONFIG).create({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod})


def look_until(probe, wanted, side=Side.GREEN, seconds=120.0):
    """Look twice a second until a sample is as wanted; return it."""
    end = time.monotonic() + seconds
    while not wanted(sample := probe.sample(side)):
        assert time.monotonic() < end, sample
        time.sleep(0.5)
    return sample


def says(*words):
    return lambda sample: isinstance(sample, Counts) and sample.bad and all(word in sample.example for word in words)


def ready(sample):
    return isinstance(sample, Counts) and sample.good and not sample.bad


def test_a_pod_that_starts_is_nothing_until_it_is_ready(namespace, probe):
    assert isinstance(probe.sample(Side.GREEN), NoData)
    run(namespace, "web")
    seen = []
    look_until(probe, lambda sample: seen.append(sample) or ready(sample))
    assert seen[-1] == Counts(good=1, bad=0, synthetic=False)


def test_a_pod_that_fails_its_readiness_is_bad_after_the_grace_and_good_again(namespace, probe):
    check = {"exec": {"command": ["test", "-e", "/tmp/well"]}, "periodSeconds": 1}
    run(namespace, "web", "touch /tmp/well; sleep 3600", readinessProbe=check)
    look_until(probe, ready)
    green = open_cluster("new", KUBECONFIG)
    green.exec(namespace, "web", "c", ("rm", "/tmp/well"), 20)
    look_until(probe, says("web: running, not ready"))
    green.exec(namespace, "web", "c", ("touch", "/tmp/well"), 20)
    look_until(probe, ready)


def test_a_crash_loop_is_a_restart_and_then_a_trouble(namespace, probe):
    probe.sample(Side.GREEN)
    run(namespace, "web", "sleep 1; exit 3")
    look_until(probe, says("ended with 3", "restarted"))
    look_until(probe, says("CrashLoopBackOff"))


def test_a_container_killed_for_memory_is_told_as_that(namespace, probe):
    probe.sample(Side.GREEN)
    run(namespace, "web", "sleep 2; exec tail /dev/zero", resources={"limits": {"memory": "24Mi"}})
    look_until(probe, says("OOMKilled", "restarted"))


def test_an_image_that_cannot_be_had_is_a_trouble_at_once(namespace, probe):
    probe.sample(Side.GREEN)
    run(namespace, "web", image="bluegreen.example/none:1", imagePullPolicy="Never")
    look_until(probe, says("ErrImageNeverPull"))


def test_a_pod_that_fits_nowhere_is_told_after_the_grace(namespace, probe):
    probe.sample(Side.GREEN)
    run(namespace, "web", resources={"requests": {"memory": "4000Gi"}})
    assert isinstance(look_until(probe, lambda sample: isinstance(sample, NoData) and "web" in sample.reason), NoData)
    look_until(probe, says("pending, Unschedulable"))


def test_both_clusters_are_seen_apart_and_checked_at_plan_time(namespace, probe, tmp_path):
    (told,) = blind({"pods": probe})
    assert told == (f"probe 'pods': there is no pod in namespace {namespace} on blue; correct namespaces or selector")
    run(namespace, "web", side=Side.BLUE)
    assert blind({"pods": probe}) == ()
    look_until(probe, ready, side=Side.BLUE)
    assert isinstance(probe.sample(Side.GREEN), NoData)
    assert "with app=wbe" in blind({"pods": opened(namespace, tmp_path, ", selector: app=wbe")})[0]


def test_a_cluster_that_is_not_there_makes_the_probe_broken_soon(tmp_path):
    file = tmp_path / "kubeconfig"
    file.write_text(
        "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: 'http://127.0.0.1:9'}}]\n"
        "users: [{name: u, user: {}}]\ncontexts: [{name: old, context: {cluster: c, user: u}},"
        " {name: new, context: {cluster: c, user: u}}]\n"
    )
    text = CONFIG.format(kubeconfig=file, namespace="shop", more="")
    (tmp_path / "bluegreen.yaml").write_text(text)
    clusters = SideClusters(load(None, {}, {}, tmp_path).config)
    probe = open_probe("pods", {"namespaces": ["shop"]}, clusters=clusters)
    began = time.monotonic()
    assert isinstance(probe.sample(Side.GREEN), Broken)
    assert time.monotonic() - began < 15
    assert len(probe.check()) == 2
