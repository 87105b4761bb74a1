"""Ten kinds of objects in the shares that a busy namespace has, and small ones, the same in every run. Pure.

Nothing of it may start a pod: the bench measures API traffic, not the kubelet.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator
from typing import Any

GROUP = "bench.example.com"
DEFINITION_NAME = f"widgets.{GROUP}"
Raw = dict[str, Any]


def mixed(namespace: str, count: int) -> Iterator[Raw]:
    """Yield that many manifests for a namespace, kinds interleaved."""
    for number in range(count):
        make = _DECK[number * _STRIDE % len(_DECK)]
        yield make(namespace, number)


def small(namespace: str, count: int) -> Iterator[Raw]:
    """Yield that many small manifests: two ConfigMaps of three short lines to one Secret of two."""
    for number in range(count):
        make = (_setting, _setting, _login)[number % 3]
        yield make(namespace, number)


PLURALS = {
    "ConfigMap": "api/v1/configmaps",
    "Secret": "api/v1/secrets",
    "ServiceAccount": "api/v1/serviceaccounts",
    "Service": "api/v1/services",
    "Role": "apis/rbac.authorization.k8s.io/v1/roles",
    "RoleBinding": "apis/rbac.authorization.k8s.io/v1/rolebindings",
    "Deployment": "apis/apps/v1/deployments",
    "Ingress": "apis/networking.k8s.io/v1/ingresses",
    "NetworkPolicy": "apis/networking.k8s.io/v1/networkpolicies",
    "Widget": f"apis/{GROUP}/v1/widgets",
}


def collection(kind: str, namespace: str) -> str:
    """Return the path of all objects of a kind in a namespace."""
    root, _, plural = PLURALS[kind].rpartition("/")
    return f"/{root}/namespaces/{namespace}/{plural}"


def definition() -> Raw:
    """Return the definition of the custom resources."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": DEFINITION_NAME},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def _object(api_version: str, kind: str, namespace: str, number: int, **fields: Any) -> Raw:
    labels = {
        "app.kubernetes.io/name": _app(number),
        "app.kubernetes.io/part-of": f"team-{number % 12}",
        "app.kubernetes.io/managed-by": "platform",
    }
    meta = {
        "name": f"{kind.lower()}-{number:05d}",
        "namespace": namespace,
        "labels": labels,
        "annotations": {"example.com/owner": f"team-{number % 12}@example.com", "example.com/ticket": f"OPS-{number}"},
    }
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, **fields}


def _app(number: int) -> str:
    return f"app-{number // 20:04d}"


