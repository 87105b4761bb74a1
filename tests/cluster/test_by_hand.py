"""`bluegreen init` and `adapters permissions` on the two real clusters, as a person types them; own namespaces only."""

import json
import os
import re
import subprocess
import sys
import uuid

import pytest
import yaml

from scenarios.cluster import kubectl
from scenarios.lab.layout import haproxy_socket, kubeconfig

pytestmark = [pytest.mark.lab]

KUBECONFIG = str(kubeconfig())
SOCKET = str(haproxy_socket())


def manifest(namespace):
    def obj(kind, name, version="v1", **more):
        return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, **more}

    labels = {"app": "web"}
    pod = {"containers": [{"name": "c", "image": "bluegreen.example/none:1", "imagePullPolicy": "Never"}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    paths = [{"path": "/items", "pathType": "Prefix", "backend": backend}]
    rules = [{"host": f"{namespace}.example.com", "http": {"paths": paths}}]
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "lab-standard",
        "resources": {"requests": {"storage": "1Mi"}},
    }
    items = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        obj(
            "Deployment",
            "web",
            "apps/v1",
            spec={"replicas": 0, "selector": {"matchLabels": labels}, "template": template},
        ),
        obj("Service", "web", spec={"type": "NodePort", "selector": labels, "ports": [{"name": "http", "port": 80}]}),
        obj("Ingress", "web", "networking.k8s.io/v1", spec={"rules": rules}),
        obj("PersistentVolumeClaim", "data", spec=claim),
    ]
    return {"apiVersion": "v1", "kind": "List", "items": items}


@pytest.fixture(scope="module")
def namespace():
    name = f"bg-init-{uuid.uuid4().hex[:8]}"
    try:
        kubectl("old", "apply", "-f", "-", stdin=json.dumps(manifest(name)))
        yield name
    finally:
        kubectl("old", "delete", "namespace", name, "--ignore-not-found", "--wait=false")


@pytest.fixture
def run(tmp_path):
    def command(*arguments):
        full = [sys.executable, "-m", "bluegreen", *map(str, arguments)]
        env = {**os.environ, "BLUEGREEN_STATE_DIR": str(tmp_path / "state")}
        return subprocess.run(full, capture_output=True, text=True, check=False, timeout=180, cwd=tmp_path, env=env)

    return command


def init(run, namespace, *more):
    return run("init", "--from", "old", "--to", "new", "--kubeconfig", KUBECONFIG, "-n", namespace, *more)


def test_what_is_not_known_is_all_that_keeps_the_file_from_loading(run, namespace, tmp_path):
    done = init(run, namespace)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    text = (tmp_path / "bluegreen.yaml").read_text()
    todo = {n for n, line in enumerate(text.splitlines(), 1) if "TODO" in line and not line.lstrip().startswith("#")}

    done = run("config", "view")
    reasons = [line for line in done.stderr.splitlines() if line.startswith("  - ")]
    assert done.returncode == 2
    assert {int(re.search(r"bluegreen\.yaml:(\d+):", reason)[1]) for reason in reasons} == todo
    assert all("is still to be filled in" in reason for reason in reasons)

    again = init(run, namespace)
    assert (again.returncode, (tmp_path / "bluegreen.yaml").read_text()) == (2, text)


def test_the_proposal_is_what_the_clusters_are(run, namespace, tmp_path):
    done = init(run, namespace, "--haproxy", SOCKET, "--backend", "shop")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "bluegreen.yaml").read_text()
    assert run("config", "view").returncode == 0, text
    config = yaml.safe_load(text)
    service = json.loads(kubectl("old", "-n", namespace, "get", "service", "web", "-o", "json"))
    port = service["spec"]["ports"][0]["nodePort"]

    assert config["transform"]["storageClasses"] == {"lab-standard": "lab-fast"}
    assert config["probes"][1]["with"] == {
        "blue": f"http://{address('old')}:{port}/items",
        "green": f"http://{address('new')}:{port}/items",
        "send": {"Host": f"{namespace}.example.com"},
    }
    assert "data" not in config
    assert f"{namespace}/data (lab-standard, 1Mi)" in text
    assert "Velero is on both clusters." in text


def address(context):
    (node,) = json.loads(kubectl(context, "get", "nodes", "-o", "json"))["items"]
    return next(one["address"] for one in node["status"]["addresses"] if one["type"] == "InternalIP")


def test_a_migration_of_the_proposal_asks_for_the_decision_about_data(run, namespace):
    init(run, namespace, "--haproxy", SOCKET, "--backend", "shop")
    done = run("migrate", "--dry-run=client")

    assert done.returncode == 2, done.stderr
    assert "no data policy is named" in done.stderr


def test_without_names_the_namespaces_with_workloads_are_proposed(run, namespace):
    done = run("init", "--from", "old", "--to", "new", "--kubeconfig", KUBECONFIG, "-o", "-")
    namespaces = yaml.safe_load(done.stdout)["namespaces"]

    assert done.returncode == 0, done.stderr
    assert namespace in namespaces
    assert not {"kube-system", "velero", "local-path-storage"} & set(namespaces)


def test_both_servers_take_the_roles_of_the_velero_mover(run):
    policy = run("adapters", "permissions", "velero", "--policy").stdout

    for context in ("old", "new"):
        side = "blue" if context == "old" else "green"
        label = ("-l", f"bluegreen.io/side={side}")
        applied = kubectl(context, "apply", "--dry-run=server", "-f", "-", *label, stdin=policy)
        assert len(applied.splitlines()) == 3, applied
        assert "created (server dry run)" in applied
