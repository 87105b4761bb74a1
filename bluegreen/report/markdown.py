"""A short summary for a chat or a pull request.

Markdown is markup: every text from outside is escaped, so that a name cannot become a link, a mention or HTML.
"""

import re

from bluegreen.model.durations import format_duration
from bluegreen.report.ending import headline, next_steps, policy, spans, why
from bluegreen.report.model import ClusterView, Outcome, RunView, StepView
from bluegreen.report.words import share

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|@~&])")
_MARKS = {Outcome.MIGRATED: "✔", Outcome.REVERTED: "✖", Outcome.FAILED: "✖"}


def markdown_report(view: RunView) -> str:
    """Return the summary."""
    took = f" in {format_duration(view.seconds)}" if view.seconds is not None else ""
    where = f"{_side(view.blue)} → {_side(view.green)}"
    parts = [
        f"## {_MARKS.get(view.outcome, '●')} {_plain(headline(view))}",
        f"{where}{took}, namespaces {', '.join(_plain(name) for name in view.namespaces)} (`{_code(view.migration)}`)",
        _plain(why(view)),
        _steps(view),
        f"**Data.** {_plain(policy(view))}",
        "\n".join(f"- {_next(step)}" for step in next_steps(view)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _steps(view: RunView) -> str:
    rows = [row for step in view.steps for row in _rows(step)]
    if not rows:
        return ""
    head = ["| green | objective | verdict | good | asked | samples | bad |", "|--:|---|---|--:|--:|--:|--:|"]
    return "\n".join([*head, *rows])


def _rows(step: StepView) -> list[str]:
    return [
        f"| {step.weight}% | {_plain(one.objective)} | {_plain(one.verdict)} | {share(one.value)} "
        f"| {share(one.threshold)} | {one.samples} | {one.bad} |"
        for one in step.judgements
    ]


def _next(step: str) -> str:
    """Escape a sentence but for its commands in back quotes."""
    return "".join(f"`{part}`" if command else _plain(part) for part, command in spans(step))


def _side(cluster: ClusterView) -> str:
    return f"`{_code(cluster.context)}` {_plain(cluster.version)}".strip()


def _plain(words: str) -> str:
    return _SPECIAL.sub(r"\\\1", words)


def _code(words: str) -> str:
    return words.replace("`", "'").replace("\n", " ")