def _noise(number: int, size: int) -> str:
    """Return that many characters that look random and are the same in every run."""
    blocks = (hashlib.sha256(f"{number}/{block}".encode()).hexdigest() for block in range(size // 64 + 1))
    return "".join(blocks)[:size]


def _config_map(namespace: str, number: int) -> Raw:
    lines = "\n".join(f"server.option.{i} = {_noise(number + i, 24)}" for i in range(number % 25))
    data = {
        "application.properties": f"# settings of {_app(number)}\n{lines}\n",
        "LOG_LEVEL": "info" if number % 3 else "debug",
        "FEATURES": "on",
        "PORT": "8080",
        "RATIO": "1e3",
    }
    return _object("v1", "ConfigMap", namespace, number, data=data)


def _secret(namespace: str, number: int) -> Raw:
    values = {"username": _app(number), "password": _noise(number, 32), "token": _noise(number, 40 + number % 700)}
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return _object("v1", "Secret", namespace, number, type="Opaque", data=data)


def _setting(namespace: str, number: int) -> Raw:
    data = {"LOG_LEVEL": "info" if number % 3 else "debug", "PORT": "8080", "KEY": _noise(number, 24)}
    return _object("v1", "ConfigMap", namespace, number, data=data)


def _login(namespace: str, number: int) -> Raw:
    values = {"username": _app(number), "password": _noise(number, 32)}
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return _object("v1", "Secret", namespace, number, type="Opaque", data=data)


def _account(namespace: str, number: int) -> Raw:
    return _object("v1", "ServiceAccount", namespace, number, automountServiceAccountToken=False)


def _role(namespace: str, number: int) -> Raw:
    rules = [
        {"apiGroups": [""], "resources": ["configmaps", "secrets"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "patch"]},
    ]
    return _object("rbac.authorization.k8s.io/v1", "Role", namespace, number, rules=rules)


def _binding(namespace: str, number: int) -> Raw:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    subject = {"kind": "ServiceAccount", "name": _app(number), "namespace": namespace}
    return _object("rbac.authorization.k8s.io/v1", "RoleBinding", namespace, number, roleRef=role, subjects=[subject])


def _service(namespace: str, number: int) -> Raw:
    ports = [{"name": name, "port": port, "protocol": "TCP"} for name, port in (("http", 80), ("metrics", 9090))]
    spec = {"selector": {"app.kubernetes.io/name": _app(number)}, "ports": ports, "type": "ClusterIP"}
    return _object("v1", "Service", namespace, number, spec=spec)


def _deployment(namespace: str, number: int) -> Raw:
    labels = {"app.kubernetes.io/name": f"deployment-{number}"}
    volumes = [{"name": "settings", "configMap": {"name": f"configmap-{number:05d}"}}, {"name": "tmp", "emptyDir": {}}]
    template = {
        "metadata": {"labels": labels, "annotations": {"example.com/checksum": _noise(number, 64)}},
        "spec": {"containers": [_container(number, name) for name in ("web", "sidecar")], "volumes": volumes},
    }
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    return _object("apps/v1", "Deployment", namespace, number, spec=spec)


def _container(number: int, name: str) -> Raw:
    env = [{"name": f"SETTING_{i}", "value": _noise(number + i, 12)} for i in range(6)]
    probe = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 10, "timeoutSeconds": 2}
    return {
        "name": name,
        "image": f"registry.example.com/{_app(number)}/{name}:1.{number % 40}.0",
        "env": env,
        "ports": [{"containerPort": 8080, "name": f"{name}-http"}],
        "readinessProbe": probe,
        "livenessProbe": probe,
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
        "volumeMounts": [{"name": "settings", "mountPath": "/etc/app"}, {"name": "tmp", "mountPath": "/tmp"}],
    }


def _ingress(namespace: str, number: int) -> Raw:
    backend = {"service": {"name": f"service-{number:05d}", "port": {"name": "http"}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    host = f"{_app(number)}.example.com"
    rules = [{"host": host, "http": {"paths": [path]}}]
    return _object("networking.k8s.io/v1", "Ingress", namespace, number, spec={"rules": rules})


def _policy(namespace: str, number: int) -> Raw:
    peers = [{"podSelector": {"matchLabels": {"app.kubernetes.io/part-of": f"team-{number % 12}"}}}]
    ingress = [{"from": peers, "ports": [{"protocol": "TCP", "port": 8080}]}]
    spec = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": _app(number)}}, "policyTypes": ["Ingress"]}
    return _object("networking.k8s.io/v1", "NetworkPolicy", namespace, number, spec={**spec, "ingress": ingress})


def _widget(namespace: str, number: int) -> Raw:
    parts = [{"name": f"part-{i}", "size": i * 10, "enabled": i % 2 == 0, "weight": i / 4} for i in range(5)]
    return _object(f"{GROUP}/v1", "Widget", namespace, number, spec={"parts": parts, "title": f"Widget {number}"})


_SHARES: tuple[tuple[Callable[[str, int], Raw], int], ...] = (
    (_config_map, 28),
    (_secret, 18),
    (_account, 8),
    (_role, 7),
    (_binding, 7),
    (_service, 8),
    (_deployment, 10),
    (_ingress, 4),
    (_policy, 4),
    (_widget, 6),
)
_DECK = tuple(make for make, share in _SHARES for _ in range(share))
_STRIDE = 37
"""Coprime to the deck's size, so that every kind comes up in its share and none in a row."""
