"""End what an earlier, broken-off story left running in Velero.

A Restore that still waits in Velero's queue would otherwise run in the middle of the next story and take its claim. It
must never touch a Backup or Restore of any other namespace than the one it is given.
"""

import json
import time
from typing import Any

from scenarios.cluster import get, kubectl
from scenarios.lab.console import LabError, say

VELERO = "velero"
ENDED = {"Completed", "PartiallyFailed", "Failed", "FailedValidation", "Deleting"}
QUEUED = {"", "New", "Queued", "ReadyToStart"}
VOLUMES = {
    "backups.velero.io": ("podvolumebackups.velero.io", "velero.io/backup-name"),
    "restores.velero.io": ("podvolumerestores.velero.io", "velero.io/restore-name"),
}
PATIENCE_SECONDS = 10
RESTART_SECONDS = 120


def end_all(context: str, namespace: str) -> None:
    """Cancel every unfinished Backup and Restore of the namespace and wait until there is none.

    Velero can not stop one as such: its volumes are cancelled, and when that does not help Velero is started again,
    which marks what was under way as failed.

    Raises:
        LabError: something is still under way after all that.
    """
    if not unfinished(context, namespace):
        return
    say(context, "ending what an earlier run left in Velero")
    if _ended_within(context, namespace, PATIENCE_SECONDS):
        return
    kubectl(context, "-n", VELERO, "rollout", "restart", "deployment/velero")
    kubectl(context, "-n", VELERO, "rollout", "status", "deployment/velero", f"--timeout={RESTART_SECONDS}s")
    if not _ended_within(context, namespace, RESTART_SECONDS):
        left = ", ".join(name for _, name, _ in unfinished(context, namespace))
        raise LabError(f"{context}: Velero still works on {left}")


def unfinished(context: str, namespace: str) -> list[tuple[str, str, str]]:
    """Return kind, name and phase of each Backup and Restore of the namespace that has not ended."""
    found = []
    for kind in VOLUMES:
        for item in get(context, "-n", VELERO, kind)["items"]:
            phase = item.get("status", {}).get("phase", "")
            if item["spec"].get("includedNamespaces") == [namespace] and phase not in ENDED:
                found.append((kind, item["metadata"]["name"], phase))
    return found


def _ended_within(context: str, namespace: str, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while left := unfinished(context, namespace):
        for kind, name, phase in left:
            _end(context, kind, name, phase)
        if time.monotonic() > deadline:
            return False
        time.sleep(1)
    return True


def _end(context: str, kind: str, name: str, phase: str) -> None:
    """Delete what has not begun; cancel the volumes of what has."""
    if phase in QUEUED:
        kubectl(context, "-n", VELERO, "delete", kind, name, "--ignore-not-found", "--wait=false")
        return
    volumes, label = VOLUMES[kind]
    running: list[dict[str, Any]] = get(context, "-n", VELERO, volumes, "-l", f"{label}={name}")["items"]
    for volume in running:
        if not volume["spec"].get("cancel"):
            patch = ("--type=merge", "-p", json.dumps({"spec": {"cancel": True}}))
            kubectl(context, "-n", VELERO, "patch", volumes, volume["metadata"]["name"], *patch)
