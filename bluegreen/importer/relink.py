"""Links objects to their owners again, by the owners' UIDs on green.

Until then the object has no owner, so green's garbage collector leaves it alone; an owner that is not on green is left
out and reported.
"""

import json
from collections.abc import Iterable

from bluegreen.model.errors import NotFoundError
from bluegreen.model.events import Emit
from bluegreen.model.marks import OWNERS, annotation, is_ours
from bluegreen.model.ports import Cluster, Raw
from bluegreen.model.refs import ObjectRef, ref_of


def relink(cluster: Cluster, objects: Iterable[Raw], migration: str, emit: Emit) -> tuple[str, ...]:
    """Write owner references on the objects that had some on blue, and tell of each owner that is not there.

    Args:
        cluster: green.
        objects: transformed objects; their remembered owners are read.
        migration: only objects of this migration are written.
        emit: told how many were linked, and a notice for each that could not be.

    Returns:
        what could not be linked, in words.
    """
    missing: list[str] = []
    linked = 0
    for obj in objects:
        text = annotation(obj, OWNERS)
        owners = json.loads(text) if text else ()
        if owners:
            references = _references(cluster, ref_of(obj), owners, missing)
            linked += _link(cluster, ref_of(obj), references, migration)
    for text in missing:
        emit("notice", text=f"{text}; it is left without that owner")
    emit("import.relinked", objects=linked, missing=len(missing))
    return tuple(missing)


def _references(cluster: Cluster, ref: ObjectRef, owners: list[Raw], missing: list[str]) -> list[Raw]:
    found: list[Raw] = []
    for owner in owners:
        try:
            live = cluster.get(ObjectRef(owner["apiVersion"], owner["kind"], ref.namespace, owner["name"]))
        except NotFoundError:
            missing.append(f"{ref}: its owner {owner['kind']} {owner['name']} is not on green")
        else:
            found.append({**owner, "uid": live["metadata"]["uid"]})
    return found


def _link(cluster: Cluster, ref: ObjectRef, references: list[Raw], migration: str) -> int:
    try:
        live = cluster.get(ref)
    except NotFoundError:
        return 0
    if not references or not is_ours(live, migration) or live["metadata"].get("ownerReferences") == references:
        return 0
    cluster.patch(ref, {"metadata": {"ownerReferences": references}})
    return 1
