"""A custom resource with a scale subresource is imported asleep and woken as it was, on the two real API servers.

It works in a namespace and an API group of its own and removes both. Without the lab it fails.
"""

import json
import time
import uuid

import pytest

from bluegreen.exporter.export import ExportOptions, export
from bluegreen.importer.apply import ApplyOptions, Outcome, apply_objects
from bluegreen.importer.decide import Verdict
from bluegreen.importer.definitions import wait_established
from bluegreen.importer.idle import idler
from bluegreen.importer.order import Phase
from bluegreen.importer.plan import PlanOptions, plan_import
from bluegreen.importer.scales import read_scales
from bluegreen.importer.start import start
from bluegreen.importer.verify import compare
from bluegreen.kube.session import open_cluster
from bluegreen.model.refs import ObjectRef
from scenarios.cluster import kubectl
from scenarios.lab.layout import kubeconfig

pytestmark = [pytest.mark.lab]

KUBECONFIG = str(kubeconfig())


def quiet(name, /, **data):
    pass


def definition(group):
    replicas = {"type": "object", "properties": {"shards": {"type": "integer", "minimum": 0}}}
    status = {"type": "object", "properties": {"shards": {"type": "integer"}}}
    schema = {"type": "object", "properties": {"spec": replicas, "status": status}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {
            "status": {},
            "scale": {"specReplicasPath": ".spec.shards", "statusReplicasPath": ".status.shards"},
        },
    }
    names = {"kind": "Loom", "plural": "looms", "singular": "loom", "listKind": "LoomList"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"looms.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def loom(group, namespace, name, spec):
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": f"{group}/v1", "kind": "Loom", "metadata": meta, "spec": spec}


@pytest.fixture
def place():
    mark = f"gaps-{uuid.uuid4().hex[:8]}"
    group = f"{mark}.example"
    blue, green = (open_cluster(context, KUBECONFIG) for context in ("old", "new"))
    try:
        blue.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": mark}})
        blue.apply(definition(group))
        # Not kubectl wait, which gives up where there is no status yet.
        wait_established(blue, [definition(group)], 60.0, time.monotonic, time.sleep)
        for name, spec in (("many", {"shards": 3}), ("none", {"shards": 0}), ("unsaid", {})):
            blue.apply(loom(group, mark, name, spec))
        yield blue, green, mark, group
    finally:
        for context in ("old", "new"):
            delete = (context, "delete", "--ignore-not-found", "--wait=false")
            kubectl(*delete, "namespace", mark)
            kubectl(*delete, "crd", f"looms.{group}")


def test_it_sleeps_by_its_scale_and_wakes_as_it_was(place):
    blue, green, namespace, group = place
    bundle = export(blue, (namespace,), "", ExportOptions(hmac_key=b"k" * 32), quiet)
    objects = bundle.objects
    prepare = idler(read_scales(green, objects, quiet))
    options = ApplyOptions("gaps", time.monotonic, time.sleep, prepare=prepare)

    def spec(name):
        return green.get(ObjectRef(f"{group}/v1", "Loom", namespace, name))["spec"]

    def scale(name):
        path = f"/apis/{group}/v1/namespaces/{namespace}/looms/{name}/scale"
        return json.loads(kubectl("new", "get", "--raw", path))["spec"].get("replicas", 0)

    first = apply_objects(green, objects, Phase.IMPORT, options, quiet)
    assert {result.outcome for result in first} == {Outcome.CREATED}
    assert [spec(name) for name in ("many", "none", "unsaid")] == [{"shards": 0}] * 3
    assert scale("many") == 0
    second = apply_objects(green, objects, Phase.IMPORT, options, quiet)
    assert {result.outcome for result in second} == {Outcome.EQUAL}
    plan = plan_import(objects, green, PlanOptions("gaps", dry_run=True, prepare=prepare))
    assert {entry.verdict for entry in plan.entries} == {Verdict.EQUAL}

    start(green, objects, options, quiet, lambda _refs: None)
    assert [spec(name) for name in ("many", "none", "unsaid")] == [{"shards": 3}, {"shards": 0}, {}]
    assert scale("many") == 3
    assert compare(objects, green) == ()
    kubectl("new", "-n", namespace, "scale", f"looms.{group}/many", "--replicas=5")
    start(green, objects, options, quiet, lambda _refs: None)
    assert spec("many") == {"shards": 5}, "what a person scaled since is left alone"
