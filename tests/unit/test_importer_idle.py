"""Sleeping and waking: nothing runs, nothing is forgotten, and what slept on blue stays asleep."""

import copy
import time

import pytest
from fake_api import VERBS, FakeApi, quiet
from fake_cluster import merge

from bluegreen.importer.apply import ApplyOptions, apply_objects
from bluegreen.importer.decide import Verdict, decide
from bluegreen.importer.idle import idler, make_idle
from bluegreen.importer.order import Phase
from bluegreen.importer.ready import why_not_ready
from bluegreen.importer.scales import read_scales
from bluegreen.importer.start import resume_cronjobs, start, wake_patch
from bluegreen.importer.verify import compare
from bluegreen.model.errors import RefusedError
from bluegreen.model.marks import IDLE, WAS_AWAKE, WAS_REPLICAS, WAS_SUSPENDED
from bluegreen.model.ports import ApiResource
from bluegreen.model.refs import ObjectRef, ref_of
from bluegreen.model.sleeping import RULES, scales_of


def workload(kind, version="apps/v1", name="x", spec=None, **meta):
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "namespace": "shop", **meta},
        "spec": spec or {},
    }


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "ReplicaSet"])
@pytest.mark.parametrize(
    ("spec", "was"), [({"replicas": 3}, "3"), ({}, "1"), ({"replicas": 0}, "0"), ({"replicas": None}, "1")]
)
def test_replicas_are_remembered(kind, spec, was):
    obj = workload(kind, spec=spec)
    before = copy.deepcopy(obj)
    asleep = make_idle(obj)
    assert obj == before
    assert asleep["spec"]["replicas"] == 0
    assert asleep["metadata"]["annotations"][WAS_REPLICAS] == was
    assert make_idle(asleep) == asleep


@pytest.mark.parametrize(("spec", "was"), [({"suspend": True}, "true"), ({"suspend": False}, "false"), ({}, "false")])
def test_suspension_is_remembered_as_it_was(spec, was):
    # b5 defect 5: a CronJob that was suspended must not be taken for one that was not
    asleep = make_idle(workload("CronJob", "batch/v1", spec=spec))
    assert asleep["spec"]["suspend"] is True
    assert asleep["metadata"]["annotations"][WAS_SUSPENDED] == was
    assert make_idle(asleep) == asleep


def test_a_second_sleep_does_not_overwrite_what_was_remembered():
    # b5 defect 5: a second quiesce saved the zero
    twice = make_idle(make_idle(workload("Deployment", spec={"replicas": 5})))
    assert twice["metadata"]["annotations"][WAS_REPLICAS] == "5"
    awake = {**twice, "spec": {"replicas": 4}}
    assert make_idle(awake)["metadata"]["annotations"][WAS_REPLICAS] == "4"


def test_a_daemon_set_goes_nowhere_and_finds_its_selector_again():
    obj = workload("DaemonSet", spec={"template": {"spec": {"nodeSelector": {"disk": "ssd"}}}})
    asleep = make_idle(obj)
    assert asleep["spec"]["template"]["spec"]["nodeSelector"] == {"disk": "ssd", IDLE: "true"}
    assert make_idle(asleep) == asleep
    assert wake_patch(asleep) == {"spec": {"template": {"spec": {"nodeSelector": {IDLE: None}}}}}
    assert wake_patch(obj) is None


def test_namesakes_and_other_kinds_are_left_alone():
    for obj in (workload("Deployment", "other.example/v1", spec={"replicas": 3}), workload("Pod", "v1")):
        assert make_idle(obj) is obj


WIDGETS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.shop.example"},
    "spec": {
        "group": "shop.example",
        "names": {"kind": "Widget", "plural": "widgets"},
        "versions": [{"name": "v1", "subresources": {"scale": {"specReplicasPath": ".spec.shards.count"}}}],
    },
}
V1 = "shop.example/v1"
PAUSED, AT = "autoscaling.keda.sh/paused", "autoscaling.keda.sh/paused-replicas"


def back(asleep):
    """Return a sleeping custom resource as a merge patch of its waking leaves it."""
    awake = merge(asleep, wake_patch(asleep))
    awake["metadata"] = {key: value for key, value in awake["metadata"].items() if value != {}}
    return awake


@pytest.mark.parametrize("spec", [{"shards": {"count": 3, "x": 1}}, {"shards": {"count": 0}}, {"shards": {"x": 1}}])
def test_a_custom_resource_sleeps_where_its_definition_says_and_wakes_as_it_was(spec):
    obj, scales = workload("Widget", V1, spec=spec), scales_of([WIDGETS])
    before = copy.deepcopy(obj)
    asleep = make_idle(obj, scales)
    assert obj == before
    assert asleep["spec"]["shards"]["count"] == 0
    assert make_idle(asleep, scales) == asleep, "a second sleep does not overwrite what was remembered"
    assert back(asleep) == obj


