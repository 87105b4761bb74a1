"""Velero on two fake clusters: does one visible thing per tick, so that tests can look (and die) in between.

It restores by the move's own rules, as far as they are merge patches and labels; it starts no container.
"""

import json
from typing import Any

from bluegreen.model.ports import Raw
from bluegreen.model.refs import ObjectRef
from tests.unit.fake_cluster import FakeCluster, merge, resource

VELERO = "velero.io/v1"
KINDS = (
    "Backup",
    "Restore",
    "BackupStorageLocation",
    "PodVolumeBackup",
    "PodVolumeRestore",
    "DeleteBackupRequest",
)


def velero_object(kind: str, name: str, **fields: Any) -> Raw:
    meta = {"name": name, "namespace": "velero"} | fields.pop("metadata", {})
    return {"apiVersion": VELERO, "kind": kind, "metadata": meta, **fields}


def namespace(name: str) -> Raw:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def object_(kind: str, where: str, name: str, *, api: str = "v1", **fields: Any) -> Raw:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": where}, **fields}


def cluster(context: str) -> FakeCluster:
    """A cluster with a healthy Velero."""
    made = FakeCluster(context, [resource(VELERO, kind) for kind in KINDS], stateless=KINDS)
    made.seed(namespace("velero"))
    made.seed(object_("Deployment", "velero", "velero", api="apps/v1", status={"availableReplicas": 1}))
    ready = {"numberReady": 1, "desiredNumberScheduled": 1}
    made.seed(object_("DaemonSet", "velero", "node-agent", api="apps/v1", status=ready))
    spec = {"default": True, "objectStorage": {"bucket": "lab"}}
    made.seed(velero_object("BackupStorageLocation", "default", spec=spec, status={"phase": "Available"}))
    for plural in ("backups", "podvolumebackups"):
        crd = object_("CustomResourceDefinition", "", f"{plural}.velero.io", api="apiextensions.k8s.io/v1")
        made.seed(crd | {"spec": {"versions": [{"name": "v1"}]}})
    return made


