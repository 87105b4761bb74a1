"""The steps of a move, each small and safe to repeat: begin, follow the backup, restore, release.

Each looks at the clusters, does at most the next thing, and says where the move stands. What was done is never
remembered here: a process that is killed between any two lines finds its way from what the clusters hold.
"""

from collections.abc import Iterable
from contextlib import suppress

from bluegreen.model.errors import ConflictError, InvalidInputError, NotFoundError
from bluegreen.model.ports import Cluster, MoveStatus, Raw
from bluegreen.model.refs import ObjectRef, ref_of
from bluegreen_adapters import velero_claims as claims
from bluegreen_adapters import velero_manifests as manifests
from bluegreen_adapters import velero_progress as progress
from bluegreen_adapters.velero_carriers import WAITER, rules
from bluegreen_adapters.velero_move import Move
from bluegreen_adapters.velero_names import BACKUPS, CLAIM_UID, FILLED, MOVE, RESTORES
from bluegreen_adapters.velero_phases import Outlook, outlook, phase_of
from bluegreen_adapters.velero_reads import find, label, uid_of
from bluegreen_adapters.velero_survey import Survey, cargo_of, survey


def begin(move: Move) -> MoveStatus:
    """Check both ends and start the backup.

    Raises:
        InvalidInputError: the request cannot be moved; all reasons.
        ConflictError: green holds claims or pods of the same names that are not ours.
    """
    found = survey(move.blue, move.request)
    _refuse_unknown_classes(move, found)
    claims.refuse_foreign(move.green, claims.present(move.green, move.wanted).values(), move.names)
    _refuse_pods_in_the_way(move)
    text = rules(move.names.move, move.options.carrier_image, move.request.namespaces, found)
    move.green.apply(manifests.carriers_manifest(move.names, text, cargo_of(found)))
    move.blue.apply(manifests.policy_manifest(move.names))
    # It exists when an earlier attempt's answer was lost; the next look tells.
    with suppress(ConflictError):
        move.blue.create(manifests.backup_manifest(move.names, move.request, move.options))
    return move.status("backup", "New", f"backing up {len(move.wanted)} claims on blue")


def _refuse_unknown_classes(move: Move, found: Survey) -> None:
    classes = sorted({claim.storage_class for claim in found.claims if claim.storage_class})
    missing = [
        name for name in classes if not find(move.green, ObjectRef("storage.k8s.io/v1", "StorageClass", "", name))
    ]
    if missing:
        reasons = tuple(f"green has no StorageClass {name!r}" for name in missing)
        hint = "map it to one of: kubectl get storageclass, by transform.storageClasses in bluegreen.yaml"
        raise InvalidInputError("velero.storage-class", f"preparing the move {move.names.move}", reasons, hint)


def _refuse_pods_in_the_way(move: Move) -> None:
    present = [
        pod
        for wanted in move.request.pods
        if (pod := find(move.green, ObjectRef("v1", "Pod", wanted.namespace, wanted.name)))
    ]
    blocking = [str(ref_of(pod)) for pod in present if not label(pod, MOVE)]
    if blocking:
        what, hint = f"moving volumes ({move.names.move})", "scale the workload on green to 0 first"
        why = f"{', '.join(blocking)} already on green: Velero would leave these volumes empty"
        raise ConflictError("velero.pod-exists", what, why, hint)


def follow_backup(move: Move, backup: Raw) -> MoveStatus | None:
    """Say where a backup stands; None when it holds every claim."""
    volumes = progress.volume_backups(move.blue, move.names)
    command = f"velero --kubecontext {move.blue.id.context} backup describe {move.names.move} --details"
    match outlook(backup):
        case Outlook.RUNNING:
            behind = progress.queue(move.blue, BACKUPS, move.names) if not volumes else ""
            return progress.running("backup", backup, volumes, behind)
        case Outlook.FAILED:
            return progress.failed("backup", phase_of(backup), progress.failure_reasons(backup, volumes, command))
        case Outlook.COMPLETED:
            missing = progress.missing_backups(progress.expected_cargo(move.green, move.names), volumes)
            return progress.failed("backup", phase_of(backup), missing) if missing else None


def start_restore(move: Move) -> MoveStatus:
    """Make room on green, then start the restore.

    Raises:
        ConflictError: a claim or pod that is not ours came in the way meanwhile.
    """
    obstacle = _ready_namespaces(move) or _old_claims(move)
    if obstacle:
        return move.status("restore", "Preparing", obstacle)
    _refuse_pods_in_the_way(move)
    # Without the rules Velero would start the application's own pods.
    progress.expected_cargo(move.green, move.names)
    with suppress(ConflictError):
        move.green.create(manifests.restore_manifest(move.names, move.request))
    return move.status("restore", "New", f"filling {len(move.wanted)} claims on green")


