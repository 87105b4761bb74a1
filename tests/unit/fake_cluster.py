"""An in-memory cluster behind the `Cluster` port that refuses what a real server refuses.

Small and strict: unknown kinds, missing namespaces, a resourceVersion on create, a UID that changed, statuses of kinds
with a status subresource. Tests may cut in before or after each write, to die there.
"""

import copy
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from bluegreen.model.errors import ConflictError, NotFoundError, RefusedError
from bluegreen.model.ports import ApiResource, ExecResult, Raw, RawAnswer
from bluegreen.model.refs import ClusterId, ObjectRef, ref_of
from tests.unit.one_by_one import OneByOne

VERBS = frozenset({"create", "delete", "get", "list", "patch", "update", "watch"})


def resource(api_version: str, kind: str, *, namespaced: bool = True) -> ApiResource:
    return ApiResource(api_version, kind, _plural(kind), namespaced=namespaced, verbs=VERBS)


def _plural(kind: str) -> str:
    word = kind.lower()
    if word.endswith("s"):
        return word + "es"
    return word[:-1] + "ies" if word.endswith("y") else word + "s"


BUILT_IN = (
    resource("v1", "Namespace", namespaced=False),
    resource("v1", "PersistentVolume", namespaced=False),
    *(resource("v1", k) for k in ("Pod", "PersistentVolumeClaim", "ConfigMap", "Secret", "Service", "ServiceAccount")),
    *(resource("apps/v1", k) for k in ("Deployment", "DaemonSet", "StatefulSet")),
    resource("storage.k8s.io/v1", "StorageClass", namespaced=False),
    resource("apiextensions.k8s.io/v1", "CustomResourceDefinition", namespaced=False),
)


