"""Whether a node of the target takes each pod: affinity, taints, architecture. Pure.

Warnings only: an autoscaler may add the node that is missing.
"""

from collections.abc import Iterator
from typing import Any

from bluegreen.assess.matching import any_term, expressions_words, tolerates
from bluegreen.assess.pods import pod_spec
from bluegreen.assess.wider import Wider
from bluegreen.model.findings import Finding, Severity
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ref_of

_ARCH = "kubernetes.io/arch"
_KEEPS_OUT = ("NoSchedule", "NoExecute")


def affinity(wider: Wider) -> Iterator[Finding]:
    """Find pods that must be near labels, such as a zone, which no node of the target has."""
    nodes = wider.green.nodes()
    for obj in wider.moved if nodes else ():
        terms = _required(pod_spec(obj))
        if terms and not any(any_term(terms, node) for node in nodes):
            yield Finding(
                "affinity-unmatched",
                Severity.WARNING,
                str(ref_of(obj)),
                f"its pods must run where {expressions_words(terms)}; no node of the target is so",
                "label nodes of the target, or change the affinity",
            )


def _required(spec: dict[str, Any]) -> list[dict[str, Any]]:
    node = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    return list((node.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms") or ())


def taints(wider: Wider) -> Iterator[Finding]:
    """Find pods that every node of the target keeps out."""
    nodes = wider.green.nodes()
    for obj in wider.moved if nodes else ():
        spec = pod_spec(obj)
        kept_out = [_repels(node, spec) for node in nodes] if spec and obj["kind"] != "DaemonSet" else []
        if kept_out and all(kept_out):
            named = ", ".join(sorted(set(kept_out)))
            yield Finding(
                "taints-not-tolerated",
                Severity.WARNING,
                str(ref_of(obj)),
                f"every node of the target has a taint that its pods do not tolerate ({named})",
                "add nodes without the taint, or a toleration",
            )


def _repels(node: Raw, spec: dict[str, Any]) -> str:
    """Return the taint by which a node keeps a pod out, empty when it takes it."""
    for taint in (node.get("spec") or {}).get("taints") or ():
        if taint.get("effect") in _KEEPS_OUT and not tolerates(spec, taint):
            return f"{taint.get('key')}:{taint.get('effect')}"
    return ""


def architectures(wider: Wider) -> Iterator[Finding]:
    """Find a target with processors that blue does not have: images may not be built for them."""
    here, there = ({_arch(node) for node in side.nodes()} - {""} for side in (wider.blue, wider.green))
    if here and there - here:
        yield Finding(
            "architecture-new",
            Severity.INFO if here & there else Severity.WARNING,
            "nodes of the target",
            f"some are {', '.join(sorted(there - here))}, blue's are {', '.join(sorted(here))}; "
            "whether the images are built for both was not looked at",
            f"check the images' manifests, or select nodes by {_ARCH}",
        )


def _arch(node: Raw) -> str:
    return str((node["metadata"].get("labels") or {}).get(_ARCH, ""))
