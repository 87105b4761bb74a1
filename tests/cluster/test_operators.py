"""Custom resources of real operators sleep by fields that their real definitions have, on the two real API servers.

The definitions are those of Argo Rollouts and Workflows, OpenKruise, JobSet and Knative, from their modules; the
operators do not run. A field that a definition lacks would be dropped by the server, and the object would not sleep.
"""

import time
import uuid
from types import SimpleNamespace

import pytest
import yaml

from bluegreen.assess.awake import starts_on_import
from bluegreen.exporter.export import ExportOptions, export
from bluegreen.importer.apply import ApplyOptions, Outcome, apply_objects
from bluegreen.importer.definitions import wait_established
from bluegreen.importer.idle import idler
from bluegreen.importer.order import Phase
from bluegreen.importer.scales import read_scales
from bluegreen.importer.start import resume_cronjobs, start
from bluegreen.importer.verify import compare
from bluegreen.kube.session import open_cluster
from bluegreen.model.errors import NotFoundError
from bluegreen.model.marks import RUN_AGAIN
from bluegreen.model.refs import ObjectRef, ref_of
from scenarios.lab import build
from scenarios.lab.layout import lab

pytestmark = [pytest.mark.lab]

ROLLOUTS, WORKFLOWS = "github.com/argoproj/argo-rollouts", "github.com/argoproj/argo-workflows/v3"
KRUISE, JOBSET, KNATIVE = "github.com/openkruise/kruise", "sigs.k8s.io/jobset", "knative.dev/serving"
FILES = (
    (ROLLOUTS, "manifests/crds/rollout-crd.yaml"),
    (WORKFLOWS, "manifests/base/crds/minimal/argoproj.io_workflows.yaml"),
    (WORKFLOWS, "manifests/base/crds/minimal/argoproj.io_cronworkflows.yaml"),
    (KRUISE, "config/crd/bases/apps.kruise.io_clonesets.yaml"),
    (KRUISE, "config/crd/bases/apps.kruise.io_statefulsets.yaml"),
    (KRUISE, "config/crd/bases/apps.kruise.io_daemonsets.yaml"),
    (KRUISE, "config/crd/bases/apps.kruise.io_advancedcronjobs.yaml"),
    (KRUISE, "config/crd/bases/apps.kruise.io_broadcastjobs.yaml"),
    (JOBSET, "config/components/crd/bases/jobset.x-k8s.io_jobsets.yaml"),
    (KNATIVE, "config/core/300-resources/service.yaml"),
)
FULL = (
    (WORKFLOWS, "manifests/base/crds/full/argoproj.io_workflows.yaml"),
    (WORKFLOWS, "manifests/base/crds/full/argoproj.io_cronworkflows.yaml"),
)
"""What a workflow may hold, which the server is not told: those are larger than an object may be."""
LABELS = {"app": "web"}
PODS = {
    "metadata": {"labels": LABELS},
    "spec": {"containers": [{"name": "web", "image": "registry.example/web:1"}]},
}
SELECTOR = {"matchLabels": LABELS}
JOB = {"template": {"spec": {**PODS["spec"], "restartPolicy": "Never"}}}
FLOW = {"entrypoint": "main", "templates": [{"name": "main", "container": {"image": "registry.example/step:1"}}]}
JOBS = {"replicatedJobs": [{"name": "workers", "replicas": 1, "template": {"spec": JOB}}]}
SPECS = {
    ("argoproj.io/v1alpha1", "Rollout"): {"replicas": 3, "selector": SELECTOR, "template": PODS, "strategy": {}},
    ("argoproj.io/v1alpha1", "CronWorkflow"): {"schedule": "0 3 * * *", "workflowSpec": FLOW},
    ("argoproj.io/v1alpha1", "Workflow"): FLOW,
    ("apps.kruise.io/v1alpha1", "CloneSet"): {"replicas": 3, "selector": SELECTOR, "template": PODS},
    ("apps.kruise.io/v1beta1", "StatefulSet"): {"replicas": 3, "selector": SELECTOR, "template": PODS},
    ("apps.kruise.io/v1alpha1", "DaemonSet"): {"selector": SELECTOR, "template": PODS},
    ("apps.kruise.io/v1alpha1", "AdvancedCronJob"): {
        "schedule": "0 3 * * *",
        "template": {"jobTemplate": {"spec": JOB}},
    },
    ("apps.kruise.io/v1alpha1", "BroadcastJob"): {"template": {"spec": JOB["template"]["spec"]}},
    ("jobset.x-k8s.io/v1alpha2", "JobSet"): JOBS,
    ("serving.knative.dev/v1", "Service"): {"template": {"spec": PODS["spec"]}},
}
ASLEEP = {
    "Rollout": {"replicas": 0},
    "CronWorkflow": {"suspend": True},
    "Workflow": {"suspend": True},
    "CloneSet": {"replicas": 0},
    "StatefulSet": {"replicas": 0},
    "AdvancedCronJob": {"paused": True},
    "BroadcastJob": {"paused": True},
    "JobSet": {"suspend": True},
}
WOKEN_BY_START = {"Rollout", "CloneSet", "StatefulSet"}
WOKEN_ON_MARK = {"Workflow", "BroadcastJob", "JobSet"}


