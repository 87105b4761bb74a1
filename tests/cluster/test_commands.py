"""The commands that work alone, on the two real clusters, as a person types them; in a namespace of its own."""

import json
import subprocess
import sys
import uuid

import pyrage
import pytest

from scenarios.cluster import kubectl
from scenarios.lab.layout import kubeconfig

pytestmark = pytest.mark.lab

KUBECONFIG = str(kubeconfig())


@pytest.fixture(scope="module")
def namespace():
    name = f"bg-cmd-{uuid.uuid4().hex[:8]}"
    try:
        kubectl("old", "apply", "-f", "-", stdin=json.dumps(manifest(name)))
        yield name
    finally:
        for context in ("old", "new"):
            kubectl(context, "delete", "namespace", name, "--ignore-not-found", "--wait=false")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    directory = tmp_path_factory.mktemp("commands")

    def command(*arguments):
        full = [sys.executable, "-m", "bluegreen", *map(str, arguments), "--kubeconfig", KUBECONFIG]
        return subprocess.run(full, capture_output=True, text=True, check=False, timeout=180, cwd=directory)

    command.directory = directory
    return command


def manifest(namespace):
    def obj(kind, name, version="v1", **more):
        return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, **more}

    pod = {"containers": [{"name": "c", "image": "bluegreen-lab/pause:1", "imagePullPolicy": "Never"}]}
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {**pod, "nodeSelector": {"bluegreen.example/no": "yes"}}}
    items = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        obj("ConfigMap", "conf", data={"a": "1", "on": "no"}),
        obj("Secret", "password", stringData={"p": "canary-value"}),
        obj("Service", "web", spec={"selector": labels, "ports": [{"port": 80}]}),
        obj(
            "Deployment",
            "web",
            "apps/v1",
            spec={"replicas": 0, "selector": {"matchLabels": labels}, "template": template},
        ),
    ]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def both(namespace):
    return ("--from", "old", "--to", "new", "-n", namespace)


def live(kind, name, namespace):
    return json.loads(kubectl("new", "-n", namespace, "get", kind, name, "-o", "json"))


def test_from_export_to_prune(run, namespace):
    identity = pyrage.x25519.Identity.generate()
    (run.directory / "key.txt").write_text(f"{identity}\n")
    done = run("export", "--from", "old", "-n", namespace, "-o", "b", "--age-recipient", identity.to_public())
    assert done.returncode == 0, done.stderr
    assert not any(b"canary" in path.read_bytes() for path in (run.directory / "b").iterdir())

    imported = ("import", "b", "--to", "new", "--age-identity", "key.txt")
    done = run(*imported, "--dry-run=server")
    assert (done.returncode, "Plan: 5 create." in done.stdout) == (0, True), done.stdout + done.stderr
    done = run(*imported, "--idle")
    assert (done.returncode, done.stdout) == (0, "5 created\n"), done.stderr
    done = run(*imported)
    assert (done.returncode, done.stdout) == (0, "5 equal\n"), done.stderr
    assert live("secret", "password", namespace)["data"] == {"p": "Y2FuYXJ5LXZhbHVl"}

    done = run("verify", *both(namespace))
    assert (done.returncode, done.stdout) == (0, "No differences.\n"), done.stdout + done.stderr
    done = run("plan", *both(namespace), "--detailed-exitcode")
    assert done.returncode == 0, done.stdout + done.stderr

    kubectl("old", "-n", namespace, "delete", "service", "web")
    assert f"Service {namespace}/web" in run("verify", *both(namespace)).stdout
    run("export", "--from", "old", "-n", namespace, "-o", "b")
    done = run("import", "b", "--to", "new", "--prune")
    assert f"pruned Service {namespace}/web" in done.stdout, done.stderr
    assert live("secret", "password", namespace)["data"] == {"p": "Y2FuYXJ5LXZhbHVl"}


def test_a_plan_is_applied_once_and_refused_when_blue_has_moved(run, namespace):
    change = '{"data": {"a": "%s"}}'
    patch = ("old", "-n", namespace, "patch", "configmap", "conf", "-p")
    kubectl(*patch, change % "2")
    done = run("plan", *both(namespace), "--out", "plan.json", "--detailed-exitcode")
    assert done.returncode in (1, 2), done.stderr
    assert "canary" not in done.stdout + (run.directory / "plan.json").read_text()

    kubectl(*patch, change % "3")
    done = run("apply", "plan.json")
    assert done.returncode == 6, done.stderr
    assert f"ConfigMap {namespace}/conf" in done.stderr

    run("plan", *both(namespace), "--out", "plan.json")
    done = run("apply", "plan.json")
    assert done.returncode == 0, done.stderr
    assert live("configmap", "conf", namespace)["data"]["a"] == "3"
    assert run("apply", "plan.json", "--from", "new", "--to", "old").returncode == 2


def test_green_refuses_by_name_of_the_cause_and_writes_nothing(run, namespace):
    broken = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "legacy", "namespace": namespace}}
    # With a selector: without one the server makes it dual-stack, and 1.37 breaks off a dry run that would change that.
    spec = {"ports": [{"port": 80}], "clusterIP": "None", "type": "ClusterIP", "selector": {"app": "legacy"}}
    kubectl("old", "apply", "-f", "-", stdin=json.dumps({**broken, "spec": spec}))
    spec = {"ports": [{"port": 80}], "type": "ClusterIP", "selector": {"app": "legacy"}}
    home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    kubectl("new", "apply", "-f", "-", stdin=json.dumps(home))
    kubectl("new", "apply", "-f", "-", stdin=json.dumps({**broken, "spec": spec}))
    done = run("plan", *both(namespace))

    assert done.returncode == 1, done.stdout + done.stderr
    assert f"Service {namespace}/legacy" in done.stdout


def test_assess_in_all_forms(run, namespace):
    done = run("assess", *both(namespace), "-o", "json")
    found = json.loads(done.stdout)

    assert done.returncode == 0, done.stdout
    assert found["inventory"]["objects"]["Deployment"] == 1
    assert {w["workload"] for w in found["workloads"]} == {f"Deployment {namespace}/web"}
