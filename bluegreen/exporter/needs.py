"""Which fields of custom kinds name another object of the same namespace, as data: one row per field.

Kubernetes' own kinds are read by uses.py. A row that is missing here means that a selection may lack an object; all of
a namespace is exported anyway when nothing is selected.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bluegreen.exporter.conditions import group_kind
from bluegreen.exporter.paths import find, get, parse_path
from bluegreen.model.ports import Raw

GATEWAY = "gateway.networking.k8s.io"
GroupKind = str


@dataclass(frozen=True, slots=True)
class Need:
    """One field that names an object.

    Attributes:
        kind: Kind.group that has the field, with * as a wildcard.
        path: where the reference stands, a path of paths.py; a map with name, and perhaps kind, group and namespace.
        wanted: Kind.group that is meant when the reference names no kind.
        apart: whether the object that is named belongs to the one that names it, as a target to its autoscaler.
    """

    kind: str
    path: str
    wanted: GroupKind
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """An object that another one names.

    Attributes:
        path: where it is named.
        kind: its Kind.group.
        namespace: its namespace, empty for that of the object which names it.
        name: its name.
        apart: see Need.
    """

    path: str
    kind: GroupKind
    namespace: str
    name: str
    apart: bool


def _gateway(kind: str, path: str, wanted: GroupKind) -> Need:
    return Need(f"{kind}.{GATEWAY}", path, wanted)


NEEDS: tuple[Need, ...] = (
    _gateway("*Route", "spec.parentRefs[]", f"Gateway.{GATEWAY}"),
    _gateway("*Route", "spec.rules[].backendRefs[]", "Service"),
    _gateway("*Route", "spec.rules[].filters[].requestMirror.backendRef", "Service"),
    _gateway("*Route", "spec.rules[].backendRefs[].filters[].requestMirror.backendRef", "Service"),
    _gateway("*Route", "spec.rules[].filters[].extensionRef", "Service"),
    _gateway("Gateway", "spec.listeners[].tls.certificateRefs[]", "Secret"),
    _gateway("Gateway", "spec.listeners[].tls.frontendValidation.caCertificateRefs[]", "ConfigMap"),
    _gateway("Gateway", "spec.tls.backend.clientCertificateRef", "Secret"),
    _gateway("Gateway", "spec.infrastructure.parametersRef", "ConfigMap"),
    _gateway("GatewayClass", "spec.parametersRef", "ConfigMap"),
    _gateway("BackendTLSPolicy", "spec.validation.caCertificateRefs[]", "ConfigMap"),
    Need(f"BackendTLSPolicy.{GATEWAY}", "spec.targetRefs[]", "Service", apart=True),
    Need("HorizontalPodAutoscaler.autoscaling", "spec.scaleTargetRef", "Deployment.apps", apart=True),
    Need("VerticalPodAutoscaler.autoscaling.k8s.io", "spec.targetRef", "Deployment.apps", apart=True),
    Need("ScaledObject.keda.sh", "spec.scaleTargetRef", "Deployment.apps", apart=True),
    Need("ScaledObject.keda.sh", "spec.triggers[].authenticationRef", "TriggerAuthentication.keda.sh"),
    Need("ScaledJob.keda.sh", "spec.triggers[].authenticationRef", "TriggerAuthentication.keda.sh"),
    Need("TriggerAuthentication.keda.sh", "spec.secretTargetRef[]", "Secret"),
    Need("TriggerAuthentication.keda.sh", "spec.configMapTargetRef[]", "ConfigMap"),
    Need("Rollout.argoproj.io", "spec.workloadRef", "Deployment.apps"),
    Need("Certificate.cert-manager.io", "spec.issuerRef", "Issuer.cert-manager.io"),
)


def named_by(obj: Raw) -> Iterator[Named]:
    """Yield the objects that an object names by the rows of NEEDS."""
    for need in _needs_of(group_kind(obj)):
        for match in find(obj, parse_path(need.path)):
            name = get(match.value, "name")
            if isinstance(name, str) and name:
                namespace = str(get(match.value, "namespace") or "")
                yield Named(match.path, _kind(match.value, need.wanted), namespace, name, need.apart)


@functools.cache
def _needs_of(kind: GroupKind) -> tuple[Need, ...]:
    return tuple(need for need in NEEDS if fnmatchcase(kind, need.kind))


def _kind(reference: Raw, wanted: GroupKind) -> GroupKind:
    """Return the kind that a reference means; kind and group (or apiVersion) default to those of the row."""
    kind, _, group = wanted.partition(".")
    kind = str(reference.get("kind") or kind)
    if "group" in reference:
        group = str(reference["group"] or "")
    elif "apiVersion" in reference:
        group = str(reference["apiVersion"] or "").rpartition("/")[0]
    return f"{kind}.{group}" if group else kind
