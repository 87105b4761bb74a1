"""Export to a directory and import from one, as commands that work alone: exporter and importer put together.

Blue is only read. Secrets stay in memory unless they are encrypted; nothing is written before everything was read.
"""

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import structs

from bluegreen.exporter.bundle import Bundle
from bluegreen.exporter.rules import Action
from bluegreen.importer import shape
from bluegreen.importer.ahead import ListsAhead
from bluegreen.importer.apply import ApplyFailedError, ApplyOptions, ApplyResult, apply_objects
from bluegreen.importer.greens_own import scene_of
from bluegreen.importer.idle import hold_jobs, idler
from bluegreen.importer.live import read_live
from bluegreen.importer.order import Phase, in_phase, order, phases
from bluegreen.importer.prune import Surplus, find_surplus
from bluegreen.importer.relink import relink
from bluegreen.importer.rewrite import Rewritten, rewrite
from bluegreen.importer.scales import read_scales
from bluegreen.importer.transform import TransformOptions
from bluegreen.importer.wait import NotReadyError, wait_ready
from bluegreen.migration.may_import import require_rights
from bluegreen.migration.scope import Scope
from bluegreen.model.errors import InvalidInputError, RefusedError
from bluegreen.model.events import Emit, silent
from bluegreen.model.marks import VOLUME, owner_mark
from bluegreen.model.ports import ApiResource, Cluster, Raw
from bluegreen.model.refs import ClusterId, ObjectRef, ref_of

if TYPE_CHECKING:
    from bluegreen.importer.plan import ImportPlan, PlanOptions

_LOOKS, _PAUSE_SECONDS = 100, 0.1
_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController")


class Means(msgspec.Struct, frozen=True):
    """What an import works with besides objects.

    Attributes:
        emit: told what happens.
        clock: monotonic seconds.
        sleep: waits that many seconds.
        ready_seconds: how long workloads may take to be ready before webhooks are applied.
        ahead: lists of green that are under way already.
        resources: what green serves, where that was just asked; None asks.
    """

    emit: Emit
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    ready_seconds: float = 300.0
    ahead: ListsAhead | None = None
    resources: tuple[ApiResource, ...] | None = None


def read_source(blue: Cluster, scope: Scope, emit: Emit) -> Bundle:
    """Return blue's cleaned objects of a scope."""
    from bluegreen.exporter.export import ExportOptions, export  # noqa: PLC0415 - an import needs no rules

    options = ExportOptions(os.urandom(32), scope.choices)
    return export(blue, scope.namespaces, scope.selector, options, emit)


def for_target(bundle: Bundle, how: TransformOptions, *, empty_claims: bool) -> Rewritten:
    """Return a bundle's objects as green shall have them.

    Args:
        bundle: blue's objects.
        how: what is rewritten.
        empty_claims: make claims without data instead of leaving them to a volume mover.

    Raises:
        InvalidInputError: every patch that cannot be applied, or the faults of the namespace map.
    """
    _check_map(bundle.namespaces, how.namespaces)
    rewritten = rewrite(bundle.objects, how)
    if not empty_claims:
        return rewritten
    return structs.replace(rewritten, objects=tuple(_freed(obj) for obj in rewritten.objects))


def _check_map(namespaces: Iterable[str], renamed: Mapping[str, str]) -> None:
    """Refuse a map that names no namespace of ours, or makes one of two, whose objects would overwrite each other.

    Raises:
        InvalidInputError: with each fault.
    """
    known = tuple(namespaces)
    reasons = [f"{old} is none of the namespaces {', '.join(known)}" for old in renamed if old not in known]
    sources: dict[str, list[str]] = {}
    for old in known:
        sources.setdefault(renamed.get(old, old), []).append(old)
    reasons += [f"{' and '.join(olds)} would both become {new}" for new, olds in sources.items() if len(olds) > 1]
    if reasons:
        hint = "give each namespace a name of its own: --map-namespace OLD:NEW"
        raise InvalidInputError("transform.namespaces", "renaming namespaces", tuple(reasons), hint)


def _freed(obj: Raw) -> Raw:
    if obj["kind"] != "PersistentVolumeClaim":
        return obj
    meta = obj["metadata"]
    return {
        **obj,
        "metadata": {**meta, "annotations": {k: v for k, v in (meta.get("annotations") or {}).items() if k != VOLUME}},
    }


def mark_of(source: str) -> str:
    """Return the mark of what is imported from a cluster, the same as that of `bluegreen migrate`.

    Args:
        source: UID of blue; empty for a bundle that does not say.
    """
    return owner_mark(ClusterId("", source or "unknown", "", ""))


def preparation(green: Cluster, objects: Iterable[Raw], emit: Emit, *, idle: bool) -> Callable[[Raw], Raw]:
    """Return what is done to each object last: asleep, or awake but for one-off Jobs."""
    return idler(read_scales(green, objects, emit)) if idle else hold_jobs


def foresee(green: Cluster, wanted: Rewritten, options: "PlanOptions", *, idle: bool) -> "ImportPlan":
    """Return what an import would do; idle leaves pods and webhooks for later."""
    from bluegreen.importer.plan import plan_import  # noqa: PLC0415 - who imports does not plan

    objects = wanted.objects
    chosen = [obj for wave in in_phase(order(objects), Phase.IMPORT) for obj in wave.objects] if idle else objects
    prepare = preparation(green, objects, silent, idle=idle)
    return plan_import(chosen, green, structs.replace(options, prepare=prepare)).with_effects(wanted.effects)


