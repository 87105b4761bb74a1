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


def found(objects, target=None, source="v1.34.4", moved=None):
    return find(Subject(source, objects, target or facts(), {}, {}, moved))


def rules(*args, **more):
    return [(finding.rule, finding.severity) for finding in found(*args, **more)]


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
    claim, mapped = (obj("PersistentVolumeClaim", storageClassName=name) for name in "ab")
    target = facts(names={"StorageClass": frozenset({"b"})})

    assert rules([claim], target) == [("storage-class-missing", Severity.BLOCKER)]
    assert rules([claim], target, moved=[mapped]) == []


def test_the_hint_about_a_storage_class_names_what_blue_calls_it():
    claim, mapped = (obj("PersistentVolumeClaim", storageClassName=name) for name in "ab")
    (finding,) = found([claim], moved=[mapped])

    assert finding.reason.startswith("StorageClass b is not on the target")
    assert finding.action.endswith("{a: <name on the target>}")


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


def in_namespace(one, name):
    return {**one, "metadata": {**one["metadata"], "namespace": name}}


def test_a_node_port_is_judged_by_where_the_service_will_be_on_green():
    service = obj("Service", ports=[{"port": 80, "nodePort": 30080}])
    moved = [in_namespace(service, "m")]

    (finding,) = found([service], facts(node_ports={30080: "n/x"}), moved=moved)
    assert (finding.rule, finding.subject) == ("node-port-taken", "Service n/x")
    assert finding.reason == "nodePort 30080 belongs to Service n/x on the target, and this will be m/x there"
    assert rules([service], facts(node_ports={30080: "m/x"}), moved=moved) == []


def test_a_node_port_that_is_taken_off_on_the_way_is_not_taken():
    service, without = obj("Service", ports=[{"nodePort": 30080}]), obj("Service", ports=[{"port": 80}])

    assert rules([service], facts(node_ports={30080: "other/web"}), moved=[without]) == []


def test_an_ingress_class_that_moves_under_another_name_is_there():
    kinds = {("networking.k8s.io/v1", "Ingress"), ("networking.k8s.io/v1", "IngressClass")}

    def both(name):
        one = obj("IngressClass", "networking.k8s.io/v1") | {"metadata": {"name": name}}
        return [one, obj("Ingress", "networking.k8s.io/v1", ingressClassName=name)]

    assert rules(both("old"), facts(served=frozenset(kinds)), moved=both("new")) == []


def test_a_node_selector_and_a_class_are_those_that_green_will_see():
    before, after = deployment(nodeSelector={"disk": "ssd"}, priorityClassName="gold"), deployment()

    assert rules([before], moved=[after]) == []
    assert [rule for rule, _ in rules([after], moved=[before])] == ["priority-class-missing", "node-selector-unmatched"]


def test_a_schedule_that_sleeps_on_either_side_does_not_run_on_both():
    target = facts(served=frozenset({("batch/v1", "CronJob")}))
    awake, asleep = obj("CronJob", "batch/v1"), obj("CronJob", "batch/v1", suspend=True)

    assert rules([awake], target) == [("cronjob-on-both", Severity.WARNING)]
    assert rules([awake], target, moved=[asleep]) == rules([asleep], target, moved=[awake]) == []
