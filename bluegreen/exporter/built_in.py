"""What belongs to Kubernetes itself: its API groups, and which kinds its own controllers make for an owner.

Operators mark built-in objects as controllers as well (SetControllerReference puts a Deployment over a ConfigMap), so
the mark alone does not say that somebody on green makes the object again. Pure.
"""

from bluegreen.model.ports import Raw

BUILT_IN_GROUPS = frozenset(
    group + (".k8s.io" if dotted else "")
    for dotted, groups in (
        (False, ("", "apps", "batch", "autoscaling", "policy", "extensions")),
        (True, ("events", "networking", "rbac.authorization", "storage", "scheduling", "node", "discovery")),
        (True, ("coordination", "admissionregistration", "apiextensions", "apiregistration", "authentication")),
        (True, ("authorization", "certificates", "flowcontrol.apiserver", "internal.apiserver", "resource")),
        (True, ("storagemigration",)),
    )
    for group in groups
)

MADE_FOR: dict[str, frozenset[str]] = {
    # Kubernetes pkg/controller, the directory named on each line
    "Deployment": frozenset({"ReplicaSet"}),  # deployment/sync.go getNewReplicaSet
    "ReplicaSet": frozenset({"Pod"}),  # replicaset/replica_set.go manageReplicas
    "ReplicationController": frozenset({"Pod"}),  # replication/replication_controller.go, replicaset's code
    # Its claims hold data that no controller makes again, so they are not here: statefulset/stateful_set_utils.go
    "StatefulSet": frozenset({"Pod", "ControllerRevision"}),  # statefulset/stateful_pod_control.go, history/
    "DaemonSet": frozenset({"Pod", "ControllerRevision"}),  # daemon/daemon_controller.go, daemon/update.go
    "Job": frozenset({"Pod"}),  # job/job_controller.go manageJob
    "CronJob": frozenset({"Job"}),  # cronjob/utils.go getJobFromTemplate2
    "Service": frozenset({"Endpoints", "EndpointSlice"}),  # endpoint/, endpointslice/
    "Endpoints": frozenset({"EndpointSlice"}),  # endpointslicemirroring/
    "Pod": frozenset({"PersistentVolumeClaim", "ResourceClaim"}),  # volume/ephemeral/, resourceclaim/
    # Not a controller: the kubelet, pkg/kubelet/pod/mirror_client.go and util/nodelease.go
    "Node": frozenset({"Pod", "Lease"}),
}
"""Kinds that a built-in controller makes again for an owner, by the owner's kind."""


def is_built_in(api_version: str) -> bool:
    """Return whether Kubernetes itself serves that API version (Gateway API and snapshots are custom resources)."""
    return api_version.rpartition("/")[0] in BUILT_IN_GROUPS


def is_made_for(owner: Raw, obj: Raw) -> bool:
    """Return whether Kubernetes' own controllers make such an object for such an owner.

    Only kinds are compared: an old object may name its owner in a group that is gone, such as extensions.

    Args:
        owner: an owner reference; one to a custom resource never counts.
        obj: raw object.
    """
    own = is_built_in(str(owner.get("apiVersion", ""))) and is_built_in(str(obj.get("apiVersion", "")))
    return own and obj.get("kind") in MADE_FOR.get(str(owner.get("kind")), ())
