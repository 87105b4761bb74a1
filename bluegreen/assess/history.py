"""Versions of APIs that the users wrote, which the live objects hide: the API server converts what it serves.

Signals are the last-applied annotation and managedFields. A dated manifest does not break the migration, but the next
`kubectl apply` or pipeline of its owner does, so it is a warning and never a blocker.
"""

import re
from collections.abc import Iterator

import msgspec

from bluegreen.assess.wider import Wider
from bluegreen.model.findings import Finding, Severity
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ref_of

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# (group/version, kinds or * for all, minor release that removed it); from Kubernetes' deprecated API migration guide
REMOVED: tuple[tuple[str, str, int], ...] = (
    ("extensions/v1beta1", "Deployment DaemonSet ReplicaSet NetworkPolicy PodSecurityPolicy", 16),
    ("apps/v1beta1", "*", 16),
    ("apps/v1beta2", "*", 16),
    ("extensions/v1beta1", "Ingress", 22),
    ("networking.k8s.io/v1beta1", "Ingress IngressClass", 22),
    ("rbac.authorization.k8s.io/v1beta1", "*", 22),
    ("apiextensions.k8s.io/v1beta1", "*", 22),
    ("admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration MutatingWebhookConfiguration", 22),
    ("scheduling.k8s.io/v1beta1", "*", 22),
    ("storage.k8s.io/v1beta1", "StorageClass CSIDriver CSINode VolumeAttachment", 22),
    ("batch/v1beta1", "CronJob", 25),
    ("discovery.k8s.io/v1beta1", "EndpointSlice", 25),
    ("autoscaling/v2beta1", "*", 25),
    ("policy/v1beta1", "PodDisruptionBudget PodSecurityPolicy", 25),
    ("node.k8s.io/v1beta1", "RuntimeClass", 25),
    ("autoscaling/v2beta2", "*", 26),
    ("flowcontrol.apiserver.k8s.io/v1beta1", "*", 26),
    ("storage.k8s.io/v1beta1", "CSIStorageCapacity", 27),
    ("flowcontrol.apiserver.k8s.io/v1beta2", "*", 29),
    ("flowcontrol.apiserver.k8s.io/v1beta3", "*", 32),
)


def removed_in(api_version: str, kind: str) -> int | None:
    """Return the minor release that removed an API, None when it was not removed."""
    fitting = (
        minor for version, kinds, minor in REMOVED if version == api_version and (kinds == "*" or kind in kinds.split())
    )
    return next(fitting, None)


def dated_manifests(wider: Wider) -> Iterator[Finding]:
    """Find objects whose owner last wrote them in a version that the target no longer serves."""
    found = re.match(r"v?1\.(\d+)", wider.subject.target.version)
    target = int(found[1]) if found else 0
    for obj in wider.raw:
        for version, written_by in sorted(_versions(obj)):
            minor = removed_in(version, obj["kind"])
            if minor is not None and minor <= target:
                yield Finding(
                    "manifest-version-removed",
                    Severity.WARNING,
                    str(ref_of(obj)),
                    f"{written_by} wrote it as {version}, which is gone since 1.{minor}; the target runs 1.{target}",
                    f"change its manifest to {obj['apiVersion']} before its owner applies it to the target",
                )


def _versions(obj: Raw) -> set[tuple[str, str]]:
    """Return each version that an object was written in, with who did."""
    meta = obj["metadata"]
    found = {
        (str(entry.get("apiVersion", "")), str(entry.get("manager", "somebody")))
        for entry in meta.get("managedFields") or ()
        if not entry.get("subresource")
    }
    text = (meta.get("annotations") or {}).get(_LAST_APPLIED)
    try:
        applied = msgspec.json.decode(text) if text else None
    except msgspec.DecodeError:
        applied = None
    return found | ({(str(applied.get("apiVersion", "")), "kubectl apply")} if isinstance(applied, dict) else set())


def definitions(wider: Wider) -> Iterator[Finding]:
    """Find definitions that the target has in other versions, or that still have old versions stored."""
    for crd in wider.subject.objects:
        there = wider.definitions.get(crd["metadata"]["name"]) if crd["kind"] == "CustomResourceDefinition" else None
        missing = sorted(_served(crd) - _served(there)) if there is not None else []
        if missing:
            yield Finding(
                "definition-versions",
                Severity.WARNING,
                str(ref_of(crd)),
                f"the target has it without the version {', '.join(missing)} that blue serves",
                "upgrade the operator that owns it on the target",
            )
    for raw in wider.raw:
        stored = (
            (raw.get("status") or {}).get("storedVersions") or [] if raw["kind"] == "CustomResourceDefinition" else []
        )
        if len(stored) > 1:
            yield Finding(
                "definition-stored-versions",
                Severity.INFO,
                str(ref_of(raw)),
                f"blue has objects stored as {', '.join(map(str, stored))}; they are read and written in one version",
                "nothing; on the target only one version will be stored",
            )


def _served(crd: Raw) -> set[str]:
    return {str(v.get("name")) for v in (crd.get("spec") or {}).get("versions") or () if v.get("served")}
