"""How far a move is and what holds it up, read from Velero's volume objects and the carrier pods.

It changes nothing.
"""

import json
from collections.abc import Iterable, Iterator

from bluegreen.model.errors import RefusedError, clean_text
from bluegreen.model.ports import ApiResource, Cluster, MoveStatus, Raw
from bluegreen.model.refs import ref_of
from bluegreen_adapters.velero_names import (
    BACKUP_LABEL,
    CARGO,
    CLAIM_OF_BACKUP,
    PODS,
    RESTORE_LABEL,
    VOLUME_BACKUPS,
    VOLUME_RESTORES,
    Names,
)
from bluegreen_adapters.velero_phases import PHASES, Outlook, outlook, phase_of, reasons_of
from bluegreen_adapters.velero_reads import annotation, find

Volume = tuple[str, str, str]
_MESSAGE_LIMIT = 1000
_IDLE = frozenset({"", "New", "Queued", "ReadyToStart"})


def volume_backups(cluster: Cluster, names: Names) -> list[Raw]:
    """Return the PodVolumeBackups of a move in a cluster."""
    return list(cluster.list(VOLUME_BACKUPS, names.namespace, f"{BACKUP_LABEL}={names.backup.name}"))


def volume_restores(green: Cluster, names: Names) -> list[Raw]:
    """Return the PodVolumeRestores of a move."""
    return list(green.list(VOLUME_RESTORES, names.namespace, f"{RESTORE_LABEL}={names.restore.name}"))


def running(stage: str, obj: Raw, volumes: list[Raw], message: str = "") -> MoveStatus:
    """Return the status of a Backup or Restore that goes on."""
    progress = [(volume.get("status") or {}).get("progress") or {} for volume in volumes]
    finished = sum(outlook(volume) is Outlook.COMPLETED for volume in volumes)
    return MoveStatus(
        stage=stage,
        phase=phase_of(obj) or "New",
        done=False,
        failed=False,
        message=clean_text(message) or f"{finished} of {len(volumes)} volumes",
        bytes_done=sum(int(part.get("bytesDone") or 0) for part in progress),
        bytes_total=sum(int(part.get("totalBytes") or 0) for part in progress),
    )


def queue(cluster: Cluster, kind: ApiResource, names: Names) -> str:
    """Return behind which other Backup or Restore this one waits, for Velero takes one at a time; empty if none."""
    others = [raw for raw in cluster.list(kind, names.namespace) if raw["metadata"]["name"] != names.move]
    running = {phase for phase, meaning in PHASES[kind.kind].items() if meaning is Outlook.RUNNING} - _IDLE
    busy = [str(ref_of(raw)) for raw in others if phase_of(raw) in running]
    return f"waits behind {', '.join(busy)}" if busy else ""


def failed(stage: str, phase: str, reasons: Iterable[str]) -> MoveStatus:
    """Return the status of a move that will not go on by itself."""
    message = clean_text("; ".join(reasons) or "no reason is given", _MESSAGE_LIMIT)
    return MoveStatus(stage=stage, phase=phase, done=False, failed=True, message=message)


def failure_reasons(obj: Raw, volumes: list[Raw], command: str) -> list[str]:
    """Return every reason of a failed Backup or Restore: its own, its volumes', and where to read more."""
    reasons = reasons_of(obj)
    for volume in volumes:
        if outlook(volume) is Outlook.FAILED:
            spec, status = volume["spec"], volume.get("status") or {}
            where = f"{spec['pod']['namespace']}/{spec['pod']['name']} volume {spec['volume']}"
            reasons.append(f"{where} {status.get('phase')}: {status.get('message') or 'no message'}")
    return [*reasons, f"see: {command}"]


def expected_cargo(green: Cluster, names: Names) -> list[dict[str, str]]:
    """Return what was noted at the start about the volumes of the move.

    Raises:
        RefusedError: the note is gone, so nobody can tell whether everything arrived.
    """
    carriers = find(green, names.carriers)
    if carriers is None:
        what, hint = (
            f"reading {names.carriers} on green",
            "run the same bluegreen migrate again, which begins another move",
        )
        raise RefusedError("velero.note-gone", what, "somebody deleted it", hint)
    entries: list[dict[str, str]] = json.loads(annotation(carriers, CARGO))
    return entries


def missing_backups(cargo: list[dict[str, str]], backups: list[Raw]) -> list[str]:
    """Return each claim that no completed PodVolumeBackup holds, and each pod that was replaced meanwhile.

    Velero skips a volume in silence when its pod does not run, so a Completed Backup alone proves nothing.
    """
    held = {
        (backup["spec"]["pod"]["namespace"], annotation(backup, CLAIM_OF_BACKUP))
        for backup in backups
        if outlook(backup) is Outlook.COMPLETED
    }
    known = {entry["uid"] for entry in cargo}
    wanted = sorted({(entry["namespace"], entry["claim"]) for entry in cargo} - held)
    reasons = [f"the backup holds nothing of claim {namespace}/{claim}" for namespace, claim in wanted]
    for backup in backups:
        pod = backup["spec"]["pod"]
        if pod.get("uid") not in known:
            reasons.append(f"Pod {pod['namespace']}/{pod['name']} was replaced while the backup ran")
    return list(dict.fromkeys(reasons))


def missing_restores(backups: list[Raw], restores: list[Raw]) -> list[str]:
    """Return each volume that was backed up and not completely restored."""
    filled = {_volume(restore) for restore in restores if outlook(restore) is Outlook.COMPLETED}
    lacking = sorted({_volume(backup) for backup in backups} - filled)
    return [f"volume {volume} of Pod {namespace}/{pod} was not filled" for namespace, pod, volume in lacking]


def _volume(obj: Raw) -> Volume:
    pod = obj["spec"]["pod"]
    return str(pod["namespace"]), str(pod["name"]), str(obj["spec"]["volume"])


def carriers(green: Cluster, names: Names, namespaces: Iterable[str]) -> list[Raw]:
    """Return the carrier pods of a move."""
    return [pod for namespace in namespaces for pod in listed(green, PODS, namespace, names.selector)]


def listed(cluster: Cluster, resource: ApiResource, namespace: str, selector: str) -> list[Raw]:
    """Return a list as a whole."""
    return list(cluster.list(resource, namespace, selector))


def trouble(pods: Iterable[Raw]) -> str:
    """Return what keeps a carrier pod from running, in Kubernetes' words; empty when nothing does."""
    for pod in pods:
        for reason in _troubles(pod):
            return f"carrier Pod {pod['metadata']['namespace']}/{pod['metadata']['name']}: {reason}"
    return ""


def _troubles(pod: Raw) -> Iterator[str]:
    status = pod.get("status") or {}
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            yield f"{condition.get('reason')} {condition.get('message', '')}"
    for group in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(group) or []:
            waiting = (container.get("state") or {}).get("waiting") or {}
            # These two are the ordinary course of a start.
            if waiting.get("reason") and waiting["reason"] not in {"PodInitializing", "ContainerCreating"}:
                yield f"{waiting['reason']} {waiting.get('message', '')}"
