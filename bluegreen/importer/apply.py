"""Writes objects wave by wave, many at a time within a wave, and says for each what happened.

Applying again writes nothing. It forces only what this migration created, deletes nothing, and gathers all failures
before it raises. Idle objects may be applied in the import phase only: later it would put green back to sleep.
"""

import contextlib
import enum
import math
import operator
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for_all
from functools import partial
from itertools import count

import msgspec
from msgspec import structs

from bluegreen.importer.ahead import ListsAhead
from bluegreen.importer.decide import Decision, Verdict, decide
from bluegreen.importer.definitions import wait_established
from bluegreen.importer.denied import Denials
from bluegreen.importer.greens_own import NO_SCENE, Scene, scene_of
from bluegreen.importer.live import read_live
from bluegreen.importer.order import Phase, Wave, in_phase, order
from bluegreen.importer.pace import AT_A_TIME
from bluegreen.importer.refusal import Cause, cause_of
from bluegreen.model.errors import BluegreenError, OutOfTimeError, RefusedError, TransientError
from bluegreen.model.events import Emit
from bluegreen.model.ports import ApiResource, Application, Cluster, Raw
from bluegreen.model.refs import ObjectRef, in_words

_Kinds = frozenset[tuple[str, str]]
_OUTCOME = operator.attrgetter("outcome")
_FOUNDATION = frozenset({"namespaces", "definitions"})
_WRITE_STATUS = "put it right and run the same command again, which writes a status as long as green has none"


class Outcome(enum.StrEnum):
    """What happened to an object."""

    CREATED = "created"
    CHANGED = "changed"
    EQUAL = "equal"
    LEFT_OUT = "left out"
    FAILED = "failed"


class ApplyOptions(msgspec.Struct, frozen=True):
    """How to apply.

    Attributes:
        migration: id of the migration, written on what it creates.
        workers: threads that read green, and that do what is left to do after an apply.
        prepare: what is done to each object last, such as make_idle.
        definition_seconds: how long to wait for custom resource definitions.
        clock: monotonic seconds.
        sleep: waits that many seconds.
        end: when, by the clock, no further write is begun and none is waited for any more.
        scene: what is known of all objects of the import, where only some of them are applied.
        ahead: lists of green that are under way already; they hold until something is written.
        resources: what the cluster serves, where that was just asked; None asks.
    """

    migration: str
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    workers: int = AT_A_TIME
    prepare: Callable[[Raw], Raw] = lambda obj: obj
    definition_seconds: float = 60.0
    end: float = math.inf
    scene: Scene | None = None
    ahead: ListsAhead | None = None
    resources: tuple[ApiResource, ...] | None = None

    @property
    def left(self) -> float | None:
        """Return the seconds until the end, 0 when it is over, None when there is none."""
        return None if math.isinf(self.end) else max(0.0, self.end - self.clock())


class ApplyResult(msgspec.Struct, frozen=True):
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