def documents(files):
    for module, name in files:
        path = build.module_source("operators", module) / name
        yield from (one for one in yaml.load_all(path.read_text(), yaml.CSafeLoader) if one)


def quiet(name, /, **data):
    pass


@pytest.fixture(scope="module")
def place():
    """Blue with one object of each kind and their definitions, in a namespace of its own; green with nothing of it."""
    namespace = f"operators-{uuid.uuid4().hex[:8]}"
    blue, green = (open_cluster(context, str(lab() / "kubeconfig")) for context in ("old", "new"))
    definitions = list(documents(FILES))
    refs = [ref_of(one) for one in definitions]
    home = ObjectRef("v1", "Namespace", "", namespace)
    remove((blue, green), refs)  # a run that was killed may have left them
    try:
        blue.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        for one in definitions:
            blue.apply(without_conversion(one), force=True)
        wait_established(blue, definitions, 60.0, time.monotonic, time.sleep)
        for (version, kind), spec in SPECS.items():
            meta = {"name": kind.lower(), "namespace": namespace}
            blue.apply({"apiVersion": version, "kind": kind, "metadata": meta, "spec": spec})
        yield blue, green, namespace
    finally:
        remove((blue, green), (home, *refs))


def without_conversion(definition):
    """Return a definition whose versions are not converted: the operator that would do it does not run."""
    return {**definition, "spec": {key: value for key, value in definition["spec"].items() if key != "conversion"}}


def remove(clusters, refs):
    """Delete objects, and wait until the definitions among them are gone: a name is free from then on."""
    end = time.monotonic() + 60
    todo = [(cluster, ref) for cluster in clusters for ref in refs]
    while todo:
        assert time.monotonic() < end, f"not gone: {todo[0][1]}"
        todo = [one for one in todo if still_there(*one) and one[1].kind == "CustomResourceDefinition"]
        time.sleep(0.1 if todo else 0)


def still_there(cluster, ref):
    try:
        cluster.delete(ref, cluster.get(ref)["metadata"]["uid"])
    except NotFoundError:
        return False
    return True


def test_they_sleep_by_fields_that_their_definitions_have_and_wake_as_they_were(place):
    blue, green, namespace = place
    objects = export(blue, (namespace,), "", ExportOptions(hmac_key=b"k" * 32), quiet).objects
    prepare = idler(read_scales(green, objects, quiet))
    options = ApplyOptions("operators", time.monotonic, time.sleep, prepare=prepare)
    mine = {obj["kind"]: obj for obj in objects if obj["metadata"].get("namespace") == namespace}
    assert set(mine) >= {kind for _, kind in SPECS}

    def spec(kind):
        return green.get(ref_of(mine[kind]))["spec"]

    def asleep():
        return {kind for kind, fields in ASLEEP.items() if spec(kind).items() >= fields.items()}

    first = apply_objects(green, objects, Phase.IMPORT, options, quiet)
    assert [result for result in first if result.outcome is not Outcome.CREATED] == []
    assert asleep() == set(ASLEEP)
    assert {result.outcome for result in apply_objects(green, objects, Phase.IMPORT, options, quiet)} == {Outcome.EQUAL}

    start(green, objects, options, quiet, lambda _refs: None)
    assert asleep() == set(ASLEEP) - WOKEN_BY_START
    assert {spec(kind)["replicas"] for kind in WOKEN_BY_START} == {3}

    resume_cronjobs(green, objects, "operators", quiet)
    assert asleep() == WOKEN_ON_MARK, "what runs once is not run a second time"
    again = [with_mark(mine[kind]) for kind in WOKEN_ON_MARK]
    resume_cronjobs(green, again, "operators", quiet)
    assert asleep() == set()
    assert compare(objects, green) == ()


def with_mark(obj):
    return {**obj, "metadata": {**obj["metadata"], "annotations": {RUN_AGAIN: "true"}}}


def test_what_cannot_sleep_is_told(place):
    blue, _, namespace = place
    moved = export(blue, (namespace,), "", ExportOptions(hmac_key=b"k" * 32), quiet).objects
    definitions = [obj for obj in moved if obj["kind"] == "CustomResourceDefinition"]
    wider = SimpleNamespace(moved=moved, definitions={ref_of(one).name: one for one in definitions}, makers=())

    assert {finding.subject for finding in starts_on_import(wider)} == {
        f"DaemonSet {namespace}/daemonset",
        f"Service {namespace}/service",
    }


def test_a_workflow_may_be_suspended():
    flow, schedule = (one["spec"]["versions"][0]["schema"]["openAPIV3Schema"] for one in documents(FULL))

    for schema in (flow, schedule):
        assert schema["properties"]["spec"]["properties"]["suspend"] == {"type": "boolean"}