class FakeVelero:
    """Both servers. `skips` are volumes that a backup leaves out in silence."""

    def __init__(self, blue: FakeCluster, green: FakeCluster) -> None:
        self.blue, self.green = blue, green
        self.skips: set[str] = set()

    def tick(self) -> None:
        for ref, obj in list(self.blue.objects.items()):
            if ref.kind == "Backup":
                self._backup(ref, obj)
            if ref.kind == "DeleteBackupRequest":
                self._delete_backup(ref, obj)
        for ref, obj in list(self.green.objects.items()):
            if ref.kind == "Restore":
                self._restore(ref, obj)
        self._start_pods()

    def _backup(self, ref: ObjectRef, obj: Raw) -> None:
        match obj.get("status", {}).get("phase", ""):
            case "":
                self._volume_backups(ref)
                obj["status"] = {"phase": "InProgress"}
            case "InProgress":
                volumes = _of(self.blue, "PodVolumeBackup", ref.name)
                cancelled = [v for v in volumes if v["spec"].get("cancel")]
                for volume in volumes:
                    volume["status"] |= {"phase": "Canceled" if volume in cancelled else "Completed"}
                obj["status"] = {"phase": "PartiallyFailed" if cancelled else "Completed"}

    def _volume_backups(self, ref: ObjectRef) -> None:
        cargo = json.loads(self._carriers(ref.name)["metadata"]["annotations"]["bluegreen.io/cargo"])
        for number, entry in enumerate(e for e in cargo if e["claim"] not in self.skips):
            meta = {
                "labels": {"velero.io/backup-name": ref.name},
                "annotations": {"velero.io/pvc-name": entry["claim"]},
            }
            pod = {"namespace": entry["namespace"], "name": entry["pod"], "uid": entry["uid"]}
            status = {"phase": "InProgress", "progress": {"bytesDone": 5, "totalBytes": 10}}
            spec = {"pod": pod, "volume": entry["volume"]}
            name = f"{ref.name}-{number}"
            self.blue.seed(velero_object("PodVolumeBackup", name, metadata=meta, spec=spec, status=status))

    def _carriers(self, move: str) -> Raw:
        return self.green.objects[ObjectRef("v1", "ConfigMap", "velero", f"{move}-carriers")]

    def _delete_backup(self, ref: ObjectRef, obj: Raw) -> None:
        backup = ObjectRef(VELERO, "Backup", "velero", obj["spec"]["backupName"])
        phase = self.blue.objects.get(backup, {}).get("status", {}).get("phase")
        if phase == "InProgress":
            obj["status"] = {"phase": "Processed", "errors": ["backup is still in progress"]}
            return
        self.blue.objects.pop(backup, None)
        self.blue.objects.pop(ref)

    def _restore(self, ref: ObjectRef, obj: Raw) -> None:
        match obj.get("status", {}).get("phase", ""):
            case "":
                self._restore_items(ref)
                obj["status"] = {"phase": "InProgress"}
            case "InProgress":
                volumes = _of(self.green, "PodVolumeRestore", ref.name)
                for volume in volumes:
                    volume["status"] = _restored(volume)
                ends = {volume["status"]["phase"] for volume in volumes}
                if ends <= {"Canceled", "Completed"}:
                    obj["status"] = {"phase": "PartiallyFailed" if "Canceled" in ends else "Completed"}

    def _restore_items(self, ref: ObjectRef) -> None:
        rules = json.loads(self._carriers(ref.name)["data"]["rules.yaml"])["resourceModifierRules"]
        mine = {"velero.io/restore-name": ref.name}
        for number, backup in enumerate(_of(self.green, "PodVolumeBackup", ref.name)):
            pod, claim = backup["spec"]["pod"], backup["metadata"]["annotations"]["velero.io/pvc-name"]
            self._restore_claim(pod["namespace"], claim, rules, mine)
            self._restore_pod(pod["namespace"], pod["name"], claim, rules, mine)
            meta = {"labels": {"velero.io/restore-name": ref.name}}
            name = f"{ref.name}-{number}"
            self.green.seed(velero_object("PodVolumeRestore", name, metadata=meta, spec=dict(backup["spec"])))

    def _restore_claim(self, where: str, name: str, rules: list[Any], labels: dict[str, str]) -> None:
        raw = object_("PersistentVolumeClaim", where, name, spec={"storageClassName": "slow"})
        for rule in rules:
            if rule["conditions"]["groupResource"] == "persistentvolumeclaims":
                raw = merge(raw, json.loads(rule["mergePatches"][0]["patchData"]))
        raw["metadata"]["labels"] = labels
        if ObjectRef("v1", "PersistentVolumeClaim", where, name) not in self.green.objects:
            self.green.seed(raw | {"status": {"phase": "Bound"}})

    def _restore_pod(self, where: str, name: str, claim: str, rules: list[Any], labels: dict[str, str]) -> None:
        patch = json.loads(rules[1]["strategicPatches"][0]["patchData"])
        own = {k: v for k, v in patch["metadata"]["labels"].items() if k != "$patch"}
        raw = object_("Pod", where, name, spec={"initContainers": [{"name": "restore-wait"}]})
        raw["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
        raw["metadata"]["labels"] = own | labels
        if ObjectRef("v1", "Pod", where, name) not in self.green.objects:
            self.green.seed(raw | {"status": {"phase": "Pending"}})

    def _start_pods(self) -> None:
        for ref, obj in self.green.objects.items():
            restores = [o for r, o in self.green.objects.items() if r.kind == "PodVolumeRestore"]
            filled = [r for r in restores if r["spec"]["pod"]["name"] == ref.name and r.get("status")]
            if ref.kind == "Pod" and filled:
                obj["status"] = {"phase": "Running", "conditions": [{"type": "Initialized", "status": "True"}]}


def _restored(volume: Raw) -> Raw:
    """Return the next status; as in Velero 1.18, who cancels while the data mover starts is not heard."""
    cancelled = bool(volume["spec"].get("cancel"))
    status = volume.get("status", {})
    match status.get("phase", ""):
        case "":
            return {"phase": "Canceled" if cancelled else "InProgress"}
        case "InProgress" if not status.get("progress"):
            return {"phase": "Canceling"} if cancelled else status | {"progress": {"bytesDone": 5, "totalBytes": 10}}
        case "InProgress":
            return {"phase": "Canceled" if cancelled else "Completed"}
        case _:
            return dict(status)


def _of(cluster: FakeCluster, kind: str, move: str) -> list[Raw]:
    found = [obj for ref, obj in cluster.objects.items() if ref.kind == kind]
    return [o for o in found if move in (o["metadata"].get("labels") or {}).values()]
