"""The checks of an assessment: each finds its fault, and a sound subject gives none."""

from bluegreen.assess.checks import Subject, find
from bluegreen.assess.facts import TargetFacts
from bluegreen.model.findings import Severity


def facts(**changes):
    names = {
        kind: frozenset() for kind in ("StorageClass", "IngressClass", "PriorityClass", "RuntimeClass", "Namespace")
    }
    known = {
        "version": "v1.37.2",
        "served": frozenset({("v1", "Service"), ("v1", "PersistentVolumeClaim"), ("apps/v1", "Deployment")}),
        "names": names | changes.pop("names", {}),
        "node_ports": {},
        "node_labels": ({"kubernetes.io/arch": "amd64"},),
    }
    return TargetFacts(**(known | changes))


def rules(objects, target=None, source="v1.34.4", classes=None):
    subject = Subject(source, objects, target or facts(), classes or {}, {})
    return [(finding.rule, finding.severity) for finding in find(subject)]


def obj(kind, api_version="v1", **spec):
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "namespace": "n"}, "spec": spec}


def deployment(**pod):
    return obj("Deployment", "apps/v1", template={"spec": pod})


def test_sound_subject_has_no_findings():
    assert rules([deployment(containers=[]), obj("Service", ports=[{"port": 80}])]) == []


def test_older_target_blocks():
    assert rules([], facts(version="v1.33.0")) == [("target-older", Severity.BLOCKER)]


def test_same_minor_is_no_downgrade():
    assert rules([], facts(version="v1.34.1")) == []


def test_two_digit_minor_is_compared_as_a_number():
    assert rules([], facts(version="v1.9.0"), source="v1.10.0") == [("target-older", Severity.BLOCKER)]


def test_unserved_kind_blocks():
    assert rules([obj("Widget", "example.com/v1")]) == [("api-not-served", Severity.BLOCKER)]


def test_custom_resource_whose_definition_moves_too_is_fine():
    crd = obj(
        "CustomResourceDefinition",
        "apiextensions.k8s.io/v1",
        group="example.com",
        names={"kind": "Widget"},
        versions=[{"name": "v1", "served": True}],
    )
    target = facts(served=frozenset({("apiextensions.k8s.io/v1", "CustomResourceDefinition")}))

    assert rules([crd, obj("Widget", "example.com/v1")], target) == []


def test_unmapped_storage_class_blocks_and_a_mapped_one_does_not():
    claim = obj("PersistentVolumeClaim", storageClassName="a")
    target = facts(names={"StorageClass": frozenset({"b"})})

    assert rules([claim], target) == [("storage-class-missing", Severity.BLOCKER)]
    assert rules([claim], target, classes={"a": "b"}) == []


def test_claim_template_is_a_claim():
    template = {"metadata": {"name": "data"}, "spec": {"storageClassName": "a"}}
    stateful = obj("StatefulSet", "apps/v1", volumeClaimTemplates=[template], template={"spec": {}})

    assert ("storage-class-missing", Severity.BLOCKER) in rules(
        [stateful], facts(served=frozenset({("apps/v1", "StatefulSet")}))
    )


def test_missing_priority_class_blocks_unless_it_moves():
    pod = deployment(priorityClassName="gold")
    moved = obj("PriorityClass", "scheduling.k8s.io/v1") | {"metadata": {"name": "gold"}}
    target = facts(served=facts().served | {("scheduling.k8s.io/v1", "PriorityClass")})

    assert rules([pod]) == [("priority-class-missing", Severity.BLOCKER)]
    assert rules([pod, moved], target) == []


def test_host_path_and_unmatched_node_selector_warn():
    pod = deployment(nodeSelector={"disk": "ssd"}, volumes=[{"name": "v", "hostPath": {"path": "/data"}}])

    assert rules([pod]) == [("host-path", Severity.WARNING), ("node-selector-unmatched", Severity.WARNING)]


def test_node_port_of_another_service_blocks_and_our_own_does_not():
    service = obj("Service", ports=[{"port": 80, "nodePort": 30080}])

    assert rules([service], facts(node_ports={30080: "other/web"})) == [("node-port-taken", Severity.BLOCKER)]
    assert rules([service], facts(node_ports={30080: "n/x"})) == []