def make_namespaces(green: Cluster, objects: Iterable[Raw], mark: str, means: Means) -> None:
    """Make the namespaces of objects that green lacks, as an import would; those that it has stay as they are.

    What the control plane puts into each new one is waited for: it would come between a look and what is done then.

    Raises:
        ApplyFailedError: one was refused.
    """
    spaces = [obj for obj in objects if shape.is_kind(obj, "Namespace")]
    there = read_live(green, map(ref_of, spaces), green.resources())
    new = [obj for obj in spaces if ref_of(obj) not in there]
    apply_objects(green, new, Phase.IMPORT, ApplyOptions(mark, means.clock, means.sleep), means.emit)
    accounts = [ObjectRef("v1", "ServiceAccount", obj["metadata"]["name"], "default") for obj in new]
    with contextlib.suppress(RefusedError):  # who may not read them does not plan for them either
        for _ in range(_LOOKS):
            if len(read_live(green, accounts, ())) == len(accounts):
                return
            means.sleep(_PAUSE_SECONDS)


def bring(
    green: Cluster,
    objects: tuple[Raw, ...],
    mark: str,
    means: Means,
    *,
    idle: bool,
    chosen: frozenset[ObjectRef] | None = None,
) -> tuple[ApplyResult, ...]:
    """Apply objects in order, webhooks only when the workloads are ready; owners are linked whatever is refused.

    Args:
        green: where they go.
        objects: all transformed objects.
        mark: what is written on those that we create.
        means: emit and clocks.
        idle: asleep; pods and webhooks wait.
        chosen: the objects to write, None for all.

    Raises:
        InvalidInputError: rights are missing; nothing was written.
        ApplyFailedError: objects were refused or are in conflict.
        NotReadyError: workloads are not ready; names the webhooks that are not imported for it.
    """
    wanted = tuple(obj for obj in objects if chosen is None or ref_of(obj) in chosen)
    resources = green.resources() if means.resources is None else means.resources
    require_rights(green, wanted, resources)
    prepare = preparation(green, wanted, means.emit, idle=idle)
    options = ApplyOptions(mark, means.clock, means.sleep, prepare=prepare, scene=scene_of(objects))
    try:
        first = structs.replace(options, ahead=means.ahead, resources=resources)
        results = list(apply_objects(green, wanted, Phase.IMPORT, first, means.emit))
    except ApplyFailedError:
        relink(green, objects, mark, means.emit)
        raise
    relink(green, objects, mark, means.emit)
    later = set() if idle else phases(wanted)
    if Phase.START in later:
        results += apply_objects(green, wanted, Phase.START, options, means.emit)
    if Phase.LATE in later:
        _await_workloads(green, wanted, means)
        results += apply_objects(green, wanted, Phase.LATE, options, means.emit)
    return tuple(results)


def _await_workloads(green: Cluster, objects: tuple[Raw, ...], means: Means) -> None:
    """Wait for the workloads that the webhooks may be answered by."""
    refs = [ref_of(obj) for obj in objects if shape.is_kind(obj, *_WORKLOADS)]
    try:
        wait_ready(green, refs, seconds=means.ready_seconds, clock=means.clock, sleep=means.sleep, emit=means.emit)
    except NotReadyError as error:
        late = ", ".join(str(ref) for wave in in_phase(order(objects), Phase.LATE) for ref in wave.refs)
        raise NotReadyError(f"{error.what}, for which these are not imported: {late}", error.reasons) from error


def surplus(green: Cluster, bundle: Bundle, objects: tuple[Raw, ...], how: TransformOptions) -> tuple[Surplus, ...]:
    """Return what we created on green and the bundle no longer has.

    Raises:
        InvalidInputError: the bundle is a selection, so that what it lacks may still be on blue.
    """
    if any(report.removal.rule == "selector" for report in bundle.tell()):
        reason = "the bundle was exported with a selector: what it lacks may still be on blue"
        raise InvalidInputError(
            "import.prune", "looking for what to prune", (reason,), "export without -l, or leave out --prune"
        )
    namespaces = [how.namespaces.get(name, name) for name in bundle.namespaces]
    wanted = [ref_of(obj) for obj in objects]
    unknown = frozenset((*bundle.excluded, *(("Secret",) if bundle.withheld else ())))
    return find_surplus(green, namespaces, wanted, mark_of(bundle.source), unknown)


def left_out(bundle: Bundle) -> tuple[tuple[ObjectRef, str], ...]:
    """Return the objects that stay on blue, each with the reason."""
    return tuple((report.ref, report.removal.why) for report in bundle.reports_of(Action.LEAVE_OUT))


def explanation(bundle: Bundle) -> list[dict[str, Any]]:
    """Return per rule and object what was removed, left out or kept, and why, as JSON data."""
    return [
        {
            "apiVersion": report.ref.api_version,
            "kind": report.ref.kind,
            "namespace": report.ref.namespace,
            "name": report.ref.name,
            "action": str(report.removal.action),
            "field": report.removal.path,
            "rule": report.removal.rule,
            "why": report.removal.why,
        }
        for report in bundle.reports
    ]
