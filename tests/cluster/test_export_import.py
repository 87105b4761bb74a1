"""Export from the old cluster, import into the new one, start, verify: the two real API servers of the lab.

It works in a namespace of its own and removes it. Without the lab it fails.
"""

import json
import time
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bluegreen.exporter.export import ExportOptions, export
from bluegreen.exporter.read import read_bundle
from bluegreen.exporter.write import write_bundle
from bluegreen.exporter.yaml_out import dump_yaml
from bluegreen.importer.apply import ApplyFailedError, ApplyOptions, Outcome, apply_objects
from bluegreen.importer.decide import Verdict
from bluegreen.importer.idle import make_idle
from bluegreen.importer.order import Phase
from bluegreen.importer.plan import PlanOptions, plan_import
from bluegreen.importer.refusal import Cause
from bluegreen.importer.relink import relink
from bluegreen.importer.rewrite import rewrite
from bluegreen.importer.start import resume_cronjobs, start
from bluegreen.importer.transform import TransformOptions
from bluegreen.importer.verify import compare
from bluegreen.importer.wait import wait_ready
from bluegreen.kube.session import open_cluster
from bluegreen.model.errors import NotFoundError
from bluegreen.model.refs import ObjectRef
from scenarios.cluster import kubectl
from scenarios.lab.layout import kubeconfig

pytestmark = pytest.mark.lab

KUBECONFIG = str(kubeconfig())
RBAC = "rbac.authorization.k8s.io/v1"


def quiet(name, /, **data):
    pass


def options(migration, **more):
    return ApplyOptions(migration, time.monotonic, time.sleep, **more)


@pytest.fixture(scope="module")
def blue():
    return open_cluster("old", KUBECONFIG)


@pytest.fixture(scope="module")
def green():
    return open_cluster("new", KUBECONFIG)


@pytest.fixture(scope="module")
def migration():
    return f"t{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def namespace(blue, green, migration):
    name = f"bg-export-{migration}"
    try:
        for obj in town(name, migration):
            blue.apply(obj)
        yield name
    finally:
        for context in ("old", "new"):
            sweep(context, name, migration)


def sweep(context, namespace, migration):
    delete = (context, "delete", "--ignore-not-found", "--wait=false")
    kubectl(*delete, "namespace", namespace)
    for kind in ("clusterrole", "priorityclass"):
        kubectl(*delete, kind, f"bg-{migration}")
    kubectl(*delete, "crd", f"houses.{migration}.example")


def town(namespace, migration):
    """Return a namespace of what people really have; image-less pods never have to run."""
    group, own = f"{migration}.example", f"bg-{migration}"

    def obj(kind, name, version="v1", **more):
        meta = {"name": name, "namespace": namespace, **more.pop("meta", {})}
        return {"apiVersion": version, "kind": kind, "metadata": meta, **more}

    def whole(kind, name, version="v1", **more):
        return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **more}

    pod = {
        "serviceAccountName": "web",
        "priorityClassName": own,
        "nodeSelector": {"bluegreen.example/nowhere": "yes"},
        "containers": [
            {
                "name": "c",
                "image": "bluegreen.example/none:1",
                "imagePullPolicy": "Never",
                "resources": {"requests": {"cpu": "0.01", "memory": "1024Ki"}},
                "env": [{"name": "ON", "value": "on"}, {"name": "EXP", "value": "1e3"}],
            }
        ],
    }
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod}
    job = {"template": {"spec": {**pod, "restartPolicy": "Never"}}}
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    subject = {"kind": "ServiceAccount", "name": "web", "namespace": namespace}
    return [
        whole("Namespace", namespace, "v1"),
        whole(
            "CustomResourceDefinition",
            f"houses.{group}",
            "apiextensions.k8s.io/v1",
            spec={
                "group": group,
                "scope": "Namespaced",
                "names": {"kind": "House", "plural": "houses", "singular": "house"},
                "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
            },
        ),
        whole("PriorityClass", own, "scheduling.k8s.io/v1", value=7),
        obj("ServiceAccount", "web"),
        whole("ClusterRole", own, RBAC, rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]),
        obj(
            "RoleBinding",
            "web",
            RBAC,
            subjects=[subject],
            roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": own},
        ),
        obj("ResourceQuota", "quota", spec={"hard": {"pods": "10", "count/configmaps": "50"}}),
        obj(
            "ConfigMap",
            "traps",
            data={"a": "no", "b": "0o7", "c": "ü😀\u2028", "d": " x\n\n", "e": "12:30"},
            meta={"annotations": {"example.com/a.b_c": "yes"}},
        ),
        obj("Secret", "password", data={"p": "Y2FuYXJ5"}),
        obj(
            "Secret",
            "token",
            type="kubernetes.io/service-account-token",
            meta={"annotations": {"kubernetes.io/service-account.name": "web"}},
        ),
        obj(
            "Service",
            "web",
            spec={"selector": {"app": "web"}, "type": "NodePort", "ports": [{"name": "h", "port": 80}]},
        ),
        obj("Service", "head", spec={"clusterIP": "None", "selector": {"app": "web"}, "ports": [{"port": 80}]}),
        obj("Service", "manual", spec={"ports": [{"name": "p", "port": 5432}]}),
        obj(
            "EndpointSlice",
            "manual-1",
            "discovery.k8s.io/v1",
            addressType="IPv4",
            endpoints=[{"addresses": ["192.0.2.7"]}],
            ports=[{"name": "p", "port": 5432, "protocol": "TCP"}],
            meta={"labels": {"kubernetes.io/service-name": "manual"}},
        ),
        obj(
            "Deployment",
            "web",
            "apps/v1",
            spec={"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template},
        ),
        obj(
            "Deployment",
            "parked",
            "apps/v1",
            spec={"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": template},
        ),
        obj("DaemonSet", "agent", "apps/v1", spec={"selector": {"matchLabels": {"app": "web"}}, "template": template}),
        obj("CronJob", "nightly", "batch/v1", spec={"schedule": "0 0 1 1 *", "jobTemplate": {"spec": job}}),
        obj(
            "CronJob",
            "retired",
            "batch/v1",
            spec={"schedule": "0 0 1 1 *", "suspend": True, "jobTemplate": {"spec": job}},
        ),
        obj("Job", "once", "batch/v1", spec={**job, "suspend": True}),
        obj("NetworkPolicy", "all", "networking.k8s.io/v1", spec={"podSelector": {}, "policyTypes": ["Ingress"]}),
        obj(
            "PodDisruptionBudget",
            "web",
            "policy/v1",
            spec={"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
        ),
        obj(
            "HorizontalPodAutoscaler",
            "parked",
            "autoscaling/v2",
            spec={
                "minReplicas": 2,
                "maxReplicas": 5,
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "parked"},
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
                    }
                ],
            },
        ),
        obj("House", "one", f"{group}/v1", spec={"rooms": 3, "doors": {"front": None, "back": {}}}),
    ]


