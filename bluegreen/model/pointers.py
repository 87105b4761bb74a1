"""JSON pointers (RFC 6901), and which of them lead to what makes an object that object. Pure.

A patch may change what an object says, never which object it is: both the configuration and the importer ask here.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Tokens = tuple[str, ...]
IDENTITY: tuple[Tokens, ...] = (
    ("apiVersion",),
    ("kind",),
    ("metadata", "name"),
    ("metadata", "namespace"),
    ("metadata", "uid"),
)
_LONE_TILDE = re.compile(r"~(?![01])")


def tokens(pointer: str) -> Tokens:
    """Return the steps of a pointer; the empty pointer, which is the whole document, has none.

    Raises:
        ValueError: it is no JSON pointer.
    """
    if pointer and not pointer.startswith("/"):
        raise ValueError("is no JSON pointer: it begins with /, such as /spec/replicas")
    if _LONE_TILDE.search(pointer):
        raise ValueError("is no JSON pointer: in a key, ~ is written ~0 and / is written ~1")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def pointer_of(path: Tokens) -> str:
    """Return the pointer of steps."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in path)


def identity_at(path: Tokens) -> str:
    """Return the pointer of the identity field that a write at a path would change, empty for none."""
    for field in IDENTITY:
        shared = min(len(field), len(path))
        if field[:shared] == path[:shared]:
            return pointer_of(field)
    return ""


def merge_paths(merge: Mapping[str, Any], above: Tokens = ()) -> Iterator[tuple[Tokens, Any]]:
    """Yield every place that a merge patch (RFC 7386) writes, with what it writes there; None removes."""
    for key, value in merge.items():
        if isinstance(value, Mapping):
            yield from merge_paths(value, (*above, key))
        else:
            yield (*above, key), value