class FakeCluster(OneByOne):
    """One cluster; `before` and `after` see (verb, reference) of each write and may raise."""

    def __init__(self, context: str, served: Iterable[ApiResource] = (), stateless: Iterable[str] = ()) -> None:
        self._id = ClusterId(context, f"uid-of-{context}", "v1.34.4", f"https://{context}")
        self.served = {(r.api_version, r.kind): r for r in (*BUILT_IN, *served)}
        self.stateless = frozenset(stateless)
        self.objects: dict[ObjectRef, Raw] = {}
        self.forbidden: set[tuple[str, str]] = set()
        self.writes: list[tuple[str, ObjectRef]] = []
        self.before: Callable[[str, ObjectRef], None] = lambda _verb, _ref: None
        self.after: Callable[[str, ObjectRef], None] = lambda _verb, _ref: None
        self._numbers = itertools.count(1)

    @property
    def id(self) -> ClusterId:
        return self._id

    def resources(self) -> tuple[ApiResource, ...]:
        return tuple(self.served.values())

    def get(self, ref: ObjectRef) -> Raw:
        self._resource(ref)
        return copy.deepcopy(self._stored(ref))

    def list(self, resource: ApiResource, namespace: str = "", selector: str = "") -> Iterator[Raw]:
        self._resource(ObjectRef(resource.api_version, resource.kind, "x", "x"))
        wanted = _equalities(selector)
        for ref, obj in sorted(self.objects.items()):
            same = (ref.api_version, ref.kind) == (resource.api_version, resource.kind)
            labels = obj["metadata"].get("labels") or {}
            if same and namespace in {"", ref.namespace} and wanted.items() <= labels.items():
                yield copy.deepcopy(obj)

    def apply(self, obj: Raw, *, force: bool = False, dry_run: bool = False) -> Raw:
        ref = ref_of(obj)
        if obj["metadata"].get("managedFields"):
            raise RefusedError("kube.invalid", f"applying {ref}", "metadata.managedFields must be nil")
        if dry_run:
            return copy.deepcopy(obj)
        if ref not in self.objects:
            return self._write("apply", ref, lambda: self._create(obj))
        return self._write("apply", ref, lambda: self._merge(ref, obj))

    def apply_status(self, obj: Raw) -> None:
        self._write("status", ref_of(obj), lambda: self._merge(ref_of(obj), {"status": obj["status"]}))

    def create(self, obj: Raw) -> Raw:
        return self._write("create", ref_of(obj), lambda: self._create(obj))

    def patch(self, ref: ObjectRef, patch: Raw) -> Raw:
        return self._write("patch", ref, lambda: self._merge(ref, patch))

    def delete(self, ref: ObjectRef, uid: str) -> None:
        self._write("delete", ref, lambda: self._delete(ref, uid))

    def exec(self, namespace: str, pod: str, container: str, command: tuple[str, ...], timeout: float) -> ExecResult:
        raise NotImplementedError("this cluster runs nothing")

    def raw(self, path: str) -> RawAnswer:
        raise NotFoundError("kube.not-found", f"reading {path}", "this cluster has no such page")

    def may(self, verb: str, group: str, plural: str, namespace: str = "") -> bool:
        return (verb, plural) not in self.forbidden

    def seed(self, *objects: Raw) -> None:
        """Put objects in as they are, status included, as controllers and tests do."""
        for obj in objects:
            stored = self._create(obj)
            if "status" in obj:
                self.objects[ref_of(stored)]["status"] = copy.deepcopy(obj["status"])

    def _write(self, verb: str, ref: ObjectRef, act: Callable[[], Any]) -> Any:
        self._resource(ref)
        self.before(verb, ref)
        result = act()
        self.writes.append((verb, ref))
        self.after(verb, ref)
        return copy.deepcopy(result)

    def _create(self, obj: Raw) -> Raw:
        ref = ref_of(obj)
        served = self._resource(ref)
        if obj["metadata"].get("resourceVersion"):
            raise RefusedError("kube.invalid", f"creating {ref}", "resourceVersion should not be set")
        if ref in self.objects:
            raise ConflictError("kube.exists", f"creating {ref}", "it exists")
        if served.namespaced and ObjectRef("v1", "Namespace", "", ref.namespace) not in self.objects:
            raise NotFoundError("kube.not-found", f"creating {ref}", f"namespaces {ref.namespace!r} not found")
        stored = copy.deepcopy(obj)
        if ref.kind not in self.stateless:
            stored.pop("status", None)
        number = next(self._numbers)
        stored["metadata"] |= {
            "uid": f"{self._id.context}-{number}",
            "resourceVersion": str(number),
            "creationTimestamp": "2026-11-24T00:00:00Z",
        }
        self.objects[ref] = stored
        return stored

    def _merge(self, ref: ObjectRef, patch: Raw) -> Raw:
        stored = self._stored(ref)
        for key in ("uid", "resourceVersion"):
            expected = (patch.get("metadata") or {}).get(key)
            if expected and expected != stored["metadata"][key]:
                raise ConflictError("kube.conflict", f"patching {ref}", f"Precondition failed: {key}")
        merged = merge(stored, patch)
        merged["metadata"] |= {"resourceVersion": str(next(self._numbers))}
        self.objects[ref] = merged
        return merged

    def _delete(self, ref: ObjectRef, uid: str) -> None:
        if ref not in self.objects:
            return
        stored = self.objects[ref]
        if stored["metadata"]["uid"] != uid:
            raise ConflictError("kube.conflict", f"deleting {ref}", "Precondition failed: UID")
        if stored["metadata"].get("finalizers"):
            stored["metadata"].setdefault("deletionTimestamp", "2026-11-24T00:00:00Z")
            return
        del self.objects[ref]

    def _stored(self, ref: ObjectRef) -> Raw:
        if ref not in self.objects:
            raise NotFoundError("kube.not-found", f"reading {ref}", "it is not there")
        return self.objects[ref]

    def _resource(self, ref: ObjectRef) -> ApiResource:
        served = self.served.get((ref.api_version, ref.kind))
        if served is None:
            raise NotFoundError("kube.no-such-kind", f"looking for {ref.kind}", "the cluster does not serve it")
        if served.namespaced and not ref.namespace:
            raise RefusedError("kube.incomplete", f"addressing {ref}", "it has no metadata.namespace")
        return served


def merge(target: Any, patch: Any) -> Any:
    """Return a JSON merge patch applied (RFC 7396)."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def _equalities(selector: str) -> dict[str, str]:
    wanted = {}
    for part in filter(None, selector.split(",")):
        key, sign, value = part.partition("=")
        if sign != "=" or not key or value.startswith("=") or key.endswith("!"):
            raise RefusedError("kube.invalid", "listing", f"this cluster knows only a=b, not {part!r}")
        wanted[key] = value
    return wanted
