"""What green keeps of its own in our objects: replicas that an autoscaler set, subjects that are not this import's."""

import time

import pytest
from fake_cluster import FakeCluster, resource

from bluegreen.importer.apply import ApplyOptions, Outcome, apply_objects
from bluegreen.importer.greens_own import scene_of, with_greens_own
from bluegreen.importer.idle import make_idle
from bluegreen.importer.order import Phase
from bluegreen.importer.plan import PlanOptions, plan_import
from bluegreen.importer.verify import compare

RBAC = "rbac.authorization.k8s.io/v1"
SERVED = (
    resource("autoscaling/v2", "HorizontalPodAutoscaler"),
    resource(RBAC, "ClusterRoleBinding", namespaced=False),
)


def obj(kind, name, version="v1", namespace="shop", **more):
    meta = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": version, "kind": kind, "metadata": meta, **more}


def web(replicas):
    return obj("Deployment", "web", "apps/v1", spec={"replicas": replicas})


SCALER = obj(
    "HorizontalPodAutoscaler",
    "web",
    "autoscaling/v2",
    spec={"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "maxReplicas": 9},
)


def account(namespace, name="app"):
    return {"kind": "ServiceAccount", "namespace": namespace, "name": name}


def binding(*subjects):
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    return obj("ClusterRoleBinding", "viewers", RBAC, "", roleRef=role, subjects=list(subjects))


def bring(green, *objects):
    options = ApplyOptions("m", time.monotonic, time.sleep)
    return [r.outcome for r in apply_objects(green, objects, Phase.IMPORT, options, lambda _name, **_data: None)]


@pytest.fixture
def green():
    cluster = FakeCluster("green", SERVED)
    for name in ("shop", "bank"):
        cluster.seed(obj("Namespace", name, namespace=""))
    return cluster


def test_replicas_that_an_autoscaler_set_stay(green):
    bring(green, web(2), SCALER)
    ref = next(ref for ref in green.objects if ref.kind == "Deployment")
    green.objects[ref]["spec"]["replicas"] = 4

    assert bring(green, web(2), SCALER) == [Outcome.EQUAL, Outcome.EQUAL]
    assert [e.verdict for e in plan_import((web(2), SCALER), green, PlanOptions("m")).entries] == ["equal", "equal"]
    assert compare((web(2), SCALER), green) == ()
    assert bring(green, web(2)) == [Outcome.CHANGED], "nobody scales it"


def test_replicas_of_a_sleeping_workload_or_of_none_are_set():
    scene = scene_of((web(2), SCALER))

    assert with_greens_own(web(2), web(0), scene) == web(2)
    assert with_greens_own(make_idle(web(2)), web(4), scene) == make_idle(web(2))
    assert with_greens_own(web(2), make_idle(web(4)), scene) == web(2)
    assert with_greens_own(web(2), web(4), scene) == web(4)


def test_namespaces_that_are_brought_one_by_one_keep_their_rights(green):
    bring(green, obj("Namespace", "shop", namespace=""), binding(account("shop")))
    assert bring(green, obj("Namespace", "bank", namespace=""), binding(account("bank")))[-1] is Outcome.CHANGED

    ref = next(ref for ref in green.objects if ref.kind == "ClusterRoleBinding")
    assert green.objects[ref]["subjects"] == [account("shop"), account("bank")]
    assert bring(green, obj("Namespace", "shop", namespace=""), binding(account("shop")))[-1] is Outcome.EQUAL
    assert compare((obj("Namespace", "bank", namespace=""), binding(account("bank"))), green) == ()


def test_subjects_that_blue_dropped_go_and_those_that_people_added_stay():
    person = {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "jane"}
    group = {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:serviceaccounts:shop"}
    user = {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "system:serviceaccount:shop:old"}
    scene = scene_of((obj("Namespace", "shop", namespace=""), binding()))
    live = binding(account("shop", "gone"), group, user, person, account("bank"), account("shop"))

    kept = with_greens_own(binding(account("shop")), live, scene)

    assert kept["subjects"] == [person, account("bank"), account("shop")]
