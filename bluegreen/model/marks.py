"""The annotations of ours, for all rooms: what we write on objects and read again, on blue and on green.

Names are a contract with clusters that hold them already, so a name must never change its meaning.
"""

from bluegreen.model.ports import Raw
from bluegreen.model.refs import ClusterId

PREFIX = "bluegreen.io/"
MIGRATION = PREFIX + "migration"
"""Whose import created the object: only with it may a write be forced or the object be deleted."""
WAS_REPLICAS = PREFIX + "was-replicas"
WAS_SUSPENDED = PREFIX + "was-suspended"
WAS_AWAKE = PREFIX + "was-awake"
"""On a custom resource that sleeps: JSON list of [path, value] of the fields that were changed for it."""
VOLUME = PREFIX + "volume"
"""On a claim: its data is brought over by the volume mover, the importer leaves the claim to it."""
VOLUME_MOVED = "moved"
OWNERS = PREFIX + "owners"
"""JSON list of owners without UID, to be linked again once they exist on green."""
IDLE = PREFIX + "idle"
"""Node selector that no node carries: keeps a DaemonSet without pods."""
RUN_AGAIN = PREFIX + "run-again"
"""Set by a person on a Job that may run a second time on green."""


def owner_mark(blue: ClusterId) -> str:
    """Return what we write on the objects that we create: which cluster they came from.

    Not the migration's id: after a revert the next migration of the same blue must take over what the last one made.
    """
    return f"from-{blue.uid}"


def annotation(obj: Raw, key: str) -> str | None:
    """Return an annotation, None when it is not there."""
    value = (obj.get("metadata", {}).get("annotations") or {}).get(key)
    return None if value is None else str(value)


def with_annotation(obj: Raw, key: str, value: str) -> Raw:
    """Return a copy that carries an annotation; the rest is shared with the input."""
    meta = obj["metadata"]
    annotations = {**(meta.get("annotations") or {}), key: value}
    return {**obj, "metadata": {**meta, "annotations": annotations}}


def is_ours(live: Raw, migration: str) -> bool:
    """Return whether a live object was created by that migration."""
    return annotation(live, MIGRATION) == migration


def left_to_mover(obj: Raw) -> bool:
    """Return whether the volume mover brings this claim, so that the importer must not make an empty one."""
    return obj.get("kind") == "PersistentVolumeClaim" and annotation(obj, VOLUME) == VOLUME_MOVED
