"""The import plan: for every object what would happen and why, before anything is written.

It reads green and asks the server for a dry run at most; it holds no Secret's value. The same bundle and the same green
give the same plan.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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
from bluegreen.model.ports import Application, Cluster, Raw
from bluegreen.model.refs import ObjectRef


class PlanOptions(msgspec.Struct, frozen=True):
    """How to plan.

    Attributes:
        migration: id of the migration.
        dry_run: ask the server for a dry run of every write.
        workers: threads that read green, and that ask again about what was refused.
        prepare: what import does to each object last, such as make_idle.
        ahead: lists of green that are under way already.
        contents: digests of what is asked for, for a plan that is kept.
    """

    migration: str
    dry_run: bool = False
    workers: int = AT_A_TIME
    prepare: Callable[[Raw], Raw] = lambda obj: obj
    ahead: ListsAhead | None = None
    contents: Mapping[ObjectRef, str] = msgspec.field(default_factory=dict)


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


class ImportPlan(msgspec.Struct, frozen=True):
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
        return structs.replace(self, entries=tuple(entries))


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
    decided = [
        _decided((wave, ref), decide(obj, live.get(ref), options.migration, scene), options) for wave, ref, obj in named
    ]
    if not options.dry_run:
        return ImportPlan(cluster.id.uid, tuple(entry for entry, _ in decided))

    return ImportPlan(cluster.id.uid, _judged(cluster, decided, live, Denials(cluster, resources), options))


def _judged(
    cluster: Cluster,
    decided: Sequence[tuple[PlanEntry, Decision]],
    live: Mapping[ObjectRef, Raw],
    denials: Denials,
    options: PlanOptions,
) -> tuple[PlanEntry, ...]:
    """Return the entries with what the server says of each write, asked for many at a time."""
    new = {entry.ref for entry, _ in decided if entry.ref not in live}
    entries = [entry for entry, _ in decided]
    asked: list[int] = []

    def wanted() -> Iterator[Application]:
        for place, (entry, decision) in enumerate(decided):
            if decision.verdict in (Verdict.CREATE, Verdict.CHANGE):
                waits_for = _not_there_yet(entry.ref, new)
                if waits_for:
                    reason = f"{entry.reason}; no dry run: {waits_for} is created by this import"
                    entries[place] = structs.replace(entry, reason=reason, unjudged=waits_for)
                else:
                    asked.append(place)
                    yield Application(decision.body, decision.force)

    def refused(entry: PlanEntry, decision: Decision, error: BluegreenError) -> PlanEntry:
        answer = _answer(cluster, entry.ref, decision, error)
        return _with_rights(_judge(entry, answer, live.get(entry.ref)), denials, creates=entry.ref in new)

    later: dict[int, Future[PlanEntry]] = {}
    with ThreadPoolExecutor(max_workers=options.workers, thread_name_prefix="plan") as pool:
        for number, answer in cluster.apply_each(wanted(), dry_run=True):
            place = asked[number]
            entry, decision = decided[place]
            if isinstance(answer, BluegreenError):  # which takes further requests
                later[place] = pool.submit(refused, entry, decision, answer)
            else:
                entries[place] = _judge(entry, answer, live.get(entry.ref))
        for place, judged in later.items():
            entries[place] = judged.result()
    return tuple(entries)


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


def _not_there_yet(ref: ObjectRef, new: set[ObjectRef]) -> str:
    """Return what an object needs that this import makes first, empty when all is there."""
    namespace = ObjectRef("v1", "Namespace", "", ref.namespace)
    if namespace in new:
        return str(namespace)
    definitions = (r for r in new if r.kind == "CustomResourceDefinition")
    found = next((r for r in definitions if r.name.partition(".")[2] == ref.group), None)
    return str(found) if found else ""


def _judge(entry: PlanEntry, answer: Raw | BluegreenError, live: Raw | None) -> PlanEntry:
    """Return an entry as a dry run's answer makes it."""
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


def _answer(cluster: Cluster, ref: ObjectRef, decision: Decision, error: Raw | BluegreenError) -> Raw | BluegreenError:
    """Return the server's dry run or why there is none; a server that fails over one object only has refused it.

    Args:
        error: what it said at first.

    Raises:
        TransientError: it does not answer other requests either.
    """
    answer, why = error, ""
    for last in (False, True):
        if not isinstance(answer, BluegreenError) or answer.code != "kube.connection":
            return answer
        why = answer.why
        with contextlib.suppress(RefusedError):
            cluster.get(ref)
        answer = answer if last else _dry_run(cluster, decision)
    return UnansweredError(ref, why)


def _dry_run(cluster: Cluster, decision: Decision) -> Raw | BluegreenError:
    try:
        return cluster.apply(decision.body, force=decision.force, dry_run=True)
    except BluegreenError as error:
        return error


class UnansweredError(RefusedError):
    """The server drops the connection each time it is asked about one object."""

    def __init__(self, ref: ObjectRef, why: str) -> None:
        text = f"the API server drops the connection each time it is asked to check this object, and no other ({why})"
        hint = "see the API server's log; change the object, or plan with --dry-run client"
        super().__init__("import.unanswered", f"checking {ref}", text, hint)


def _without_system(obj: Raw) -> Raw:
    hidden = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp")
    return {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key not in hidden}}
