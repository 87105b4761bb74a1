"""Objects that wait as text come back as they were, and nothing that cleaning asks for is lost on the way."""

import pytest

from bluegreen.exporter.catalogue import RULES
from bluegreen.exporter.clean import clean
from bluegreen.exporter.conditions import CleanContext
from bluegreen.exporter.packed import each_once, one_by_one, pack

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "shop", "uid": "u1"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
}


def deployment(version: str, uid: str | None = "u2") -> dict:
    meta = {"name": "web", "namespace": "shop"} | ({"uid": uid} if uid else {})
    return {"apiVersion": version, "kind": "Deployment", "metadata": meta}


def test_what_was_packed_comes_back_in_order_and_is_let_go():
    objects = [SERVICE, deployment("apps/v1"), {**SERVICE, "spec": {"é\u2028": ["\x00", 1.5, None, True]}}]
    waiting = [pack(obj) for obj in objects]

    assert [packed.unpack() for packed in one_by_one(waiting)] == objects
    assert waiting == []


def test_a_service_with_a_selector_is_known_before_it_is_unpacked():
    assert pack(SERVICE).selecting == ("shop", "web")
    assert pack({**SERVICE, "spec": {"selector": {}}}).selecting is None
    assert pack({**SERVICE, "apiVersion": "serving.knative.dev/v1"}).selecting is None
    assert pack({**SERVICE, "spec": "a text, as a custom resource may have"}).selecting is None


def test_of_an_object_served_in_two_groups_the_better_one_stays():
    both = [pack(deployment("extensions/v1beta1")), pack(deployment("apps/v1"))]

    assert [p.api_version for p in each_once(both, ("extensions/",))] == ["apps/v1"]
    assert [p.api_version for p in each_once(reversed(both), ("extensions/",))] == ["apps/v1"]


def test_objects_without_a_uid_are_never_taken_for_the_same():
    assert len(each_once([pack(deployment("apps/v1", None)), pack(deployment("apps/v1", None))], ())) == 2


def test_a_secret_is_not_shown():
    secret = {**SERVICE, "kind": "Secret", "data": {"password": "aHVudGVyMg=="}}

    assert "aHVudGVyMg" not in repr(pack(secret))


PORTS = {"f:spec": {"f:ports": {'k:{"port":80,"protocol":"TCP"}': {"f:nodePort": {}}}}}
BY_HAND = [
    {"manager": "kubectl", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": PORTS}
]


def managed(obj: dict) -> dict:
    return {**obj, "metadata": {**obj["metadata"], "managedFields": BY_HAND}}


NODE_PORT = {
    **SERVICE,
    "spec": {"type": "NodePort", "ports": [{"port": 80, "protocol": "TCP", "nodePort": 30080}]},
}


@pytest.mark.parametrize("obj", [NODE_PORT, deployment("apps/v1"), {**SERVICE, "kind": "ConfigMap"}], ids=str)
def test_cleaning_what_was_packed_tells_and_leaves_the_same(obj):
    unpacked = pack(managed(obj)).unpack()

    assert clean(unpacked, CleanContext()) == clean(managed(obj), CleanContext())


def test_who_chose_a_node_port_is_still_known():
    unpacked = pack(managed(NODE_PORT)).unpack()

    assert clean(unpacked, CleanContext()).obj["spec"]["ports"][0]["nodePort"] == 30080
    assert clean(NODE_PORT, CleanContext(node_ports="none")).obj["spec"]["ports"] == [{"port": 80, "protocol": "TCP"}]


def test_no_rule_needs_the_managers_of_other_kinds():
    assert [rule.id for rule in RULES if "managedFields" in rule.field] == ["managed-fields"]
    assert {rule.kind for rule in RULES if "node-port" in rule.id} == {"Service"}
