"""What surrounds the moved objects in a cluster: nodes, volumes, admission, clock, metrics. Read once, side by side.

It only reads. What cannot be read is a gap with its reason, never an error and never silence.
"""

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from prometheus_client.parser import text_string_to_metric_families

from bluegreen.assess.facts import built_in
from bluegreen.assess.gaps import attempt
from bluegreen.model.errors import NotFoundError
from bluegreen.model.ports import ApiResource, Cluster, Raw

ADMISSION = (
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
)
_EVERYWHERE = ("Node", "Namespace", *ADMISSION)
_OF_BLUE = ("PersistentVolume",)
_OF_GREEN = ("StorageClass", "CustomResourceDefinition")
_IN_NAMESPACES = ("ResourceQuota", "LimitRange")
_LEASES = "kube-node-lease"
_WORKERS = 8
REQUESTED = "apiserver_requested_deprecated_apis"
_PLUGINS = "apiserver_admission_controller_admission_duration_seconds_count"

Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Clock:
    """A cluster's clock against ours.

    Attributes:
        ahead: seconds that its API server is ahead of us; negative when behind.
        unsure: seconds by which `ahead` may be wrong: the header has whole seconds, the request took time.
        at: the time of the API server.
    """

    ahead: float
    unsure: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Surroundings:
    """One cluster around the moved objects.

    Attributes:
        side: blue or green.
        context: context of the kubeconfig.
        objects: objects by kind; a kind that is absent was not read.
        clock: its clock, None when not known.
        requested: labels of the deprecated APIs that clients asked for, None when not known.
        plugins: names of admission plug-ins that worked since the API server started, None when not known.
    """

    side: str = ""
    context: str = ""
    objects: Mapping[str, tuple[Raw, ...]] = field(default_factory=dict)
    clock: Clock | None = None
    requested: tuple[Mapping[str, str], ...] | None = None
    plugins: frozenset[str] | None = None

    def nodes(self) -> tuple[Raw, ...]:
        """Return the nodes that take pods; none when they were not read."""
        return tuple(node for node in self.objects.get("Node", ()) if not (node.get("spec") or {}).get("unschedulable"))


def surround(
    side: str,
    cluster: Cluster,
    resources: Iterable[ApiResource],
    namespaces: Iterable[str],
    *,
    now: Now,
    gaps: dict[str, str],
) -> Surroundings:
    """Read what surrounds the objects in a cluster.

    Args:
        side: blue or green.
        cluster: the cluster.
        resources: what it serves.
        namespaces: namespaces of the moved objects there.
        now: time of day in UTC.
        gaps: told what could not be read.
    """
    served = built_in(resources)
    kinds = [*_EVERYWHERE, *(_OF_GREEN if side == "green" else _OF_BLUE)]
    reads: dict[str, Callable[[], list[Raw]]] = {
        kind: functools.partial(_listed, cluster, served.get(kind), ("",)) for kind in kinds
    }
    reads["Lease"] = functools.partial(_listed, cluster, served.get("Lease"), (_LEASES,))
    if side == "green":
        where = tuple(sorted(namespaces))
        reads |= {kind: functools.partial(_listed, cluster, served.get(kind), where) for kind in _IN_NAMESPACES}
    with ThreadPoolExecutor(_WORKERS) as pool:
        metrics = pool.submit(attempt, lambda: cluster.raw("/metrics").text, f"/metrics of {side}", gaps)
        started = {kind: pool.submit(attempt, read, f"{kind} of {side}", gaps) for kind, read in reads.items()}
        found = {kind: one.result() for kind, one in started.items()}
        # After the leases: one that was renewed meanwhile would seem to come from the future.
        clock = attempt(lambda: read_clock(cluster, now), f"clock of {side}", gaps)
        text = metrics.result()
        return Surroundings(
            side=side,
            context=cluster.id.context,
            objects={kind: tuple(items) for kind, items in found.items() if items is not None},
            clock=clock,
            requested=None if text is None else labels_of(text, REQUESTED),
            plugins=None if text is None else frozenset(one["name"] for one in labels_of(text, _PLUGINS)),
        )


def _listed(cluster: Cluster, resource: ApiResource | None, namespaces: Iterable[str]) -> list[Raw]:
    """Return the objects of a kind; a kind that is not served has none."""
    try:
        return [obj for name in namespaces for obj in cluster.list(resource, name)] if resource else []
    except NotFoundError:
        return []


def read_clock(cluster: Cluster, now: Now) -> Clock | None:
    """Return a cluster's clock, None when its answers say no time."""
    before = now()
    said = cluster.raw("/version").date
    took = (now() - before).total_seconds()
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    # The header drops the fraction of its second: half a second is the middle of what it can mean.
    return Clock((at - before).total_seconds() + 0.5 - took / 2, 0.5 + took / 2, at)


def labels_of(text: str, name: str) -> tuple[Mapping[str, str], ...]:
    """Return the labels of each sample of a metric in the text format of Prometheus."""
    # A busy API server tells megabytes, and the parser is slow: it gets the lines of the one metric only.
    lines = "".join(f"{line}\n" for line in re.findall(rf"^{name}\{{.*$", text, re.MULTILINE))
    return tuple(sample.labels for family in text_string_to_metric_families(lines) for sample in family.samples)
