"""Where an object lives on the server: from apiVersion and kind to its URL path.

It asks the server once per group version and again when a kind is new (a CRD just applied); it guesses no plurals.
"""

import functools
import threading
from collections.abc import Iterable
from typing import Any

from bluegreen.kube.calls import Call, segments
from bluegreen.kube.http import Transport
from bluegreen.model.errors import NotFoundError, RefusedError
from bluegreen.model.ports import ApiResource
from bluegreen.model.refs import ObjectRef


def group_path(api_version: str) -> str:
    """Return the path of a group version."""
    return segments("apis", *api_version.split("/")) if "/" in api_version else segments("api", api_version)


def collection_path(resource: ApiResource, namespace: str) -> str:
    """Return the path of all objects of a resource, in one namespace when it is given."""
    return _collection(resource.api_version, resource.plural, namespace if resource.namespaced else "")


@functools.lru_cache(1024)
def _collection(api_version: str, plural: str, namespace: str) -> str:
    middle = segments("namespaces", namespace) if namespace else ""
    return group_path(api_version) + middle + segments(plural)


def resource_of(api_version: str, entry: dict[str, Any]) -> ApiResource:
    """Return a resource from an entry of an APIResourceList."""
    return ApiResource(
        api_version=api_version,
        kind=str(entry["kind"]),
        plural=str(entry["name"]),
        namespaced=bool(entry["namespaced"]),
        verbs=frozenset(entry.get("verbs") or ()),
    )


class Atlas:
    """Remembers which resource serves which kind; safe for many threads."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._known: dict[tuple[str, str], ApiResource] = {}
        self._lock = threading.Lock()

    def resource(self, api_version: str, kind: str) -> ApiResource:
        """Return the resource of a kind.

        Raises:
            NotFoundError: the cluster does not serve it.
        """
        found = self._known.get((api_version, kind))
        if found:
            return found
        with self._lock:
            self._learn(api_version)
            found = self._known.get((api_version, kind))
        if not found:
            what = f"looking for the kind {kind} of {api_version} in {self._transport.where}"
            hint = f"kubectl --context … api-resources | grep {kind}"
            raise NotFoundError("kube.no-such-kind", what, "the cluster does not serve it", hint)
        return found

    def remember(self, resources: Iterable[ApiResource]) -> None:
        """Take over what the server has just said that it serves, so that it is not asked again."""
        with self._lock:
            self._known.update({(resource.api_version, resource.kind): resource for resource in resources})

    def path(self, ref: ObjectRef) -> str:
        """Return the path of one object.

        Raises:
            NotFoundError: the cluster does not serve the kind.
            RefusedError: name or namespace is missing.
        """
        resource = self.resource(ref.api_version, ref.kind)
        if not ref.name or (resource.namespaced and not ref.namespace):
            missing = "namespace" if ref.name else "name"
            what = f"addressing {ref} in {self._transport.where}"
            raise RefusedError("kube.incomplete", what, f"it has no metadata.{missing}")
        return collection_path(resource, ref.namespace) + segments(ref.name)

    def _learn(self, api_version: str) -> None:
        call = Call("GET", group_path(api_version), f"reading what {api_version} serves", "get")
        try:
            listing = self._transport.send(call)
        except NotFoundError:
            return
        for entry in listing.get("resources") or []:
            if "/" not in entry["name"]:
                resource = resource_of(api_version, entry)
                self._known[api_version, resource.kind] = resource
