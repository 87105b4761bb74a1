"""How each workload is best moved, and how risky that is, with every point of the score explained. Pure.

Lift and shift moves it as it is; re-platform needs a rewrite on the way, which is named; refactor needs a person's work
before it can move.
"""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bluegreen.assess.amounts import replicas
from bluegreen.assess.pods import pod_spec
from bluegreen.model.findings import Finding, Severity
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ref_of

_KINDS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Pod", "ReplicaSet", "ReplicationController")
_REFACTOR = frozenset({"host-path", "node-selector-unmatched", "affinity-unmatched"})
_REPLATFORM = {
    "storage-class-missing": "transform.storageClasses",
    "ingress-class-missing": "transform.ingressClasses",
    "image-registry-local": "transform.images",
}
_POINTS = {Severity.BLOCKER: 40, Severity.WARNING: 15, Severity.INFO: 2}
_DATA, _SINGLE, _NO_PROBE, _HIGHEST = 20, 10, 10, 100


class Strategy(enum.StrEnum):
    """The ways to move a workload."""

    LIFT = "lift and shift"
    REPLATFORM = "re-platform"
    REFACTOR = "refactor"


@dataclass(frozen=True, slots=True)
class Judged:
    """A workload with its strategy and risk.

    Attributes:
        workload: the workload in words.
        strategy: how it is best moved.
        risk: 0 to 100.
        because: each reason, with its points.
    """

    workload: str
    strategy: Strategy
    risk: int
    because: tuple[str, ...]


def judge(
    objects: Sequence[Raw], moved: Sequence[Raw], findings: Iterable[Finding], mapped: frozenset[str]
) -> tuple[Judged, ...]:
    """Judge every workload, the riskiest first.

    Args:
        objects: blue's cleaned objects.
        moved: the same in the same order, as green will have them; a finding may name an object as on either side.
        findings: what was found about them.
        mapped: StorageClasses and IngressClasses of blue that the configuration maps.
    """
    found = list(findings)
    pairs = zip(objects, moved, strict=True)
    judged = [_judged(obj, _about((obj, there), found), mapped) for obj, there in pairs if obj["kind"] in _KINDS]
    return tuple(sorted(judged, key=lambda one: (-one.risk, one.workload)))


def _about(sides: Iterable[Raw], findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings about an object, by its names on both sides; some go on with a part of it."""
    names = {f"{ref_of(obj)} " for obj in sides}
    return [finding for finding in findings if any(f"{finding.subject} ".startswith(name) for name in names)]


def _judged(obj: Raw, own: list[Finding], mapped: frozenset[str]) -> Judged:
    name = str(ref_of(obj))
    strategy, why = _strategy(obj, own, mapped)
    points = [*_of_shape(obj), *((_POINTS[f.severity], f"{f.rule}: {f.reason}") for f in own)]
    risk = min(_HIGHEST, sum(number for number, _ in points))
    return Judged(name, strategy, risk, (why, *(f"+{number} {text}" for number, text in points)))


def _strategy(obj: Raw, own: list[Finding], mapped: frozenset[str]) -> tuple[Strategy, str]:
    for finding in own:
        if finding.rule in _REFACTOR:
            return Strategy.REFACTOR, f"{finding.reason}: {finding.action}"
    for finding in own:
        if finding.rule in _REPLATFORM:
            return Strategy.REPLATFORM, f"needs {_REPLATFORM[finding.rule]}"
    classes = {(t.get("spec") or {}).get("storageClassName") for t in _templates(obj)} & mapped
    if classes:
        return Strategy.REPLATFORM, f"transform.storageClasses rewrites {', '.join(sorted(map(str, classes)))}"
    return Strategy.LIFT, "moves as it is"


def _templates(obj: Raw) -> list[Raw]:
    return (obj.get("spec") or {}).get("volumeClaimTemplates") or [] if obj["kind"] == "StatefulSet" else []


def _of_shape(obj: Raw) -> list[tuple[int, str]]:
    """Return the points that a workload gets for what it is."""
    spec = pod_spec(obj)
    points: list[tuple[int, str]] = []
    if _templates(obj) or any("persistentVolumeClaim" in v for v in spec.get("volumes") or ()):
        points.append((_DATA, "it has data: writes on blue after the copy are not carried over"))
    if obj["kind"] in ("Deployment", "StatefulSet"):
        if replicas(obj) == 1:
            points.append((_SINGLE, "one replica: nothing serves while it restarts"))
        if not any("readinessProbe" in c for c in spec.get("containers") or ()):
            points.append((_NO_PROBE, "no readiness probe: ready says nothing about it"))
    return points
