"""Readiness: a status counts when it has seen the present spec, and lateness says why."""

import pytest
from fake_api import FakeApi, quiet

from bluegreen.importer.ready import why_not_ready
from bluegreen.importer.wait import NotReadyError, wait_ready
from bluegreen.model.refs import ref_of


def live(kind, version="apps/v1", spec=None, status=None, **meta):
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "x", "namespace": "shop", "generation": 2, **meta},
        "spec": spec or {},
        "status": status or {},
    }


@pytest.mark.parametrize(
    ("obj", "why"),
    [
        (
            live("Deployment", spec={"replicas": 2}, status={"observedGeneration": 1, "availableReplicas": 2}),
            "has not seen",
        ),
        (
            live(
                "Deployment",
                spec={"replicas": 2},
                status={"observedGeneration": 2, "updatedReplicas": 2, "availableReplicas": 1},
            ),
            "1 of 2 available",
        ),
        (
            live(
                "Deployment",
                spec={"replicas": 2},
                status={"observedGeneration": 2, "updatedReplicas": 2, "availableReplicas": 2},
            ),
            "",
        ),
        (live("Deployment", spec={"replicas": 0}, status={"observedGeneration": 2}), ""),
        (
            live("StatefulSet", status={"observedGeneration": 2, "readyReplicas": 1, "updatedReplicas": 0}),
            "0 of 1 up to date",
        ),
        (
            live(
                "StatefulSet",
                spec={"updateStrategy": {"type": "OnDelete"}},
                status={"observedGeneration": 2, "readyReplicas": 1},
            ),
            "",
        ),
        (
            live("DaemonSet", status={"observedGeneration": 2, "desiredNumberScheduled": 1, "numberAvailable": 0}),
            "0 of 1",
        ),
        (live("DaemonSet", status={"observedGeneration": 2}), ""),
        (live("PersistentVolumeClaim", "v1", status={"phase": "Pending"}), "Pending"),
        (live("PersistentVolumeClaim", "v1", status={"phase": "Bound"}), ""),
        (
            live(
                "Pod",
                "v1",
                status={
                    "phase": "Pending",
                    "containerStatuses": [
                        {"name": "c", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no"}}}
                    ],
                },
            ),
            "c: ImagePullBackOff no",
        ),
        (
            live(
                "Pod",
                "v1",
                status={
                    "phase": "Pending",
                    "conditions": [
                        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}
                    ],
                },
            ),
            "Unschedulable",
        ),
        (live("Pod", "v1", status={"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}), ""),
        (live("ConfigMap", "v1"), ""),
    ],
)
def test_readiness(obj, why):
    answer = why_not_ready(obj)
    assert (why in answer) if why else answer == ""


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def test_lateness_names_every_object_and_its_pods_trouble():
    labels = {"app": "x"}
    web = live(
        "Deployment", spec={"replicas": 1, "selector": {"matchLabels": labels}}, status={"observedGeneration": 2}
    )
    pod = live(
        "Pod",
        "v1",
        labels=labels,
        status={"containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "ErrImagePull"}}}]},
    )
    absent = live("StatefulSet")
    clock = Clock()
    with pytest.raises(NotReadyError) as caught:
        wait_ready(
            FakeApi(web, pod), [ref_of(web), ref_of(absent)], seconds=30, clock=clock, sleep=clock.sleep, emit=quiet
        )
    assert caught.value.reasons[0].endswith("0 of 1 available (container c: ErrImagePull)")
    assert "does not exist" in caught.value.reasons[1]
    assert 30 <= clock.now <= 36


def test_it_ends_as_soon_as_all_is_ready():
    web = live("Deployment", spec={"replicas": 1}, status={"observedGeneration": 2})
    green, clock = FakeApi(web), Clock()

    def sleep(seconds):
        clock.sleep(seconds)
        green.patch(ref_of(web), {"status": {"updatedReplicas": 1, "availableReplicas": 1}})

    wait_ready(green, [ref_of(web)], seconds=30, clock=clock, sleep=sleep, emit=quiet)
    assert clock.now < 1
