"""Plan, apply exactly that plan, and verify, as commands that work alone.

Between plan and apply both clusters are read again: a plan that no longer holds is refused with the difference, and so
is one for another cluster (law 8). Blue is only read.
"""

import hashlib

from bluegreen.exporter.bundle import Bundle, Item, canonical
from bluegreen.exporter.collect import worth_listing
from bluegreen.importer.ahead import ListsAhead
from bluegreen.importer.apply import ApplyResult
from bluegreen.importer.decide import Verdict
from bluegreen.importer.plan import PlanOptions
from bluegreen.importer.prune import Surplus
from bluegreen.importer.saved import SavedPlan, stale
from bluegreen.importer.unsafe import unsafe
from bluegreen.importer.verify import Drift, compare
from bluegreen.migration.bundles import (
    Means,
    bring,
    for_target,
    foresee,
    left_out,
    make_namespaces,
    mark_of,
    read_source,
    surplus,
)
from bluegreen.migration.choices import choices_from, describe_choices
from bluegreen.migration.lacking import lacking
from bluegreen.migration.scope import Scope
from bluegreen.migration.transforms import describe, transform_of
from bluegreen.model.errors import InvalidInputError, StalePlanError
from bluegreen.model.events import Emit
from bluegreen.model.ports import ApiResource, Cluster, Raw
from bluegreen.model.refs import ObjectRef, ref_of
from bluegreen.report.words import amount

_MADE_BY_CONTROLLERS = frozenset(
    {"Pod", "Endpoints", "ReplicaSet.apps", "ControllerRevision.apps", "EndpointSlice.discovery.k8s.io"}
    | {"Event.events.k8s.io", "Lease.coordination.k8s.io"}
)
"""Kinds of which green has many that no plan compares; what is exported of them is looked for when its turn comes."""
_WRITTEN = (Verdict.CREATE, Verdict.CHANGE)


class PlanMovedError(StalePlanError):
    """A plan that no longer holds.

    Attributes:
        moved: what is no longer as it was planned, in one line each.
    """

    def __init__(self, moved: tuple[str, ...]) -> None:
        self.moved = moved
        super().__init__(
            "plan.stale",
            "comparing the plan with both clusters",
            f"{amount(len(moved), 'object')} {'is' if len(moved) == 1 else 'are'} no longer as planned",
            "make the plan again: bluegreen plan --out",
        )


def make_plan(
    blue: Cluster,
    green: Cluster,
    scope: Scope,
    emit: Emit,
    *,
    idle: bool,
    server: bool,
    making: Means | None = None,
    kept: bool = True,
) -> SavedPlan:
    """Return what an import of a scope would do to each object.

    Args:
        blue: where the objects come from.
        green: where they go; only read, but for `making`.
        scope: namespaces, selector, transform.
        emit: told what is read.
        idle: apply everything asleep.
        server: let green's API server judge each object by a dry run.
        making: makes the namespaces that green lacks first, which the server needs for that; None writes nothing.
        kept: whether somebody keeps the plan and may ask later if it still holds; it has each object's digest then.

    Raises:
        InvalidInputError: namespaces are to be made that shall stay on blue.
    """
    if making and "Namespace" in scope.choices.exclude:
        hint = "make them yourself and leave out --create-namespaces, or take Namespace out of export.exclude"
        raise InvalidInputError("plan.namespaces", "making namespaces", ("export.exclude leaves them on blue",), hint)
    resources = green.resources()
    with _ahead(green, scope, making, resources) as ahead:
        bundle = read_source(blue, scope, emit)
        wanted = for_target(bundle, scope.transform, empty_claims=False)
        if making:
            make_namespaces(green, wanted.objects, mark_of(bundle.source), making)
        contents = _contents(bundle, wanted.objects) if kept else {}
        options = PlanOptions(mark_of(bundle.source), dry_run=server, ahead=ahead, contents=contents)
        plan = foresee(green, wanted, options, idle=idle)
    return SavedPlan(
        blue=blue.id,
        green=green.id,
        namespaces=scope.namespaces,
        selector=scope.selector,
        transform=describe(scope.transform),
        idle=idle,
        server=server,
        plan=plan,
        left_out=left_out(bundle),
        remarks=(*wanted.remarks, *lacking(green, wanted.objects, resources)),
        choices=describe_choices(scope.choices),
    )