def test_a_definition_without_scale_or_with_a_minimum_does_not_sleep():
    def scales(minimum=None, **version):
        node = {} if minimum is None else {"minimum": minimum}
        schema = {"properties": {"spec": {"properties": {"shards": {"properties": {"count": node}}}}}}
        one = {**WIDGETS["spec"]["versions"][0], "schema": {"openAPIV3Schema": schema}, **version}
        return scales_of([{**WIDGETS, "spec": {**WIDGETS["spec"], "versions": [one]}}])

    assert scales() == scales(0) == {(V1, "Widget"): ("spec", "shards", "count")}
    assert scales(1) == scales(subresources={"status": {}}) == scales(subresources=None) == {}
    obj = workload("Widget", V1, spec={"shards": {"count": 3}})
    assert make_idle(obj, scales(1)) is obj


@pytest.mark.parametrize("marks", [{}, {PAUSED: "true"}, {PAUSED: "false", AT: "4"}, {AT: "4", "team": "a"}])
def test_a_scaled_object_is_paused_and_gets_its_own_marks_back(marks):
    obj = workload("ScaledObject", "keda.sh/v1alpha1", spec={"x": 1}, **({"annotations": marks} if marks else {}))
    asleep = make_idle(obj)
    assert asleep["metadata"]["annotations"][PAUSED] == "true"
    assert AT not in asleep["metadata"]["annotations"], "it would go to that number"
    assert make_idle(asleep) == asleep
    assert back(asleep) == obj


def test_every_rule_can_be_slept_and_woken():
    for rule in RULES:
        for kind in rule.kinds:
            obj = workload(kind, f"{rule.group}/v1", spec={"replicas": 3, "suspend": False})
            asleep = make_idle(obj, {(f"{rule.group}/v1", kind): ("spec", "replicas")})
            assert (asleep is obj) is (not rule.asleep)
            assert not rule.asleep or back(asleep) == obj


def test_a_broken_memory_wakes_nothing():
    for text in ("x", "3", '{"a": 1}', "[1]"):
        assert wake_patch(workload("Widget", V1, annotations={WAS_AWAKE: text})) is None


def custom_shop():
    return [
        WIDGETS,
        workload("Widget", V1, "w", {"shards": {"count": 2}}),
        workload("Widget", V1, "off", {"shards": {"count": 0}}),
        workload("ScaledObject", "keda.sh/v1alpha1", "so", {"scaleTargetRef": {"name": "web"}}),
        workload("ScaledJob", "keda.sh/v1alpha1", "sj"),
        workload("Workflow", "argoproj.io/v1alpha1", "once"),
        workload("Workflow", "argoproj.io/v1alpha1", "again", annotations={"bluegreen.io/run-again": "true"}),
    ]


def served(*kinds):
    return tuple(ApiResource(v, k, k.lower() + "s", namespaced=True, verbs=VERBS) for v, k in kinds)


def test_custom_resources_sleep_wake_in_order_and_drift_from_nothing():
    extra = (("keda.sh/v1alpha1", "ScaledObject"), ("keda.sh/v1alpha1", "ScaledJob"))
    green = FakeApi(extra=served(*extra, ("argoproj.io/v1alpha1", "Workflow")))
    objects, waited = custom_shop(), []

    def spec(name, kind="Widget", version=V1):
        return green.get(ObjectRef(version, kind, "shop", name))["spec"]

    def paused(name, kind):
        return PAUSED in green.get(ObjectRef("keda.sh/v1alpha1", kind, "shop", name))["metadata"]["annotations"]

    prepare = idler(read_scales(green, objects, quiet))
    apply_objects(green, objects, Phase.IMPORT, options(prepare=prepare), quiet)
    assert (spec("w"), paused("so", "ScaledObject"), paused("sj", "ScaledJob")) == (
        {"shards": {"count": 0}},
        True,
        True,
    )
    start(green, objects, options(), quiet, lambda refs: waited.append([ref.name for ref in refs]))
    assert ["w", "off", "so"] in waited
    assert (spec("w"), spec("off")) == ({"shards": {"count": 2}}, {"shards": {"count": 0}})
    assert (paused("so", "ScaledObject"), paused("sj", "ScaledJob")) == (False, True)
    assert compare(objects, green) == (), "what wakes last is compared asleep"
    green.writes.clear()
    start(green, objects, options(), quiet, lambda _: None)
    assert green.writes == []
    resumed = resume_cronjobs(green, objects, "m1", quiet)
    assert sorted(ref.name for ref in resumed) == ["again", "sj"]
    assert not paused("sj", "ScaledJob")
    assert spec("once", "Workflow", "argoproj.io/v1alpha1") == {"suspend": True}
    assert "suspend" not in spec("again", "Workflow", "argoproj.io/v1alpha1")
    assert compare(objects, green) == ()


def test_green_s_definition_is_read_where_none_is_imported_and_one_that_cannot_be_read_is_told():
    widget, told = workload("Widget", V1, "w", {"shards": {"count": 2}}), []

    def emit(name, /, **data):
        told.append(data["text"])

    green = FakeApi(WIDGETS)
    assert read_scales(green, [widget], emit) == {(V1, "Widget"): ("spec", "shards", "count")}

    def refuse(ref):
        raise RefusedError("kube.forbidden", f"reading {ref}", "no")

    green.get = refuse
    assert read_scales(green, [widget], emit) == {}
    assert [text.partition(":")[0] for text in told] == [
        "Widget objects are not put to sleep, their definition cannot be read"
    ]
    assert read_scales(green, [workload("Deployment")], emit) == {}


