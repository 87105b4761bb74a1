"""Says which rights a refused write lacks: an apply of an object that is not there needs patch and create.

The server names the first of the two only, so both are asked for, once per resource and namespace. It only asks.
"""

import threading
from collections.abc import Iterable

from bluegreen.importer.refusal import Cause, cause_of
from bluegreen.model.errors import BluegreenError
from bluegreen.model.ports import ApiResource, Cluster
from bluegreen.model.refs import ObjectRef

_OF_A_CREATE, _OF_A_CHANGE = ("create", "patch"), ("patch",)


class Denials:
    """The reasons of refused writes, with the rights that are missing; safe for many threads."""

    def __init__(self, cluster: Cluster, resources: Iterable[ApiResource]) -> None:
        self._cluster = cluster
        self._plurals = {(r.api_version, r.kind): r.plural for r in resources}
        self._known: dict[tuple[str, str, str, bool], str] = {}
        self._lock = threading.Lock()

    def why(self, error: BluegreenError, ref: ObjectRef, *, creates: bool) -> str:
        """Return why a write was refused.

        Args:
            error: what the server said.
            ref: the object.
            creates: whether it is not there yet.
        """
        said = error.why or str(error)
        return self.named(said, ref, creates=creates) if cause_of(error) is Cause.RIGHTS else said

    def named(self, said: str, ref: ObjectRef, *, creates: bool) -> str:
        """Return a server's denial with every right that is missing named before it."""
        missing = self._missing(ref, creates=creates)
        return f"{missing}; {said}" if missing else said

    def _missing(self, ref: ObjectRef, *, creates: bool) -> str:
        """Return in words what we may not do, empty when that is not what is missing, or cannot be asked."""
        plural = self._plurals.get((ref.api_version, ref.kind))
        if plural is None:
            return ""
        key = (ref.group, plural, ref.namespace, creates)
        with self._lock:
            if key not in self._known:
                self._known[key] = self._asked(*key)
            return self._known[key]

    def _asked(self, group: str, plural: str, namespace: str, creates: bool) -> str:
        try:
            verbs = _OF_A_CREATE if creates else _OF_A_CHANGE
            lacking = [verb for verb in verbs if not self._cluster.may(verb, group, plural, namespace)]
        except BluegreenError:
            return ""
        resource = f"{plural}.{group}" if group else plural
        where = f" in {namespace}" if namespace else ""
        return f"missing right: {', '.join(lacking)} on {resource}{where}" if lacking else ""
