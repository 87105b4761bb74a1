"""A status that somebody chose to keep, from one real cluster to the other."""

import json
import time
import uuid

import pytest
from test_commands import live, run  # noqa: F401 - run is a fixture

from scenarios.cluster import kubectl

pytestmark = pytest.mark.lab


def definition(group):
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": anything, "status": anything}}},
        "subresources": {"status": {}},
    }
    names = {"kind": "Run", "plural": "runs", "singular": "run"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"runs.{group}"},
        "spec": {"group": group, "names": names, "scope": "Namespaced", "versions": [version]},
    }


@pytest.fixture
def place():
    """A namespace on blue and the group of a kind with a status of its own."""
    name = f"bg-status-{uuid.uuid4().hex[:8]}"
    group = f"{name}.example"
    try:
        yield name, group
    finally:
        for context in ("old", "new"):
            gone = ("--ignore-not-found", "--wait=false")
            kubectl(context, "delete", "namespace", name, *gone)
            kubectl(context, "delete", "crd", f"runs.{group}", *gone)


def on_blue(obj):
    end = time.monotonic() + 30
    while True:
        try:
            return kubectl("old", "apply", "-f", "-", stdin=json.dumps(obj))
        except Exception:  # the server serves a new kind a moment after its definition
            if time.monotonic() > end:
                raise
            time.sleep(0.3)


def test_it_arrives_with_the_object_and_is_green_s_own_from_then_on(run, place):  # noqa: F811
    name, group = place
    on_blue(definition(group))
    on_blue({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    meta = {"name": "one", "namespace": name}
    on_blue({"apiVersion": f"{group}/v1", "kind": "Run", "metadata": meta, "spec": {"steps": 5}})
    patch = ("patch", f"runs.{group}", "one", "--subresource=status", "--type=merge", "-p")
    kubectl("old", "-n", name, *patch, '{"status": {"done": 3}}')
    (run.directory / "kept.yaml").write_text(f"export: {{keepStatus: [Run.{group}]}}\n")

    done = run("export", "--from", "old", "-n", name, "-o", f"b-{name}", "--config", "kept.yaml")
    assert done.returncode == 0, done.stderr
    done = run("import", f"b-{name}", "--to", "new")
    assert done.returncode == 0, done.stderr
    assert live(f"runs.{group}", "one", name)["status"] == {"done": 3}

    kubectl("new", "-n", name, *patch, '{"status": {"done": 4}}')
    done = run("import", f"b-{name}", "--to", "new")
    assert (done.returncode, "equal" in done.stdout) == (0, True), done.stdout + done.stderr
    assert live(f"runs.{group}", "one", name)["status"] == {"done": 4}
