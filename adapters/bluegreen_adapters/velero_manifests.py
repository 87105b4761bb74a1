"""The objects that a move creates, as data.

Pure. It must put nothing into blue but Velero's own kinds and one ConfigMap.
"""

import json
from collections.abc import Mapping
from typing import Any

from bluegreen.model.ports import Raw, VolumeRequest
from bluegreen.model.refs import ObjectRef
from bluegreen_adapters.velero_names import CARGO, MOVE, Names, Options
from bluegreen_adapters.velero_survey import selector_of

# Sources inside a pod that hold no claim's data; the types of persistent volumes must not stand here.
_LEFT_OUT = ("emptyDir", "configMap", "secret", "projected", "downwardAPI", "ephemeral", "hostPath")


def _object(ref: ObjectRef, move: str, **fields: Any) -> Raw:
    meta = {"name": ref.name, "namespace": ref.namespace, "labels": {MOVE: move}}
    return {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": meta, **fields}


def policy_manifest(names: Names) -> Raw:
    """Return the ConfigMap that keeps a backup to the claims of its pods."""
    policy = {
        "version": "v1",
        "volumePolicies": [{"conditions": {"volumeTypes": list(_LEFT_OUT)}, "action": {"type": "skip"}}],
    }
    return _object(names.policy, names.move, data={"policy.yaml": json.dumps(policy, indent=1)})


def carriers_manifest(names: Names, rules: str, cargo: list[dict[str, str]]) -> Raw:
    """Return the ConfigMap of resource modifiers; what is expected to arrive is noted on it.

    Args:
        names: names of the move.
        rules: resource modifiers as text.
        cargo: one entry per volume, see velero_survey.cargo_of.
    """
    raw = _object(names.carriers, names.move, data={"rules.yaml": rules})
    raw["metadata"]["annotations"] = {CARGO: json.dumps(cargo)}
    return raw


def backup_manifest(names: Names, request: VolumeRequest, options: Options) -> Raw:
    """Return the Backup of the request's pods, their claims and volumes."""
    selectors: list[Mapping[str, str]] = []
    for pod in request.pods:
        if selector_of(pod) not in selectors:
            selectors.append(selector_of(pod))
    spec = {
        "includedNamespaces": list(request.namespaces),
        "includedResources": ["pods", "persistentvolumeclaims", "persistentvolumes"],
        "orLabelSelectors": [{"matchLabels": dict(selector)} for selector in selectors],
        "defaultVolumesToFsBackup": True,
        "snapshotVolumes": False,
        "snapshotMoveData": False,
        "resourcePolicy": {"kind": "configmap", "name": names.policy.name},
        "ttl": options.ttl,
    }
    if options.storage_location:
        spec["storageLocation"] = options.storage_location
    return _object(names.backup, names.move, spec=spec)


def restore_manifest(names: Names, request: VolumeRequest) -> Raw:
    """Return the Restore: pods and claims only, so that the claims get fresh volumes from their class."""
    spec = {
        "backupName": names.backup.name,
        "includedNamespaces": list(request.namespaces),
        "includedResources": ["pods", "persistentvolumeclaims"],
        "resourceModifier": {"kind": "configmap", "name": names.carriers.name},
    }
    return _object(names.restore, names.move, spec=spec)


def deletion_manifest(names: Names) -> Raw:
    """Return the request to delete the Backup and its data."""
    return _object(names.deletion, names.move, spec={"backupName": names.backup.name})


def namespace_manifest(name: str, move: str) -> Raw:
    """Return a Namespace on green for claims that come before their application."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {MOVE: move}}}
