"""The VolumeMover that lets Velero carry the data of claims to green while nothing of the application runs there.

It drives Velero through its custom resources only, reads blue's volumes and never writes them, and keeps no state of
its own: each poll reads the clusters and does the next thing.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bluegreen.model.errors import TransientError
from bluegreen.model.ports import Cluster, MoveStatus, VolumeMover, VolumeRequest
from bluegreen_adapters import velero_stages as stages
from bluegreen_adapters.velero_cancel import by_hand, cancel_once
from bluegreen_adapters.velero_checks import check
from bluegreen_adapters.velero_claims import is_filled, present
from bluegreen_adapters.velero_handover import hand_over
from bluegreen_adapters.velero_move import Move
from bluegreen_adapters.velero_names import Names, Options, read_options
from bluegreen_adapters.velero_permissions import VELERO
from bluegreen_adapters.velero_reads import find
from bluegreen_adapters.velero_survey import wanted_claims

PERMISSIONS = VELERO
CANCEL_SECONDS = 120.0
CANCEL_PAUSE = 2.0
START_SECONDS = 20.0


def open_mover(blue: Cluster, green: Cluster, options: Mapping[str, object], name: str) -> VolumeMover:
    """Return the mover that the configuration names.

    Args:
        blue: cluster that holds the data.
        green: cluster that gets it.
        options: namespace (velero; of Velero, in both clusters), carrierImage (registry.k8s.io/pause:3.10; does
            nothing, holds the volumes on green while they are filled), ttl (72h; after which Velero drops the backup
            by itself), storageLocation (of the backup; each cluster's default).
        name: name of the mover in the configuration.

    Raises:
        InvalidInputError: options that are not known or not usable.
    """
    return VeleroMover(blue, green, read_options(options, name))


@dataclass(frozen=True, slots=True)
class VeleroMover:
    """Moves volumes with Velero's file-system backup.

    Attributes:
        blue: cluster that holds the data.
        green: cluster that gets it.
        options: what the user set.
        clock: monotonic seconds, for the time that cancelling may take.
        sleep: waits that many seconds.
    """

    blue: Cluster
    green: Cluster
    options: Options
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def check(self) -> tuple[str, ...]:
        """Return every reason why a move cannot work now; empty is good."""
        return check(self.blue, self.green, self.options)

    def poll(self, request: VolumeRequest) -> MoveStatus:
        """Do the next idempotent piece of work and say where the move stands.

        Raises:
            InvalidInputError: something in the request cannot be moved this way; all reasons.
            ConflictError: green holds claims or pods of these names that no move of ours made.
            RefusedError: Velero is in a phase that we do not know, or our own note was deleted.
            TransientError: a cluster cannot be reached.
        """
        move = self._move(request)
        if self._is_done(move):
            stages.tidy(move)
            return _done(len(move.wanted))
        restore = find(self.green, move.names.restore)
        if restore is not None:
            pending = stages.follow_restore(move, restore) or stages.release(move)
            if pending is None:
                stages.tidy(move)
            return pending or _done(len(move.wanted))
        backup = find(self.blue, move.names.backup)
        if backup is None:
            return stages.begin(move)
        return stages.follow_backup(move, backup) or hand_over(move, backup) or stages.start_restore(move)

    def cancel(self, request: VolumeRequest) -> None:
        """Stop the move and remove what it created on green; the Backup is handed to Velero for deletion.

        Raises:
            ConflictError: a pod on green uses a claim of the move.
            TransientError: Velero has not let go in time; calling again is safe.
        """
        move = self._move(request)
        begun = self.clock()
        while left := cancel_once(move, hurry=self.clock() >= begun + START_SECONDS):
            if self.clock() >= begun + CANCEL_SECONDS:
                what = f"cancelling the move {request.id}"
                raise TransientError("velero.cancelling", what, f"still there: {', '.join(left)}", by_hand(move))
            self.sleep(CANCEL_PAUSE)

    def describe(self, request: VolumeRequest) -> tuple[str, ...]:
        """Return in plain words what a move will do to both clusters, for the plan."""
        wanted = wanted_claims(request)
        names = ", ".join(f"{namespace}/{claim}" for namespace, claim in wanted)
        velero, idle = self.options.namespace, self.options.carrier_image
        return (
            f"On blue, Velero (namespace {velero}) backs up the files of {len(wanted)} claims: {names}.",
            f"Their pods run on and are not changed; the backup {request.id} expires after {self.options.ttl}.",
            f"On green, each pod is restored as a carrier: no labels, no owner, and {idle} as its only container.",
            "So nothing of the application starts there.",
            "The claims get fresh volumes from their mapped StorageClass, Velero fills them, the carriers are deleted.",
            "Claims on green that an earlier attempt of ours made are replaced; any other in the way stops the move.",
            "What blue writes after the backup has read a file is not on green, unless writes are stopped first.",
        )

    def _move(self, request: VolumeRequest) -> Move:
        return Move(self.blue, self.green, self.options, Names.of(request, self.options), request)

    def _is_done(self, move: Move) -> bool:
        """Ask the claims themselves: Backup and Restore expire, and a finished move must not start over."""
        found = present(self.green, move.wanted)
        return all(key in found and is_filled(found[key], move.names.move) for key in move.wanted)


def _done(count: int) -> MoveStatus:
    message = f"{count} claims are on green with their data"
    return MoveStatus(stage="done", phase="Completed", done=True, failed=False, message=message)
