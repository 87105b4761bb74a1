"""The phases before traffic moves and after it, each one idempotent act of the durable run.

A phase calls the room that knows how and tells what happened; it may be run again after a crash at any point.
"""

from collections.abc import Sequence
from typing import Any

from bluegreen.exporter.bundle import Bundle
from bluegreen.importer.apply import ApplyOptions, Outcome, apply_objects
from bluegreen.importer.idle import idler
from bluegreen.importer.order import Phase
from bluegreen.importer.scales import read_scales
from bluegreen.importer.start import resume_cronjobs, start
from bluegreen.importer.verify import compare
from bluegreen.importer.wait import wait_ready
from bluegreen.migration import objects, traffic
from bluegreen.migration.assessing import assess_migration
from bluegreen.migration.claims import complete_request, owned_users, request_record
from bluegreen.migration.context import Run
from bluegreen.migration.first_answers import await_first_answers
from bluegreen.migration.same_answer import compare_answers
from bluegreen.model.errors import BugError, OutOfTimeError, RefusedError
from bluegreen.model.findings import Severity
from bluegreen.model.marks import owner_mark
from bluegreen.model.ports import CachedRouter, Raw, VolumeRequest, Weights
from bluegreen.model.refs import ObjectRef
from bluegreen.report.words import amount
from bluegreen.traffic import weights

_POLL_SECONDS = 1.0


def _blue_objects(run: Run) -> Bundle:
    """Return blue's objects, read again after a restart: they are never on disk."""
    if run.bundle is None:
        run.bundle = objects.read_blue(run.blue, run.config, run.emit)
        if run.moved is not None:
            run.bundle = objects.as_moved(run.bundle, run.moved, run.emit)
    return run.bundle


def _green_objects(run: Run) -> tuple[Raw, ...]:
    """Return the objects as green shall have them."""
    return objects.for_green(_blue_objects(run), run.config)


def _options(run: Run, **more: Any) -> ApplyOptions:
    """Return how objects are applied in this run."""
    return ApplyOptions(migration=owner_mark(run.manifest.blue), clock=run.clock, sleep=run.sleep, **more)


def assess(run: Run) -> dict[str, Any]:
    """Find what would stop or hurt the migration; a blocker refuses it."""
    findings = run.findings
    if findings is None:  # another process has looked at both clusters; this one has not
        findings = assess_migration(_blue_objects(run), run.blue, run.green, run.config)
    for finding in findings:
        run.emit(
            "finding",
            rule=finding.rule,
            severity=str(finding.severity),
            subject=finding.subject,
            reason=finding.reason,
            action=finding.action,
        )
    blockers = [f"{f.subject}: {f.reason}" for f in findings if f.severity is Severity.BLOCKER]
    if blockers:
        raise RefusedError("assess.blocked", "assessing the migration", "; ".join(blockers), "bluegreen assess")
    return {"findings": len(findings)}


def export_objects(run: Run) -> dict[str, Any]:
    """Read and clean blue's objects, and tell what will move."""
    bundle = _blue_objects(run)
    by_kind = objects.counts(bundle)
    run.emit(
        "plan.made",
        objects=len(bundle.items),
        by_kind=by_kind,
        left_out=objects.left_out(bundle),
        digest=bundle.digest,
        notes=objects.notes(bundle),
    )
    request = complete_request(run.blue, run.config, run.manifest.id)
    return {"moved": objects.moved(bundle).record(), "request": request_record(request)}


def import_idle(run: Run) -> dict[str, Any]:
    """Apply everything to green so that nothing of it runs."""
    wanted = _green_objects(run)
    options = _options(run, prepare=idler(read_scales(run.green, wanted, run.emit)), end=run.limits.end)
    results = apply_objects(run.green, wanted, Phase.IMPORT, options, run.emit)
    for result in results:
        run.emit("object.applied", ref=str(result.ref), action=str(result.outcome))
    _wait_asleep(run)
    return {"objects": len(results), "written": sum(r.outcome in (Outcome.CREATED, Outcome.CHANGED) for r in results)}


def _wait_asleep(run: Run) -> None:
    """Wait until no pod of an earlier attempt on green holds a claim that will be replaced."""
    claims = {(pod.namespace, claim) for pod in _request(run).pods for claim in pod.claims}
    end = run.clock() + run.config.timeouts.ready
    while users := owned_users(run.green, run.config.namespaces, claims):
        if not run.limits.phase_left:
            raise OutOfTimeError(
                "import.out-of-time",
                f"waiting for pods of an earlier attempt on {run.config.to_context} to end",
                f"still there: {', '.join(users)}",
                "run the same command again to go on",
            )
        if run.clock() >= end:
            raise RefusedError(
                "import.not-asleep",
                f"waiting for pods of an earlier attempt on {run.config.to_context} to end",
                f"still there: {', '.join(users)}",
                f"kubectl --context {run.config.to_context} describe them",
            )
        run.emit("ready.waiting", objects=[f"{name}: ends" for name in users])
        run.sleep(_POLL_SECONDS)


