"""Patches, renamed namespaces and dropped fields between the two real API servers, as a person types it."""

import json
import subprocess
import sys
import uuid

import pytest

from scenarios.cluster import kubectl
from scenarios.lab.layout import kubeconfig

pytestmark = pytest.mark.lab

KUBECONFIG = str(kubeconfig())
NAME_LABEL = "kubernetes.io/metadata.name"
PATCHES = """\
transform:
  patches:
    - name: bigger
      match: {group: apps, kind: Deployment, labels: app=web}
      required: true
      json:
        - {op: test, path: /spec/replicas, value: 0}
        - {op: add, path: /spec/minReadySeconds, value: 7}
        - {op: remove, path: /spec/template/spec/nodeSelector/bluegreen.example~1no}
    - name: level
      match: {kind: ConfigMap, name: "con*"}
      merge: {data: {level: debug, a: null}}
    - name: nowhere
      match: {kind: Deployment, name: gone}
      merge: {spec: {replicas: 1}}
"""


def put(context, *objects):
    whole = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    kubectl(context, "apply", "-f", "-", stdin=json.dumps(whole))


def home(name):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


@pytest.fixture
def namespace():
    name = f"bg-tr-{uuid.uuid4().hex[:8]}"
    try:
        put("old", home(name), *items(name))
        yield name
    finally:
        for context in ("old", "new"):
            gone = (context, "delete", "--ignore-not-found", "--wait=false")
            kubectl(*gone, "namespace", name, f"{name}-store")
            kubectl(*gone, "validatingadmissionpolicies,validatingadmissionpolicybindings", name)


def policy(namespace):
    """Return an admission policy for one namespace, and its binding, which names the namespace."""
    here = {"matchExpressions": [{"key": NAME_LABEL, "operator": "In", "values": [namespace]}]}
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["daemonsets"]}
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": namespace}}
    checks = {"matchConstraints": {"resourceRules": [rule]}, "validations": [{"expression": "true"}]}
    bound = {"policyName": namespace, "validationActions": ["Deny"], "matchResources": {"namespaceSelector": here}}
    return (
        {**head, "kind": "ValidatingAdmissionPolicy", "spec": checks},
        {**head, "kind": "ValidatingAdmissionPolicyBinding", "spec": bound},
    )


def items(namespace):
    def obj(kind, name, version="v1", **more):
        meta = {"name": name, "namespace": namespace, "labels": {"app": "web"}}
        return {"apiVersion": version, "kind": kind, "metadata": meta, **more}

    container = {
        "name": "c",
        "image": "bluegreen.example/none:1",
        "env": [{"name": "DB", "value": f"db.{namespace}.svc"}],
    }
    pods = {
        "containers": [container],
        "nodeSelector": {"bluegreen.example/no": "yes", "bluegreen.example/never": "yes"},
    }
    labels = {"app": "web"}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}}
    peers = [
        {"namespaceSelector": {"matchLabels": {NAME_LABEL: namespace}}},
        {"namespaceSelector": {"matchExpressions": [{"key": NAME_LABEL, "operator": "In", "values": [namespace]}]}},
    ]
    return [
        obj("ConfigMap", "conf", data={"a": "1", "url": f"http://api.{namespace}.svc.cluster.local/"}),
        obj("Secret", "password", stringData={"p": f"canary.{namespace}"}),
        obj("Service", "outer", spec={"type": "ExternalName", "externalName": f"db.{namespace}.svc.cluster.local"}),
        obj("Deployment", "web", "apps/v1", spec={**spec, "template": {"metadata": {"labels": labels}, "spec": pods}}),
        obj("NetworkPolicy", "near", "networking.k8s.io/v1", spec={"podSelector": {}, "ingress": [{"from": peers}]}),
    ]


@pytest.fixture
def run(tmp_path):
    def command(*arguments):
        full = [sys.executable, "-m", "bluegreen", *map(str, arguments), "--kubeconfig", KUBECONFIG]
        return subprocess.run(full, capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path)

    command.directory = tmp_path
    return command


def both(namespace, *more):
    return ("--from", "old", "--to", "new", "-n", namespace, *more)


def live(kind, name, namespace):
    return json.loads(kubectl("new", "-n", namespace, "get", kind, name, "-o", "json"))


