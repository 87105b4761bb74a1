"""Whether a cluster really works: node, addons, and that what the API says runs does run.

After everything was killed the API server still tells what the last kubelet told it. It must never take a status for
the truth that the container runtime denies.
"""

import json
from collections.abc import Mapping
from typing import Any

from scenarios.lab.api import KUBELET_PORT, get, get_json
from scenarios.lab.console import LabError, run
from scenarios.lab.layout import Cluster

HTTP_OK = 200
WORKLOADS = (
    "apis/apps/v1/namespaces/kube-system/deployments/coredns",
    "apis/apps/v1/namespaces/local-path-storage/deployments/local-path-provisioner",
    "apis/apps/v1/namespaces/velero/deployments/velero",
    "apis/apps/v1/namespaces/velero/daemonsets/node-agent",
)
ADDON_NAMESPACES = ("kube-system", "local-path-storage", "velero")
LOCATION = "apis/velero.io/v1/namespaces/velero/backupstoragelocations/default"


def api_unready(cluster: Cluster) -> str:
    """Return why the API server is not ready, "" when it is."""
    try:
        status, body = get(cluster, "/readyz")
    except OSError as error:
        return str(error)
    return "" if status == HTTP_OK else body[-200:]


def unavailable(cluster: Cluster) -> str:
    """Return the first thing of the cluster that is not available and why, "" when all is."""
    try:
        return _kubelet(cluster) or _node(cluster) or _workloads(cluster) or _pods(cluster)
    except (OSError, LabError, json.JSONDecodeError) as error:
        return str(error)


def _kubelet(cluster: Cluster) -> str:
    status, body = get(cluster, "/healthz", KUBELET_PORT)
    return "" if status == HTTP_OK else f"kubelet: {body[-200:]}"


def _node(cluster: Cluster) -> str:
    conditions = get_json(cluster, f"/api/v1/nodes/{cluster.node}").get("status", {}).get("conditions", [])
    ready: dict[str, Any] = next((item for item in conditions if item["type"] == "Ready"), {})
    return "" if ready.get("status") == "True" else f"node: {ready.get('message', 'no condition yet')}"


def _workloads(cluster: Cluster) -> str:
    for path in WORKLOADS:
        if reason := _not_rolled_out(get_json(cluster, f"/{path}")):
            return f"{path.rpartition('/')[2]}: {reason}"
    return ""


def _not_rolled_out(workload: Mapping[str, Any]) -> str:
    status = workload.get("status", {})
    if not workload or status.get("observedGeneration") != workload["metadata"]["generation"]:
        return "not there yet"
    wanted = status.get("desiredNumberScheduled", workload["spec"].get("replicas", 0))
    there = status.get("numberAvailable", status.get("availableReplicas", 0))
    return "" if there == wanted else f"{there} of {wanted} available"


def _pods(cluster: Cluster) -> str:
    running = _running_containers(cluster)
    velero_started = ""
    for pod in get_json(cluster, f"/api/v1/pods?fieldSelector=spec.nodeName%3D{cluster.node}")["items"]:
        name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        if reason := _pod(pod, running):
            return f"{name}: {reason}"
        if name.startswith("velero/velero-"):
            velero_started = pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
    return _location(cluster, velero_started)


def _pod(pod: Mapping[str, Any], running: set[str]) -> str:
    """Return what is wrong with a pod; a story's pod may be anything but a lie, an addon's must be ready."""
    status = pod["status"]
    for container in status.get("containerStatuses", []):
        if "running" in container["state"] and container["containerID"].rpartition("/")[2] not in running:
            return f"kubelet has not noticed yet that {container['name']} ended"
    # Only what a Deployment or DaemonSet keeps alive: Velero's and the provisioner's short-lived pods come, fail and
    # go.
    owners = {owner["kind"] for owner in pod["metadata"].get("ownerReferences", [])}
    addon = pod["metadata"]["namespace"] in ADDON_NAMESPACES and owners & {"ReplicaSet", "DaemonSet"}
    done = status["phase"] in {"Succeeded", "Failed"} or "deletionTimestamp" in pod["metadata"]
    if (
        not addon
        or done
        or any(item["type"] == "Ready" and item["status"] == "True" for item in status.get("conditions", []))
    ):
        return ""
    return "not ready"


def _running_containers(cluster: Cluster) -> set[str]:
    argv = ["ctr", "--address", str(cluster.containerd_socket), "--namespace", "k8s.io", "tasks", "ls"]
    rows = run(argv, what=f"{cluster.name}: list containers", log=cluster.log("containerd")).splitlines()[1:]
    return {words[0] for row in rows if (words := row.split())[-1] == "RUNNING"}


def _location(cluster: Cluster, velero_started: str) -> str:
    status = get_json(cluster, f"/{LOCATION}").get("status", {})
    if status.get("phase") != "Available":
        return f"backup location is {status.get('phase', 'not validated yet')}"
    # Both are UTC to the second, so they compare as text.
    return (
        "" if status["lastValidationTime"] >= velero_started else "backup location was validated by an earlier Velero"
    )