def test_a_custom_workload_of_another_hand_is_not_put_to_sleep():
    scales = scales_of([WIDGETS])
    theirs = workload("Widget", V1, "w", {"shards": {"count": 5}})
    asleep = make_idle(workload("Widget", V1, "w", {"shards": {"count": 2}}), scales)
    assert decide(asleep, theirs, "m1").verdict is Verdict.CONFLICT


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (None, ""),
        ({"phase": "Fine"}, ""),
        ({"observedGeneration": "3", "readyReplicas": 2, "availableReplicas": 2}, ""),
        ({"observedGeneration": "2", "readyReplicas": 2}, "its controller has not seen the present spec"),
        ({"observedGeneration": 3, "readyReplicas": 1, "availableReplicas": 0}, "1 of 2 ready, 0 of 2 available"),
    ],
)
def test_a_custom_workload_that_counts_replicas_is_waited_for(status, why):
    live = workload("Rollout", "argoproj.io/v1alpha1", spec={"replicas": 2}, generation=3)
    assert why_not_ready({**live, "status": status} if status else live) == why


def options(**more):
    return ApplyOptions("m1", time.monotonic, lambda _: None, **more)


def shop():
    return [
        workload("Deployment", name="web", spec={"replicas": 2}),
        workload("Deployment", name="parked", spec={"replicas": 0}),
        workload("StatefulSet", name="db", spec={"replicas": 1}),
        workload("DaemonSet", name="agent", spec={"template": {"spec": {}}}),
        workload("CronJob", "batch/v1", "nightly", {"suspend": False}),
        workload("CronJob", "batch/v1", "retired", {"suspend": True}),
        workload("Job", "batch/v1", "once"),
        workload("Job", "batch/v1", "again", annotations={"bluegreen.io/run-again": "true"}),
        workload("Pod", "v1", "bare"),
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "h"},
        },
    ]


def spec_of(green, kind, name, version="apps/v1"):
    return green.get(ObjectRef(version, kind, "shop", name))["spec"]


def imported():
    green = FakeApi()
    apply_objects(green, shop(), Phase.IMPORT, options(prepare=make_idle), quiet)
    return green


def test_nothing_runs_after_the_import():
    green = imported()
    assert spec_of(green, "Deployment", "web")["replicas"] == 0
    assert spec_of(green, "CronJob", "nightly", "batch/v1")["suspend"] is True
    assert not [ref for ref in green.objects if ref.kind in ("Pod", "ValidatingWebhookConfiguration")]


def test_start_wakes_in_order_and_a_second_time_writes_nothing():
    green, seen = imported(), []
    green.writes.clear()
    start(green, shop(), options(), quiet, lambda refs: seen.append([ref.name for ref in refs]))
    assert seen == [["db"], ["web", "parked"], ["agent"], ["bare"]]
    assert [ref.kind for _, ref in green.writes][-2:] == ["Pod", "ValidatingWebhookConfiguration"]
    assert spec_of(green, "Deployment", "web")["replicas"] == 2
    assert spec_of(green, "Deployment", "parked")["replicas"] == 0
    assert spec_of(green, "StatefulSet", "db")["replicas"] == 1
    assert spec_of(green, "DaemonSet", "agent")["template"]["spec"]["nodeSelector"] == {}
    assert spec_of(green, "CronJob", "nightly", "batch/v1")["suspend"] is True
    green.writes.clear()
    start(green, shop(), options(), quiet, lambda _: None)
    assert green.writes == []


def test_a_later_scaling_by_a_person_is_not_undone_by_a_second_start():
    green = imported()
    start(green, shop(), options(), quiet, lambda _: None)
    green.patch(ObjectRef("apps/v1", "Deployment", "shop", "web"), {"spec": {"replicas": 7}})
    start(green, shop(), options(), quiet, lambda _: None)
    assert spec_of(green, "Deployment", "web")["replicas"] == 7


def test_what_was_suspended_stays_so_and_jobs_run_again_only_when_marked():
    green = imported()
    resumed = resume_cronjobs(green, shop(), "m1", quiet)
    assert sorted(ref.name for ref in resumed) == ["again", "nightly"]
    assert spec_of(green, "CronJob", "nightly", "batch/v1")["suspend"] is False
    assert spec_of(green, "CronJob", "retired", "batch/v1")["suspend"] is True
    assert spec_of(green, "Job", "once", "batch/v1")["suspend"] is True
    assert resume_cronjobs(green, shop(), "m1", quiet) == ()


def test_what_another_migration_made_is_not_woken():
    green = imported()
    start(green, [shop()[0]], ApplyOptions("m2", time.monotonic, lambda _: None), quiet, lambda _: None)
    assert spec_of(green, "Deployment", "web")["replicas"] == 0
    assert resume_cronjobs(green, shop(), "m2", quiet) == ()
    assert ref_of(shop()[0]) in green.objects
