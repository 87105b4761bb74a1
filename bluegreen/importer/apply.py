"""Writes objects wave by wave, many at a time within a wave, and says for each what happened.

Applying again writes nothing. It forces only what this migration created, deletes nothing, and gathers all failures
before it raises. Idle objects may be applied in the import phase only: later it would put green back to sleep.
"""

import enum
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from bluegreen.importer.decide import Decision, Verdict, decide
from bluegreen.importer.definitions import wait_established
from bluegreen.importer.live import read_live
from bluegreen.importer.order import Phase, Wave, in_phase, order
from bluegreen.importer.refusal import Cause, cause_of
from bluegreen.model.errors import BluegreenError, RefusedError, TransientError
from bluegreen.model.events import Emit
from bluegreen.model.ports import ApiResource, Cluster, Raw
from bluegreen.model.refs import ObjectRef, ref_of

_FOUNDATION = frozenset({"namespaces", "definitions"})


class Outcome(enum.StrEnum):
    """What happened to an object."""

    CREATED = "created"
    CHANGED = "changed"
    EQUAL = "equal"
    LEFT_OUT = "left out"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """How to apply.

    Attributes:
        migration: id of the migration, written on what it creates.
        workers: writes at a time within a wave.
        prepare: what is done to each object last, such as make_idle.
        definition_seconds: how long to wait for custom resource definitions.
        clock: monotonic seconds.
        sleep: waits that many seconds.
    """

    migration: str
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    workers: int = 12
    prepare: Callable[[Raw], Raw] = lambda obj: obj
    definition_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What happened to one object.

    Attributes:
        ref: the object.
        outcome: what happened.
        ours: whether this migration created it, now or earlier.
        uid: its UID on green, empty when it was not written.
        cause: why it failed, None otherwise.
        error: the failure in words.
    """

    ref: ObjectRef
    outcome: Outcome
    ours: bool = False
    uid: str = ""
    cause: Cause | None = None
    error: str = ""


class ApplyFailedError(RefusedError):
    """Objects were refused; the others are applied, and applying again is safe.

    Attributes:
        results: what happened to every object that was tried.
    """

    def __init__(self, what: str, results: tuple[ApplyResult, ...]) -> None:
        self.results = results
        failed = [r for r in results if r.outcome is Outcome.FAILED]
        self.reasons = tuple(f"{r.ref}: {r.error}" for r in failed)
        hint = "see each reason, put it right on green, then run the same command again"
        super().__init__("import.refused", what, "; ".join(self.reasons), hint)


def apply_objects(
    cluster: Cluster, objects: Iterable[Raw], phase: Phase, options: ApplyOptions, emit: Emit
) -> tuple[ApplyResult, ...]:
    """Apply the objects of one phase in order.

    Args:
        cluster: green.
        objects: transformed objects of all phases.
        phase: which of them to write.
        options: how.
        emit: told of each wave.

    Returns:
        one result per object, in the order of the import.

    Raises:
        ApplyFailedError: objects were refused or in conflict; all of them, after everything else was tried.
        TransientError: all that failed may succeed when applied again.
    """
    results: list[ApplyResult] = []
    resources = cluster.resources()
    for wave in in_phase(order(objects), phase):
        done = _apply_wave(cluster, wave, resources, options)
        results += done
        failed = sum(r.outcome is Outcome.FAILED for r in done)
        emit("import.wave", wave=wave.name, objects=len(done), written=_written(done), failed=failed)
        if failed and wave.name in _FOUNDATION:
            break
        if wave.name == "definitions":
            _wait_for(cluster, wave, options)
            resources = cluster.resources()
    _raise_failures(cluster, tuple(results))
    return tuple(results)


def _wait_for(cluster: Cluster, wave: Wave, options: ApplyOptions) -> None:
    wait_established(cluster, wave.objects, options.definition_seconds, options.clock, options.sleep)


def _written(results: Iterable[ApplyResult]) -> int:
    return sum(result.outcome in (Outcome.CREATED, Outcome.CHANGED) for result in results)


def _apply_wave(
    cluster: Cluster, wave: Wave, resources: tuple[ApiResource, ...], options: ApplyOptions
) -> list[ApplyResult]:
    """Decide about each object in this thread, which threads would only make slower, and write in many."""
    live = read_live(cluster, wave.refs, resources, options.workers)
    with ThreadPoolExecutor(max_workers=options.workers, thread_name_prefix="apply") as pool:
        results: list[ApplyResult | Future[ApplyResult]] = []
        for obj in wave.objects:
            ref = ref_of(obj)
            decision = decide(options.prepare(obj), live.get(ref), options.migration)
            known = _without_write(ref, decision, live.get(ref))
            results.append(known or pool.submit(_write, cluster, ref, decision))
        return [result.result() if isinstance(result, Future) else result for result in results]


def _without_write(ref: ObjectRef, decision: Decision, live: Raw | None) -> ApplyResult | None:
    """Return the result for an object that is not written, None for one that is."""
    uid = str(live["metadata"].get("uid", "")) if live else ""
    ours = decision.force
    match decision.verdict:
        case Verdict.LEFT_OUT:
            return ApplyResult(ref, Outcome.LEFT_OUT)
        case Verdict.EQUAL:
            return ApplyResult(ref, Outcome.EQUAL, ours, uid)
        case Verdict.CONFLICT:
            return ApplyResult(ref, Outcome.FAILED, ours, uid, Cause.CONFLICT, decision.reason)
        case _:
            return None


def _write(cluster: Cluster, ref: ObjectRef, decision: Decision) -> ApplyResult:
    creates = decision.verdict is Verdict.CREATE
    try:
        answer = _send(cluster, decision, creates=creates)
    except BluegreenError as error:
        return ApplyResult(ref, Outcome.FAILED, cause=cause_of(error), error=error.why or str(error))
    uid = str(answer["metadata"].get("uid", ""))
    outcome = Outcome.CREATED if creates else Outcome.CHANGED
    return ApplyResult(ref, outcome, creates or decision.force, uid)


def _send(cluster: Cluster, decision: Decision, *, creates: bool) -> Raw:
    """Apply; an object with two list items of one key, which only a create takes, is created instead."""
    try:
        return cluster.apply(decision.body, force=decision.force)
    except RefusedError as error:
        if not creates or cause_of(error) is not Cause.DUPLICATE_KEYS:
            raise
        return cluster.create(decision.body)


def _raise_failures(cluster: Cluster, results: tuple[ApplyResult, ...]) -> None:
    failed = [result for result in results if result.outcome is Outcome.FAILED]
    if not failed:
        return
    what = f"applying objects to {cluster.id.context} ({len(failed)} of {len(results)} failed)"
    if all(result.cause is Cause.TRANSIENT for result in failed):
        raise TransientError("import.unreachable", what, f"{failed[0].ref}: {failed[0].error}", "run it again")
    raise ApplyFailedError(what, results)