@pytest.fixture(scope="module")
def bundle(blue, namespace):
    wait_for_controllers(blue, namespace)
    return export(blue, (namespace,), "", ExportOptions(hmac_key=b"k"), quiet)


def wait_for_controllers(blue, namespace):
    deployment, token = (
        ObjectRef("apps/v1", "Deployment", namespace, "web"),
        ObjectRef("v1", "Secret", namespace, "token"),
    )
    for _ in range(400):
        if blue.get(deployment).get("status", {}).get("unavailableReplicas") and "token" in blue.get(token).get(
            "data", {}
        ):
            return
        time.sleep(0.2)
    raise AssertionError("blue's controllers did not act within 80 s")


@pytest.fixture(scope="module")
def objects(bundle):
    return rewrite(bundle.objects, TransformOptions(images={"bluegreen.example": "registry.example/m"})).objects


def names(bundle, kind):
    return {item.ref.name for item in bundle.items if item.ref.kind == kind}


def test_the_bundle_holds_what_people_made_and_what_it_needs(bundle, migration):
    assert names(bundle, "Pod") == names(bundle, "ReplicaSet") == names(bundle, "Endpoints") == set()
    assert names(bundle, "EndpointSlice") == {"manual-1"}
    assert names(bundle, "ConfigMap") == {"traps"}
    assert names(bundle, "ServiceAccount") == {"web"}
    assert names(bundle, "ClusterRole") == names(bundle, "PriorityClass") == {f"bg-{migration}"}
    assert names(bundle, "CustomResourceDefinition") == {f"houses.{migration}.example"}
    by_name = {(item.ref.kind, item.ref.name): item.obj for item in bundle.items}
    assert "data" not in by_name["Secret", "token"]
    web = by_name["Service", "web"]["spec"]
    assert "clusterIP" not in web
    assert "nodePort" not in web["ports"][0]
    assert by_name["Service", "head"]["spec"]["clusterIP"] == "None"


def test_an_export_is_the_same_twice(blue, namespace, bundle):
    again = export(blue, (namespace,), "", ExportOptions(hmac_key=b"k"), quiet)
    assert again.digest == bundle.digest


def test_kustomize_reads_the_directory_and_go_reads_the_same_values(bundle, tmp_path):
    withheld = write_bundle(bundle, tmp_path / "b")
    assert {name.rpartition("/")[2] for name in withheld} == {"password", "token"}
    back = read_bundle(tmp_path / "b", b"k")
    builtin = [o for o in back.objects if not o["apiVersion"].endswith(".example/v1")]
    for obj in builtin:
        read = json.loads(
            kubectl("old", "create", "--dry-run=client", "-o", "json", "-f", "-", stdin=dump_yaml(obj).decode())
        )
        assert read == obj or without_namespace(read) == without_namespace(obj), obj["kind"]
    assert kubectl("old", "kustomize", str(tmp_path / "b")).count("kind:") >= len(back.objects)


