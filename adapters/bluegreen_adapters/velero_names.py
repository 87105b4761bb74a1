"""Names, labels and options of the Velero mover.

All names derive from the request's id, so that a restart finds its own work. Nothing here talks to a cluster.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bluegreen.model.durations import parse_duration
from bluegreen.model.errors import InvalidInputError
from bluegreen.model.ports import ApiResource, VolumeRequest
from bluegreen.model.refs import ObjectRef

VELERO = "velero.io/v1"
MOVE = "bluegreen.io/move"
ROLE = "bluegreen.io/role"
CARRIER = "carrier"
CLAIM_UID = "bluegreen.io/claim-uid"
FILLED = "bluegreen.io/filled-by"
CARGO = "bluegreen.io/cargo"
BACKUP_LABEL = "velero.io/backup-name"
RESTORE_LABEL = "velero.io/restore-name"
CLAIM_OF_BACKUP = "velero.io/pvc-name"

PODS = ApiResource("v1", "Pod", "pods", namespaced=True, verbs=frozenset())
CLAIMS = ApiResource("v1", "PersistentVolumeClaim", "persistentvolumeclaims", namespaced=True, verbs=frozenset())
STORAGE = ApiResource(VELERO, "BackupStorageLocation", "backupstoragelocations", namespaced=True, verbs=frozenset())
BACKUPS = ApiResource(VELERO, "Backup", "backups", namespaced=True, verbs=frozenset())
RESTORES = ApiResource(VELERO, "Restore", "restores", namespaced=True, verbs=frozenset())
VOLUME_BACKUPS = ApiResource(VELERO, "PodVolumeBackup", "podvolumebackups", namespaced=True, verbs=frozenset())
VOLUME_RESTORES = ApiResource(VELERO, "PodVolumeRestore", "podvolumerestores", namespaced=True, verbs=frozenset())

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Options:
    """What a user may set under the mover's options.

    Attributes:
        namespace: namespace of Velero, in both clusters.
        carrier_image: image that does nothing, for the pods that hold the volumes on green while they are filled.
        ttl: Go duration after which Velero drops the backup by itself.
        storage_location: BackupStorageLocation, empty for each cluster's default.
    """

    namespace: str = "velero"
    carrier_image: str = "registry.k8s.io/pause:3.10"
    ttl: str = "72h"
    storage_location: str = ""


_KEYS = {
    "namespace": "namespace",
    "carrierImage": "carrier_image",
    "ttl": "ttl",
    "storageLocation": "storage_location",
}


def read_options(options: Mapping[str, object], name: str) -> Options:
    """Return checked options.

    Args:
        options: keys as in the configuration file.
        name: name of the mover there, for messages.

    Raises:
        InvalidInputError: unknown keys, values that are no text, or a ttl that is no duration; all at once.
    """
    reasons = [f"unknown option {key!r}; known: {', '.join(_KEYS)}" for key in options if key not in _KEYS]
    reasons += [
        f"{key} must be text, not {type(value).__name__}"
        for key, value in options.items()
        if key in _KEYS and not isinstance(value, str)
    ]
    try:
        parse_duration(str(options.get("ttl", "0")))
    except ValueError as error:
        reasons.append(f"ttl: {error}")
    if reasons:
        raise InvalidInputError("velero.options", f"reading the options of the mover {name!r}", tuple(reasons))
    return Options(**{_KEYS[key]: str(value) for key, value in options.items()})


@dataclass(frozen=True, slots=True)
class Names:
    """References to every object of one move."""

    move: str
    namespace: str

    @classmethod
    def of(cls, request: VolumeRequest, options: Options) -> "Names":
        """Return the names of a request's objects.

        Raises:
            InvalidInputError: the id cannot be a label value and name.
        """
        if not _LABEL.fullmatch(request.id):
            reason = f"{request.id!r} is no DNS-1123 label of at most 63 characters"
            raise InvalidInputError("velero.request", "naming the move", (reason,))
        return cls(request.id, options.namespace)

    def _velero(self, kind: str) -> ObjectRef:
        return ObjectRef(VELERO, kind, self.namespace, self.move)

    @property
    def backup(self) -> ObjectRef:
        """Return the Backup, made on blue and synced to green."""
        return self._velero("Backup")

    @property
    def restore(self) -> ObjectRef:
        """Return the Restore on green."""
        return self._velero("Restore")

    @property
    def deletion(self) -> ObjectRef:
        """Return the DeleteBackupRequest on blue."""
        return self._velero("DeleteBackupRequest")

    @property
    def policy(self) -> ObjectRef:
        """Return the ConfigMap on blue that says which volumes are left out."""
        return ObjectRef("v1", "ConfigMap", self.namespace, f"{self.move}-volumes")

    @property
    def carriers(self) -> ObjectRef:
        """Return the ConfigMap on green that turns restored pods into carriers."""
        return ObjectRef("v1", "ConfigMap", self.namespace, f"{self.move}-carriers")

    @property
    def selector(self) -> str:
        """Return the label selector of the carrier pods."""
        return f"{MOVE}={self.move}"