def _ready_namespaces(move: Move) -> str:
    for name in move.request.namespaces:
        if find(move.green, ObjectRef("v1", "Namespace", "", name)) is None:
            with suppress(ConflictError):
                move.green.create(manifests.namespace_manifest(name, move.names.move))
        if find(move.green, ObjectRef("v1", "ServiceAccount", name, "default")) is None:
            return f"waiting for the ServiceAccount default in namespace {name}"
    return ""


def _old_claims(move: Move) -> str:
    present = claims.present(move.green, move.wanted)
    claims.refuse_foreign(move.green, present.values(), move.names)
    leftovers = [
        pod
        for wanted in move.request.pods
        if (pod := find(move.green, ObjectRef("v1", "Pod", wanted.namespace, wanted.name))) and label(pod, MOVE)
    ]
    for old in [*leftovers, *present.values()]:
        move.green.delete(ref_of(old), uid_of(old))
    count = len(present) + len(leftovers)
    return f"removing {count} claims and pods of an earlier attempt" if count else ""


def follow_restore(move: Move, restore: Raw) -> MoveStatus | None:
    """Say where a restore stands; None when every volume is filled."""
    claims.stamp(move.green, claims.of_move(move.green, move.names, move.request.namespaces), move.names)
    volumes = progress.volume_restores(move.green, move.names)
    command = f"velero --kubecontext {move.green.id.context} restore describe {move.names.move} --details"
    match outlook(restore):
        case Outlook.RUNNING:
            pods = progress.carriers(move.green, move.names, move.request.namespaces)
            obstacle = progress.trouble(pods) if volumes else progress.queue(move.green, RESTORES, move.names)
            return progress.running("restore", restore, volumes, obstacle)
        case Outlook.FAILED:
            return progress.failed("restore", phase_of(restore), progress.failure_reasons(restore, volumes, command))
        case Outlook.COMPLETED:
            return _unfilled(move, restore, volumes, command)


def _unfilled(move: Move, restore: Raw, volumes: list[Raw], command: str) -> MoveStatus | None:
    held = progress.missing_restores(progress.volume_backups(move.green, move.names), volumes)
    absent = sorted(set(move.wanted) - set(claims.present(move.green, move.wanted)))
    missing = held + [f"claim {namespace}/{name} is not on green" for namespace, name in absent]
    if not volumes:
        missing.append("no volume was restored")
    return progress.failed("restore", phase_of(restore), [*missing, f"see: {command}"]) if missing else None


def release(move: Move) -> MoveStatus | None:
    """Delete the carriers and what nobody asked for; None when the claims stand alone, bound and marked as filled."""
    pods = progress.carriers(move.green, move.names, move.request.namespaces)
    waiting = [pod for pod in pods if _still_cleaning(pod)]
    if waiting:
        return move.status("release", "Completed", f"{len(waiting)} carrier pods are finishing")
    extra = [claim for claim in _created(move) if _key(claim) not in move.wanted]
    if pods or extra:
        _delete_all(move.green, [*pods, *extra])
        return move.status("release", "Completed", f"deleting {len(pods)} carrier pods")
    present = claims.present(move.green, move.wanted)
    unbound = [key for key, claim in present.items() if (claim.get("status") or {}).get("phase") != "Bound"]
    if unbound:
        return move.status("release", "Completed", f"{len(unbound)} claims are not bound")
    for claim in present.values():
        claims.annotate(move.green, claim, {CLAIM_UID: uid_of(claim), FILLED: move.names.move})
    return None


def _created(move: Move) -> list[Raw]:
    return claims.of_move(move.green, move.names, move.request.namespaces)


def _key(claim: Raw) -> claims.Key:
    return str(claim["metadata"]["namespace"]), str(claim["metadata"]["name"])


def _still_cleaning(pod: Raw) -> bool:
    """Return whether Velero's waiting container still has to remove its mark from the volume."""
    if not any(container["name"] == WAITER for container in pod["spec"].get("initContainers") or []):
        return False
    conditions = (pod.get("status") or {}).get("conditions") or []
    return not any(entry.get("type") == "Initialized" and entry.get("status") == "True" for entry in conditions)


def _delete_all(cluster: Cluster, objects: Iterable[Raw]) -> None:
    for obj in objects:
        cluster.delete(ref_of(obj), uid_of(obj))


def tidy(move: Move) -> None:
    """Delete the two ConfigMaps of a move that is over."""
    for cluster, ref in ((move.blue, move.names.policy), (move.green, move.names.carriers)):
        found = find(cluster, ref)
        if found is not None and label(found, MOVE) == move.names.move:
            with suppress(NotFoundError):
                cluster.delete(ref, uid_of(found))
