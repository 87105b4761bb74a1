"""report.json: the run for machines, versioned, with the same facts as the page for people."""

import json
from dataclasses import asdict
from typing import Any

from bluegreen.report.ending import headline, next_steps, policy, revert_weight, why
from bluegreen.report.model import RunView, StepView
from bluegreen.report.reading import stamp


def json_report(view: RunView) -> str:
    """Return report.json."""
    return json.dumps(report_data(view), indent=2, ensure_ascii=False) + "\n"


def report_data(view: RunView) -> dict[str, Any]:
    """Return the report as JSON-ready values."""
    return {
        "apiVersion": "bluegreen/v1",
        "kind": "Report",
        "migration": view.migration,
        "outcome": view.outcome.value,
        "exit_code": view.exit_code,
        "headline": headline(view),
        "why": why(view),
        "next": list(next_steps(view)),
        "from": asdict(view.blue),
        "to": asdict(view.green),
        "namespaces": list(view.namespaces),
        "started": stamp(view.started),
        "seconds": view.seconds,
        "resumed": view.resumed,
        "planned_weights": list(view.planned_steps),
        "weights": list(view.forward),
        "final_weights": _final(view),
        "reverted_because": _because(view),
        "data_policy": {"policy": view.data_policy, "words": policy(view)},
        "phases": [
            {
                "name": one.name,
                "state": one.state.value,
                "started": stamp(one.started),
                "seconds": round(one.seconds, 3),
            }
            for one in view.phases
        ],
        "steps": [_step(step) for step in view.steps],
        "objectives": [{**asdict(one.latest), "judged": len(one.series)} for one in view.objectives],
        "findings": [asdict(one) for one in view.findings],
        "plan": _plan(view),
        "objects": {"applied": view.objects, "by_action": dict(view.applied)},
        "volumes": [{**asdict(one), "started": stamp(one.started), "at": stamp(one.at)} for one in view.volumes],
        "checks": [asdict(one) for one in view.checks],
        "config_digest": view.config_digest,
        "timeline": [{"at": stamp(one.at), "event": one.name, "words": one.words} for one in view.timeline],
    }


def _final(view: RunView) -> dict[str, int] | None:
    return {"blue": view.final.blue, "green": view.final.green} if view.final else None


def _because(view: RunView) -> dict[str, Any] | None:
    if view.revert is None:
        return None
    broken = view.revert.broken
    numbers = asdict(broken) if broken else {}
    return {
        **numbers,
        "reason": view.revert.reason or numbers.get("reason", ""),
        "weight": revert_weight(view),
        "at": stamp(view.revert.at),
        "seconds": view.revert.seconds,
        "judgements": [asdict(one) for one in view.revert.judgements],
    }


def _step(step: StepView) -> dict[str, Any]:
    return {
        "weight": step.weight,
        "verdict": step.verdict,
        "passed": step.passed,
        "started": stamp(step.started),
        "settled_seconds": step.settled,
        "seconds": step.seconds,
        "judgements": [asdict(one) for one in step.judgements],
        "routes": list(step.routes),
        "observed": [
            {"probe": probe, "green": green, "total": total, "share": green / total if total else None}
            for probe, green, total in step.observed
        ],
    }


def _plan(view: RunView) -> dict[str, Any] | None:
    if view.plan is None:
        return None
    return {**asdict(view.plan), "by_kind": dict(view.plan.by_kind), "left_out": dict(view.plan.left_out)}
