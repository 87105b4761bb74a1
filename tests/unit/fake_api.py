"""A cluster in memory behind the Cluster port: enough of server-side apply to test ordering, marks and idempotence."""

import copy
import itertools
import threading
from collections.abc import Iterator
from typing import Any

from bluegreen.model.errors import ConflictError, NotFoundError
from bluegreen.model.ports import ApiResource, Raw, RawAnswer
from bluegreen.model.refs import ClusterId, ObjectRef, ref_of
from tests.unit.one_by_one import OneByOne

VERBS = frozenset({"list", "get", "create", "delete"})
_KINDS = (
    ("v1", "Namespace", "namespaces", False),
    *(("v1", k, k.lower() + "s", True) for k in ("Pod", "Service", "ConfigMap", "Secret", "ServiceAccount", "Event")),
    ("v1", "Endpoints", "endpoints", True),
    ("v1", "PersistentVolumeClaim", "persistentvolumeclaims", True),
    ("v1", "ResourceQuota", "resourcequotas", True),
    *(("apps/v1", k, k.lower() + "s", True) for k in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")),
    *(("batch/v1", k, k.lower() + "s", True) for k in ("Job", "CronJob")),
    *(
        ("rbac.authorization.k8s.io/v1", k, k.lower() + "s", "Cluster" not in k)
        for k in ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
    ),
    ("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", False),
    ("networking.k8s.io/v1", "Ingress", "ingresses", True),
    ("networking.k8s.io/v1", "IngressClass", "ingressclasses", False),
    ("node.k8s.io/v1", "RuntimeClass", "runtimeclasses", False),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", False),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", False),
    ("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", True),
)


class FakeApi(OneByOne):
    """Objects by reference; every write is recorded as (verb, reference)."""

    def __init__(self, *objects: Raw, extra: tuple[ApiResource, ...] = ()) -> None:
        self.objects: dict[ObjectRef, Raw] = {}
        self.writes: list[tuple[str, ObjectRef]] = []
        self.refuse: dict[ObjectRef, Exception] = {}
        self.pages: dict[str, RawAnswer | Exception] = {}
        self.forbidden: set[tuple[str, str]] = set()
        self.unlistable: dict[str, Exception] = {}
        self._count = itertools.count(1)
        self._lock = threading.Lock()
        self._resources = tuple(ApiResource(v, k, p, n, VERBS) for v, k, p, n in _KINDS) + extra
        for obj in objects:
            self.put(obj)

    @property
    def id(self) -> ClusterId:
        return ClusterId("fake", "uid-of-fake", "v1.34.0", "https://fake")

    def put(self, obj: Raw) -> None:
        """Put an object there by another hand."""
        stored = copy.deepcopy(obj)
        number = next(self._count)
        stored["metadata"].setdefault("uid", f"uid-{number}")
        stored["metadata"].setdefault("resourceVersion", str(number))
        self.objects[ref_of(stored)] = stored

    def resources(self) -> tuple[ApiResource, ...]:
        crds = [o for r, o in self.objects.items() if r.kind == "CustomResourceDefinition"]
        return self._resources + tuple(
            ApiResource(
                f"{c['spec']['group']}/v1",
                c["spec"]["names"]["kind"],
                c["spec"]["names"]["plural"],
                c["spec"].get("scope") != "Cluster",
                VERBS,
            )
            for c in crds
        )

    def get(self, ref: ObjectRef) -> Raw:
        if ref not in self.objects:
            raise NotFoundError("kube.not-found", f"reading {ref}", f"{ref} not found")
        return copy.deepcopy(self.objects[ref])

    def list(self, resource: ApiResource, namespace: str = "", selector: str = "") -> Iterator[Raw]:
        if resource.kind in self.unlistable:
            raise self.unlistable[resource.kind]
        wanted = dict(part.split("=") for part in selector.split(",") if part)
        for ref, obj in list(self.objects.items()):
            labels = obj["metadata"].get("labels") or {}
            same_kind = (ref.api_version, ref.kind) == (resource.api_version, resource.kind)
            if same_kind and namespace in ("", ref.namespace) and wanted.items() <= labels.items():
                yield copy.deepcopy(obj)

    def apply(self, obj: Raw, *, force: bool = False, dry_run: bool = False) -> Raw:
        ref = ref_of(obj)
        if ref in self.refuse:
            raise self.refuse[ref]
        with self._lock:
            before = self.objects.get(ref)
            after = _merge(before or {}, self._without_status(obj))
            if before is not None and not force and _clash(before, obj):
                raise ConflictError("kube.field-conflict", f"applying {ref}", "helm owns .data.a")
            if ref.kind == "CustomResourceDefinition":
                after["status"] = {"conditions": [{"type": "Established", "status": "True"}]}
            if dry_run:
                return after
            if after != before:
                number = next(self._count)
                after["metadata"].setdefault("uid", f"uid-{number}")
                after["metadata"]["resourceVersion"] = str(number)
                self.objects[ref] = after
            self.writes.append(("apply", ref))
            return copy.deepcopy(self.objects[ref])

    def _without_status(self, obj: Raw) -> Raw:
        """Return what an apply writes: a status that is a subresource is none of it."""
        key = (obj["apiVersion"], obj["kind"])
        apart = any((r.api_version, r.kind) == key and "status" in (r.subresources or ()) for r in self._resources)
        return {name: value for name, value in obj.items() if not (apart and name == "status")}

    def apply_status(self, obj: Raw) -> None:
        self.objects[ref_of(obj)]["status"] = copy.deepcopy(obj["status"])
        self.writes.append(("status", ref_of(obj)))

    def create(self, obj: Raw) -> Raw:
        self.put(obj)
        self.writes.append(("create", ref_of(obj)))
        return self.get(ref_of(obj))

    def patch(self, ref: ObjectRef, patch: Raw) -> Raw:
        self.objects[ref] = _merge(self.get(ref), patch)
        self.writes.append(("patch", ref))
        return self.get(ref)

    def delete(self, ref: ObjectRef, uid: str) -> None:
        if ref in self.objects and self.objects[ref]["metadata"]["uid"] == uid:
            del self.objects[ref]
            self.writes.append(("delete", ref))

    def raw(self, path: str) -> RawAnswer:
        page = self.pages.get(path, NotFoundError("kube.not-found", f"reading {path}", "no such page"))
        if isinstance(page, Exception):
            raise page
        return page

    def may(self, verb: str, group: str, plural: str, namespace: str = "") -> bool:
        return not self.forbidden if verb == "*" else (verb, plural) not in self.forbidden


def _merge(old: Any, new: Any) -> Any:
    if not isinstance(old, dict) or not isinstance(new, dict):
        return copy.deepcopy(new)
    merged = {key: copy.deepcopy(value) for key, value in old.items()}
    for key, value in new.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge(merged.get(key), value)
    return merged


def _clash(old: Raw, new: Raw) -> bool:
    """Say that another hand owns every field that it wrote, annotations apart."""
    return any(
        key in old
        and (_clash(old[key], value) if isinstance(value, dict) and isinstance(old[key], dict) else old[key] != value)
        for key, value in new.items()
        if key != "annotations"
    )


def quiet(name: str, /, **data: Any) -> None:
    """Emit into nothing."""
