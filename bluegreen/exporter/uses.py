"""What an object uses by name: classes, accounts, claims, ConfigMaps, Secrets, roles. Pure.

It only reads what the object says; whether the used thing exists is the follower's question.
"""

import re
from collections.abc import Iterator
from typing import Any

from bluegreen.exporter import paths
from bluegreen.exporter.catalogue import TEMPLATES
from bluegreen.exporter.conditions import group_kind
from bluegreen.exporter.needs import named_by
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ObjectRef

RBAC = "rbac.authorization.k8s.io"
_GATEWAY = re.compile(r"Gateway\.gateway\.networking\.k8s\.io\Z")
_INGRESS_REF = re.compile(r"/(?:auth-secret|auth-tls-secret|proxy-ssl-secret|secret)\Z")
_SECRETS_OF_VOLUMES = (
    # Kubernetes API, Volume: what the kubelet logs in to a storage system with
    ("azureFile", "secretName"),
    ("csi", "nodePublishSecretRef", "name"),
    *((kind, "secretRef", "name") for kind in ("iscsi", "cephfs", "rbd", "scaleIO", "storageos", "flexVolume")),
)
_STORAGE_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
_INGRESS_ANNOTATION = "kubernetes.io/ingress.class"


def pod_template(obj: Raw) -> Raw | None:
    """Return the pod template of a workload, the object itself for a Pod, None for other kinds."""
    where = TEMPLATES.get(group_kind(obj))
    if where is None:
        return None
    found = paths.get(obj, *where.split(".")) if where else obj
    return found if isinstance(found, dict) else None


def account_used(obj: Raw) -> str:
    """Return the ServiceAccount that a workload's pods run as, empty for what has no pods."""
    template = pod_template(obj)
    if template is None:
        return ""
    # admission/serviceaccount admission.go: a pod that names none runs as default
    return str(paths.get(template, "spec", "serviceAccountName") or "default")


def classes_used(obj: Raw) -> Iterator[ObjectRef]:
    """Yield the cluster-scoped classes that an object asks for by name."""
    spec = (pod_template(obj) or {}).get("spec") or {}
    if name := spec.get("priorityClassName"):
        yield ObjectRef("scheduling.k8s.io/v1", "PriorityClass", "", name)
    if name := spec.get("runtimeClassName"):
        yield ObjectRef("node.k8s.io/v1", "RuntimeClass", "", name)
    if obj.get("kind") == "Ingress":
        name = paths.get(obj, "spec", "ingressClassName") or paths.get(
            obj, "metadata", "annotations", _INGRESS_ANNOTATION
        )
        if name:
            yield ObjectRef("networking.k8s.io/v1", "IngressClass", "", name)
    if _GATEWAY.match(group_kind(obj)) and (name := paths.get(obj, "spec", "gatewayClassName")):
        yield ObjectRef(obj["apiVersion"], "GatewayClass", "", name)


def storage_classes_used(obj: Raw) -> Iterator[str]:
    """Yield the names of StorageClasses that a claim or claim template asks for."""
    claims = (
        [obj] if obj.get("kind") == "PersistentVolumeClaim" else paths.get(obj, "spec", "volumeClaimTemplates") or ()
    )
    for claim in claims:
        name = paths.get(claim, "spec", "storageClassName") or paths.get(
            claim, "metadata", "annotations", _STORAGE_ANNOTATION
        )
        if name:
            yield name


def namespaced_uses(obj: Raw) -> Iterator[ObjectRef]:
    """Yield the objects of the same namespace that an object needs to run."""
    namespace = str(paths.get(obj, "metadata", "namespace") or "")
    for kind, name in _names_used(obj):
        version = f"{RBAC}/v1" if kind == "Role" else "v1"
        yield ObjectRef(version, kind, namespace, name)


def _names_used(obj: Raw) -> Iterator[tuple[str, str]]:
    spec = (pod_template(obj) or {}).get("spec") or {}
    if account := account_used(obj):
        yield "ServiceAccount", account
    listed = (spec.get("imagePullSecrets"), obj.get("imagePullSecrets"), _secrets_of_account(obj))
    for secret in (one for secrets in listed for one in secrets or ()):
        yield "Secret", secret.get("name", "")
    for volume in spec.get("volumes") or ():
        yield from _volume_uses(volume)
    for key in ("initContainers", "containers"):
        for container in spec.get(key) or ():
            yield from _environment_uses(container)
    if obj.get("kind") == "StatefulSet" and (name := paths.get(obj, "spec", "serviceName")):
        yield "Service", name
    if obj.get("kind") == "RoleBinding" and paths.get(obj, "roleRef", "kind") == "Role":
        yield "Role", obj["roleRef"]["name"]
    if obj.get("kind") == "Ingress":
        yield from _ingress_uses(obj)


def _secrets_of_account(obj: Raw) -> list[Raw]:
    found = obj.get("secrets") if group_kind(obj) == "ServiceAccount" else None
    return found or []


def _volume_uses(volume: Raw) -> Iterator[tuple[str, str]]:
    for source in [volume, *(paths.get(volume, "projected", "sources") or ())]:
        for kind, key, name in (("Secret", "secret", "secretName"), ("ConfigMap", "configMap", "name")):
            found = paths.get(source, key, name) or paths.get(source, key, "name")
            if found:
                yield kind, found
    for keys in _SECRETS_OF_VOLUMES:
        if name := paths.get(volume, *keys):
            yield "Secret", name
    if claim := paths.get(volume, "persistentVolumeClaim", "claimName"):
        yield "PersistentVolumeClaim", claim


def _environment_uses(container: Raw) -> Iterator[tuple[str, str]]:
    for entry in container.get("envFrom") or ():
        yield from _pair(entry, "configMapRef", "secretRef")
    for entry in container.get("env") or ():
        yield from _pair(entry.get("valueFrom") or {}, "configMapKeyRef", "secretKeyRef")


def _pair(entry: Raw, config_map: str, secret: str) -> Iterator[tuple[str, str]]:
    if name := paths.get(entry, config_map, "name"):
        yield "ConfigMap", name
    if name := paths.get(entry, secret, "name"):
        yield "Secret", name


def _ingress_uses(obj: Raw) -> Iterator[tuple[str, str]]:
    for tls in paths.get(obj, "spec", "tls") or ():
        if name := tls.get("secretName"):
            yield "Secret", name
    rules: list[Any] = paths.get(obj, "spec", "rules") or []
    backends = [p.get("backend") for rule in rules for p in paths.get(rule, "http", "paths") or ()]
    for backend in [*backends, paths.get(obj, "spec", "defaultBackend")]:
        if name := paths.get(backend, "service", "name"):
            yield "Service", name


def foreign_uses(obj: Raw) -> Iterator[tuple[str, str]]:
    """Yield (path, namespace/name) of objects of other namespaces that an object names."""
    own = paths.get(obj, "metadata", "namespace")
    if obj.get("kind") == "Ingress":
        yield from _foreign_ingress_uses(obj)
    for named in named_by(obj):
        if named.namespace not in ("", own):
            yield named.path, f"{named.namespace}/{named.name}"


def _foreign_ingress_uses(obj: Raw) -> Iterator[tuple[str, str]]:
    own = paths.get(obj, "metadata", "namespace")
    for key, value in (paths.get(obj, "metadata", "annotations") or {}).items():
        if _INGRESS_REF.search(key) and "/" in value and value.partition("/")[0] != own:
            yield paths.join("metadata.annotations", key), value
