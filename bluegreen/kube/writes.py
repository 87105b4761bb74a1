"""The writes of the room as calls: server-side apply, create, merge patch, delete.

Every write carries our field manager; nothing here forces or deletes unless the caller said so, and a delete always
names the UID it means.
"""

from bluegreen.kube.calls import APPLY_PATCH, MERGE_PATCH, Call
from bluegreen.kube.paths import Atlas, collection_path
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ObjectRef, ref_of

MANAGER = "bluegreen"
# An apply is checked against the schema in any case. Validation of fields beyond that reads the body once more, for a
# twentieth of the server's time, to find keys that stand there twice; our encoder writes none.
_NO_SECOND_READING = {"fieldValidation": "Ignore"}


def apply_call(atlas: Atlas, obj: Raw, *, force: bool, dry_run: bool) -> Call:
    """Return the server-side apply of an object.

    Args:
        atlas: where kinds live.
        obj: apiVersion, kind, metadata.name and the fields that we want to own.
        force: take fields over from other managers.
        dry_run: let the server check everything and store nothing.
    """
    ref = ref_of(obj)
    query = {"fieldManager": MANAGER, "force": str(force).lower()} | _NO_SECOND_READING
    query |= {"dryRun": "All"} if dry_run else {}
    return Call(
        "PATCH",
        atlas.path(ref),
        f"{'checking' if dry_run else 'applying'} {ref}",
        "patch",
        query=query,
        body=obj,
        content_type=APPLY_PATCH,
        secret=ref.kind == "Secret",
    )


def status_call(atlas: Atlas, obj: Raw) -> Call:
    """Return the server-side apply of an object's status, through its subresource; the rest is not looked at."""
    ref, meta = ref_of(obj), obj["metadata"]
    name = {key: meta[key] for key in ("name", "namespace") if key in meta}
    return Call(
        "PATCH",
        f"{atlas.path(ref)}/status",
        f"writing the status of {ref}",
        "patch",
        query={"fieldManager": MANAGER, "force": "true"},
        body={"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": name, "status": obj["status"]},
        content_type=APPLY_PATCH,
    )


def create_call(atlas: Atlas, obj: Raw) -> Call:
    """Return the creation of an object; not repeated after a lost answer, for it may have been created."""
    ref = ref_of(obj)
    atlas.path(ref)
    return Call(
        "POST",
        collection_path(atlas.resource(ref.api_version, ref.kind), ref.namespace),
        f"creating {ref}",
        "create",
        query={"fieldManager": MANAGER},
        body=obj,
        repeatable=False,
        secret=ref.kind == "Secret",
    )


def patch_call(atlas: Atlas, ref: ObjectRef, patch: Raw) -> Call:
    """Return a merge patch of an object."""
    return Call(
        "PATCH",
        atlas.path(ref),
        f"patching {ref}",
        "patch",
        query={"fieldManager": MANAGER},
        body=patch,
        content_type=MERGE_PATCH,
        secret=ref.kind == "Secret",
    )


def delete_call(atlas: Atlas, ref: ObjectRef, uid: str) -> Call:
    """Return the deletion of exactly the object with that UID; the server refuses another one."""
    body = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {"uid": uid},
        "propagationPolicy": "Background",
    }
    return Call("DELETE", atlas.path(ref), f"deleting {ref}", "delete", body=body, secret=ref.kind == "Secret")