def test_patches_are_planned_applied_and_verified(run, namespace):
    (run.directory / "bluegreen.yaml").write_text(PATCHES)
    done = run("plan", *both(namespace), "--out", "plan.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning: patch nowhere: it matches no object" in done.stderr
    assert "patch bigger: spec.minReadySeconds: (absent) → 7" in done.stdout
    assert 'patch level: data.a: "1" → (absent)' in done.stdout
    (run.directory / "bluegreen.yaml").unlink()

    done = run("apply", "plan.json")
    assert done.returncode == 0, done.stdout + done.stderr
    web = live("deployment", "web", namespace)["spec"]
    assert (web["minReadySeconds"], web["template"]["spec"]["nodeSelector"]) == (7, {"bluegreen.example/never": "yes"})
    assert set(live("configmap", "conf", namespace)["data"]) == {"level", "url"}

    (run.directory / "bluegreen.yaml").write_text(PATCHES)
    done = run("verify", *both(namespace))
    assert (done.returncode, done.stdout) == (0, "No differences.\n"), done.stdout + done.stderr
    (run.directory / "bluegreen.yaml").write_text(PATCHES.replace("value: 0", "value: 5"))
    done = run("plan", *both(namespace))
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"patch bigger, Deployment {namespace}/web: operation 1, test /spec/replicas" in " ".join(
        done.stderr.split()
    )


def test_a_renamed_namespace_takes_its_references_along(run, namespace):
    store = f"{namespace}-store"
    put("old", *policy(namespace))
    renamed = both(namespace, "--map-namespace", f"{namespace}:{store}")
    done = run("plan", *renamed, "--out", "plan.json")
    assert done.returncode == 0, done.stdout + done.stderr
    said = " ".join(done.stderr.split())
    for place in ("conf data[url]", "containers[c].env[DB]", "outer spec.externalName", "password data[p]"):
        assert place in said, said
    assert "canary" not in done.stdout + done.stderr + (run.directory / "plan.json").read_text()

    done = run("apply", "plan.json")
    assert done.returncode == 0, done.stdout + done.stderr
    text = json.dumps(live("networkpolicy", "near", store)["spec"])
    assert (text.count(store), text.count(f'"{namespace}"')) == (2, 0)
    bound = json.dumps(live("validatingadmissionpolicybinding", namespace, store)["spec"])
    assert (bound.count(f'"{store}"'), bound.count(f'"{namespace}"')) == (1, 1)
    assert live("service", "outer", store)["spec"]["externalName"] == f"db.{namespace}.svc.cluster.local"


def test_what_blue_dropped_is_found_planned_and_removed(run, namespace):
    def imported():
        assert run("plan", *both(namespace), "--out", "plan.json").returncode == 0
        done = run("apply", "plan.json", "--force", "many-changes")
        assert done.returncode == 0, done.stdout + done.stderr

    imported()
    kubectl("new", "-n", namespace, "label", "configmap", "conf", "theirs=yes")
    kubectl("old", "-n", namespace, "patch", "configmap", "conf", "-p", '{"data": {"a": null}}')
    gone = '[{"op": "remove", "path": "/spec/template/spec/nodeSelector/bluegreen.example~1no"}]'
    kubectl("old", "-n", namespace, "patch", "deployment", "web", "--type=json", "-p", gone)
    done = run("verify", *both(namespace))
    assert done.returncode == 1, done.stdout + done.stderr
    said = " ".join(done.stdout.split())
    assert 'data.a: expected (absent), is "1"' in said
    assert 'nodeSelector["bluegreen.example/no"]: expected (absent), is "yes"' in said
    assert "2 differences." in said

    imported()
    assert live("configmap", "conf", namespace)["metadata"]["labels"]["theirs"] == "yes"
    assert "a" not in live("configmap", "conf", namespace)["data"]
    assert run("verify", *both(namespace)).stdout == "No differences.\n"
    assert run("plan", *both(namespace), "--detailed-exitcode").returncode == 0


def test_an_object_that_the_server_fails_over_does_not_hold_the_plan_up(run, namespace):
    # 1.37 fails over the dry run that makes a Service without a selector headless, and so dual-stack.
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "legacy", "namespace": namespace}}
    put("old", {**service, "spec": {"ports": [{"port": 80}], "clusterIP": "None"}})
    put("new", home(namespace), {**service, "spec": {"ports": [{"port": 80}]}})
    done = run("plan", *both(namespace))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "no answer: the API server drops the connection" in " ".join(done.stdout.split())
