"""A Velero backup on one cluster and its restore on the other, of the same objects that the product imports.

Everything it makes in Velero is named after the bench and removed again, the backup's data too.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scenarios.bench.objects import GROUP, PLURALS
from scenarios.cluster import NEW, OLD, kubectl
from scenarios.lab.console import LabError
from scenarios.velero_leftovers import VELERO, end_all

NAME = "bench"
LIMIT_SECONDS = 600
START_SECONDS = 90.0
EVERY_SECONDS = 0.5
_GOOD = frozenset({"Completed"})
_ENDED = frozenset({"Completed", "PartiallyFailed", "Failed", "FailedValidation"})


@contextmanager
def as_installed() -> Iterator[None]:
    """Let green's Velero ask the API server as often as `velero install` lets it: the lab allows it three times that.

    Raises:
        LabError: it does not come back.
    """
    tuned = _arguments()
    try:
        _restart_with([word for word in tuned if not word.startswith("--client-")])
        yield
    finally:
        _restart_with(tuned)


def _arguments() -> list[str]:
    deployment = json.loads(kubectl(NEW, "-n", VELERO, "get", "deployment", "velero", "-o", "json"))
    words: list[str] = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    return words


def _restart_with(arguments: list[str]) -> None:
    patch = [{"op": "replace", "path": "/spec/template/spec/containers/0/args", "value": arguments}]
    before = _validated()
    kubectl(NEW, "-n", VELERO, "patch", "deployment", "velero", "--type=json", "-p", json.dumps(patch))
    kubectl(NEW, "-n", VELERO, "rollout", "status", "deployment/velero", f"--timeout={START_SECONDS:.0f}s")
    deadline = time.monotonic() + START_SECONDS
    while _validated() == before:
        if time.monotonic() > deadline:
            raise LabError(f"{NEW}: Velero has not looked at its storage location within {START_SECONDS:.0f} s")
        time.sleep(EVERY_SECONDS)


def _validated() -> str:
    path = "{.status.lastValidationTime}"
    return kubectl(NEW, "-n", VELERO, "get", "backupstoragelocation", "default", "-o", f"jsonpath={path}")


def back_up(namespace: str) -> None:
    """Back up a namespace of blue and wait until green's Velero knows it.

    Raises:
        LabError: it failed, or took too long.
    """
    spec = {"includedNamespaces": [namespace], "snapshotVolumes": False, "storageLocation": "default", "ttl": "2h0m0s"}
    _create(OLD, "Backup", spec)
    _wait(OLD, "backups.velero.io")
    _wait(NEW, "backups.velero.io")


def restore(namespace: str, target: str) -> tuple[float, int]:
    """Restore the backup into another namespace of green; return the seconds and the number of objects restored.

    Raises:
        LabError: it did not complete.
    """
    spec = {
        "backupName": NAME,
        "includedNamespaces": [namespace],
        "includedResources": [_resource(path) for path in PLURALS.values()],
        "namespaceMapping": {namespace: target},
    }
    started = time.monotonic()
    _create(NEW, "Restore", spec)
    status = _wait(NEW, "restores.velero.io")
    return time.monotonic() - started, int((status.get("progress") or {}).get("itemsRestored") or 0)


def _resource(path: str) -> str:
    plural = path.rpartition("/")[2]
    return f"{plural}.{GROUP}" if GROUP in path else plural


def remove(namespace: str) -> None:
    """Remove the restore, the backup and its data; a restore under way is ended first."""
    for context in (OLD, NEW):
        end_all(context, namespace)
        kubectl(context, "-n", VELERO, "delete", "restores.velero.io", NAME, "--ignore-not-found", "--timeout=60s")
    if not _phase(OLD, "backups.velero.io"):
        return
    _create(OLD, "DeleteBackupRequest", {"backupName": NAME})
    deadline = time.monotonic() + LIMIT_SECONDS / 4
    while _phase(OLD, "backups.velero.io") or _phase(NEW, "backups.velero.io"):
        if time.monotonic() > deadline:
            raise LabError(f"the backup {NAME} is still there", hint="velero backup delete bench")
        time.sleep(1)


def _create(context: str, kind: str, spec: dict[str, Any]) -> None:
    meta = {"name": NAME, "namespace": VELERO}
    manifest = {"apiVersion": "velero.io/v1", "kind": kind, "metadata": meta, "spec": spec}
    kubectl(context, "create", "-f", "-", stdin=json.dumps(manifest))


def _status(context: str, kind: str) -> dict[str, Any]:
    said = kubectl(context, "-n", VELERO, "get", kind, NAME, "--ignore-not-found", "-o", "json")
    return (json.loads(said).get("status") or {"phase": "New"}) if said.strip() else {}


def _phase(context: str, kind: str) -> str:
    return str(_status(context, kind).get("phase", ""))


def _wait(context: str, kind: str) -> dict[str, Any]:
    deadline = time.monotonic() + LIMIT_SECONDS
    while (phase := (status := _status(context, kind)).get("phase")) not in _ENDED:
        if time.monotonic() > deadline:
            raise LabError(f"{context}: {kind} {NAME} is {phase or 'not there'} after {LIMIT_SECONDS} s")
        time.sleep(EVERY_SECONDS)
    if phase not in _GOOD:
        raise LabError(f"{context}: {kind} {NAME} ended as {phase}: {status.get('validationErrors') or ''}")
    return status
