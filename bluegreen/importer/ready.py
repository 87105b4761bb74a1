"""Says of one live object whether it is ready, and if not, why. Pure.

A controller's status counts only when it has seen the present spec: an old status says nothing.
"""

from typing import Any

from bluegreen.importer import shape
from bluegreen.model.ports import Raw
from bluegreen.model.sleeping import is_custom


def why_not_ready(live: Raw) -> str:
    """Return why an object is not ready, empty when it is; kinds that have no readiness always are."""
    if shape.is_kind(live, "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"):
        return _workload(live)
    if shape.is_kind(live, "PersistentVolumeClaim"):
        phase = shape.get(live, "status", "phase") or "Pending"
        return "" if phase == "Bound" else f"it is {phase}"
    if shape.is_kind(live, "Pod"):
        return _pod(live)
    return _custom(live) if is_custom(str(live.get("apiVersion"))) else ""


def _workload(live: Raw) -> str:
    if shape.get(live, "spec", "paused") is True:
        return ""  # its controller waits for a person, as it did on blue
    status = live.get("status") or {}
    if int(status.get("observedGeneration", 0)) < int(live["metadata"].get("generation", 0)):
        return "its controller has not seen the present spec"
    if live["kind"] == "DaemonSet":
        wanted = int(status.get("desiredNumberScheduled", 0))
        counts = {"up to date": status.get("updatedNumberScheduled"), "available": status.get("numberAvailable")}
    else:
        wanted = int(shape.get(live, "spec", "replicas") if "replicas" in live["spec"] else 1)
        counts = {"ready": status.get("readyReplicas")}
        if live["kind"] == "Deployment":
            counts = {"up to date": status.get("updatedReplicas"), "available": status.get("availableReplicas")}
        if live["kind"] == "StatefulSet":
            counts["up to date"] = _updated(live, status, wanted)
    short = [f"{count or 0} of {wanted} {word}" for word, count in counts.items() if int(count or 0) < wanted]
    return ", ".join(short)


def _custom(live: Raw) -> str:
    """Say of a custom resource that counts replicas as workloads do whether they are there; others are ready."""
    status, wanted = live.get("status"), shape.get(live, "spec", "replicas")
    if not isinstance(status, dict) or not isinstance(wanted, int):
        return ""
    seen = str(status.get("observedGeneration", ""))  # some write it as text
    if seen.isdecimal() and int(seen) < int(live["metadata"].get("generation", 0)):
        return "its controller has not seen the present spec"
    counts = {"ready": status.get("readyReplicas"), "available": status.get("availableReplicas")}
    known = {word: count for word, count in counts.items() if isinstance(count, int)}
    return ", ".join(f"{count} of {wanted} {word}" for word, count in known.items() if count < wanted)


def _updated(live: Raw, status: Raw, wanted: int) -> Any:
    """Return the updated replicas, all of them where the set does not roll by itself (OnDelete, partition)."""
    strategy = shape.get(live, "spec", "updateStrategy") or {}
    by_hand = strategy.get("type") == "OnDelete" or shape.get(strategy, "rollingUpdate", "partition")
    return wanted if by_hand else status.get("updatedReplicas")


def _pod(live: Raw) -> str:
    status = live.get("status") or {}
    conditions = {c.get("type"): c for c in status.get("conditions") or ()}
    if status.get("phase") == "Succeeded" or conditions.get("Ready", {}).get("status") == "True":
        return ""
    return pod_trouble(live) or f"it is {status.get('phase', 'Pending')}"


def pod_trouble(pod: Raw) -> str:
    """Return what keeps a pod from running, such as ImagePullBackOff or why it is unschedulable; empty when nothing."""
    status = pod.get("status") or {}
    for key in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(key) or ():
            waiting = shape.get(container, "state", "waiting") or {}
            ended = shape.get(container, "state", "terminated") or {}
            if waiting.get("reason") not in (None, "PodInitializing", "ContainerCreating"):
                return f"container {container.get('name')}: {waiting['reason']} {waiting.get('message', '')}".strip()
            if ended.get("exitCode"):
                return f"container {container.get('name')} ended with {ended['exitCode']} {ended.get('reason', '')}"
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return f"{condition.get('reason', 'not scheduled')}: {condition.get('message', '')}"
    return ""
