"""In which order objects are applied: waves, each of which may be written all at once. Pure.

What the order settles is written down in docs/decisions/0002-apply-order.md. An object never stands in two waves.
"""

import enum
import functools
import operator
from collections.abc import Iterable

import msgspec

from bluegreen.model.ports import Raw
from bluegreen.model.refs import ObjectRef, ref_of


class Phase(enum.StrEnum):
    """IMPORT is written while green is idle, START when its pods shall run, LATE when they are ready."""

    IMPORT = "import"
    START = "start"
    LATE = "late"


class Wave(msgspec.Struct, frozen=True):
    """A set of objects that need not wait for each other.

    Attributes:
        name: what it is about.
        phase: when it is written.
        objects: raw objects, sorted by reference.
        refs: their references.
    """

    name: str
    phase: Phase
    objects: tuple[Raw, ...]
    refs: tuple[ObjectRef, ...]


_CUSTOM = "custom resources"
_ORDER: tuple[tuple[str, Phase, str], ...] = (
    ("namespaces", Phase.IMPORT, "Namespace"),
    ("definitions", Phase.IMPORT, "CustomResourceDefinition"),
    ("classes", Phase.IMPORT, "StorageClass VolumeSnapshotClass PriorityClass IngressClass RuntimeClass GatewayClass"),
    ("quotas", Phase.IMPORT, "ResourceQuota LimitRange"),
    ("accounts", Phase.IMPORT, "ServiceAccount"),
    ("roles", Phase.IMPORT, "ClusterRole Role"),
    ("bindings", Phase.IMPORT, "ClusterRoleBinding RoleBinding"),
    ("configuration", Phase.IMPORT, "Secret ConfigMap"),
    ("claims", Phase.IMPORT, "PersistentVolume PersistentVolumeClaim"),
    ("services", Phase.IMPORT, "Service"),
    ("endpoints", Phase.IMPORT, "Endpoints EndpointSlice"),
    (
        "workloads",
        Phase.IMPORT,
        "ReplicationController ReplicaSet Deployment StatefulSet DaemonSet Job CronJob PodTemplate",
    ),
    ("traffic", Phase.IMPORT, "Ingress NetworkPolicy"),
    ("limits", Phase.IMPORT, "PodDisruptionBudget HorizontalPodAutoscaler"),
    (_CUSTOM, Phase.IMPORT, ""),
    ("pods", Phase.START, "Pod"),
    (
        "webhooks",
        Phase.LATE,
        (
            "ValidatingWebhookConfiguration MutatingWebhookConfiguration APIService "
            "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding "
            "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding"
        ),
    ),
)
_GROUPS = frozenset(
    {"", "apps", "batch", "autoscaling", "policy", "networking.k8s.io", "rbac.authorization.k8s.io", "storage.k8s.io"}
    | {"scheduling.k8s.io", "node.k8s.io", "discovery.k8s.io", "admissionregistration.k8s.io", "apiextensions.k8s.io"}
    | {"apiregistration.k8s.io", "snapshot.storage.k8s.io", "gateway.networking.k8s.io"}
)
_WAVE_OF = {kind: name for name, _, kinds in _ORDER for kind in kinds.split()}


def wave_name(obj: Raw) -> str:
    """Return the name of the wave that an object belongs to; a kind unknown to the order is a custom resource."""
    return _wave_of(obj["apiVersion"], obj["kind"])


@functools.lru_cache
def _wave_of(api_version: str, kind: str) -> str:
    return _WAVE_OF.get(kind, _CUSTOM) if api_version.rpartition("/")[0] in _GROUPS else _CUSTOM


def order(objects: Iterable[Raw]) -> tuple[Wave, ...]:
    """Return the waves in which to write objects, empty ones left out; the input's order does not matter."""
    waves: dict[str, list[tuple[ObjectRef, Raw]]] = {name: [] for name, _, _ in _ORDER}
    for ref, obj in sorted(((ref_of(obj), obj) for obj in objects), key=operator.itemgetter(0)):
        waves[_wave_of(ref.api_version, ref.kind)].append((ref, obj))
    return tuple(_wave(name, phase, waves[name]) for name, phase, _ in _ORDER if waves[name])


def _wave(name: str, phase: Phase, found: list[tuple[ObjectRef, Raw]]) -> Wave:
    return Wave(name, phase, tuple(obj for _, obj in found), tuple(ref for ref, _ in found))


def phases(objects: Iterable[Raw]) -> set[Phase]:
    """Return the phases that some of the objects are written in."""
    names = {wave_name(obj) for obj in {(obj["apiVersion"], obj["kind"]): obj for obj in objects}.values()}
    return {phase for name, phase, _ in _ORDER if name in names}


def in_phase(waves: Iterable[Wave], phase: Phase) -> tuple[Wave, ...]:
    """Return the waves of one phase."""
    return tuple(wave for wave in waves if wave.phase is phase)
