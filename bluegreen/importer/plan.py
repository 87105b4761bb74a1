"""The import plan: for every object what would happen and why, before anything is written.

It reads green and asks the server for a dry run at most; it holds no Secret's value. The same bundle and the same green
give the same plan.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from msgspec import structs

from bluegreen.importer.ahead import ListsAhead
from bluegreen.importer.decide import Decision, Verdict, decide
from bluegreen.importer.denied import Denials
from bluegreen.importer.diff import Change, all_differences
from bluegreen.importer.greens_own import scene_of
from bluegreen.importer.live import read_live
from bluegreen.importer.order import order
from bluegreen.importer.pace import AT_A_TIME
from bluegreen.importer.refusal import Cause, cause_of
from bluegreen.importer.rewrite import Effect
from bluegreen.model.errors import BluegreenError, RefusedError
from bluegreen.model.ports import Cluster, Raw
from bluegreen.model.refs import ObjectRef


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """How to plan.

    Attributes:
        migration: id of the migration.
        dry_run: ask the server for a dry run of every write.
        workers: requests at a time.
        prepare: what import does to each object last, such as make_idle.
        ahead: lists of green that are under way already.
        contents: digests of what is asked for, for a plan that is kept.
    """

    migration: str
    dry_run: bool = False
    workers: int = AT_A_TIME
    prepare: Callable[[Raw], Raw] = lambda obj: obj
    ahead: ListsAhead | None = None
    contents: Mapping[ObjectRef, str] = field(default_factory=dict)


class PlanEntry(msgspec.Struct, frozen=True):
    """What would happen to one object.

    Attributes:
        ref: the object.
        wave: its place in the order.
        verdict: what would happen.
        reason: one sentence.
        cause: why the server would refuse, None unless it does.
        changes: fields that would change.
        ours: False when the change is to an object that another hand made.
        content: digest of what is asked for, empty when nobody keeps the plan.
        effects: what patches of the transform did to it before.
        unjudged: what this import must make before the server can judge the object, empty where it was not asked to.
    """

    ref: ObjectRef
    wave: str
    verdict: Verdict
    reason: str
    cause: Cause | None = None
    changes: tuple[Change, ...] = ()
    ours: bool = True
    content: str = ""
    effects: tuple[Effect, ...] = ()
    unjudged: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the entry as JSON data."""
        ref = self.ref
        return {
            "apiVersion": ref.api_version,
            "kind": ref.kind,
            "namespace": ref.namespace,
            "name": ref.name,
            "wave": self.wave,
            "verdict": str(self.verdict),
            "reason": self.reason,
            "cause": None if self.cause is None else str(self.cause),
            "ours": self.ours,
            "content": self.content,
            "unjudged": self.unjudged,
            "changes": [_change(change) for change in self.changes],
            "patches": [{"patch": e.patch, "changes": [_change(c) for c in e.changes]} for e in self.effects],
        }


def _change(change: Change) -> dict[str, str]:
    return {"path": change.path, "expected": change.expected, "actual": change.actual}


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """The plan of one import.

    Attributes:
        cluster_uid: UID of green, checked before writes (law 8).
        entries: one per object, in the order of the import.
    """

    cluster_uid: str
    entries: tuple[PlanEntry, ...]

    def count(self, verdict: Verdict) -> int:
        """Return the number of objects with that verdict."""
        return sum(entry.verdict is verdict for entry in self.entries)

    def with_effects(self, effects: Mapping[ObjectRef, tuple[Effect, ...]]) -> "ImportPlan":
        """Return the plan with what patches did to each object."""
        entries = (structs.replace(e, effects=effects[e.ref]) if e.ref in effects else e for e in self.entries)
        return replace(self, entries=tuple(entries))