def _ahead(green: Cluster, scope: Scope, making: Means | None, resources: tuple[ApiResource, ...]) -> ListsAhead:
    """Begin to list what green has where the scope's objects will go; nothing that is about to be made."""
    listable, _ = worth_listing(resources)
    names = () if making else scope.namespaces
    targets = {scope.transform.namespaces.get(name, name) for name in names}
    wanted = [resource for resource in listable if resource.group_kind not in _MADE_BY_CONTROLLERS]
    return ListsAhead(green, [(resource, name) for resource in wanted for name in targets])


def _contents(bundle: Bundle, objects: tuple[Raw, ...]) -> dict[ObjectRef, str]:
    """Return what tells one content from another; of a Secret only blue's version of it."""
    return {ref_of(obj): _content(item, obj) for item, obj in zip(bundle.items, objects, strict=True)}


def _content(item: Item, obj: Raw) -> str:
    if obj["kind"] == "Secret":
        return hashlib.sha256(f"resourceVersion {item.resource_version}".encode()).hexdigest()
    return hashlib.sha256(canonical(obj)).hexdigest()


def scope_of(saved: SavedPlan, scope: Scope) -> Scope:
    """Return the scope of a plan: its own choices, contexts from the command where it names some."""
    return Scope(
        source=scope.source or saved.blue.context,
        target=scope.target or saved.green.context,
        kubeconfigs=scope.kubeconfigs,
        namespaces=saved.namespaces,
        selector=saved.selector,
        transform=transform_of(saved.transform),
        choices=choices_from(saved.choices),
    )


def apply_plan(
    saved: SavedPlan, clusters: tuple[Cluster, Cluster], scope: Scope, forced: frozenset[str], means: Means
) -> tuple[ApplyResult, ...]:
    """Do what a plan says, and nothing else.

    Args:
        saved: the plan.
        clusters: blue and green.
        scope: scope of the plan.
        forced: names of the safety rules that a person overruled.
        means: emit and clocks.

    Raises:
        InvalidInputError: another cluster, or an unsafe plan.
        PlanMovedError: the plan no longer holds.
        ApplyFailedError: objects were refused all the same.
    """
    blue, green = clusters
    _same_clusters(saved, blue, green)
    reasons = tuple(unsafe(saved.plan.entries, forced))
    if reasons:
        raise InvalidInputError("plan.unsafe", "checking the plan", reasons)
    bundle = read_source(blue, scope, means.emit)
    wanted = for_target(bundle, scope.transform, empty_claims=False)
    objects = wanted.objects
    contents = _contents(bundle, objects)
    options = PlanOptions(mark_of(bundle.source), dry_run=saved.server, contents=contents)
    now = foresee(green, wanted, options, idle=saved.idle)
    moved = tuple(stale(saved.plan.entries, now.entries))
    if moved:
        raise PlanMovedError(moved)
    planned = frozenset(entry.ref for entry in saved.plan.entries if entry.verdict in _WRITTEN)
    return bring(green, objects, mark_of(bundle.source), means, idle=saved.idle, chosen=planned)


def _same_clusters(saved: SavedPlan, blue: Cluster, green: Cluster) -> None:
    pairs = (("--from", saved.blue, blue.id), ("--to", saved.green, green.id))
    reasons = tuple(
        f"{flag} {there.context} is cluster {there.uid}, the plan is for {planned.context}, cluster {planned.uid}"
        for flag, planned, there in pairs
        if planned.uid != there.uid
    )
    if reasons:
        hint = "name the contexts of the plan's clusters with --from and --to, or plan again"
        raise InvalidInputError("plan.wrong-cluster", "checking the clusters of the plan", reasons, hint)


def drift(blue: Cluster, green: Cluster, scope: Scope, emit: Emit) -> tuple[tuple[Drift, ...], tuple[Surplus, ...]]:
    """Return where green differs from blue, and what we created on green that blue no longer has."""
    bundle = read_source(blue, scope, emit)
    objects = for_target(bundle, scope.transform, empty_claims=False).objects
    more = () if scope.selector else surplus(green, bundle, objects, scope.transform)
    return compare(objects, green), more
