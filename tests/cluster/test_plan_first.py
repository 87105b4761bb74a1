"""What a plan can say of a namespace that green does not have yet, on the two real clusters."""

import json
import time
import uuid

import pytest
from test_commands import both, run  # noqa: F401 - run is a fixture

from scenarios.cluster import kubectl

pytestmark = pytest.mark.lab


@pytest.fixture
def namespace():
    """A namespace on blue with a pod that Pod Security refuses to whoever comes after its label."""
    name = f"bg-plan-{uuid.uuid4().hex[:8]}"
    pod = {"containers": [{"name": "c", "image": "bluegreen-lab/pause:1", "imagePullPolicy": "Never"}]}
    items = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": name}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b", "namespace": name}},
        claim(name, "no-such-class"),
    ]
    try:
        everything = {"apiVersion": "v1", "kind": "List", "items": items}
        kubectl("old", "apply", "-f", "-", stdin=json.dumps(everything))
        lone = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "lone", "namespace": name}}
        unready = {**lone, "spec": {**pod, "nodeSelector": {"bluegreen.example/no": "yes"}}}
        until_accepted(lambda: kubectl("old", "apply", "-f", "-", stdin=json.dumps(unready)))
        kubectl("old", "label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
        yield name
    finally:
        for context in ("old", "new"):
            kubectl(context, "delete", "namespace", name, "--ignore-not-found", "--wait=false")


def claim(namespace, storage_class):
    spec = {
        "storageClassName": storage_class,
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Mi"}},
    }
    meta = {"name": "data", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}


def until_accepted(act, seconds=90):
    """Try until the namespace has its ServiceAccount, without which no pod is taken."""
    end = time.monotonic() + seconds
    while True:
        try:
            return act()
        except Exception:
            if time.monotonic() > end:
                raise
            time.sleep(0.3)


def test_a_namespace_that_is_made_first_lets_the_server_judge(run, namespace):  # noqa: F811
    blind = run("plan", *both(namespace))
    assert blind.returncode == 0, blind.stderr
    assert "Not judged by the server:" in " ".join(blind.stdout.split())
    assert "StorageClass no-such-class: green does not have it, and PersistentVolumeClaim" in " ".join(
        blind.stderr.split()
    )

    seeing = run("plan", *both(namespace), "--create-namespaces")
    assert seeing.returncode == 1, seeing.stderr
    assert f"x refused  Pod {namespace}/lone" in seeing.stdout
    assert "restricted" in seeing.stdout
    assert "Not judged" not in seeing.stdout
    assert json.loads(kubectl("new", "-n", namespace, "get", "pods,pvc", "-o", "json"))["items"] == []

    kubectl("new", "-n", namespace, "create", "quota", "objects", "--hard=configmaps=2")
    until_accepted(lambda: told_of_the_quota(run, namespace))


def told_of_the_quota(run, namespace):  # noqa: F811
    """The controller counts what is there a moment after the quota was made."""
    said = " ".join(run("plan", *both(namespace)).stderr.split())
    assert f"ResourceQuota {namespace}/objects: configmaps: 1 used and 2 more of 2" in said
