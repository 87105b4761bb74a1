"""Let green know of a backup that blue finished: what Velero's own sync does, without its wait.

Velero looks for foreign backups once a minute, whatever backupSyncPeriod says, and during a cut-over that minute is
downtime. The records are created as Velero's sync controller creates them; the data is not touched. Where the server
would drop their status, which would make green run the backup anew, we wait for Velero instead.
"""

from contextlib import suppress
from typing import Any

from bluegreen.model.errors import ConflictError, RefusedError
from bluegreen.model.ports import Cluster, MoveStatus, Raw
from bluegreen.model.refs import ObjectRef
from bluegreen_adapters.velero_checks import location
from bluegreen_adapters.velero_move import Move
from bluegreen_adapters.velero_progress import volume_backups
from bluegreen_adapters.velero_reads import find, uid_of

_STORAGE_LABEL = "velero.io/storage-location"
_UID_LABEL = "velero.io/backup-uid"
_CRDS = ("backups.velero.io", "podvolumebackups.velero.io")


def hand_over(move: Move, backup: Raw) -> MoveStatus | None:
    """Bring green the records of a completed backup; None when it has them all.

    The Backup comes first and its volumes after it, here as in Velero; a restore in between would bring empty volumes.
    """
    synced = find(move.green, move.names.backup)
    if synced is None:
        return _introduce(move, backup)
    have = {volume["metadata"]["name"] for volume in volume_backups(move.green, move.names)}
    missing = [raw for raw in volume_backups(move.blue, move.names) if raw["metadata"]["name"] not in have]
    if not missing:
        return None
    if _keeps_status(move.green):
        for volume in missing:
            with suppress(ConflictError):
                move.green.create(volume_record(volume, synced))
    return move.status("sync", "Waiting", f"green does not know {len(missing)} volumes of the backup yet")


def _introduce(move: Move, backup: Raw) -> MoveStatus:
    where = location(move.green, move.options)
    if where is None or not _keeps_status(move.green):
        return move.status("sync", "Waiting", "green's Velero looks for new backups once a minute")
    with suppress(ConflictError):
        move.green.create(backup_record(backup, str(where["metadata"]["name"])))
    return move.status("sync", "Waiting", "green gets the records of the backup")


def _keeps_status(green: Cluster) -> bool:
    """Return whether a created record keeps its status: so long as its CRD has no status subresource."""
    try:
        crds = [find(green, ObjectRef("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", n)) for n in _CRDS]
    except RefusedError:
        return False
    return all(crd is not None and not _has_status_subresource(crd) for crd in crds)


def _has_status_subresource(crd: Raw) -> bool:
    return any("status" in (version.get("subresources") or {}) for version in crd["spec"]["versions"])


def backup_record(backup: Raw, storage_location: str) -> Raw:
    """Return a finished Backup as another cluster's Velero records it.

    Args:
        backup: the Backup as read.
        storage_location: name of the BackupStorageLocation there.
    """
    # Hooks belong to a run; a record has none, so that nothing executable travels.
    spec = {key: value for key, value in backup["spec"].items() if key != "hooks"}
    record = _record(backup, spec | {"storageLocation": storage_location})
    record["metadata"]["labels"][_STORAGE_LABEL] = storage_location
    return record


def volume_record(volume: Raw, synced: Raw) -> Raw:
    """Return a finished PodVolumeBackup as the record of a Backup in another cluster."""
    record = _record(volume, volume["spec"] | {"backupStorageLocation": synced["spec"]["storageLocation"]})
    record["metadata"]["labels"][_UID_LABEL] = uid_of(synced)
    owner = {"apiVersion": synced["apiVersion"], "kind": "Backup", "controller": True}
    record["metadata"]["ownerReferences"] = [owner | {"name": synced["metadata"]["name"], "uid": uid_of(synced)}]
    return record


def _record(obj: Raw, spec: dict[str, Any]) -> Raw:
    meta = obj["metadata"]
    kept = {"name": meta["name"], "namespace": meta["namespace"], "labels": dict(meta.get("labels") or {})}
    if meta.get("annotations"):
        kept["annotations"] = meta["annotations"]
    return {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "metadata": kept,
        "spec": spec,
        "status": obj["status"],
    }