def plan_import(objects: Iterable[Raw], cluster: Cluster, options: PlanOptions) -> ImportPlan:
    """Return what an import of these objects would do.

    Args:
        objects: transformed objects, in any order.
        cluster: green; only read.
        options: how.

    Raises:
        TransientError: green does not answer.
        RefusedError: green may not be read.
    """
    everything = tuple(objects)
    scene = scene_of(everything)
    pairs = (
        (wave.name, ref, obj) for wave in order(everything) for ref, obj in zip(wave.refs, wave.objects, strict=True)
    )
    named = [(wave, ref, options.prepare(obj)) for wave, ref, obj in pairs]
    resources = cluster.resources()
    live = read_live(cluster, (ref for _, ref, _ in named), resources, options.workers, options.ahead)
    new = {ref for _, ref, _ in named if ref not in live}
    decided = [
        _decided((wave, ref), decide(obj, live.get(ref), options.migration, scene), options) for wave, ref, obj in named
    ]
    if not options.dry_run:
        return ImportPlan(cluster.id.uid, tuple(entry for entry, _ in decided))

    denials = Denials(cluster, resources)

    def ask(job: tuple[PlanEntry, Decision]) -> PlanEntry:
        entry = _dry_run(cluster, *job, live.get(job[0].ref), new)
        return _with_rights(entry, denials, creates=entry.ref in new)

    with ThreadPoolExecutor(max_workers=options.workers, thread_name_prefix="plan") as pool:
        return ImportPlan(cluster.id.uid, tuple(pool.map(ask, decided)))


def _with_rights(entry: PlanEntry, denials: Denials, *, creates: bool) -> PlanEntry:
    """Return an entry that names the missing rights, where that is why the server refused."""
    if entry.cause is not Cause.RIGHTS:
        return entry
    return structs.replace(entry, reason=denials.named(entry.reason, entry.ref, creates=creates))


def _decided(place: tuple[str, ObjectRef], decision: Decision, options: PlanOptions) -> tuple[PlanEntry, Decision]:
    wave, ref = place
    ours = decision.force or decision.verdict is not Verdict.CHANGE
    content = options.contents.get(ref, "")
    return PlanEntry(ref, wave, decision.verdict, decision.reason, None, decision.changes, ours, content), decision


def _dry_run(
    cluster: Cluster, entry: PlanEntry, decision: Decision, live: Raw | None, new: set[ObjectRef]
) -> PlanEntry:
    if decision.verdict not in (Verdict.CREATE, Verdict.CHANGE):
        return entry
    waits_for = _not_there_yet(entry.ref, new)
    if waits_for:
        reason = f"{entry.reason}; no dry run: {waits_for} is created by this import"
        return structs.replace(entry, reason=reason, unjudged=waits_for)
    return _ask_server(cluster, entry, decision, live)


def _not_there_yet(ref: ObjectRef, new: set[ObjectRef]) -> str:
    """Return what an object needs that this import makes first, empty when all is there."""
    namespace = ObjectRef("v1", "Namespace", "", ref.namespace)
    if namespace in new:
        return str(namespace)
    definitions = (r for r in new if r.kind == "CustomResourceDefinition")
    found = next((r for r in definitions if r.name.partition(".")[2] == ref.group), None)
    return str(found) if found else ""


def _ask_server(cluster: Cluster, entry: PlanEntry, decision: Decision, live: Raw | None) -> PlanEntry:
    answer = _answer(cluster, entry.ref, decision)
    if isinstance(answer, BluegreenError):
        cause = cause_of(answer)
        verdict = Verdict.CONFLICT if cause is Cause.CONFLICT else Verdict.REFUSED
        return structs.replace(entry, verdict=verdict, reason=answer.why or str(answer), cause=cause)
    if live is None:
        return entry
    changes = all_differences(_without_system(answer), _without_system(live))
    if not changes:
        return structs.replace(entry, verdict=Verdict.EQUAL, reason="the server would change nothing", changes=())
    return structs.replace(entry, changes=changes)


def _answer(cluster: Cluster, ref: ObjectRef, decision: Decision) -> Raw | BluegreenError:
    """Return the server's dry run or why there is none; a server that fails over one object only has refused it.

    Raises:
        TransientError: it does not answer other requests either.
    """
    why = ""
    for _ in range(2):
        try:
            return cluster.apply(decision.body, force=decision.force, dry_run=True)
        except BluegreenError as error:
            if error.code != "kube.connection":
                return error
            why = error.why
        with contextlib.suppress(RefusedError):
            cluster.get(ref)
    return UnansweredError(ref, why)


class UnansweredError(RefusedError):
    """The server drops the connection each time it is asked about one object."""

    def __init__(self, ref: ObjectRef, why: str) -> None:
        text = f"the API server drops the connection each time it is asked to check this object, and no other ({why})"
        hint = "see the API server's log; change the object, or plan with --dry-run client"
        super().__init__("import.unanswered", f"checking {ref}", text, hint)


def _without_system(obj: Raw) -> Raw:
    hidden = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp")
    return {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key not in hidden}}
