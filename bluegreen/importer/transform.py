"""Rewrites objects for green: storage and ingress classes, image registries, namespaces, labels and annotations. Pure.

The input is never changed; what a map does not name stays as it is. Patches come after all this: rewrite.py.
"""

from collections.abc import Mapping

import msgspec

from bluegreen.importer import shape
from bluegreen.importer.namespaces import map_namespaces
from bluegreen.importer.patches import Patch
from bluegreen.model.ports import Raw

_STORAGE = "volume.beta.kubernetes.io/storage-class"
_INGRESS = "kubernetes.io/ingress.class"


class TransformOptions(msgspec.Struct, frozen=True):
    """What to rewrite.

    Attributes:
        storage_classes: name on blue to name on green.
        ingress_classes: name on blue to name on green.
        images: prefix of an image to its replacement; the longest prefix that ends at a / : @ or the end wins.
        namespaces: name on blue to name on green.
        labels: labels added to every object; pod templates and selectors stay.
        annotations: annotations added to every object.
        patches: patches of single objects, in order, after all the rest.
    """

    storage_classes: Mapping[str, str] = msgspec.field(default_factory=dict)
    ingress_classes: Mapping[str, str] = msgspec.field(default_factory=dict)
    images: Mapping[str, str] = msgspec.field(default_factory=dict)
    namespaces: Mapping[str, str] = msgspec.field(default_factory=dict)
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    patches: tuple[Patch, ...] = ()


def transform(obj: Raw, how: TransformOptions) -> Raw:
    """Return an object rewritten for green, but for patches; the same one where there is nothing to rewrite."""
    if shape.is_data(obj):
        return _data(obj, how)
    if not any((how.storage_classes, how.ingress_classes, how.images, how.namespaces, how.labels, how.annotations)):
        return obj
    copy = shape.copy_json(obj)
    for claim in shape.claims(copy) if how.storage_classes else ():
        _map_value(claim.get("spec"), "storageClassName", how.storage_classes)
        _map_value(shape.get(claim, "metadata", "annotations"), _STORAGE, how.storage_classes)
    if how.ingress_classes:
        _map_ingress(copy, how.ingress_classes)
    for container in shape.containers(copy) if how.images else ():
        if isinstance(container.get("image"), str):
            container["image"] = map_image(container["image"], how.images)
    if how.namespaces:
        map_namespaces(copy, how.namespaces)
    _add(copy, "labels", how.labels)
    _add(copy, "annotations", how.annotations)
    return copy


def _data(obj: Raw, how: TransformOptions) -> Raw:
    """Return a ConfigMap or a Secret rewritten; what it holds, most of what there is, is neither looked at nor copied.

    A copy shares with the input what is the same in both.
    """
    name = obj["metadata"].get("namespace")
    if name not in how.namespaces and not how.labels and not how.annotations:
        return obj
    copy = {**obj, "metadata": dict(obj["metadata"])}
    map_namespaces(copy, how.namespaces)
    _add(copy, "labels", how.labels)
    _add(copy, "annotations", how.annotations)
    return copy


def _map_ingress(obj: Raw, classes: Mapping[str, str]) -> None:
    if obj.get("kind") == "Ingress":
        _map_value(obj.get("spec"), "ingressClassName", classes)
        _map_value(shape.get(obj, "metadata", "annotations"), _INGRESS, classes)
    if obj.get("kind") == "IngressClass":
        _map_value(obj.get("metadata"), "name", classes)


def _map_value(holder: Raw | None, key: str, names: Mapping[str, str]) -> None:
    if holder and holder.get(key) in names:
        holder[key] = names[holder[key]]


def _add(obj: Raw, key: str, values: Mapping[str, str]) -> None:
    if values:
        obj["metadata"][key] = {**(obj["metadata"].get(key) or {}), **values}


def map_image(image: str, prefixes: Mapping[str, str]) -> str:
    """Return an image with its longest mapped prefix replaced.

    Args:
        image: image reference as a container names it.
        prefixes: whole path components: docker.io/library matches docker.io/library/nginx, not docker.io/library2.
    """
    fitting = [
        p for p in prefixes if image.startswith(p) and (p.endswith("/") or image[len(p) :][:1] in ("", "/", ":", "@"))
    ]
    if not fitting:
        return image
    longest = max(fitting, key=len)
    return prefixes[longest] + image[len(longest) :]
