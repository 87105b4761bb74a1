"""Where the parts of workloads are: pod templates, containers, claim templates. Pure.

It returns parts of the object that it was given, so a caller that changes them must own the object.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from bluegreen.model.ports import Raw

_TEMPLATES = {
    "Pod": (),
    "PodTemplate": ("template",),
    "ReplicationController": ("spec", "template"),
    "Deployment": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
_GROUPS = ("v1", "apps/v1", "batch/v1")


def is_kind(obj: Raw, *kinds: str) -> bool:
    """Return whether an object is one of Kubernetes' own workload, core or batch kinds of that name."""
    return obj.get("kind") in kinds and obj.get("apiVersion") in _GROUPS


def copy_json(obj: Raw) -> Raw:
    """Return a deep copy of JSON data."""
    copied: Raw = msgspec.json.decode(msgspec.json.encode(obj))
    return copied


def get(node: Any, *keys: str) -> Any:
    """Return the value below those keys of nested maps, None where a step is missing."""
    for key in keys:
        if not isinstance(node, dict):
            return None
        node = node.get(key)
    return node


def pod_spec(obj: Raw) -> Raw:
    """Return the spec of an object's pods; an empty one for kinds without pods."""
    if not is_kind(obj, *_TEMPLATES):
        return {}
    found = get(obj, *_TEMPLATES[obj["kind"]], "spec")
    return found if isinstance(found, dict) else {}


def containers(obj: Raw) -> Iterator[Raw]:
    """Yield every container of an object's pods: init, normal and ephemeral ones, CronJobs' too."""
    spec = pod_spec(obj)
    for key in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(key) or ()


def claims(obj: Raw) -> Iterator[Raw]:
    """Yield the claims that an object is or makes: itself, claim templates, ephemeral volumes."""
    if is_kind(obj, "PersistentVolumeClaim"):
        yield obj
    if is_kind(obj, "StatefulSet"):
        yield from get(obj, "spec", "volumeClaimTemplates") or ()
    for volume in pod_spec(obj).get("volumes") or ():
        template = get(volume, "ephemeral", "volumeClaimTemplate")
        if isinstance(template, dict):
            yield template
