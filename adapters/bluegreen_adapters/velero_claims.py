"""Whose a claim on green is: only what a move of ours created, and nobody recreated, may be replaced or deleted.

A claim carries the move's id from its restore and, as soon as we see it, its own UID: a copy made by hand has another.
"""

from collections.abc import Iterable

from bluegreen.model.errors import ConflictError
from bluegreen.model.ports import Cluster, Raw
from bluegreen.model.refs import ObjectRef, ref_of
from bluegreen_adapters.velero_names import CLAIM_UID, CLAIMS, FILLED, MOVE, PODS, RESTORE_LABEL, VELERO, Names
from bluegreen_adapters.velero_progress import listed
from bluegreen_adapters.velero_reads import annotation, claims_of, find, is_live, label, uid_of

Key = tuple[str, str]


def claim_ref(key: Key) -> ObjectRef:
    """Return the reference of a claim by (namespace, name)."""
    return ObjectRef(CLAIMS.api_version, CLAIMS.kind, *key)


def present(green: Cluster, wanted: Iterable[Key]) -> dict[Key, Raw]:
    """Return those of the claims that exist on green."""
    found = {key: find(green, claim_ref(key)) for key in wanted}
    return {key: claim for key, claim in found.items() if claim is not None}


def is_ours(green: Cluster, claim: Raw, names: Names) -> bool:
    """Return whether a move of ours created exactly this claim.

    Args:
        green: the cluster of the claim.
        claim: the claim as read.
        names: the move that asks; its own claims need no other proof while they are not stamped yet.
    """
    move = annotation(claim, MOVE)
    if not move or label(claim, RESTORE_LABEL) != move:
        return False
    stamp = annotation(claim, CLAIM_UID)
    if stamp:
        return stamp == uid_of(claim)
    if move == names.move:
        return True
    restore = find(green, ObjectRef(VELERO, "Restore", names.namespace, move))
    return restore is not None and label(restore, MOVE) == move


def foreign(green: Cluster, claims: Iterable[Raw], names: Names) -> list[str]:
    """Return a reason for each claim that we may not replace: somebody else made it, or a pod uses it."""
    reasons = []
    for claim in claims:
        if not is_ours(green, claim, names):
            reasons.append(f"{ref_of(claim)} exists on green and no move of ours made it")
        user = _user(green, claim)
        if user:
            reasons.append(f"{ref_of(claim)} is used on green by Pod {user}")
    return reasons


def _user(green: Cluster, claim: Raw) -> str:
    namespace, name = claim["metadata"]["namespace"], claim["metadata"]["name"]
    for pod in listed(green, PODS, namespace, ""):
        if is_live(pod) and not label(pod, MOVE) and name in {mounted for _, mounted in claims_of(pod)}:
            return str(pod["metadata"]["name"])
    return ""


def refuse_foreign(green: Cluster, claims: Iterable[Raw], names: Names) -> None:
    """Raise when a claim stands in the way that we may not touch.

    Raises:
        ConflictError: with every reason.
    """
    reasons = foreign(green, claims, names)
    if reasons:
        hint = "scale its users to 0 and delete the claim if its data on green is not needed, then run again"
        raise ConflictError("velero.claim-exists", f"moving volumes ({names.move})", "; ".join(reasons), hint)


def stamp(green: Cluster, claims: Iterable[Raw], names: Names) -> None:
    """Note on each claim of this move which object it is."""
    for claim in claims:
        if annotation(claim, MOVE) == names.move and not annotation(claim, CLAIM_UID):
            annotate(green, claim, {CLAIM_UID: uid_of(claim)})


def is_filled(claim: Raw, move: str) -> bool:
    """Return whether this move finished this claim."""
    return annotation(claim, FILLED) == move and annotation(claim, CLAIM_UID) == uid_of(claim)


def annotate(green: Cluster, claim: Raw, annotations: dict[str, str]) -> None:
    """Write annotations if the claim still is the same object: the UID in the patch is the server's precondition."""
    green.patch(ref_of(claim), {"metadata": {"uid": uid_of(claim), "annotations": annotations}})


def of_move(green: Cluster, names: Names, namespaces: Iterable[str]) -> list[Raw]:
    """Return every claim that this move's restore created, asked for or not."""
    selector = f"{RESTORE_LABEL}={names.restore.name}"
    found = [claim for namespace in namespaces for claim in listed(green, CLAIMS, namespace, selector)]
    return [claim for claim in found if is_ours(green, claim, names)]
