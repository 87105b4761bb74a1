"""The further checks, the strategy and the risk of `bluegreen assess`: each finds its fault, and says why."""

import json
from decimal import Decimal

import pytest
from test_assess_checks import deployment, facts, obj

from bluegreen.assess.amounts import amount
from bluegreen.assess.assessment import assess
from bluegreen.assess.checks import Subject
from bluegreen.assess.history import removed_in
from bluegreen.assess.pod_resources import total
from bluegreen.assess.strategy import Strategy
from bluegreen.assess.wider import Wider
from bluegreen.model.findings import Severity


def wider(*objects, raw=(), **more):
    served = frozenset((o["apiVersion"], o["kind"]) for o in objects)
    target = facts(served=served, **more.pop("target", {}))
    subject = Subject("v1.34.4", objects, target, more.pop("classes", {}), {}, more.get("moved"))
    known = {"allocatable": None, "metrics": True, "definitions": {}, "gaps": {}}
    return Wider(subject, tuple(raw), **(known | more))


def rules(*objects, **more):
    return [finding.rule for finding in assess(wider(*objects, **more)).findings]


def marked(kind, *, labels=None, annotations=None, **spec):
    marks = {"labels": labels or {}, "annotations": annotations or {}}
    return obj(kind, **spec) | {"metadata": {"name": "x", "namespace": "n", **marks}}


@pytest.mark.parametrize(
    "text,number",
    [("100m", "0.1"), ("1Gi", 2**30), ("2", 2), ("1e3", 1000), ("1.5M", 1500000), (None, 0), ("x", 0), ("1..2", 0)],
)
def test_quantities_are_numbers(text, number):
    assert amount(text) == Decimal(number)


def test_requests_count_replicas_and_the_larger_of_init_and_main():
    ask = [{"resources": {"requests": {"cpu": "100m"}}}, {"resources": {"limits": {"cpu": "100m"}}}]
    pod = {"containers": ask, "initContainers": [{"resources": {"requests": {"cpu": "1"}}}]}

    assert total([obj("Deployment", replicas=3, template={"spec": pod})], "cpu") == 3


def test_the_removal_table_knows_kinds_and_whole_groups():
    assert removed_in("extensions/v1beta1", "Ingress") == 22
    assert removed_in("extensions/v1beta1", "Deployment") == 16
    assert removed_in("autoscaling/v2beta2", "HorizontalPodAutoscaler") == 26
    assert removed_in("apps/v1", "Deployment") is None


def test_a_manifest_in_a_removed_version_is_found_by_both_signals():
    applied = json.dumps({"apiVersion": "policy/v1beta1", "kind": "PodDisruptionBudget"})
    budget = marked(
        "PodDisruptionBudget", annotations={"kubectl.kubernetes.io/last-applied-configuration": applied}
    ) | {"apiVersion": "policy/v1"}
    ingress = marked("Ingress") | {"apiVersion": "networking.k8s.io/v1"}
    ingress["metadata"]["managedFields"] = [
        {"manager": "helm", "apiVersion": "networking.k8s.io/v1beta1"},
        {"manager": "controller", "apiVersion": "extensions/v1beta1", "subresource": "status"},
    ]
    found = assess(wider(raw=[budget, ingress])).findings

    assert [(f.rule, f.severity) for f in found] == [("manifest-version-removed", Severity.WARNING)] * 2
    assert "helm wrote it as networking.k8s.io/v1beta1" in found[0].reason


def test_a_broken_last_applied_is_no_crash():
    bad = marked("ConfigMap", annotations={"kubectl.kubernetes.io/last-applied-configuration": "{"})

    assert rules(raw=[bad]) == []


def test_definitions_in_other_versions_and_with_old_storage_are_found():
    def crd(*versions):
        served = [{"name": version, "served": True} for version in versions]
        names = {"group": "e.com", "names": {"kind": "W", "plural": "ws"}}
        return obj("CustomResourceDefinition", "apiextensions.k8s.io/v1", versions=served, **names)

    raw = crd("v1") | {"status": {"storedVersions": ["v1beta1", "v1"]}}

    assert rules(crd("v1", "v2"), raw=[raw], definitions={"x": crd("v1")}) == [
        "definition-versions",
        "definition-stored-versions",
    ]
    assert rules(crd("v1"), definitions={"x": crd("v1", "v2")}) == []