class _Write(msgspec.Struct, frozen=True):
    """A write that is under way.

    Attributes:
        ref: the object.
        decision: what was decided about it.
        status: whether its status is written, too, by a request of its own.
    """

    ref: ObjectRef
    decision: Decision
    status: bool

    @property
    def outcome(self) -> Outcome:
        """Return what happened to the object once all is written."""
        return Outcome.CREATED if self.decision.verdict is Verdict.CREATE else Outcome.CHANGED


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
        OutOfTimeError: the end has come; names what is not done.
        TransientError: all that failed may succeed when applied again.
    """
    everything = tuple(objects)
    waves = in_phase(order(everything), phase)
    options = structs.replace(options, scene=options.scene or scene_of(everything))
    results = _apply_waves(cluster, waves, options, emit)
    _raise_failures(cluster, tuple(results), options)
    _raise_undone(cluster, waves, results, options)
    return tuple(results)


def _apply_waves(cluster: Cluster, waves: Iterable[Wave], options: ApplyOptions, emit: Emit) -> list[ApplyResult]:
    """Apply wave after wave as long as the time lasts and what others need is there."""
    results: list[ApplyResult] = []
    resources = cluster.resources() if options.resources is None else options.resources
    with contextlib.suppress(OutOfTimeError):  # from a wait; what is not done then is told by the caller
        for wave in waves:
            done = _apply_wave(cluster, wave, resources, options)
            results += done
            outcomes = Counter(map(_OUTCOME, done))
            if outcomes.keys() - {Outcome.EQUAL}:
                options = structs.replace(options, ahead=None)  # green is no longer as it was listed
            failed, written = outcomes[Outcome.FAILED], outcomes[Outcome.CREATED] + outcomes[Outcome.CHANGED]
            emit("import.wave", wave=wave.name, objects=len(done), written=written, failed=failed)
            if options.left == 0 or (failed and wave.name in _FOUNDATION):
                break
            if wave.name == "definitions":
                _wait_for(cluster, wave, options)
                resources = cluster.resources()
    return results


def _wait_for(cluster: Cluster, wave: Wave, options: ApplyOptions) -> None:
    wait_established(cluster, wave.objects, options.definition_seconds, options.clock, options.sleep)


def _apply_wave(
    cluster: Cluster, wave: Wave, resources: tuple[ApiResource, ...], options: ApplyOptions
) -> list[ApplyResult]:
    """Have what is not as wanted applied, many at a time, and say what happened to each object."""
    scene = options.scene or NO_SCENE
    live, denials = (
        read_live(cluster, wave.refs, resources, options.workers, options.ahead),
        Denials(cluster, resources),
    )
    apart = frozenset((r.api_version, r.kind) for r in resources if "status" in (r.subresources or ()))
    results: list[ApplyResult | None] = []
    jobs: dict[int, tuple[int, _Write]] = {}
    numbers = count()

    def decided() -> Iterator[Application]:
        """Decide about each object when its turn has come, while others are being written."""
        for ref, obj in zip(wave.refs, wave.objects, strict=True):
            decision = decide(options.prepare(obj), live.get(ref), options.migration, scene)
            result = _without_write(ref, decision, live.get(ref))
            results.append(result)
            write = _Write(ref, decision, status=_lacks_status(ref, decision, live.get(ref), apart))
            if result is None:
                jobs[next(numbers)] = len(results) - 1, write
                yield Application(decision.body, decision.force)
            elif result.outcome is Outcome.EQUAL and write.status:
                results[-1] = None
                if options.left != 0:
                    later[len(results) - 1] = pool.submit(_with_status, cluster, write, result.uid)

    todo, later = decided(), dict[int, Future[ApplyResult]]()
    pool = ThreadPoolExecutor(options.workers, thread_name_prefix="apply")
    try:
        for number, answer in cluster.apply_each(todo, lambda: options.left):
            place, write = jobs.pop(number)
            settle = partial(_settled, cluster, write, answer, denials)
            if write.status or isinstance(answer, BluegreenError):  # further requests
                later[place] = pool.submit(settle)
            else:
                results[place] = settle()
        deque(todo, 0)  # where the time is over: an object that is equal is done all the same
        wait_for_all(later.values(), timeout=options.left)
    finally:
        pool.shutdown(wait=options.left != 0, cancel_futures=True)
    for place, settled in later.items():
        results[place] = settled.result() if settled.done() and not settled.cancelled() else None
    return [result for result in results if result is not None]


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


def _lacks_status(ref: ObjectRef, decision: Decision, live: Raw | None, apart: _Kinds) -> bool:
    """Return whether a kept status is to be written: once, for from then on it is green's controllers' own."""
    fresh = decision.verdict is Verdict.CREATE or (decision.force and not (live or {}).get("status"))
    return fresh and bool(decision.body.get("status")) and (ref.api_version, ref.kind) in apart


def _settled(cluster: Cluster, write: _Write, answer: Raw | BluegreenError, denials: Denials) -> ApplyResult:
    """Do what is left to do after an apply and return what happened.

    Args:
        answer: the object as it is on green then, or why it was not applied.
    """
    creates = write.decision.verdict is Verdict.CREATE
    try:
        made = _made(cluster, write.decision, answer, creates=creates)
    except BluegreenError as error:
        why = denials.why(error, write.ref, creates=creates)
        return ApplyResult(write.ref, Outcome.FAILED, cause=cause_of(error), error=why)
    uid = str(made["metadata"].get("uid", ""))
    if write.status:
        return _with_status(cluster, write, uid)
    return ApplyResult(write.ref, write.outcome, creates or write.decision.force, uid)


def _with_status(cluster: Cluster, write: _Write, uid: str) -> ApplyResult:
    """Write the status of an object that is there and return what happened."""
    try:
        cluster.apply_status(write.decision.body)
    except BluegreenError as error:
        why = f"it is there, but its status could not be written ({error.why or error}): {_WRITE_STATUS}"
        return ApplyResult(write.ref, Outcome.FAILED, ours=True, uid=uid, cause=cause_of(error), error=why)
    return ApplyResult(write.ref, write.outcome, ours=True, uid=uid)


def _made(cluster: Cluster, decision: Decision, answer: Raw | BluegreenError, *, creates: bool) -> Raw:
    """Return the object; one with two list items of one key, which only a create takes, is created now."""
    if not isinstance(answer, BluegreenError):
        return answer
    if not creates or cause_of(answer) is not Cause.DUPLICATE_KEYS:
        raise answer
    return cluster.create(decision.body)


def _raise_undone(
    cluster: Cluster, waves: Iterable[Wave], results: Iterable[ApplyResult], options: ApplyOptions
) -> None:
    """Say what is left when the time is over."""
    if options.left != 0:
        return
    known = {result.ref for result in results if result.cause is not Cause.TRANSIENT}
    asked = [ref for wave in waves for ref in wave.refs]
    undone = [ref for ref in asked if ref not in known]
    if undone:
        raise OutOfTimeError(
            "import.out-of-time",
            f"applying objects to {cluster.id.context}",
            f"{len(undone)} of {len(asked)} are not done: {in_words(undone)}",
            "run the same command again, which goes on with them",
        )


def _raise_failures(cluster: Cluster, results: tuple[ApplyResult, ...], options: ApplyOptions) -> None:
    failed = [result for result in results if result.outcome is Outcome.FAILED]
    if not failed:
        return
    what = f"applying objects to {cluster.id.context} ({len(failed)} of {len(results)} failed)"
    if all(result.cause is Cause.TRANSIENT for result in failed):
        if options.left == 0:
            return  # they are among what is not done
        raise TransientError("import.unreachable", what, f"{failed[0].ref}: {failed[0].error}", "run it again")
    raise ApplyFailedError(what, results)
