"""Velero's phases as a closed list: what each means for a move.

Only Completed goes on. A phase that is not listed stops the move for a person: it is from a Velero that we do not know.
"""

import enum
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from bluegreen.model.errors import RefusedError
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ref_of


class Outlook(enum.Enum):
    """What a phase means."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


def _phases(running: Iterable[str], failed: Iterable[str]) -> Mapping[str, Outlook]:
    # An object that its controller has not seen yet has no phase.
    table = dict.fromkeys(["", "New", *running], Outlook.RUNNING) | dict.fromkeys(failed, Outlook.FAILED)
    return MappingProxyType({**table, "Completed": Outlook.COMPLETED})


_WORKING = (
    "InProgress",
    "WaitingForPluginOperations",
    "WaitingForPluginOperationsPartiallyFailed",
    "Finalizing",
    "FinalizingPartiallyFailed",
)
_ENDED_BADLY = ("FailedValidation", "PartiallyFailed", "Failed")
_VOLUME = _phases(("Accepted", "Prepared", "InProgress", "Canceling"), ("Canceled", "Failed"))

PHASES: Mapping[str, Mapping[str, Outlook]] = MappingProxyType(
    {
        "Backup": _phases(("Queued", "ReadyToStart", *_WORKING), (*_ENDED_BADLY, "Deleting")),
        "Restore": _phases(_WORKING, _ENDED_BADLY),
        "PodVolumeBackup": _VOLUME,
        "PodVolumeRestore": _VOLUME,
    }
)


def phase_of(obj: Raw) -> str:
    """Return status.phase, empty when there is none yet."""
    return str((obj.get("status") or {}).get("phase") or "")


def outlook(obj: Raw) -> Outlook:
    """Return what the phase of a Velero object means.

    Raises:
        RefusedError: the phase is not on the list.
    """
    phase = phase_of(obj)
    known = PHASES[str(obj["kind"])].get(phase)
    if known is None:
        raise RefusedError(
            "velero.unknown-phase",
            f"reading the phase of {ref_of(obj)}",
            f"{phase!r} is no phase that this version of bluegreen knows",
            f"look at it: velero {str(obj['kind']).lower()} describe {obj['metadata']['name']} --details",
        )
    return known


def reasons_of(obj: Raw) -> list[str]:
    """Return what a Backup or Restore says about its failure, in its own words."""
    status = obj.get("status") or {}
    reasons = [str(reason) for reason in status.get("validationErrors") or []]
    if status.get("failureReason"):
        reasons.append(str(status["failureReason"]))
    if status.get("errors"):
        reasons.append(f"{status['errors']} errors in its log")
    return reasons
