"""Patches of single objects on their way to green: JSON patches (RFC 6902) and merge patches (RFC 7386).

The jsonpatch library carries the operations out; its messages quote values and are therefore never passed on. A patch
must never change which object it is or our own marks, and must never carry a Secret's value, in or out.
"""

import functools
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from bluegreen.importer import shape
from bluegreen.model.marks import PREFIX, RUN_AGAIN
from bluegreen.model.pointers import Tokens, merge_paths, pointer_of, tokens
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ref_of
from bluegreen.model.selectors import Matches, parse_selector

_SECRET_FIELDS = ("data", "stringData")
_SEALED = (
    "a patch may not hold a Secret's value, it would stand in a file in plain text; make that Secret on green by hand"
)


class Match(msgspec.Struct, frozen=True):
    """Which objects a patch is for; what is empty (a group: None) fits everything.

    Attributes:
        api_version: such as apps/v1.
        group: API group in any version, empty for the core group.
        kind: kind.
        name: name, with * and ? as wildcards.
        namespace: namespace on green, with wildcards.
        labels: label selector as kubectl takes it.
    """

    api_version: str = ""
    group: str | None = None
    kind: str = ""
    name: str = ""
    namespace: str = ""
    labels: str = ""

    def fits(self, obj: Raw) -> bool:
        """Return whether an object is meant."""
        ref = ref_of(obj)
        return (
            self.api_version in ("", ref.api_version)
            and self.group in (None, ref.group)
            and self.kind in ("", ref.kind)
            and fnmatchcase(ref.name, self.name or "*")
            and fnmatchcase(ref.namespace, self.namespace or "*")
            and _selector(self.labels)(obj["metadata"].get("labels") or {})
        )


@functools.cache
def _selector(text: str) -> Matches:
    return parse_selector(text)


class Patch(msgspec.Struct, frozen=True):
    """One patch: operations of a JSON patch, or a merge patch.

    Attributes:
        name: what messages call it.
        match: the objects it is for.
        operations: operations as RFC 6902 writes them.
        merge: merge patch, None when there are operations.
        required: whether it is an error that no object matches.
    """

    name: str
    match: Match
    operations: tuple[Mapping[str, Any], ...] = ()
    merge: Mapping[str, Any] | None = None
    required: bool = False


class PatchFault(Exception):  # noqa: N818 - it never leaves this room: a reason among others, not an error of its own
    """Why a patch cannot be applied to an object, in words without values."""


def patched(obj: Raw, patch: Patch) -> Raw:
    """Return an object with a patch applied; the input is not changed.

    Raises:
        PatchFault: an operation fails, or the patch does what no patch may.
    """
    if obj["kind"] == "Secret" and any(_carries_secret(patch)):
        raise PatchFault(_SEALED)
    copy = shape.copy_json(obj)
    if patch.merge is not None:
        copy = merged(copy, shape.copy_json({"merge": patch.merge})["merge"])
    for number, operation in enumerate(patch.operations, 1):
        _operate(copy, shape.copy_json(dict(operation)), number)
    _still_itself(obj, copy)
    return copy


def merged(target: Any, patch: Any) -> Any:
    """Return a value with a merge patch applied, as RFC 7386 section 2 writes it; the target may be changed."""
    if not isinstance(patch, dict):
        return patch
    result = target if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def _operate(obj: Raw, operation: Raw, number: int) -> None:
    """Carry one operation out on an object of the caller."""
    if not operation["path"] and operation["op"] != "test":
        raise PatchFault(f"operation {number}, {operation['op']}: it would replace the whole object")
    import jsonpatch  # noqa: PLC0415 - most objects meet no patch
    import jsonpointer  # noqa: PLC0415

    try:
        jsonpatch.JsonPatch([operation]).apply(obj, in_place=True)
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException) as error:
        expected = isinstance(error, jsonpatch.JsonPatchTestFailed)
        raise PatchFault(f"operation {number}, {_words(obj, operation, expected=expected)}") from None


def _words(obj: Raw, operation: Raw, *, expected: bool) -> str:
    """Return what failed, without any value of the object or of the patch."""
    name, path = str(operation.get("op")), str(operation.get("path"))
    ways = [str(operation["from"])] if name in ("move", "copy") else []
    for pointer in [*ways, path]:
        there = _as_far_as(obj, tokens(pointer))
        above = tokens(pointer)[:-1] if pointer == path and name in ("add", "move", "copy") else tokens(pointer)
        if len(there) < len(above):
            return (
                f"{name} {pointer}: the object has nothing there, it leads as far as {pointer_of(there) or 'the top'}"
            )
    if expected:
        return f"test {path}: the value there is another one than the patch expects"
    return f"{name} {path}: that cannot be done there, such as an index beyond the end of a list"


def _as_far_as(node: Any, path: Tokens) -> Tokens:
    """Return the longest beginning of a path that exists."""
    for at, step in enumerate(path):
        if isinstance(node, dict) and step in node:
            node = node[step]
        elif isinstance(node, list) and step.isdecimal() and int(step) < len(node):
            node = node[int(step)]
        else:
            return path[:at]
    return path


def _still_itself(before: Raw, after: Raw) -> None:
    """Refuse what makes it another object, or what only bluegreen writes."""
    meta = after.get("metadata")
    if not isinstance(meta, dict) or _identity(before) != _identity(after):
        raise PatchFault("it would change apiVersion, kind, name, namespace or UID; a patch may not do that")
    if not isinstance(meta.get("annotations", {}), dict | None) or not isinstance(meta.get("labels", {}), dict | None):
        raise PatchFault("it would make labels or annotations something else than a map")
    if _marks(before) != _marks(after):
        raise PatchFault(f"it would change annotations under {PREFIX}, which bluegreen keeps for itself")


def _identity(obj: Raw) -> tuple[Any, ...]:
    meta = obj["metadata"]
    return obj.get("apiVersion"), obj.get("kind"), meta.get("name"), meta.get("namespace"), meta.get("uid")


def _marks(obj: Raw) -> Raw:
    annotations = obj["metadata"].get("annotations") or {}
    return {key: value for key, value in annotations.items() if key.startswith(PREFIX) and key != RUN_AGAIN}


def _carries_secret(patch: Patch) -> Iterator[bool]:
    """Yield for each part of a patch whether it writes, expects or takes away a value of a Secret."""
    for path, value in merge_paths(patch.merge or {}):
        yield path[0] in _SECRET_FIELDS and value is not None
    for operation in patch.operations:
        inside = _is_data(tokens(str(operation["path"])))
        if operation["op"] in ("move", "copy"):
            yield _is_data(tokens(str(operation["from"]))) and not inside
        else:
            yield inside and operation["op"] != "remove"


def _is_data(path: Tokens) -> bool:
    return not path or path[0] in _SECRET_FIELDS
