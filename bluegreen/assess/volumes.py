"""Where blue's volumes are tied to, and whether the target's classes can make new ones for the same claims. Pure.

Data is copied as files into fresh volumes, so a tie does not stop the data; it stops pods that ask for the same place,
and whatever would bring the volume itself.
"""

from collections.abc import Iterator
from typing import Any

from bluegreen.assess.classes import is_default
from bluegreen.assess.matching import any_term, expressions_words
from bluegreen.assess.wider import Wider
from bluegreen.model.findings import Finding, Severity
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ref_of

_HOST = "kubernetes.io/hostname"
_NO_PROVISIONER = "kubernetes.io/no-provisioner"
_ZONE_WORDS = ("zone", "region")


def pinned_volumes(wider: Wider) -> Iterator[Finding]:
    """Find volumes of moved claims that are tied to a zone that green lacks, to a node, or to a path of one."""
    volumes = {_claim_of(volume): volume for volume in wider.blue.objects.get("PersistentVolume", ())}
    for claim in _claims(wider):
        meta = claim["metadata"]
        volume = volumes.get((str(meta.get("namespace")), str(meta["name"])))
        if volume is not None:
            yield from _pinned(claim, volume, wider)


def _claims(wider: Wider) -> list[Raw]:
    return [obj for obj in wider.subject.objects if obj["kind"] == "PersistentVolumeClaim"]


def _claim_of(volume: Raw) -> tuple[str, str]:
    claim = (volume.get("spec") or {}).get("claimRef") or {}
    return str(claim.get("namespace")), str(claim.get("name"))


def _pinned(claim: Raw, volume: Raw, wider: Wider) -> Iterator[Finding]:
    name, spec = volume["metadata"]["name"], volume.get("spec") or {}
    terms = ((spec.get("nodeAffinity") or {}).get("required") or {}).get("nodeSelectorTerms") or []
    if "hostPath" in spec:
        yield Finding(
            "host-path-volume",
            Severity.BLOCKER,
            str(ref_of(claim)),
            f"its volume {name} is the path {spec['hostPath'].get('path')} of a node; Velero does not back such up",
            "move the data to a CSI or local class on blue first, or leave the claim out",
        )
    elif "local" in spec or _HOST in _keys(terms):
        yield Finding(
            "node-pinned-volume",
            Severity.WARNING,
            str(ref_of(claim)),
            f"its volume {name} is tied to a node of blue ({expressions_words(terms) or 'local disk'})",
            "its files are copied into a fresh volume; make sure that the target's class is as safe as you need",
        )
    elif _zoned(terms) and wider.green.nodes() and not any(any_term(terms, node) for node in wider.green.nodes()):
        yield Finding(
            "zone-pinned-volume",
            Severity.WARNING,
            str(ref_of(claim)),
            f"its volume {name} lies where {expressions_words(terms)}; no node of the target does",
            "copy its files (data.policy copy), no snapshot helps there; check what its pods' affinity asks for",
        )


def _keys(terms: list[dict[str, Any]]) -> set[str]:
    return {str(one.get("key", "")) for term in terms for one in term.get("matchExpressions") or ()}


def _zoned(terms: list[dict[str, Any]]) -> bool:
    return any(word in key for key in _keys(terms) for word in _ZONE_WORDS)


def volume_makers(wider: Wider) -> Iterator[Finding]:
    """Find claims that would stay pending, for nothing on green makes a volume for them."""
    classes = {str(one["metadata"]["name"]): one for one in wider.green.objects.get("StorageClass", ())}
    if "StorageClass" not in wider.green.objects:
        return
    for claim in _claims(wider):
        name = (claim.get("spec") or {}).get("storageClassName")
        mapped = wider.subject.storage_classes.get(name or "", name)
        why = _unmade(mapped, classes, wider)
        if why:
            hint = "map its class in bluegreen.yaml (transform.storageClasses), or make a volume for it by hand"
            yield Finding("volume-not-made", Severity.WARNING, str(ref_of(claim)), why, hint)


def _unmade(name: str | None, classes: dict[str, Raw], wider: Wider) -> str:
    """Return why no volume is made for a claim of a class; a class that is missing is found elsewhere."""
    if name is None:
        return (
            ""
            if any(map(is_default, classes.values()))
            else "it names no StorageClass, and the target has no default one"
        )
    if not name:
        return "it asks for a volume that was made by hand (storageClassName is empty); the target makes none"
    given = classes.get(name)
    if given is None:
        return ""
    if given.get("provisioner") == _NO_PROVISIONER:
        return f"StorageClass {name} of the target makes no volumes ({_NO_PROVISIONER})"
    terms = [_as_term(one) for one in given.get("allowedTopologies") or ()]
    nodes = wider.green.nodes()
    if terms and nodes and not any(any_term(terms, node) for node in nodes):
        return (
            f"StorageClass {name} of the target makes volumes only where {expressions_words(terms)}; no node is there"
        )
    return ""


def _as_term(topology: dict[str, Any]) -> dict[str, Any]:
    given = topology.get("matchLabelExpressions") or ()
    return {"matchExpressions": [{**one, "operator": "In"} for one in given]}
