"""Stop a move and take away what it made on green, whatever state it is in.

Velero cannot stop a Backup or Restore as such; its volumes can be cancelled, and then it ends. It deletes only what
the move's own marks and UIDs name.
"""

from collections.abc import Iterator
from contextlib import suppress

from bluegreen.model.errors import ConflictError
from bluegreen.model.ports import Cluster, Raw
from bluegreen.model.refs import ref_of
from bluegreen_adapters import velero_claims as claims
from bluegreen_adapters import velero_manifests as manifests
from bluegreen_adapters import velero_progress as progress
from bluegreen_adapters.velero_move import Move
from bluegreen_adapters.velero_phases import Outlook, outlook, phase_of
from bluegreen_adapters.velero_reads import find, uid_of
from bluegreen_adapters.velero_stages import tidy


def cancel_once(move: Move, *, hurry: bool) -> list[str]:
    """Do what can be done now and return what is still there, in words; empty when the move is gone.

    Args:
        move: what to take away.
        hurry: cancel volumes also whose data mover may be starting right now. Velero 1.18 loses that cancellation: the
            data mover waits for a phase that is past, no other Restore begins for some six minutes, and its node-agent
            fills no volume any more until it is restarted (pkg/podvolume/restore_micro_service.go).

    Raises:
        ConflictError: a claim of the move is used by a pod on green.
    """
    left = [*_stop_restore(move, hurry), *_stop_backup(move, hurry)]
    if not left:
        tidy(move)
    return left


def by_hand(move: Move) -> str:
    """Return what a person types to take away what is left of a move."""
    blue, green, names = move.blue.id.context, move.green.id.context, move.names
    return (
        f"velero --kubecontext {green} -n {names.namespace} restore delete {names.move}; "
        f"velero --kubecontext {blue} -n {names.namespace} backup delete {names.move}; "
        f"kubectl --context {green} delete pods -A -l {names.selector}"
    )


def _stop_restore(move: Move, hurry: bool) -> Iterator[str]:
    restore = find(move.green, move.names.restore)
    if restore is not None:
        yield f"{move.names.restore} {phase_of(restore)}"
        if _holds_on(restore):
            # Its pods and claims stay until it has ended: Velero waits for those that vanish, for minutes or hours,
            # and begins no other restore meanwhile.
            _cancel_volumes(move.green, progress.volume_restores(move.green, move.names), hurry)
            return
        move.green.delete(move.names.restore, uid_of(restore))
    yield from _drop_created(move)


def _holds_on(restore: Raw) -> bool:
    return outlook(restore) is Outlook.RUNNING and phase_of(restore) not in {"", "New"}


def _drop_created(move: Move) -> Iterator[str]:
    created = claims.of_move(move.green, move.names, move.request.namespaces)
    reasons = claims.foreign(move.green, created, move.names)
    if reasons:
        hint = f"scale the workload on green to 0, then: {by_hand(move)}"
        raise ConflictError("velero.claim-in-use", f"cancelling the move {move.names.move}", "; ".join(reasons), hint)
    for obj in [*progress.carriers(move.green, move.names, move.request.namespaces), *created]:
        move.green.delete(ref_of(obj), uid_of(obj))
        yield str(ref_of(obj))


def _stop_backup(move: Move, hurry: bool) -> Iterator[str]:
    backup = find(move.blue, move.names.backup)
    if backup is None:
        return
    if outlook(backup) is Outlook.RUNNING:
        _cancel_volumes(move.blue, progress.volume_backups(move.blue, move.names), hurry)
        yield f"{move.names.backup} {phase_of(backup)}"
        return
    request = find(move.blue, move.names.deletion)
    if request is None:
        with suppress(ConflictError):
            move.blue.create(manifests.deletion_manifest(move.names))
    elif phase_of(request) == "Processed" and phase_of(backup) != "Deleting":
        # It came too early, while the backup ran: Velero answered with an error and will not look again.
        move.blue.delete(move.names.deletion, uid_of(request))
        yield f"{move.names.backup} {phase_of(backup)}"


def _cancel_volumes(cluster: Cluster, volumes: list[Raw], hurry: bool) -> None:
    for volume in volumes:
        if outlook(volume) is not Outlook.RUNNING or volume["spec"].get("cancel"):
            continue
        if hurry or not _may_be_starting(volume):
            cluster.patch(ref_of(volume), {"spec": {"cancel": True}})


def _may_be_starting(volume: Raw) -> bool:
    return phase_of(volume) in {"Prepared", "InProgress"} and not volume["status"].get("progress")
