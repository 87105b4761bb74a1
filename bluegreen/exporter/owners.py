"""Owner references without UIDs: which of them can be linked again on green, and which point at nothing.

A reference is never carried over with blue's UID: green's garbage collector would take the object for an orphan.
"""

from typing import Any

from bluegreen.exporter.built_in import is_made_for
from bluegreen.model.ports import Raw

_KEPT = ("apiVersion", "kind", "name", "controller", "blockOwnerDeletion")


def take_owners(obj: Raw, exists: frozenset[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Split the owner references of an object.

    Args:
        obj: object as blue has it.
        exists: UIDs of the objects seen on blue.

    Returns:
        those whose owner was seen, without UID, and the others in words. References that a built-in controller sets
        again by itself are neither.
    """
    kept: list[dict[str, Any]] = []
    gone: list[str] = []
    for owner in obj.get("metadata", {}).get("ownerReferences") or ():
        if owner.get("uid") not in exists:
            gone.append(f"{owner.get('kind')} {owner.get('name')}")
        elif not _set_by_controller(obj, owner):
            kept.append({key: owner[key] for key in _KEPT if key in owner})
    return kept, gone


def _set_by_controller(obj: Raw, owner: dict[str, Any]) -> bool:
    # statefulset/stateful_set_utils.go updateClaimOwnerRefForSetAndPod: the claim's retention policy decides
    of_claim = obj.get("kind") == "PersistentVolumeClaim" and owner.get("kind") == "StatefulSet"
    return of_claim or (bool(owner.get("controller")) and is_made_for(owner, obj))
