"""One self-contained page per run: no script, no network, readable on a phone, in the dark and on paper.

Autoescape is on and stays on; this module must never mark a text from an event as safe.
"""

from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bluegreen.model.durations import format_duration
from bluegreen.report.charts import objective_chart, phase_bars, weight_chart
from bluegreen.report.ending import headline, next_steps, policy, revert_weight, spans, why
from bluegreen.report.model import RunView
from bluegreen.report.words import evidence, share, size

_TEMPLATES = Path(__file__).parent / "templates"
_SEVERITIES = ("blocker", "warning", "info")


def html_report(view: RunView) -> str:
    """Return the page."""
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            view=view,
            headline=headline(view),
            why=why(view),
            next_steps=[spans(step) for step in next_steps(view)],
            policy=policy(view),
            revert_weight=revert_weight(view),
            weight_chart=weight_chart(view),
            objective_charts=[(one, objective_chart(view, one)) for one in view.objectives],
            phases=phase_bars(view),
            findings=sorted(view.findings, key=lambda one: _rank(one.severity)),
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "share": share,
        "evidence": evidence,
        "size": size,
        "took": format_duration,
        "clock": _clock,
        "day": _day,
    }
    return environment


def _rank(severity: str) -> int:
    return _SEVERITIES.index(severity) if severity in _SEVERITIES else len(_SEVERITIES)


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"


def _day(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%d %b %Y}"
