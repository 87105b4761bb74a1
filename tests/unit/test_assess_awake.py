"""Custom resources that start on import are told; those that sleep, and those that make no pods, are not."""

from dataclasses import replace

import pytest
from fake_api import VERBS, FakeApi
from test_assess_checks import deployment, obj
from test_assess_further import wider
from test_importer_idle import V1, WIDGETS, workload

from bluegreen.assess import awake
from bluegreen.assess.makers import find_makers
from bluegreen.model.errors import RefusedError
from bluegreen.model.findings import Severity
from bluegreen.model.ports import ApiResource
from bluegreen.model.refs import ObjectRef

WIDGET = workload("Widget", V1, "w")
REF = ObjectRef(V1, "Widget", "shop", "w")
PLAIN = {**WIDGETS, "spec": {**WIDGETS["spec"], "versions": [{"name": "v1"}]}}
WITH_CONTAINERS = {"template": {"spec": {"containers": [{"name": "a", "image": "b:1"}]}}}


def told(*moved, makers=(), definitions=()):
    known = {one["metadata"]["name"]: one for one in definitions}
    seen = replace(wider(*moved), moved=moved, makers=frozenset(makers), definitions=known)
    return [(f.rule, f.severity, f.subject) for f in awake.starts_on_import(seen)]


STARTS = [("starts-on-import", Severity.WARNING, "Widget shop/w")]


def test_what_makes_pods_and_cannot_sleep_is_told():
    assert told(WIDGET, PLAIN, makers=[REF]) == STARTS
    assert told({**WIDGET, "spec": WITH_CONTAINERS}, PLAIN) == STARTS
    assert told(WIDGET, PLAIN) == [], "nothing says that it makes pods"
    older = ObjectRef("shop.example/v1beta1", "Widget", "shop", "w")
    assert told(WIDGET, PLAIN, makers=[older]) == STARTS, "its controller may use another version"


def test_what_sleeps_is_not_told_wherever_its_definition_is():
    assert told(WIDGET, WIDGETS, makers=[REF]) == []
    assert told(WIDGET, makers=[REF], definitions=[WIDGETS]) == []
    assert told(WIDGET, makers=[REF]) == STARTS, "without a definition it does not sleep"


@pytest.mark.parametrize(
    ("version", "kind", "starts"),
    [
        ("serving.knative.dev/v1", "Service", True),
        ("apps.kruise.io/v1alpha1", "DaemonSet", True),
        ("kafka.strimzi.io/v1beta2", "Kafka", False),
        ("kafka.strimzi.io/v1beta2", "KafkaNodePool", False),
        ("keda.sh/v1alpha1", "ScaledJob", False),
    ],
)
def test_rules_go_before_what_is_seen(version, kind, starts):
    made = workload(kind, version, "w", WITH_CONTAINERS)
    assert bool(told(made, makers=[ObjectRef(version, kind, "shop", "w")])) is starts


def test_kubernetes_own_kinds_sleep():
    assert told(deployment(containers=[{"image": "a"}]), obj("Service")) == []


def owned(kind, version, name, *owners):
    references = [{"apiVersion": v, "kind": k, "name": n, "uid": "u"} for v, k, n in owners]
    return workload(kind, version, name, ownerReferences=references)


def blue(*objects):
    kinds = ((V1, "Widget"), ("parts.example/v1", "PodSet"))
    return FakeApi(
        *objects, extra=tuple(ApiResource(v, k, k.lower() + "s", namespaced=True, verbs=VERBS) for v, k in kinds)
    )


def test_makers_are_found_from_the_pods_up_through_built_in_and_custom_owners():
    api = blue(
        WIDGET,
        owned("PodSet", "parts.example/v1", "ps", (V1, "Widget", "w")),
        owned("Pod", "v1", "p1", ("parts.example/v1", "PodSet", "ps")),
        owned("StatefulSet", "apps/v1", "db", (V1, "Widget", "other")),
        owned("Pod", "v1", "p2", ("apps/v1", "StatefulSet", "db")),
        owned("Pod", "v1", "p3", ("apps/v1", "ReplicaSet", "rs")),
        {**owned("Pod", "v1", "far", (V1, "Widget", "x")), "metadata": {"name": "far", "namespace": "elsewhere"}},
    )
    gaps = {}
    found = find_makers(api, api.resources(), {"shop"}, gaps)
    assert {(ref.kind, ref.name) for ref in found} == {("Widget", "w"), ("PodSet", "ps"), ("Widget", "other")}
    assert gaps == {}


def test_a_circle_of_owners_ends_and_what_may_not_be_read_is_a_gap():
    api = blue(
        owned("Widget", V1, "w", (V1, "Widget", "v")),
        owned("Widget", V1, "v", (V1, "Widget", "w")),
        owned("Pod", "v1", "p", (V1, "Widget", "w")),
    )
    assert len(find_makers(api, api.resources(), {"shop"}, {})) == 2
    gaps = {}
    api.unlistable["ReplicaSet"] = RefusedError("kube.forbidden", "listing", "no")
    assert find_makers(api, api.resources(), {"shop"}, gaps)
    assert list(gaps) == ["owners of ReplicaSet in shop"]


def test_a_cluster_without_custom_kinds_is_not_asked():
    api = FakeApi(owned("Pod", "v1", "p", (V1, "Widget", "w")))
    api.unlistable["Pod"] = AssertionError("asked")
    assert find_makers(api, api.resources(), {"shop"}, {}) == frozenset()
