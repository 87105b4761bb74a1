"""A whole assessment with a namespace that is renamed on the way: what green has is compared with what it will get."""

import json

import pytest
from fake_api import FakeApi, quiet

from bluegreen.assess.strategy import judge
from bluegreen.importer.transform import TransformOptions
from bluegreen.migration.assessing import assess_scope
from bluegreen.migration.scope import Scope
from bluegreen.model.findings import Finding, Severity
from bluegreen.model.refs import ClusterId

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class Green(FakeApi):
    @property
    def id(self):
        return ClusterId("new", "uid-of-new", "v1.34.0", "https://fake")


def service(namespace):
    spec = {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]}
    # Only a port that somebody asked for is exported.
    meta = {"name": "web", "namespace": namespace, "annotations": {LAST_APPLIED: json.dumps({"spec": spec})}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}


def space(name, **status):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "status": status}


def told(*on_green, wanted):
    how = TransformOptions(namespaces={"shop": "store"})
    blue, scope = FakeApi(space("shop"), service("shop")), Scope(namespaces=("shop",), transform=how)
    findings = assess_scope(blue, Green(*on_green), scope, quiet).findings
    return [one.subject for one in findings if one.rule == wanted]


@pytest.mark.parametrize("holder,clash", [("shop", True), ("other", True), ("store", False)])
def test_a_node_port_clashes_with_every_service_but_the_one_that_ours_becomes(holder, clash):
    assert told(service(holder), wanted="node-port-taken") == (["Service shop/web"] if clash else [])


def test_the_namespace_that_ours_becomes_may_not_be_on_its_way_out():
    going = {"phase": "Terminating"}

    assert told(space("store", **going), wanted="namespace-terminating") == ["Namespace store"]
    assert told(space("shop", **going), wanted="namespace-terminating") == []


def test_what_is_found_about_a_workload_as_on_green_counts_for_it():
    web, webs = (
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "shop"}}
        for name in ("web", "webs")
    )
    moved = [{**obj, "metadata": {**obj["metadata"], "namespace": "store"}} for obj in (web, webs)]
    found = [
        Finding(rule, Severity.WARNING, subject, "why", "do")
        for rule, subject in (("a", "Deployment shop/web"), ("b", "Deployment store/web volume v"))
    ]

    first, second = judge([web, webs], moved, found, frozenset())

    assert first.workload == "Deployment shop/web"
    assert [line for line in first.because if "why" in line] == ["+15 a: why", "+15 b: why"]
    assert not any("why" in line for line in second.because)


@pytest.mark.parametrize(
    "status,replicas,why",
    [
        ({"updatedReplicas": 2, "availableReplicas": 1}, 2, "1 of 2 available"),
        ({"updatedReplicas": 2, "availableReplicas": 2}, 2, ""),
        ({}, 0, ""),
    ],
)
def test_what_is_not_ready_on_blue_is_told_for_green_is_waited_for(status, replicas, why):
    meta = {"name": "web", "namespace": "shop"}
    template = {"spec": {"containers": [{"name": "c", "image": "a:1"}]}}
    web = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "status": status}
    web["spec"] = {"replicas": replicas, "template": template, "selector": {}}
    blue = FakeApi(space("shop"), web, service("shop"))

    findings = assess_scope(blue, Green(), Scope(namespaces=("shop",)), quiet).findings

    said = [(one.subject, one.reason) for one in findings if one.rule == "not-ready-on-blue"]
    told = f"it is not ready on blue ({why}), and a migration waits until it is on green"
    assert said == ([("Deployment shop/web", told)] if why else [])
