"""Where a pod specification sits in each kind of workload, and what it says about containers. Pure."""

from collections.abc import Iterable, Iterator
from typing import Any

from bluegreen.model.ports import Raw
from bluegreen.model.refs import ref_of


def pod_spec(obj: Raw) -> dict[str, Any]:
    """Return the pod specification inside an object, empty when it has none."""
    spec = obj.get("spec") or {}
    match obj.get("kind"):
        case "Pod":
            return dict(spec)
        case "CronJob":
            return dict(((spec.get("jobTemplate") or {}).get("spec") or {}).get("template", {}).get("spec") or {})
        case "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "ReplicationController" | "Job":
            return dict((spec.get("template") or {}).get("spec") or {})
        case _:
            return {}


def pod_labels(obj: Raw) -> dict[str, str]:
    """Return the labels that a workload gives its pods, without those that its controller adds."""
    spec = obj.get("spec") or {}
    if obj.get("kind") == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    return dict(((spec.get("template") or {}).get("metadata") or {}).get("labels") or {})


def containers(obj: Raw) -> Iterator[dict[str, Any]]:
    """Yield the containers of a workload, those that run first included."""
    spec = pod_spec(obj)
    yield from (one for key in ("initContainers", "containers") for one in spec.get(key) or ())


def named_secrets(objects: Iterable[Raw]) -> Iterator[tuple[str, str, str]]:
    """Yield (object in words, namespace, Secret) for each Secret that an object names to pull images with."""
    for obj in objects:
        named = obj if obj["kind"] == "ServiceAccount" else pod_spec(obj)
        for one in named.get("imagePullSecrets") or ():
            if one.get("name"):
                yield str(ref_of(obj)), str(obj["metadata"].get("namespace", "")), str(one["name"])
