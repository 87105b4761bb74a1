"""Makes an object asleep: it exists on green and runs nothing, and remembers what it was. Pure.

docs/decisions/0005-idle-import.md says why each kind sleeps as it does. Waking up is start.py's; a thing that was
suspended or scaled to 0 on blue must stay so afterwards.
"""

from bluegreen.importer import shape
from bluegreen.model.marks import IDLE, RUN_AGAIN, WAS_REPLICAS, WAS_SUSPENDED, annotation, with_annotation
from bluegreen.model.ports import Raw

SCALED = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")
SUSPENDED = ("CronJob", "Job")


def make_idle(obj: Raw) -> Raw:
    """Return an object that runs nothing; kinds that run nothing come back as they are, and so does a sleeping one.

    Args:
        obj: raw object; not changed.
    """
    if shape.is_kind(obj, *SCALED):
        return _scaled_down(obj)
    if shape.is_kind(obj, *SUSPENDED):
        return _suspended(obj)
    if shape.is_kind(obj, "DaemonSet"):
        return _nowhere(obj)
    return obj


def hold_jobs(obj: Raw) -> Raw:
    """Return a one-off Job asleep, unless a person marked it to run again; every other object as it is."""
    return make_idle(obj) if shape.is_kind(obj, "Job") and annotation(obj, RUN_AGAIN) != "true" else obj


def _scaled_down(obj: Raw) -> Raw:
    spec = obj.get("spec") or {}
    replicas = spec.get("replicas", 1)
    if annotation(obj, WAS_REPLICAS) is not None and replicas == 0:
        return obj
    asleep = {**obj, "spec": {**spec, "replicas": 0}}
    return with_annotation(asleep, WAS_REPLICAS, str(1 if replicas is None else replicas))


def _suspended(obj: Raw) -> Raw:
    spec = obj.get("spec") or {}
    was = spec.get("suspend") is True
    if annotation(obj, WAS_SUSPENDED) is not None and was:
        return obj
    return with_annotation({**obj, "spec": {**spec, "suspend": True}}, WAS_SUSPENDED, str(was).lower())


def _nowhere(obj: Raw) -> Raw:
    copy = shape.copy_json(obj)
    spec = copy["spec"]["template"].setdefault("spec", {})
    spec["nodeSelector"] = {**(spec.get("nodeSelector") or {}), IDLE: "true"}
    return copy
