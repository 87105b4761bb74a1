"""Sleeping and waking: nothing runs, nothing is forgotten, and what slept on blue stays asleep."""

import copy
import time

import pytest
from fake_api import FakeApi, quiet

from bluegreen.importer.apply import ApplyOptions, apply_objects
from bluegreen.importer.idle import make_idle
from bluegreen.importer.order import Phase
from bluegreen.importer.start import resume_cronjobs, start, wake_patch
from bluegreen.model.marks import IDLE, WAS_REPLICAS, WAS_SUSPENDED
from bluegreen.model.refs import ObjectRef, ref_of


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
