"""Decides what to do with one object, from what is asked for and what green has. Pure.

What another hand made is never forced; a workload of another hand is never even written, for a defaulted field has no
owner that would object. Plan and apply both ask here, so they cannot differ.
"""

import enum

import msgspec

from bluegreen.importer import shape
from bluegreen.importer.diff import Change, differences
from bluegreen.importer.equal import surely_equal
from bluegreen.importer.greens_own import NO_SCENE, Scene, with_greens_own
from bluegreen.importer.idle import SCALED, SUSPENDED, is_asleep
from bluegreen.importer.owned import dropped
from bluegreen.model.marks import MIGRATION, annotation, is_ours, left_to_mover, with_annotation
from bluegreen.model.ports import Raw

_GREENS_OWN = frozenset(
    {"CustomResourceDefinition", "PriorityClass", "IngressClass", "RuntimeClass", "StorageClass", "GatewayClass"}
    | {"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "APIService"}
    | {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
    | {"MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"}
)
"""Cluster-wide kinds that belong to whoever installed an operator or controller on green."""


class Verdict(enum.StrEnum):
    """What an import does with an object."""

    CREATE = "create"
    CHANGE = "change"
    EQUAL = "equal"
    CONFLICT = "conflict"
    REFUSED = "refused"
    LEFT_OUT = "left out"


class Decision(msgspec.Struct, frozen=True):
    """What to do with an object.

    Attributes:
        verdict: CREATE, CHANGE, EQUAL, CONFLICT or LEFT_OUT; a refusal is a server's to say.
        reason: one sentence.
        changes: fields that differ.
        body: what to apply, with our mark where the object is ours.
        force: whether the apply may take fields over.
    """

    verdict: Verdict
    reason: str
    changes: tuple[Change, ...]
    body: Raw
    force: bool


def decide(obj: Raw, live: Raw | None, migration: str, scene: Scene = NO_SCENE) -> Decision:
    """Decide about one object.

    Args:
        obj: the object as green shall have it.
        live: the object as green has it, None when it is not there.
        migration: id of this migration.
        scene: what is known of all objects of the import, for what green keeps of its own.
    """
    if left_to_mover(obj):
        return Decision(Verdict.LEFT_OUT, "the volume mover brings this claim with its data", (), obj, force=False)
    if live is None:
        body = with_annotation(obj, MIGRATION, migration)
        return Decision(Verdict.CREATE, "green does not have it", (), body, force=False)
    if live["metadata"].get("deletionTimestamp"):
        return Decision(Verdict.CONFLICT, "it is being deleted on green", (), obj, force=False)
    return _about_existing(with_greens_own(obj, live, scene), live, migration)


def _about_existing(obj: Raw, live: Raw, migration: str) -> Decision:
    changes = () if surely_equal(obj, live) else differences(obj, live) + dropped(obj, live)
    ours = is_ours(live, migration)
    if not changes:
        return Decision(Verdict.EQUAL, "green has it so", (), obj, force=ours)
    body = _keep_mark(obj, live)
    if ours:
        return Decision(Verdict.CHANGE, "this migration created it", changes, body, force=True)
    owner = annotation(live, MIGRATION)
    whose = f"migration {owner} created it" if owner else "this migration did not create it"
    if obj["kind"] in _GREENS_OWN:
        return Decision(Verdict.LEFT_OUT, f"{whose}: green's own is kept as it is", changes, body, force=False)
    if shape.is_kind(obj, *SCALED, *SUSPENDED, "DaemonSet") or is_asleep(obj):
        reason = f"it exists on green{_written_by(live)} and {whose}"
        return Decision(Verdict.CONFLICT, reason, changes, body, force=False)
    return Decision(Verdict.CHANGE, f"{whose}: applied without force", changes, body, force=False)


def _written_by(live: Raw) -> str:
    """Return whose fields an object holds, its status aside, in words; empty when the server does not say."""
    entries = live["metadata"].get("managedFields") or ()
    names = sorted({str(entry.get("manager")) for entry in entries if not entry.get("subresource")})
    return f", written by {', '.join(names)}," if names else ""


def _keep_mark(obj: Raw, live: Raw) -> Raw:
    """Carry over the mark that is there: an apply without it would remove it; one that is not there is not added."""
    mark = annotation(live, MIGRATION)
    return obj if mark is None else with_annotation(obj, MIGRATION, mark)
