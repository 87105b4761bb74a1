"""The import plan: for every object what would happen and why, before anything is written.

It reads green and asks the server for a dry run at most; it holds no Secret's value. The same bundle and the same green
give the same plan and sha256.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from bluegreen.importer.decide import Decision, Verdict, decide
from bluegreen.importer.diff import Change, differences
from bluegreen.importer.live import read_live
from bluegreen.importer.order import order
from bluegreen.importer.refusal import Cause, cause_of
from bluegreen.model.errors import BluegreenError
from bluegreen.model.ports import Cluster, Raw
from bluegreen.model.refs import ObjectRef, ref_of


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """How to plan.

    Attributes:
        migration: id of the migration.
        dry_run: ask the server for a dry run of every write.
        workers: requests at a time.
        prepare: what import does to each object last, such as make_idle.
    """

    migration: str
    dry_run: bool = False
    workers: int = 8
    prepare: Callable[[Raw], Raw] = lambda obj: obj


@dataclass(frozen=True, slots=True)
class PlanEntry:
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
    """

    ref: ObjectRef
    wave: str
    verdict: Verdict
    reason: str
    cause: Cause | None = None
    changes: tuple[Change, ...] = ()
    ours: bool = True
    content: str = ""

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
            "changes": [{"path": c.path, "expected": c.expected, "actual": c.actual} for c in self.changes],
        }


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """The plan of one import.

    Attributes:
        cluster_uid: UID of green, checked before writes (law 8).
        entries: one per object, in the order of the import.
    """

    cluster_uid: str
    entries: tuple[PlanEntry, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON data."""
        return {"cluster": self.cluster_uid, "entries": [entry.to_json() for entry in self.entries]}

    @property
    def sha256(self) -> str:
        """Return the digest of the plan's JSON form."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def count(self, verdict: Verdict) -> int:
        """Return the number of objects with that verdict."""
        return sum(entry.verdict is verdict for entry in self.entries)


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
    waves = order(objects)
    named = [(wave.name, options.prepare(obj)) for wave in waves for obj in wave.objects]
    live = read_live(cluster, (ref_of(obj) for _, obj in named), cluster.resources(), options.workers)
    new = {ref_of(obj) for _, obj in named if ref_of(obj) not in live}
    decided = [_decided(wave, obj, live.get(ref_of(obj)), options.migration) for wave, obj in named]
    if not options.dry_run:
        return ImportPlan(cluster.id.uid, tuple(entry for entry, _ in decided))

    def ask(job: tuple[PlanEntry, Decision]) -> PlanEntry:
        return _dry_run(cluster, *job, live.get(job[0].ref), new)

    with ThreadPoolExecutor(max_workers=options.workers, thread_name_prefix="plan") as pool:
        return ImportPlan(cluster.id.uid, tuple(pool.map(ask, decided)))


def _decided(wave: str, obj: Raw, live: Raw | None, migration: str) -> tuple[PlanEntry, Decision]:
    decision = decide(obj, live, migration)
    ours = decision.force or decision.verdict is not Verdict.CHANGE
    return PlanEntry(ref_of(obj), wave, decision.verdict, decision.reason, None, decision.changes, ours), decision


def _dry_run(
    cluster: Cluster, entry: PlanEntry, decision: Decision, live: Raw | None, new: set[ObjectRef]
) -> PlanEntry:
    if decision.verdict not in (Verdict.CREATE, Verdict.CHANGE):
        return entry
    waits_for = _not_there_yet(entry.ref, new)
    if waits_for:
        return replace(entry, reason=f"{entry.reason}; no dry run: {waits_for} is created by this import")
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
    try:
        answer = cluster.apply(decision.body, force=decision.force, dry_run=True)
    except BluegreenError as error:
        cause = cause_of(error)
        verdict = Verdict.CONFLICT if cause is Cause.CONFLICT else Verdict.REFUSED
        return replace(entry, verdict=verdict, reason=error.why or str(error), cause=cause)
    if live is None:
        return entry
    changes = differences(_without_system(answer), live)
    if not changes:
        return replace(entry, verdict=Verdict.EQUAL, reason="the server would change nothing", changes=())
    return replace(entry, changes=changes)


def _without_system(obj: Raw) -> Raw:
    hidden = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp")
    return {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key not in hidden}}
