"""What the Velero mover itself asks of both API servers, as Roles; what Velero's own server needs is Velero's matter.

A test drives a whole move and its cancelling past a recorder and holds that each call is granted here and that nothing
is granted in vain. What every authenticated user may do (discovery, asking for one's own rights) is not listed.
"""

from typing import Any

from bluegreen.model.permissions import Permissions
from bluegreen.model.refs import Side

_RBAC = "rbac.authorization.k8s.io/v1"
_VELERO, _APPS, _STORAGE, _CRDS = "velero.io", "apps", "storage.k8s.io", "apiextensions.k8s.io"
# group, resource, verbs
Rule = tuple[str, str, tuple[str, ...]]

IN_VELERO: dict[Side, tuple[Rule, ...]] = {
    Side.BLUE: (
        (_VELERO, "backups", ("get", "list", "create")),
        (_VELERO, "deletebackuprequests", ("get", "create", "delete")),
        (_VELERO, "podvolumebackups", ("list", "patch")),
        (_VELERO, "backupstoragelocations", ("list",)),
        ("", "configmaps", ("get", "create", "patch", "delete")),
        (_APPS, "deployments", ("get",)),
        (_APPS, "daemonsets", ("get",)),
    ),
    Side.GREEN: (
        (_VELERO, "backups", ("get", "create")),
        (_VELERO, "restores", ("get", "list", "create", "delete")),
        (_VELERO, "podvolumebackups", ("list", "create")),
        (_VELERO, "podvolumerestores", ("list", "patch")),
        (_VELERO, "backupstoragelocations", ("list",)),
        ("", "configmaps", ("get", "create", "patch", "delete")),
        (_APPS, "deployments", ("get",)),
        (_APPS, "daemonsets", ("get",)),
    ),
}
IN_WORKLOADS: dict[Side, tuple[Rule, ...]] = {
    Side.BLUE: (
        ("", "pods", ("get", "list")),
        ("", "persistentvolumeclaims", ("get",)),
    ),
    Side.GREEN: (
        ("", "pods", ("get", "list", "delete")),
        ("", "persistentvolumeclaims", ("get", "list", "patch", "delete")),
        ("", "serviceaccounts", ("get",)),
    ),
}
IN_CLUSTER: dict[Side, tuple[Rule, ...]] = {
    Side.BLUE: (("", "persistentvolumes", ("get",)),),
    Side.GREEN: (
        ("", "namespaces", ("get", "create")),
        (_STORAGE, "storageclasses", ("get",)),
        (_CRDS, "customresourcedefinitions", ("get",)),
    ),
}


def _role(side: Side, where: str, rules: tuple[Rule, ...]) -> dict[str, Any]:
    """Return a Role of Velero's namespace, or a ClusterRole for the other two places."""
    kind = "Role" if where == "server" else "ClusterRole"
    meta: dict[str, Any] = {"name": f"bluegreen-velero-{side}-{where}", "labels": {"bluegreen.io/side": str(side)}}
    return {
        "apiVersion": _RBAC,
        "kind": kind,
        "metadata": meta | ({"namespace": "velero"} if kind == "Role" else {}),
        "rules": [
            {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)} for group, resource, verbs in rules
        ],
    }


VELERO = Permissions(
    (
        "Velero with its node agent on both clusters; its server's own rights come with its installation",
        "on blue, in Velero's namespace: make and follow a backup, and have it deleted when the move is cancelled",
        "on blue, in each namespace that moves: read pods and claims; in the cluster: read persistent volumes",
        "on green, in Velero's namespace: take over the backup's records, make, follow and delete a restore",
        "on green, in each namespace that moves: read pods, claims and the default account",
        "there too: note on claims whose they are, delete carrier pods and claims that the move itself made",
        "on green, in the cluster: read storage classes and definitions; make a namespace that is missing",
        "bind …-server by a RoleBinding in the namespace velero (change it if Velero is elsewhere)",
        "bind …-workloads by a RoleBinding in each namespace that moves, …-cluster by a ClusterRoleBinding",
        "the label bluegreen.io/side of each role says on which cluster it is needed",
    ),
    {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            _role(side, where, rules[side])
            for side in Side
            for where, rules in (("server", IN_VELERO), ("workloads", IN_WORKLOADS), ("cluster", IN_CLUSTER))
        ],
    },
)
