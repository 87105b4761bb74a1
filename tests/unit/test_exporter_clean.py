"""Cleaning single objects: what goes, what stays, and that the defects of other tools are not ours."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.exporter.clean import clean
from bluegreen.exporter.conditions import LAST_APPLIED, CleanContext
from bluegreen.model import marks

SHOP = CleanContext(namespaces=frozenset({"shop"}), exists=frozenset({"owner-uid"}))


def live(kind, api_version="v1", spec=None, name="thing", **more):
    meta = {
        "name": name,
        "namespace": "shop",
        "uid": "u1",
        "resourceVersion": "7",
        "generation": 3,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [{"manager": "kubectl"}],
        **more.pop("metadata", {}),
    }
    obj = {"apiVersion": api_version, "kind": kind, "metadata": meta, **more}
    return obj if spec is None else {**obj, "spec": spec}


def kept(obj, context=SHOP):
    cleaned = clean(obj, context)
    assert cleaned.obj is not None, cleaned.removals
    return cleaned.obj


def rules_of(obj, context=SHOP):
    return {removal.rule for removal in clean(obj, context).removals}


def left_out(obj, context=SHOP):
    return clean(obj, context).obj is None


def owned_by(kind, api_version, uid="owner-uid", *, controller=True):
    return {
        "ownerReferences": [
            {"apiVersion": api_version, "kind": kind, "name": "o", "uid": uid, "controller": controller}
        ]
    }


def test_what_the_server_writes_goes():
    assert kept(live("ConfigMap", data={"a": "1"}, status={"x": 1})) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "thing", "namespace": "shop"},
        "data": {"a": "1"},
    }


def test_status_stays_where_asked():
    obj = live("Widget", "shop.example/v1", status={"id": 1})
    context = CleanContext(keep_status=frozenset({"Widget.shop.example"}))
    assert kept(obj, context)["status"] == {"id": 1}


def test_an_object_that_is_being_deleted_is_left_out_and_reported():
    cleaned = clean(live("ConfigMap", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}), SHOP)
    assert cleaned.obj is None
    assert [r.rule for r in cleaned.removals] == ["deleting"]


def test_annotations_with_a_slash_are_removed_by_their_whole_name():
    # defect 2
    obj = live(
        "Deployment",
        "apps/v1",
        {"replicas": 2, "template": {}},
        metadata={"annotations": {"deployment.kubernetes.io/revision": "4", "revision": "mine"}},
    )
    assert kept(obj)["metadata"]["annotations"] == {"revision": "mine"}


def test_the_servers_own_count_of_a_daemon_sets_templates_goes():
    counted = {"annotations": {"deprecated.daemonset.template.generation": "4", "team": "a"}}
    assert kept(live("DaemonSet", "apps/v1", {"template": {}}, metadata=counted))["metadata"]["annotations"] == {
        "team": "a"
    }


def test_revision_finalizers_and_health_port_do_not_stay():
    # defect 3
    deployment = live(
        "Deployment",
        "apps/v1",
        {"template": {}},
        metadata={"annotations": {"deployment.kubernetes.io/revision": "4"}, "finalizers": ["foregroundDeletion"]},
    )
    assert kept(deployment)["metadata"] == {"name": "thing", "namespace": "shop"}
    service = live(
        "Service",
        spec={
            "type": "LoadBalancer",
            "healthCheckNodePort": 31000,
            "ipFamilies": ["IPv6"],
            "ipFamilyPolicy": "SingleStack",
            "ports": [],
        },
    )
    context = CleanContext(families=frozenset({"IPv4"}))
    assert kept(service, context)["spec"] == {"type": "LoadBalancer", "ports": []}


def test_an_owned_object_is_kept_where_its_owner_is_gone_and_the_other_rules_still_hold():
    # defect 1: a switch for owned objects switched other rules off and left stale references; we have no such switch
    context = CleanContext(exists=frozenset({"another-uid"}))
    pod = live("Pod", spec={}, metadata=owned_by("ReplicaSet", "apps/v1"))
    assert "ownerReferences" not in kept(pod, context)["metadata"]
    assert left_out(live("ConfigMap", name="kube-root-ca.crt"), context)
    assert left_out(live("ServiceAccount", name="default"), context)


def test_what_a_living_controller_remakes_is_left_out():
    assert left_out(live("Pod", spec={}, metadata=owned_by("ReplicaSet", "apps/v1")))
    assert left_out(live("ReplicaSet", "apps/v1", {}, metadata=owned_by("Deployment", "apps/v1")))
    assert left_out(live("Service", spec={}, metadata=owned_by("Widget", "shop.example/v1")))


@pytest.mark.parametrize(
    ("owner", "owner_version", "kind", "version"),
    [
        ("Deployment", "apps/v1", "ConfigMap", "v1"),
        ("Deployment", "apps/v1", "Secret", "v1"),
        ("Deployment", "apps/v1", "PersistentVolumeClaim", "v1"),
        ("StatefulSet", "apps/v1", "Service", "v1"),
        ("StatefulSet", "apps/v1", "Job", "batch/v1"),
        ("DaemonSet", "apps/v1", "Widget", "shop.example/v1"),
        ("Job", "batch/v1", "ConfigMap", "v1"),
        ("CronJob", "batch/v1", "Job", "kruise.example/v1"),
        ("ConfigMap", "v1", "Service", "v1"),
    ],
)
def test_what_an_operator_put_under_a_built_in_owner_is_kept_with_it(owner, owner_version, kind, version):
    obj = live(kind, version, {}, metadata=owned_by(owner, owner_version))
    text = kept(obj)["metadata"]["annotations"][marks.OWNERS]
    assert json.loads(text) == [{"apiVersion": owner_version, "kind": owner, "name": "o", "controller": True}]


@pytest.mark.parametrize(
    ("owner", "owner_version", "kind", "version"),
    [
        ("Deployment", "extensions/v1beta1", "ReplicaSet", "apps/v1"),
        ("ReplicationController", "v1", "Pod", "v1"),
        ("StatefulSet", "apps/v1", "Pod", "v1"),
        ("DaemonSet", "apps/v1", "Pod", "v1"),
        ("Job", "batch/v1", "Pod", "v1"),
        ("CronJob", "batch/v1", "Job", "batch/v1"),
        ("Service", "v1", "EndpointSlice", "discovery.k8s.io/v1"),
        ("Endpoints", "v1", "EndpointSlice", "discovery.k8s.io/v1"),
        ("Pod", "v1", "ResourceClaim", "resource.k8s.io/v1"),
    ],
)
def test_what_built_in_controllers_make_is_left_out_and_never_linked_by_us(owner, owner_version, kind, version):
    obj = live(kind, version, {}, metadata=owned_by(owner, owner_version))
    assert left_out(obj)


def test_an_absent_owner_is_forgotten_and_reported():
    obj = live("Pod", spec={}, metadata=owned_by("ReplicaSet", "apps/v1", uid="long-gone"))
    assert kept(obj)["metadata"] == {"name": "thing", "namespace": "shop"}
    assert "owner-references" in rules_of(obj)


def test_a_secret_of_a_custom_resource_is_kept_and_its_owner_remembered_by_name():
    obj = live("Secret", metadata=owned_by("Database", "db.example/v1"), data={"password": "eA=="})
    text = kept(obj)["metadata"]["annotations"][marks.OWNERS]
    assert json.loads(text) == [{"apiVersion": "db.example/v1", "kind": "Database", "name": "o", "controller": True}]


def test_a_claim_of_a_stateful_set_is_kept_and_one_of_a_pod_is_not():
    meta = owned_by("StatefulSet", "apps/v1")
    claim = live("PersistentVolumeClaim", spec={"volumeName": "pv1"}, status={"phase": "Bound"}, metadata=meta)
    assert kept(claim)["metadata"]["annotations"] == {marks.VOLUME: marks.VOLUME_MOVED}
    assert left_out(live("PersistentVolumeClaim", spec={}, metadata=owned_by("Pod", "v1")))


def test_a_claim_loses_its_binding_and_an_unbound_one_has_no_data_to_move():
    bound = live(
        "PersistentVolumeClaim",
        spec={
            "volumeName": "pv1",
            "storageClassName": "fast",
            "selector": {"matchLabels": {"disk": "old"}},
            "dataSource": {"kind": "VolumeSnapshot", "name": "s"},
            "dataSourceRef": {"kind": "VolumeSnapshot", "name": "s"},
        },
        status={"phase": "Bound"},
        metadata={
            "annotations": {
                "pv.kubernetes.io/bind-completed": "yes",
                "volume.beta.kubernetes.io/storage-provisioner": "x",
            },
            "finalizers": ["kubernetes.io/pvc-protection"],
        },
    )
    assert kept(bound)["spec"] == {"storageClassName": "fast"}
    assert kept(bound)["metadata"]["annotations"] == {marks.VOLUME: marks.VOLUME_MOVED}
    assert "annotations" not in kept(live("PersistentVolumeClaim", spec={}))["metadata"]


@pytest.mark.parametrize("phase", ["Pending", "Lost"])
def test_a_claim_that_is_not_bound_has_no_data_to_move_and_keeps_what_a_person_wrote(phase):
    spec = {
        "volumeName": "made-by-hand",
        "selector": {"matchLabels": {"disk": "archive"}},
        "dataSource": {"kind": "PersistentVolumeClaim", "name": "template"},
        "dataSourceRef": {"kind": "PersistentVolumeClaim", "name": "template"},
    }
    claim = live("PersistentVolumeClaim", spec=spec, status={"phase": phase})
    assert kept(claim)["spec"] == spec
    assert "annotations" not in kept(claim)["metadata"]
    assert {"volume-name-kept", "data-source-kept"} <= rules_of(claim)


def test_cluster_ips_go_and_headless_stays():
    assert kept(live("Service", spec={"clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9"]}))["spec"] == {}
    headless = {"clusterIP": "None", "clusterIPs": ["None"]}
    assert kept(live("Service", spec=headless))["spec"] == headless


def service_with_node_ports(**metadata):
    ports = [
        {"name": "a", "port": 80, "protocol": "TCP", "nodePort": 30080},
        {"name": "b", "port": 81, "protocol": "TCP", "nodePort": 31234},
    ]
    return live("Service", spec={"type": "NodePort", "ports": ports}, metadata=metadata)


def node_ports(obj, context=SHOP):
    return [port.get("nodePort") for port in kept(obj, context)["spec"]["ports"]]


def test_node_ports_that_somebody_asked_for_stay():
    applied = json.dumps({"spec": {"ports": [{"name": "a", "port": 80, "nodePort": 30080}, {"name": "b", "port": 81}]}})
    assert node_ports(service_with_node_ports(annotations={LAST_APPLIED: applied})) == [30080, None]
    fields = {"f:spec": {"f:ports": {'k:{"port":81,"protocol":"TCP"}': {"f:nodePort": {}}, ".": {}}}}
    assert node_ports(service_with_node_ports(managedFields=[{"fieldsV1": fields}])) == [None, 31234]
    assert node_ports(service_with_node_ports(annotations={LAST_APPLIED: "not json"})) == [None, None]


def test_node_ports_can_all_stay_or_all_go():
    obj = service_with_node_ports()
    assert node_ports(obj, CleanContext(node_ports="all")) == [30080, 31234]
    assert node_ports(obj, CleanContext(node_ports="none")) == [None, None]


def test_a_manifest_keeps_what_a_person_wrote():
    obj = service_with_node_ports()
    del obj["metadata"]["uid"]
    obj["spec"] |= {"clusterIP": "10.96.7.7", "loadBalancerIP": "192.0.2.1"}
    assert node_ports(obj) == [30080, 31234]
    assert kept(obj)["spec"]["clusterIP"] == "10.96.7.7"


def test_a_users_token_secret_is_kept_without_the_token():
    obj = live(
        "Secret",
        name="ci",
        type="kubernetes.io/service-account-token",
        data={"token": "t", "ca.crt": "c", "own": "o"},
        metadata={
            "annotations": {"kubernetes.io/service-account.name": "ci", "kubernetes.io/service-account.uid": "u"}
        },
    )
    cleaned = kept(obj)
    assert cleaned["data"] == {"own": "o"}
    assert cleaned["metadata"]["annotations"] == {"kubernetes.io/service-account.name": "ci"}
    assert left_out({**obj, "metadata": {**obj["metadata"], "name": "ci-token-x7k2p"}})


def test_no_reason_holds_a_secrets_value():
    obj = live("Secret", type="kubernetes.io/service-account-token", data={"token": "canary"})
    assert "canary" not in repr(clean(obj, SHOP).removals)


@pytest.mark.parametrize(
    ("status", "out"),
    [
        ({"completionTime": "2026-01-01T00:00:00Z"}, True),
        ({"conditions": [{"type": "Failed", "status": "True"}]}, True),
        ({"conditions": [{"type": "Suspended", "status": "True"}], "active": 1}, False),
        ({}, False),
    ],
)
def test_finished_jobs_are_left_out_failed_ones_too(status, out):
    assert left_out(live("Job", "batch/v1", {"template": {}}, status=status)) is out


@pytest.mark.parametrize(
    ("kind", "version", "done"),
    [
        ("JobSet", "jobset.x-k8s.io/v1alpha2", "Completed"),
        ("JobSet", "jobset.x-k8s.io/v1alpha2", "Failed"),
        ("BroadcastJob", "apps.kruise.io/v1alpha1", "Complete"),
    ],
)
def test_what_operators_run_once_is_left_out_when_it_has_finished(kind, version, done):
    def at(condition):
        return clean(live(kind, version, status={"conditions": [{"type": condition, "status": "True"}]}), SHOP).obj

    assert at(done) is None
    assert at("Suspended") is not None


def test_a_workflow_that_has_finished_is_left_out_and_one_that_runs_begins_anew():
    def flow(completed):
        labels = {"workflows.argoproj.io/phase": "Running", "workflows.argoproj.io/completed": completed, "team": "a"}
        return live("Workflow", "argoproj.io/v1alpha1", metadata={"labels": labels}, status={"phase": "Running"})

    assert clean(flow("true"), SHOP).obj is None
    assert kept(flow("false"))["metadata"]["labels"] == {"team": "a"}


def test_what_operators_write_about_blue_goes():
    notes = {"rollout.argoproj.io/revision": "5", "team": "a"}
    users = {"serving.knative.dev/creator": "admin", "serving.knative.dev/lastModifier": "admin", "team": "a"}

    for obj in (
        live("Rollout", "argoproj.io/v1alpha1", metadata={"annotations": notes}),
        live("Service", "serving.knative.dev/v1", metadata={"annotations": users}),
        live("DomainMapping", "serving.knative.dev/v1beta1", metadata={"annotations": users}),
    ):
        assert kept(obj)["metadata"]["annotations"] == {"team": "a"}
    assert kept(live("Service", metadata={"annotations": users}))["metadata"]["annotations"] == users


def test_a_job_loses_generated_selector_and_labels():
    labels = {
        "app": "x",
        "controller-uid": "u",
        "batch.kubernetes.io/controller-uid": "u",
        "job-name": "thing",
        "batch.kubernetes.io/job-name": "thing",
    }
    spec = {
        "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}},
        "template": {"metadata": {"labels": labels}},
    }
    assert kept(live("Job", "batch/v1", spec))["spec"] == {"template": {"metadata": {"labels": {"app": "x"}}}}
    by_hand = {"manualSelector": True, "selector": {"matchLabels": {"app": "x", "controller-uid": "u"}}, "template": {}}
    assert kept(live("Job", "batch/v1", by_hand))["spec"]["selector"] == {"matchLabels": {"app": "x"}}


def test_a_bare_pod_loses_node_token_volume_and_computed_fields():
    mount = {"name": "kube-api-access-abcde", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
    spec = {
        "nodeName": "n1",
        "priority": 7,
        "priorityClassName": "p",
        "preemptionPolicy": "Never",
        "volumes": [{"name": "kube-api-access-abcde"}, {"name": "data", "emptyDir": {}}],
        "containers": [{"name": "c", "volumeMounts": [mount, {"name": "data", "mountPath": "/d"}]}],
        "nodeSelector": {"disk": "ssd"},
    }
    assert kept(live("Pod", spec=spec))["spec"] == {
        "priorityClassName": "p",
        "volumes": [{"name": "data", "emptyDir": {}}],
        "containers": [{"name": "c", "volumeMounts": [{"name": "data", "mountPath": "/d"}]}],
        "nodeSelector": {"disk": "ssd"},
    }
    assert left_out(live("Pod", spec={}, metadata={"annotations": {"kubernetes.io/config.mirror": "x"}}))
    assert left_out(live("Pod", spec={}, status={"phase": "Failed"}))


def test_the_addresses_of_blues_api_servers_stay_there():
    mirrored = {"endpointslice.kubernetes.io/skip-mirror": "true"}
    service = {"kubernetes.io/service-name": "kubernetes"}

    assert left_out(live("Endpoints", name="kubernetes", metadata={"labels": mirrored}))
    assert left_out(live("EndpointSlice", "discovery.k8s.io/v1", name="kubernetes", metadata={"labels": service}))
    assert not left_out(live("Endpoints", name="other", metadata={"labels": mirrored}))


def test_endpoints_stay_only_when_written_by_hand():
    context = CleanContext(selecting_services=frozenset({("shop", "web")}))
    assert left_out(live("Endpoints", name="web"), context)
    assert not left_out(live("Endpoints", name="database"), context)
    managed = {"labels": {"endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}}
    assert left_out(live("EndpointSlice", "discovery.k8s.io/v1", metadata=managed))
    assert not left_out(live("EndpointSlice", "discovery.k8s.io/v1", endpoints=[{"addresses": ["192.0.2.7"]}]))


def test_default_account_is_left_out_unless_it_holds_something():
    assert left_out(live("ServiceAccount", name="default", secrets=[{"name": "default-token-x7k2p"}]))
    assert kept(live("ServiceAccount", name="default", imagePullSecrets=[{"name": "registry"}]))["imagePullSecrets"]
    account = live(
        "ServiceAccount",
        name="web",
        secrets=[{"name": "web-token-x7k2p"}, {"name": "mine"}],
        imagePullSecrets=[{"name": "web-dockercfg-x7k2p"}],
    )
    assert kept(account) == {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "web", "namespace": "shop"},
        "secrets": [{"name": "mine"}],
    }


def test_replicas_before_a_quiesce_count():
    # b3: an export taken after quiesce must not say 0
    asleep = live(
        "Deployment", "apps/v1", {"replicas": 0, "template": {}}, metadata={"annotations": {marks.WAS_REPLICAS: "3"}}
    )
    assert kept(asleep)["spec"]["replicas"] == 3
    assert "annotations" not in kept(asleep)["metadata"]
    cron = live("CronJob", "batch/v1", {"suspend": True}, metadata={"annotations": {marks.WAS_SUSPENDED: "false"}})
    assert kept(cron)["spec"]["suspend"] is False
    stays = live("CronJob", "batch/v1", {"suspend": True}, metadata={"annotations": {marks.WAS_SUSPENDED: "true"}})
    assert kept(stays)["spec"]["suspend"] is True


def test_bindings_keep_subjects_of_exported_namespaces_only():
    ours = [
        {"kind": "ServiceAccount", "name": "a", "namespace": "shop"},
        {"kind": "Group", "name": "system:serviceaccounts:shop"},
        {"kind": "User", "name": "system:serviceaccount:shop:a"},
    ]
    others = [
        {"kind": "ServiceAccount", "name": "a", "namespace": "other"},
        {"kind": "User", "name": "jane"},
        {"kind": "Group", "name": "shop"},
        {"kind": "Group", "name": "system:authenticated"},
    ]
    binding = live("ClusterRoleBinding", "rbac.authorization.k8s.io/v1", subjects=ours + others)
    assert kept(binding)["subjects"] == ours


def test_built_in_roles_are_left_out():
    for name in ("system:node", "cluster-admin", "view"):
        assert left_out(live("ClusterRole", "rbac.authorization.k8s.io/v1", name=name))
    assert not left_out(live("ClusterRole", "rbac.authorization.k8s.io/v1", name="viewer"))


def test_crd_and_webhook_rewrites():
    crd = live(
        "CustomResourceDefinition",
        "apiextensions.k8s.io/v1",
        {
            "preserveUnknownFields": True,
            "versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"type": "object"}}}],
        },
    )
    schema = kept(crd)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert schema["x-kubernetes-preserve-unknown-fields"] is True
    assert "preserveUnknownFields" not in kept(crd)["spec"]
    hook = live(
        "ValidatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1",
        webhooks=[{"name": "a", "sideEffects": "Unknown", "clientConfig": {"caBundle": "x"}}],
        metadata={"annotations": {"cert-manager.io/inject-ca-from": "shop/ca"}},
    )
    assert kept(hook)["webhooks"] == [{"name": "a", "sideEffects": "None", "clientConfig": {}}]


def test_restarted_at_and_defaults_stay():
    template = {
        "metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "t"}, "creationTimestamp": None},
        "spec": {"volumes": [{"name": "a", "emptyDir": {}}], "dnsPolicy": "ClusterFirst"},
    }
    obj = live("Deployment", "apps/v1", {"template": template})
    assert kept(obj)["spec"]["template"] == {
        "metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "t"}},
        "spec": template["spec"],
    }
    assert "restarted-at" in rules_of(obj)


def test_template_rules_reach_cron_jobs():
    spec = {
        "jobTemplate": {
            "spec": {"template": {"metadata": {"creationTimestamp": None}, "spec": {"nodeSelector": {"a": "b"}}}}
        }
    }
    obj = live("CronJob", "batch/v1", spec)
    assert kept(obj)["spec"]["jobTemplate"]["spec"]["template"]["metadata"] == {}
    assert "node-selector" in rules_of(obj)


KINDS = st.sampled_from(
    [
        ("v1", k)
        for k in ("Pod", "Service", "Secret", "ConfigMap", "ServiceAccount", "PersistentVolumeClaim", "Namespace")
    ]
    + [("apps/v1", k) for k in ("Deployment", "StatefulSet", "DaemonSet")]
    + [("batch/v1", "Job"), ("batch/v1", "CronJob"), ("shop.example/v1", "Widget")]
    + [("rbac.authorization.k8s.io/v1", "ClusterRoleBinding")]
)
TEXT = st.text(st.characters(codec="utf-8"), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
OWNERS = st.lists(
    st.builds(
        lambda uid, kind, controller: {
            "apiVersion": "apps/v1",
            "kind": kind,
            "name": "o",
            "uid": uid,
            "controller": controller,
        },
        st.sampled_from(["owner-uid", "gone"]),
        st.sampled_from(["StatefulSet", "Widget"]),
        st.booleans(),
    ),
    max_size=2,
)
METADATA = st.fixed_dictionaries(
    {"name": st.just("x")},
    optional={
        "namespace": st.just("shop"),
        "uid": st.just("u"),
        "resourceVersion": TEXT,
        "labels": st.dictionaries(TEXT, TEXT, max_size=2),
        "annotations": st.dictionaries(
            st.sampled_from([LAST_APPLIED, marks.WAS_REPLICAS, marks.MIGRATION, "a/b"]), TEXT
        ),
        "finalizers": st.lists(TEXT, max_size=2),
        "ownerReferences": OWNERS,
    },
)
PORTS = st.lists(st.fixed_dictionaries({"port": st.integers(1, 9)}, optional={"nodePort": st.just(30000)}), max_size=3)
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "clusterIP": st.sampled_from(["None", "10.0.0.1"]),
        "ports": PORTS,
        "replicas": st.integers(0, 3),
        "volumeName": TEXT,
        "selector": st.dictionaries(TEXT, TEXT, max_size=2),
        "template": st.fixed_dictionaries(
            {}, optional={"metadata": st.just({"creationTimestamp": None}), "spec": st.just({})}
        ),
        "free": VALUES,
    },
)


@st.composite
def objects(draw):
    version, kind = draw(KINDS)
    obj = {"apiVersion": version, "kind": kind, "metadata": draw(METADATA), "spec": draw(SPECS)}
    return obj | draw(
        st.dictionaries(st.sampled_from(["data", "status", "extra"]), st.dictionaries(TEXT, TEXT, max_size=2))
    )


@given(objects())
def test_cleaning_twice_is_cleaning_once_and_the_input_stays(obj):
    before = copy.deepcopy(obj)
    once = clean(obj, SHOP).obj
    assert obj == before
    if once is not None:
        assert clean(once, SHOP).obj == once


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("extensions/v1beta1", "apps/v1"),
        ("apps/v1beta2", "apps/v1"),
        ("apps/v1", "apps/v1"),
        ("argoproj.io/v1alpha1", "argoproj.io/v1alpha1"),
    ],
)
def test_an_autoscaler_finds_its_target_in_a_version_that_is_served(version, expected):
    target = {"apiVersion": version, "kind": "Deployment", "name": "web"}
    scaler = live("HorizontalPodAutoscaler", "autoscaling/v2", {"scaleTargetRef": target})
    assert kept(scaler)["spec"]["scaleTargetRef"] == {**target, "apiVersion": expected}
    assert ("hpa-target-version" in rules_of(scaler)) is (version != expected)


@pytest.mark.parametrize(
    "key",
    [
        "cert-manager.io/inject-ca-from",
        "cert-manager.io/inject-apiserver-ca",
        "service.beta.openshift.io/inject-cabundle",
    ],
)
def test_a_ca_that_somebody_injects_goes_and_another_one_is_reported(key):
    def api(**annotations):
        return live(
            "APIService", "apiregistration.k8s.io/v1", {"caBundle": "Q0E="}, metadata={"annotations": annotations}
        )

    assert "caBundle" not in kept(api(**{key: "x"}))["spec"]
    assert kept(api(other="x"))["spec"] == {"caBundle": "Q0E="}
    assert "apiservice-ca-bundle-kept" in rules_of(api(other="x"))
