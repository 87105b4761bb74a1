"""What there is to move: counts, requests, volumes by class and size, and which object uses which. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from bluegreen.assess.amounts import amount, bytes_words, cores_words
from bluegreen.assess.pod_resources import total
from bluegreen.assess.pods import pod_spec
from bluegreen.model.ports import Raw

_VOLUMES = {"configMap": ("ConfigMap", "name"), "secret": ("Secret", "secretName")}
_FROM = {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret", "configMapRef": "ConfigMap", "secretRef": "Secret"}


def inventory(objects: Sequence[Raw]) -> dict[str, Any]:
    """Return the inventory as JSON data."""
    return {
        "objects": dict(sorted(Counter(str(obj["kind"]) for obj in objects).items())),
        "cpu": cores_words(total(objects, "cpu")),
        "memory": bytes_words(total(objects, "memory")),
        "volumes": _volumes(objects),
    }


def _volumes(objects: Sequence[Raw]) -> list[dict[str, Any]]:
    sizes: dict[str, list[Decimal]] = {}
    for obj in objects:
        if obj["kind"] == "PersistentVolumeClaim":
            spec = obj.get("spec") or {}
            asked = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
            sizes.setdefault(_class(spec), []).append(amount(asked))
    return [
        {"storageClass": name, "claims": len(all_of), "size": bytes_words(sum(all_of, Decimal(0)))}
        for name, all_of in sorted(sizes.items())
    ]


def _class(claim: dict[str, Any]) -> str:
    """Return a claim's class in words; an empty name asks for no class, only an absent one for the default."""
    name = claim.get("storageClassName")
    return "(default)" if name is None else str(name or "(none)")


def uses(objects: Sequence[Raw]) -> list[dict[str, str]]:
    """Return which object uses which, each pair once and sorted."""
    pairs = {(_name(obj), used) for obj in objects for used in _used(obj, objects)}
    return [{"object": one, "uses": other} for one, other in sorted(pairs)]


def _name(obj: Raw) -> str:
    where = obj["metadata"].get("namespace")
    return f"{obj['kind']} {where + '/' if where else ''}{obj['metadata']['name']}"


def _used(obj: Raw, objects: Sequence[Raw]) -> Iterator[str]:
    namespace = str(obj["metadata"].get("namespace") or "")
    for kind, name in _in_pods(pod_spec(obj)):
        yield f"{kind} {namespace}/{name}"
    spec = obj.get("spec") or {}
    if obj["kind"] == "HorizontalPodAutoscaler":
        target = spec.get("scaleTargetRef") or {}
        yield f"{target.get('kind')} {namespace}/{target.get('name')}"
    if obj["kind"] == "Ingress":
        for rule in spec.get("rules") or ():
            for path in (rule.get("http") or {}).get("paths") or ():
                service = (path.get("backend") or {}).get("service") or {}
                yield f"Service {namespace}/{service.get('name')}"
    if obj["kind"] == "Service" and spec.get("selector"):
        yield from (_name(other) for other in objects if _selects(spec["selector"], namespace, other))


def _selects(selector: dict[str, str], namespace: str, other: Raw) -> bool:
    template = (
        (other.get("spec") or {}).get("template") if other["kind"] in ("Deployment", "StatefulSet", "DaemonSet") else {}
    )
    labels = ((template or {}).get("metadata") or {}).get("labels") or {}
    return other["metadata"].get("namespace") == namespace and bool(labels) and selector.items() <= labels.items()


def _in_pods(spec: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what pods use of their own namespace."""
    if spec.get("serviceAccountName"):
        yield "ServiceAccount", str(spec["serviceAccountName"])
    for volume in spec.get("volumes") or ():
        for key, (kind, field) in _VOLUMES.items():
            if (volume.get(key) or {}).get(field):
                yield kind, str(volume[key][field])
        if volume.get("persistentVolumeClaim"):
            yield "PersistentVolumeClaim", str(volume["persistentVolumeClaim"].get("claimName"))
    for container in (c for key in ("initContainers", "containers") for c in spec.get(key) or ()):
        sources = [(v.get("valueFrom") or {}) for v in container.get("env") or ()] + list(
            container.get("envFrom") or ()
        )
        for source in sources:
            yield from ((kind, str(source[key].get("name"))) for key, kind in _FROM.items() if source.get(key))
