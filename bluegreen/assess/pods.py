"""Where a pod specification sits in each kind of workload."""

from typing import Any

from bluegreen.model.ports import Raw


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
