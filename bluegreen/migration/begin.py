"""Begins a migration, goes on with one, and concludes it: directory, lock, journal, reports.

The intent is on disk before anything else happens (law 5).
"""

from dataclasses import dataclass, replace
from pathlib import Path

from bluegreen.migration.context import Ending, Run
from bluegreen.migration.journal import Journal, read_events, utc_now
from bluegreen.migration.limits import Limits, spent_since
from bluegreen.migration.orders import Orders
from bluegreen.migration.prepare import Prepared
from bluegreen.migration.store import Manifest, Store, new_id, write_atomically
from bluegreen.report.ending import headline
from bluegreen.report.fold import fold
from bluegreen.report.html import html_report
from bluegreen.report.json_report import json_report


@dataclass(frozen=True, slots=True)
class Reports:
    """Where the reports of a run are, and the outcome in one sentence."""

    html: Path
    json: Path
    headline: str = ""


def begin(prepared: Prepared) -> Run:
    """Make the migration's directory and return its run."""
    config, parts = prepared.loaded.config, prepared.parts
    created = utc_now()
    manifest = Manifest(
        id=new_id(config.from_context, config.to_context, created),
        blue=parts.blue.id,
        green=parts.green.id,
        namespaces=tuple(config.namespaces),
        steps=tuple(step.weight for step in config.steps),
        config_digest=prepared.loaded.digest,
        created=created,
    )
    store = Store(prepared.root / manifest.id)
    store.write_manifest(manifest)
    run = _open(prepared, store, manifest, spent=0.0)
    run.findings = prepared.findings
    _say_started(run)
    return run


def _say_started(run: Run) -> None:
    """Record what was begun."""
    manifest, config = run.manifest, run.config
    run.emit(
        "run.started",
        migration=manifest.id,
        **{"from": config.from_context},
        to=config.to_context,
        from_version=manifest.blue.version,
        to_version=manifest.green.version,
        namespaces=list(manifest.namespaces),
        steps=list(manifest.steps),
        data_policy=config.data.policy if config.data else "",
        config_digest=manifest.config_digest,
    )


def resume(prepared: Prepared) -> Run:
    """Return the run of an unfinished migration."""
    store = prepared.unfinished
    if store is None:
        raise AssertionError("there is no unfinished migration")
    manifest, events = store.manifest(), list(store.raw_events())
    last = str(events[0].get("at", "")) if events else ""
    run = _open(prepared, store, manifest, spent=spent_since(manifest.created, last, utc_now()))
    told = [str(event["name"]) for event in events]
    if "run.started" not in told:
        _say_started(run)
    run.traffic_moved = "weight.writing" in told or "weight.written" in told
    run.resumed = _ended_paused(store)
    run.emit("run.resumed", migration=run.manifest.id)
    return run


def _ended_paused(store: Store) -> bool:
    """Return whether the last process left because nobody had answered; one that was killed has not asked yet."""
    last = next((event for event in store.raw_events() if str(event["name"]).startswith("run.")), None)
    return last is not None and last["name"] == "run.paused" and last["data"].get("ended") is True


def _open(prepared: Prepared, store: Store, manifest: Manifest, *, spent: float) -> Run:
    """Open the journal; `spent` is how many seconds of the run's time earlier processes have used."""
    parts, timeouts = prepared.parts, prepared.loaded.config.timeouts
    return Run(
        config=prepared.loaded.config,
        manifest=manifest,
        store=store,
        blue=parts.blue,
        green=parts.green,
        routers=parts.routers,
        probes=dict(parts.probes),
        mover=parts.mover,
        journal=Journal(store.events),
        orders=Orders(store.orders),
        bundle=prepared.bundle,
        limits=Limits(overall=timeouts.overall, spent=spent, phases={"import": timeouts.import_}),
    )


def conclude(run: Run, ending: Ending) -> Reports:
    """Record how the run ended, unless it will go on, and write its reports.

    Args:
        run: the migration.
        ending: how this process ends.
    """
    if ending.outcome in ("migrated", "reverted", "failed") and not run.crashed:
        run.emit(
            "run.finished",
            outcome=ending.outcome,
            exit_code=ending.exit_code,
            reason=ending.reason,
            next=ending.next_step,
        )
    return write_reports(run.store)


def write_reports(store: Store) -> Reports:
    """Write the reports of a migration from its events."""
    view = fold(read_events(store.events))
    reports = report_files(store)
    write_atomically(reports.html, html_report(view))
    write_atomically(reports.json, json_report(view))
    return replace(reports, headline=headline(view))


def report_files(store: Store) -> Reports:
    """Return where the reports of a migration are."""
    return Reports(store.path / "report.html", store.path / "report.json")