def without_namespace(obj):
    return {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key != "namespace"}}


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    [
        "no",
        "y",
        "on",
        "1e3",
        "0o7",
        "0x1f",
        "1_0",
        "12:30:45",
        "~",
        "null",
        "=",
        "<<",
        "2026-01-01",
        "\u2028",
        "\ufeff",
        "\x85",
        "\x00",
    ]
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.dictionaries(TEXT, TEXT, max_size=5), min_size=10, max_size=20))
def test_go_reads_what_python_wrote(maps):
    words = [text for each in maps for text in each.values()]
    data = {"values": maps, "words": words, "other": [0, -1, 2**53, True, None, 1.5, {}, []]}
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "b"}, "data": data}
    command = ("old", "create", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-")
    assert json.loads(kubectl(*command, stdin=dump_yaml(obj).decode())) == obj


def test_a_plan_creates_all_and_writes_nothing(green, objects, migration, namespace):
    plan = plan_import(objects, green, PlanOptions(migration, dry_run=True, prepare=make_idle))
    assert {entry.verdict for entry in plan.entries} == {Verdict.CREATE}, [e for e in plan.entries if e.cause]
    with pytest.raises(NotFoundError):
        green.get(ObjectRef("v1", "Namespace", "", namespace))


def test_the_import_in_one_story(green, objects, migration, namespace):
    sleeping = options(migration, prepare=make_idle)
    first = apply_objects(green, objects, Phase.IMPORT, sleeping, quiet)
    assert {result.outcome for result in first} == {Outcome.CREATED}
    second = apply_objects(green, objects, Phase.IMPORT, sleeping, quiet)
    assert {result.outcome for result in second} == {Outcome.EQUAL}, [
        r for r in second if r.outcome is not Outcome.EQUAL
    ]
    plan = plan_import(objects, green, PlanOptions(migration, dry_run=True, prepare=make_idle))
    assert {entry.verdict for entry in plan.entries} == {Verdict.EQUAL}
    assert relink(green, objects, migration, quiet) == ()
    assert spec(green, namespace, "apps/v1", "Deployment", "web")["replicas"] == 0
    assert list(green.list(pods(green), namespace)) == []

    start(green, objects, options(migration), quiet, lambda _: None)
    assert spec(green, namespace, "apps/v1", "Deployment", "web")["replicas"] == 2
    assert spec(green, namespace, "apps/v1", "Deployment", "parked")["replicas"] == 0
    assert "bluegreen.io/idle" not in json.dumps(spec(green, namespace, "apps/v1", "DaemonSet", "agent"))
    assert compare(objects, green) == ()
    assert {ref.name for ref in resume_cronjobs(green, objects, migration, quiet)} == {"nightly"}
    assert spec(green, namespace, "batch/v1", "CronJob", "retired")["suspend"] is True
    assert compare([o for o in objects if o["kind"] != "Job"], green) == ()
    assert token_of(green, namespace)

    conflicts(green, namespace, migration)
    unready(green, namespace)


def spec(green, namespace, version, kind, name):
    return green.get(ObjectRef(version, kind, namespace, name))["spec"]


def pods(green):
    return next(r for r in green.resources() if (r.api_version, r.kind) == ("v1", "Pod"))


def token_of(green, namespace):
    for _ in range(300):
        if token := green.get(ObjectRef("v1", "Secret", namespace, "token")).get("data", {}).get("token"):
            return token
        time.sleep(0.2)
    return ""


def conflicts(green, namespace, migration):
    """What kubectl made is a conflict that names kubectl and the field, and is not changed."""
    theirs = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "theirs", "namespace": namespace},
        "data": {"a": "1"},
    }
    kubectl("new", "apply", "--server-side", "-f", "-", stdin=json.dumps(theirs))
    with pytest.raises(ApplyFailedError, match=r"kubectl owns \.data\.a") as caught:
        apply_objects(green, [{**theirs, "data": {"a": "2"}}], Phase.IMPORT, options(migration), quiet)
    assert caught.value.results[0].cause is Cause.CONFLICT


def unready(green, namespace):
    """Pods that no node takes are named with the scheduler's reason."""
    end = time.monotonic() + 60
    while not any("Unschedulable" in json.dumps(pod.get("status")) for pod in green.list(pods(green), namespace)):
        assert time.monotonic() < end
        time.sleep(0.2)
    with pytest.raises(Exception, match="Unschedulable"):
        wait_ready(
            green,
            [ObjectRef("apps/v1", "Deployment", namespace, "web")],
            seconds=1,
            clock=time.monotonic,
            sleep=time.sleep,
            emit=quiet,
        )
