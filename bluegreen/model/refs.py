"""Names of things in clusters: an object, a cluster, a side.

References are values that are compared, sorted and printed; they never hold an object's content.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Side(enum.StrEnum):
    """The two ends of a migration: blue serves today, green shall serve."""

    BLUE = "blue"
    GREEN = "green"

    @property
    def other(self) -> "Side":
        """Return the opposite side."""
        return Side.GREEN if self is Side.BLUE else Side.BLUE


SIDES = (Side.BLUE, Side.GREEN)
"""Both, for loops that run many times a second: an enum makes a generator each time."""


class ObjectRef(NamedTuple):
    """One object by apiVersion, kind, namespace (empty when cluster-scoped) and name.

    A tuple, since ten thousand objects have theirs made, compared and looked up many times.
    """

    api_version: str
    kind: str
    namespace: str
    name: str

    @property
    def group(self) -> str:
        """Return the API group, empty for the core group."""
        return self.api_version.rpartition("/")[0]

    def __str__(self) -> str:
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {where}{self.name}"


@dataclass(frozen=True, slots=True)
class ClusterId:
    """A cluster as the run knows it.

    Attributes:
        context: kubeconfig context.
        uid: UID of the kube-system namespace, the cluster's identity (law 8).
        version: server's gitVersion, such as v1.34.4.
        server: URL of the API server.
    """

    context: str
    uid: str
    version: str
    server: str


def ref_of(obj: dict[str, object]) -> ObjectRef:
    """Return the reference of a raw object.

    Args:
        obj: raw object with apiVersion, kind and metadata.name.
    """
    meta = obj["metadata"]
    if not isinstance(meta, dict):
        raise TypeError(f"metadata is {type(meta).__name__}, not a mapping")
    parts = (str(obj["apiVersion"]), str(obj["kind"]), str(meta.get("namespace") or ""), str(meta["name"]))
    return _made(ObjectRef, parts)


_made = tuple.__new__  # as ObjectRef(...) makes one, without a call in between


_NAMED = 3


def in_words(refs: Sequence[ObjectRef]) -> str:
    """Return the first of some objects, and how many more, for a message."""
    more = f" and {len(refs) - _NAMED} more" if len(refs) > _NAMED else ""
    return ", ".join(map(str, refs[:_NAMED])) + more
