"""The assessment as a whole: every finding, the inventory, and each workload with strategy and risk."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from bluegreen.assess import admission, awake, clocks, hazards, history, images, placement, requested, spaces, volumes
from bluegreen.assess.checks import find
from bluegreen.assess.inventory import inventory, uses
from bluegreen.assess.rights import finding as as_finding
from bluegreen.assess.strategy import Judged, judge
from bluegreen.assess.wider import Wider
from bluegreen.model.findings import Finding, Severity

FURTHER: tuple[Callable[[Wider], Iterator[Finding]], ...] = (
    spaces.being_deleted,
    history.dated_manifests,
    history.definitions,
    hazards.load_balancers,
    hazards.cloud_identities,
    hazards.owned_by_gitops,
    hazards.done_twice,
    hazards.autoscalers,
    awake.starts_on_import,
    hazards.floating_images,
    hazards.capacity,
    hazards.gaps,
    requested.requested_apis,
    volumes.pinned_volumes,
    volumes.volume_makers,
    placement.affinity,
    placement.taints,
    placement.architectures,
    images.never_pulled,
    images.local_registries,
    images.pull_secrets,
    images.failing_pulls,
    images.looked_at,
    clocks.skewed_clocks,
    admission.different_hooks,
    admission.pod_security,
    admission.different_plugins,
    admission.limits_on_target,
    lambda wider: map(as_finding, wider.missing),
)
"""Checks that look at both clusters, beyond those of objects against the target's facts."""

_RANK = {Severity.BLOCKER: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was found.

    Attributes:
        findings: the worst first.
        workloads: the riskiest first.
        inventory: what there is, as JSON data.
        uses: which object uses which, as JSON data.
    """

    findings: tuple[Finding, ...]
    workloads: tuple[Judged, ...]
    inventory: dict[str, Any]
    uses: list[dict[str, str]]

    def count(self, severity: Severity) -> int:
        """Return the number of findings of a severity."""
        return sum(finding.severity is severity for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Return the assessment as JSON data."""
        return {
            "findings": [{**asdict(f), "severity": str(f.severity)} for f in self.findings],
            "workloads": [
                {**asdict(w), "strategy": str(w.strategy), "because": list(w.because)} for w in self.workloads
            ],
            "inventory": self.inventory,
            "uses": self.uses,
        }


def assess(wider: Wider, more: Iterable[Finding] = ()) -> Assessment:
    """Return the assessment of a subject.

    Args:
        wider: what is looked at.
        more: what another room has found, such as patches that do not fit.
    """
    subject = wider.subject
    found = [*find(subject), *(finding for check in FURTHER for finding in check(wider)), *more]
    ordered = tuple(sorted(found, key=lambda f: (_RANK[f.severity], f.rule, f.subject)))
    mapped = frozenset(subject.storage_classes) | frozenset(subject.ingress_classes)
    return Assessment(
        ordered,
        judge(subject.objects, subject.on_green(), ordered, mapped),
        inventory(subject.objects),
        uses(subject.objects),
    )
