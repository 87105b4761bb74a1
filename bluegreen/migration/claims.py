"""Which claims a migration has to move, and which pods on blue mount them.

A file-system copy goes through a pod, so a claim without a pod on blue cannot be copied; that is a reason to stop.
"""

from collections.abc import Iterable
from typing import Any

from bluegreen.config.models import Migration
from bluegreen.model.errors import TransientError
from bluegreen.model.ports import Cluster, Raw, VolumePod, VolumeRequest


def _listed(cluster: Cluster, kind: str, namespaces: Iterable[str], selector: str = "") -> list[Raw]:
    """List a core kind in some namespaces."""
    resource = next(r for r in cluster.resources() if r.kind == kind and r.api_version == "v1")
    return [item for namespace in namespaces for item in cluster.list(resource, namespace, selector)]


def claims_of(cluster: Cluster, config: Migration) -> tuple[str, ...]:
    """Return the claims on blue, as namespace/name; none where they are left there by choice."""
    if "PersistentVolumeClaim" in config.export.exclude:
        return ()
    found = _listed(cluster, "PersistentVolumeClaim", config.namespaces, config.selector or "")
    return tuple(sorted(f"{c['metadata']['namespace']}/{c['metadata']['name']}" for c in found))


def complete_request(cluster: Cluster, config: Migration, move_id: str) -> VolumeRequest:
    """Return what the mover shall bring across, all claims of it.

    Raises:
        TransientError: no running pod mounts a claim just now; without one its data would stay behind.
    """
    request = volume_request(cluster, config, move_id)
    mounted = {f"{pod.namespace}/{claim}" for pod in request.pods for claim in pod.claims}
    left = [claim for claim in claims_of(cluster, config) if claim not in mounted]
    if left:
        raise TransientError(
            "volumes.unmounted",
            f"looking for the pods that mount {', '.join(left)} on {config.from_context}",
            "no running pod mounts it just now",
            f"kubectl --context {config.from_context} get pods -n {left[0].partition('/')[0]}",
        )
    return request


def request_record(request: VolumeRequest) -> dict[str, Any]:
    """Return the JSON form of a request; labels and names only, nothing secret."""
    return {
        "id": request.id,
        "namespaces": list(request.namespaces),
        "storage_classes": dict(request.storage_classes),
        "pods": [[pod.namespace, pod.name, dict(pod.labels), list(pod.claims)] for pod in request.pods],
    }


def request_of(record: dict[str, Any]) -> VolumeRequest:
    """Return a request from its JSON form."""
    pods = tuple(
        VolumePod(namespace, name, labels, tuple(claims)) for namespace, name, labels, claims in record["pods"]
    )
    return VolumeRequest(record["id"], tuple(record["namespaces"]), record["storage_classes"], pods)


def volume_request(cluster: Cluster, config: Migration, move_id: str) -> VolumeRequest:
    """Return what the mover can bring across now: the claims that a running pod mounts.

    Args:
        cluster: blue.
        config: the migration.
        move_id: DNS-1123 name unique to this attempt.
    """
    wanted = set(claims_of(cluster, config))
    pods = []
    for pod in _listed(cluster, "Pod", config.namespaces):
        meta = pod["metadata"]
        names = _claim_names(pod)
        mounted = tuple(name for name in names if f"{meta['namespace']}/{name}" in wanted)
        if mounted and pod.get("status", {}).get("phase") == "Running":
            pods.append(VolumePod(meta["namespace"], meta["name"], dict(meta.get("labels") or {}), mounted))
            wanted -= {f"{meta['namespace']}/{name}" for name in mounted}
    return VolumeRequest(move_id, tuple(config.namespaces), dict(config.transform.storage_classes), tuple(pods))


def _claim_names(pod: Raw) -> list[str]:
    """Return the claims that a pod mounts."""
    volumes = pod["spec"].get("volumes") or []
    return [volume["persistentVolumeClaim"]["claimName"] for volume in volumes if "persistentVolumeClaim" in volume]


def unmounted(cluster: Cluster, config: Migration) -> tuple[str, ...]:
    """Return the claims that no running pod on blue mounts."""
    request = volume_request(cluster, config, "check")
    mounted = {f"{pod.namespace}/{claim}" for pod in request.pods for claim in pod.claims}
    return tuple(claim for claim in claims_of(cluster, config) if claim not in mounted)


def owned_users(cluster: Cluster, namespaces: Iterable[str], claims: set[tuple[str, str]]) -> list[str]:
    """Return the pods of controllers that mount one of these claims, as namespace/name."""
    return [
        f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        for pod in _listed(cluster, "Pod", namespaces)
        if pod["metadata"].get("ownerReferences")
        and any((pod["metadata"]["namespace"], name) in claims for name in _claim_names(pod))
    ]
