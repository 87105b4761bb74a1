"""Makes an object asleep: it exists on green and runs nothing, and remembers what it was. Pure.

docs/decisions/0005-idle-import.md says why each kind sleeps as it does. Waking up is start.py's; a thing that was
suspended or scaled to 0 on blue must stay so afterwards.
"""

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any

from bluegreen.importer import shape
from bluegreen.model.marks import (
    IDLE,
    RUN_AGAIN,
    WAS_AWAKE,
    WAS_REPLICAS,
    WAS_SUSPENDED,
    annotation,
    with_annotation,
)
from bluegreen.model.ports import Raw
from bluegreen.model.sleeping import Path, Scales, Wakes, rule_of, sleep_of

SCALED = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")
SUSPENDED = ("CronJob", "Job")
_UNKNOWN: Scales = {}


def make_idle(obj: Raw, scales: Scales = _UNKNOWN) -> Raw:
    """Return an object that runs nothing; kinds that run nothing come back as they are, and so does a sleeping one.

    Args:
        obj: raw object; not changed.
        scales: where the replicas of custom resources stand.
    """
    if shape.is_kind(obj, *SCALED):
        return _scaled_down(obj)
    if shape.is_kind(obj, *SUSPENDED):
        return _suspended(obj)
    if shape.is_kind(obj, "DaemonSet"):
        return _nowhere(obj)
    fields = sleep_of(obj, scales)
    return _custom(obj, fields) if fields else obj


def idler(scales: Scales) -> Callable[[Raw], Raw]:
    """Return what puts each object to sleep.

    Args:
        scales: where the replicas of custom resources stand.
    """
    return functools.partial(make_idle, scales=scales)


def hold_jobs(obj: Raw) -> Raw:
    """Return what runs once asleep, unless a person marked it to run again; every other object as it is."""
    return make_idle(obj) if runs_once(obj) and annotation(obj, RUN_AGAIN) != "true" else obj


def runs_once(obj: Raw) -> bool:
    """Return whether an object runs once, such as a Job."""
    return shape.is_kind(obj, "Job") or wakes(obj) is Wakes.ON_MARK


def wakes(obj: Raw) -> Wakes | None:
    """Return when a custom resource with a rule wakes, None for others."""
    rule = rule_of(str(obj.get("apiVersion") or ""), str(obj.get("kind") or ""))
    return rule.wakes if rule else None


def is_asleep(obj: Raw) -> bool:
    """Return whether a custom resource remembers what it was."""
    return annotation(obj, WAS_AWAKE) is not None


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


def _custom(obj: Raw, fields: tuple[tuple[Path, Any], ...]) -> Raw:
    """Return a custom resource asleep; what was absent is remembered as null, which a merge patch takes out again."""
    was = [[list(path), shape.get(obj, *path)] for path, _ in fields]
    if is_asleep(obj) and all(shape.get(obj, *path) == value for path, value in fields):
        return obj
    asleep = obj
    for path, value in fields:
        asleep = _with(asleep, path, value)
    return with_annotation(asleep, WAS_AWAKE, json.dumps(was))


def _with(node: Any, path: Path, value: Any) -> Any:
    """Return a copy of a map with a value at a path, or without it for None; the rest is shared."""
    given = dict(node) if isinstance(node, Mapping) else {}
    if len(path) > 1:
        if value is not None or isinstance(given.get(path[0]), Mapping):
            given[path[0]] = _with(given.get(path[0]), path[1:], value)
    elif value is None:
        given.pop(path[0], None)
    else:
        given[path[0]] = value
    return given


def waking(was: str) -> Raw | None:
    """Return the merge patch that gives a sleeping custom resource back what it had, None for what is no memory.

    Args:
        was: what it remembers.
    """
    try:
        fields = [(tuple(map(str, path)), value) for path, value in json.loads(was)]
    except (ValueError, TypeError):
        return None
    patch: Raw = {"metadata": {"annotations": {WAS_AWAKE: None}}}
    for path, value in fields:
        node = patch
        for step in path[:-1]:
            node = node.setdefault(step, {})
        node[path[-1]] = value
    return patch