def _request(run: Run) -> VolumeRequest:
    """Return what the mover shall bring, as recorded when the migration exported."""
    if run.request is None:
        raise BugError("run.no-request", "moving volumes", "the export step recorded no request")
    return run.request


def move_volumes(run: Run) -> dict[str, Any]:
    """Bring the claims' data over; without claims there is nothing to do."""
    request = _request(run)
    if not request.pods:
        return {"claims": 0}
    if run.mover is None:
        raise RefusedError("volumes.no-mover", "moving volumes", "claims exist and no data section is configured")
    end = run.clock() + run.config.timeouts.volumes
    said = None
    while True:
        status = run.mover.poll(request)
        if status != said:
            said = status
            run.emit(
                "volume.progress",
                stage=status.stage,
                phase=status.phase,
                message=status.message,
                bytes_done=status.bytes_done,
                bytes_total=status.bytes_total,
            )
        if status.done:
            return {"claims": sum(len(pod.claims) for pod in request.pods)}
        if status.failed or run.clock() >= end:
            why = status.message if status.failed else f"not done after {run.config.timeouts.volumes:.0f} s"
            raise RefusedError(
                "volumes.failed", f"moving volumes ({status.stage}, {status.phase})", why, "bluegreen status"
            )
        run.sleep(_POLL_SECONDS)


def start_workloads(run: Run) -> dict[str, Any]:
    """Start green in order and wait until all of it is ready."""

    def after(refs: Sequence[ObjectRef]) -> None:
        wait_ready(run.green, refs, seconds=run.config.timeouts.ready, clock=run.clock, sleep=run.sleep, emit=run.emit)

    start(run.green, _green_objects(run), _options(run), run.emit, after)
    return {}


def verify_both(run: Run) -> dict[str, Any]:
    """Compare objects on both sides and the answers of the user's own checks, and see green answer from here."""
    drifts = compare(_green_objects(run), run.green)
    run.emit("verify.checked", name="objects", equal=not drifts, blue="", green=amount(len(drifts), "difference"))
    reasons = [f"{drift.ref} {drift.path}: expected {drift.expected}, is {drift.actual}" for drift in drifts]
    for check in run.config.verify:
        answer = compare_answers(run.blue, run.green, check)
        run.emit("verify.checked", name=check.name, equal=answer.equal, blue=answer.blue, green=answer.green)
        if not answer.equal:
            reasons.append(f"check {check.name}: blue answers {answer.blue!r}, green {answer.green!r}")
    if reasons:
        raise RefusedError("verify.differs", "comparing blue and green", "; ".join(reasons), "bluegreen report")
    await_first_answers(run)
    return {"checks": len(run.config.verify)}


def lower_ttls(run: Run) -> dict[str, Any]:
    """Lower the TTLs of routes that others cache, early, so that the old ones run out while volumes are moved."""
    seconds = _prepared(run)
    run.emit("ttl.lowered", seconds=seconds)
    return {"seconds": seconds}


def await_ttls(run: Run) -> dict[str, Any]:
    """Wait until nobody holds an answer with an old TTL any more."""
    while seconds := _prepared(run):
        run.emit("ready.waiting", objects=[f"old DNS answers: {seconds:.0f} s more"])
        run.sleep(min(seconds, _POLL_SECONDS))
    return {}


def _prepared(run: Run) -> float:
    return max((router.prepare() for router in run.routers if isinstance(router, CachedRouter)), default=0.0)


def restore_routes(run: Run) -> dict[str, Any]:
    """Put TTLs and marks back where the migration has ended without green."""
    weights.let_go(run.routers, run.emit)
    return {}


def finish(run: Run) -> dict[str, Any]:
    """Let green's schedules run, and drop what only the migration needed; blue is left as it was."""
    traffic.require_served(run.routers, Weights.for_green(100))
    if run.moved is None:
        raise BugError("run.nothing-moved", "finishing", "the export step recorded nothing")
    resumed = resume_cronjobs(run.green, run.moved.schedules(), owner_mark(run.manifest.blue), run.emit)
    for router in run.routers:
        router.finalize()
    return {"resumed": len(resumed)}
