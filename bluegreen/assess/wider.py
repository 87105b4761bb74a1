"""More facts than the first checks need: what an assessment asks both clusters besides.

It only reads. What cannot be read is a gap with its reason, never an error: an assessment says as much as it can.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bluegreen.assess.amounts import amount
from bluegreen.assess.checks import Subject
from bluegreen.assess.gaps import attempt
from bluegreen.assess.makers import find_makers
from bluegreen.assess.pod_resources import Amounts
from bluegreen.assess.pods import named_secrets
from bluegreen.assess.quotas import count_already
from bluegreen.assess.rights import Extras, Missing, ask, needs
from bluegreen.assess.surroundings import Now, Surroundings, surround
from bluegreen.model.errors import BluegreenError, NotFoundError
from bluegreen.model.ports import ApiResource, Cluster, Raw
from bluegreen.model.refs import ObjectRef, ref_of

_METRICS = ObjectRef("apiregistration.k8s.io/v1", "APIService", "", "v1beta1.metrics.k8s.io")
_FAILED = "/api/v1/events?fieldSelector=reason%3DFailed&limit=500"
_WORKERS = 8
_PARTS = 5
_NOTHING_ELSE = Extras()


def _utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Wider:
    """What the further checks look at.

    Attributes:
        subject: what the first checks look at.
        raw: blue's objects as it serves them, for their history.
        allocatable: cpu and memory of green's nodes, None when they cannot be listed.
        metrics: whether green serves pod metrics, None when that cannot be known.
        definitions: green's CustomResourceDefinitions by name.
        gaps: what could not be read, with the reason.
        moved: the objects as green will have them.
        plurals: resource name in URLs by (apiVersion, kind), of blue.
        blue: what surrounds the objects on blue.
        green: what surrounds them on green.
        unserved: requested deprecated APIs (group, version, resource) that green does not serve.
        secrets: Secrets of green that moved pods pull images with, as (namespace, name).
        failed: messages of green's events about what failed, such as pulls.
        missing: rights that we do not have.
        makers: custom resources of blue that make pods.
        counted: what moved objects use on green already, where a quota limits it.
    """

    subject: Subject
    raw: tuple[Raw, ...]
    allocatable: dict[str, Decimal] | None
    metrics: bool | None
    definitions: dict[str, Raw]
    gaps: dict[str, str]
    moved: Sequence[Raw] = ()
    plurals: dict[tuple[str, str], str] = field(default_factory=dict)
    blue: Surroundings = field(default_factory=Surroundings)
    green: Surroundings = field(default_factory=Surroundings)
    unserved: frozenset[tuple[str, str, str]] = frozenset()
    secrets: frozenset[tuple[str, str]] = frozenset()
    failed: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()
    makers: frozenset[ObjectRef] = frozenset()
    counted: Mapping[ObjectRef, Amounts] = field(default_factory=dict)


def widen(
    subject: Subject,
    blue: Cluster,
    green: Cluster,
    *,
    extras: Extras = _NOTHING_ELSE,
    now: Now = _utc,
) -> Wider:
    """Read the further facts of a subject.

    Args:
        subject: what is assessed.
        blue: where the objects are.
        green: where they go.
        extras: what is done besides moving objects, for the rights.
        now: time of day in UTC.
    """
    gaps: dict[str, str] = {}
    objects = subject.on_green()
    with ThreadPoolExecutor(_PARTS) as pool:
        of_blue, of_green = pool.map(lambda cluster: tuple(cluster.resources()), (blue, green))
        plurals = {(r.api_version, r.kind): r.plural for r in (*of_green, *of_blue)}
        before = pool.submit(surround, "blue", blue, of_blue, namespaces(subject.objects), now=now, gaps=gaps)
        after = pool.submit(surround, "green", green, of_green, namespaces(objects), now=now, gaps=gaps)
        raw = pool.submit(_histories, blue, of_blue, frozenset(map(ref_of, subject.objects)), gaps)
        missing = pool.submit(ask, blue, green, needs(objects, plurals, extras, subject.target.names), gaps)
        makers = pool.submit(find_makers, blue, of_blue, namespaces(subject.objects), gaps)
        failed = pool.submit(_failures, green, gaps)
        return Wider(
            subject=subject,
            raw=raw.result(),
            allocatable=_allocatable(after.result()),
            metrics=_serves_metrics(green, gaps),
            definitions=_definitions(after.result()),
            gaps=gaps,
            moved=objects,
            plurals=plurals,
            blue=before.result(),
            green=after.result(),
            unserved=_unserved(before.result(), green, gaps),
            secrets=_pull_secrets(green, objects, gaps),
            failed=failed.result(),
            missing=missing.result(),
            makers=makers.result(),
            counted=_counted(green, of_green, after.result(), objects, gaps),
        )


def _counted(
    green: Cluster,
    of_green: Iterable[ApiResource],
    after: Surroundings,
    objects: Sequence[Raw],
    gaps: dict[str, str],
) -> dict[ObjectRef, Amounts]:
    quotas, ranges = (after.objects.get(kind, ()) for kind in ("ResourceQuota", "LimitRange"))
    return count_already(green, of_green, quotas, objects, gaps, ranges=ranges)


def namespaces(objects: Iterable[Raw]) -> set[str]:
    """Return the namespaces of objects."""
    named = {str(obj["metadata"]["name"]) for obj in objects if obj["kind"] == "Namespace"}
    return named | {str(obj["metadata"]["namespace"]) for obj in objects if obj["metadata"].get("namespace")}


def _histories(
    blue: Cluster, resources: Iterable[ApiResource], refs: frozenset[ObjectRef], gaps: dict[str, str]
) -> tuple[Raw, ...]:
    """Return some objects as blue serves them, Secrets left out."""
    places = sorted({(ref.api_version, ref.kind, ref.namespace) for ref in refs if ref.kind != "Secret"})
    served = {(r.api_version, r.kind): r for r in resources}

    def read(place: tuple[str, str, str]) -> list[Raw]:
        resource, where = served.get(place[:2]), place[2]
        words = f"{place[1]} in {where or 'the cluster'}"
        found = attempt(lambda: list(blue.list(resource, where)), words, gaps) if resource else []
        return [obj for obj in found or () if ref_of(obj) in refs]

    with ThreadPoolExecutor(_WORKERS) as pool:
        return tuple(obj for found in pool.map(read, places) for obj in found)


def _unserved(blue: Surroundings, green: Cluster, gaps: dict[str, str]) -> frozenset[tuple[str, str, str]]:
    """Return the deprecated APIs that clients asked blue for and green does not serve."""
    asked = {(r.get("group", ""), r.get("version", ""), r.get("resource", "")) for r in blue.requested or ()}
    missing: set[tuple[str, str, str]] = set()
    for group, version in sorted({one[:2] for one in asked}):
        names = attempt(lambda g=group, v=version: _plurals(green, g, v), f"{group}/{version} of green", gaps)  # type: ignore[misc]
        if names is not None:
            missing |= {one for one in asked if one[:2] == (group, version) and one[2] not in names}
    return frozenset(missing)


def _plurals(cluster: Cluster, group: str, version: str) -> frozenset[str]:
    """Return the resources of a group version, none when it is not served."""
    try:
        text = cluster.raw(f"/apis/{group}/{version}" if group else f"/api/{version}").text
    except NotFoundError:
        return frozenset()
    return frozenset(str(entry.get("name", "")) for entry in _json(text).get("resources") or ())


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _pull_secrets(green: Cluster, objects: Sequence[Raw], gaps: dict[str, str]) -> frozenset[tuple[str, str]]:
    """Return which Secrets for pulling green has already, of those that are not moved; no value is kept."""
    moved = {(o["metadata"].get("namespace"), o["metadata"]["name"]) for o in objects if o["kind"] == "Secret"}
    wanted = {(where, name) for _, where, name in named_secrets(objects)} - moved
    return frozenset(
        (where, name)
        for where, name in sorted(wanted)
        # One that we may not look at is a gap, and is not told to be missing.
        if attempt(lambda w=where, n=name: _is_there(green, w, n), f"Secret {where}/{name} of green", gaps) is not False  # type: ignore[misc]
    )


def _is_there(cluster: Cluster, namespace: str, name: str) -> bool:
    try:
        cluster.get(ObjectRef("v1", "Secret", namespace, name))
    except NotFoundError:
        return False
    return True


def _failures(green: Cluster, gaps: dict[str, str]) -> tuple[str, ...]:
    text = attempt(lambda: green.raw(_FAILED).text, "events of green", gaps)
    return tuple(str(event.get("message", "")) for event in _json(text or "").get("items") or ())


def _definitions(green: Surroundings) -> dict[str, Raw]:
    return {str(crd["metadata"]["name"]): crd for crd in green.objects.get("CustomResourceDefinition", ())}


def _allocatable(green: Surroundings) -> dict[str, Decimal] | None:
    """Return what nodes that take pods have together, None when no node was read."""
    if not green.objects.get("Node"):
        return None
    given = [((node.get("status") or {}).get("allocatable") or {}) for node in green.nodes()]
    return {key: sum((amount(one.get(key)) for one in given), Decimal(0)) for key in ("cpu", "memory")}


def _serves_metrics(green: Cluster, gaps: dict[str, str]) -> bool | None:
    try:
        service = green.get(_METRICS)
    except NotFoundError:
        return False
    except BluegreenError as error:
        gaps["metrics of the target"] = str(error)
        return None
    conditions = (service.get("status") or {}).get("conditions") or ()
    return any(c.get("type") == "Available" and c.get("status") == "True" for c in conditions)
