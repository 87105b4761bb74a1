"""Where the parts of workloads are: pod templates, containers, claim templates. Pure.

It returns parts of the object that it was given, so a caller that changes them must own the object.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from bluegreen.model.ports import Raw

_TEMPLATES: dict[str, tuple[str, ...]] = {
    "Pod": (),
    "PodTemplate": ("template",),
    "ReplicationController": ("spec", "template"),
    "Deployment.apps": ("spec", "template"),
    "ReplicaSet.apps": ("spec", "template"),
    "StatefulSet.apps": ("spec", "template"),
    "DaemonSet.apps": ("spec", "template"),
    "Job.batch": ("spec", "template"),
    "CronJob.batch": ("spec", "jobTemplate", "spec", "template"),
    "DeploymentConfig.apps.openshift.io": ("spec", "template"),
    "Rollout.argoproj.io": ("spec", "template"),
    "CloneSet.apps.kruise.io": ("spec", "template"),
    "StatefulSet.apps.kruise.io": ("spec", "template"),
    "DaemonSet.apps.kruise.io": ("spec", "template"),
    "ScaledJob.keda.sh": ("spec", "jobTargetRef", "template"),
    "Service.serving.knative.dev": ("spec", "template"),
}
"""Where the pod template of a workload stands, by Kind.group; only Kubernetes' own are ever put to sleep."""
_KINDS_WITH_PODS = frozenset(kind.partition(".")[0] for kind in _TEMPLATES)
_GROUPS = ("v1", "apps/v1", "batch/v1")


def is_kind(obj: Raw, *kinds: str) -> bool:
    """Return whether an object is one of Kubernetes' own workload, core or batch kinds of that name."""
    return obj.get("kind") in kinds and obj.get("apiVersion") in _GROUPS


def is_data(obj: Raw) -> bool:
    """Return whether an object is a ConfigMap or a Secret: outside its metadata it refers to nothing."""
    return obj.get("kind") in ("ConfigMap", "Secret") and obj.get("apiVersion") == "v1"


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


def has_pods(obj: Raw) -> bool:
    """Return whether an object is a pod or makes some."""
    return obj.get("kind") in _KINDS_WITH_PODS and _kind(obj) in _TEMPLATES


def _kind(obj: Raw) -> str:
    group = str(obj.get("apiVersion") or "").rpartition("/")[0]
    return f"{obj.get('kind')}.{group}" if group else str(obj.get("kind"))


def pod_spec(obj: Raw) -> Raw:
    """Return the spec of an object's pods; an empty one for kinds without pods."""
    if obj.get("kind") not in _KINDS_WITH_PODS:
        return {}
    where = _TEMPLATES.get(_kind(obj))
    found = None if where is None else get(obj, *where, "spec")
    return found if isinstance(found, dict) else {}


def containers(obj: Raw) -> Iterator[Raw]:
    """Yield every container of an object's pods: init, normal and ephemeral ones, CronJobs' too."""
    spec = pod_spec(obj)
    for key in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(key) or ()


def may_claim(obj: Raw) -> bool:
    """Return whether an object is of a kind that is, makes or mounts claims: most are not, and need no closer look."""
    return obj.get("kind") == "PersistentVolumeClaim" or has_pods(obj)


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