def test_hazards_of_two_clusters_are_found():
    assert rules(obj("Service", type="LoadBalancer")) == ["load-balancer"]
    assert rules(marked("ServiceAccount", annotations={"eks.amazonaws.com/role-arn": "a"})) == ["cloud-identity"]
    assert rules(raw=[marked("ConfigMap", labels={"argocd.argoproj.io/instance": "a"})]) == ["gitops-owned"]
    host = {"external-dns.alpha.kubernetes.io/hostname": "a.example"}
    assert rules(marked("Service", annotations=host)) == ["done-twice"]


def test_an_autoscaler_needs_metrics():
    scaler = obj("HorizontalPodAutoscaler", "autoscaling/v2")

    assert rules(scaler, metrics=False) == ["autoscaler-without-metrics"]
    assert rules(scaler, metrics=True) == rules(scaler, metrics=None) == []


@pytest.mark.parametrize(
    "image,floats", [("a", True), ("a:latest", True), ("r:5000/a", True), ("a:1", False), ("a@x", False)]
)
def test_an_image_without_a_version_floats(image, floats):
    assert ("image-floating" in rules(deployment(containers=[{"image": image}]))) is floats


def test_requests_beyond_the_target_warn_and_near_it_inform():
    pods = deployment(containers=[{"image": "a:1", "resources": {"requests": {"cpu": "1"}}}])
    severities = {
        room: [f.severity for f in assess(wider(pods, allocatable={"cpu": Decimal(room)})).findings]
        for room in ("0.5", "1.1", "10")
    }

    assert severities == {"0.5": [Severity.WARNING], "1.1": [Severity.INFO], "10": []}


def test_what_could_not_be_read_is_said():
    assert rules(gaps={"nodes of the target": "forbidden"}) == ["not-read"]


def test_a_workload_gets_its_strategy_and_every_point_of_its_risk_is_explained():
    template = {"metadata": {"name": "d"}, "spec": {"storageClassName": "a"}}
    plain = deployment(containers=[{"image": "a:1", "readinessProbe": {}}])
    plain["spec"]["replicas"] = 2
    pinned = deployment(volumes=[{"name": "v", "hostPath": {"path": "/x"}}]) | {
        "metadata": {"name": "p", "namespace": "n"}
    }
    stateful = obj("StatefulSet", "apps/v1", volumeClaimTemplates=[template], template={"spec": {}})
    mapped = obj("StatefulSet", "apps/v1", template={"spec": {}})
    mapped["spec"]["volumeClaimTemplates"] = [{**template, "spec": {"storageClassName": "b"}}]
    known = {"target": {"names": {"StorageClass": frozenset({"b"})}}, "classes": {"a": "b"}}
    known["moved"] = (plain, pinned, mapped)
    judged = {w.workload: w for w in assess(wider(plain, pinned, stateful, **known)).workloads}

    assert judged["Deployment n/x"].strategy is Strategy.LIFT
    assert judged["Deployment n/x"].risk == 0
    assert judged["Deployment n/p"].strategy is Strategy.REFACTOR
    assert judged["StatefulSet n/x"].strategy is Strategy.REPLATFORM
    for one in judged.values():
        assert one.risk == sum(int(text.split()[0]) for text in one.because[1:])


def test_a_claim_without_a_class_is_not_one_of_the_default_class():
    claims = [obj("PersistentVolumeClaim", storageClassName=""), obj("PersistentVolumeClaim")]
    found = assess(wider(*claims)).inventory["volumes"]

    assert [(one["storageClass"], one["claims"]) for one in found] == [("(default)", 1), ("(none)", 1)]


def test_the_inventory_counts_and_says_what_uses_what():
    claim = obj("PersistentVolumeClaim", storageClassName="a", resources={"requests": {"storage": "1Gi"}})
    env = [{"name": "E", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]
    pods = deployment(containers=[{"image": "a:1", "env": env, "envFrom": [{"configMapRef": {"name": "c"}}]}])
    pods["spec"]["template"]["metadata"] = {"labels": {"app": "x"}}
    found = assess(wider(claim, pods, obj("Service", selector={"app": "x"})))

    assert found.inventory["volumes"] == [{"storageClass": "a", "claims": 1, "size": "1.00 GiB"}]
    assert {(u["object"], u["uses"]) for u in found.uses} == {
        ("Deployment n/x", "ConfigMap n/c"),
        ("Deployment n/x", "Secret n/s"),
        ("Service n/x", "Deployment n/x"),
    }
    json.dumps(found.to_json())
