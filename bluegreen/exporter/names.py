"""File names for objects: safe on any file system, readable, and never the same for two objects. Pure."""

import hashlib
import re

from bluegreen.model.refs import ObjectRef

_UNSAFE = re.compile(r"[^a-z0-9.-]+")
_LONGEST = 80
_HASH = 12
_BETWEEN = "--"


def file_name(ref: ObjectRef) -> str:
    """Return the file name of an object: kind, namespace and name in lower case, cut, with a hash of all of it."""
    whole = f"{ref.group}/{ref.kind}/{ref.namespace}/{ref.name}"
    digest = hashlib.sha256(whole.encode()).hexdigest()[:_HASH]
    words = [_UNSAFE.sub("_", part.lower()) for part in (ref.kind, ref.namespace, ref.name) if part]
    return f"{_BETWEEN.join(words)[:_LONGEST].strip('.')}{_BETWEEN}{digest}.yaml"


def file_place(name: str) -> tuple[str, str]:
    """Return the kind in lower case and the namespace of a file's object; a cluster-wide one's name stands for it."""
    kind, _, rest = name.partition(_BETWEEN)
    return kind, rest.partition(_BETWEEN)[0]
