"""Says what cleaning does, for people: the table of all rules for the docs, and per object what was done and why.

It reads the one list of rules and a bundle's reports; it never shows a value, only fields and reasons.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

from bluegreen.exporter.bundle import Report
from bluegreen.exporter.catalogue import RULES
from bluegreen.exporter.rules import Rule

_HEAD = ("rule", "kind", "field", "action", "condition", "reason", "source")


def rules_markdown() -> str:
    """Return the table of all rules in Markdown, in the order in which they are tried."""
    lines = [_row(_HEAD), _row("---" for _ in _HEAD), *(_row(_cells(rule)) for rule in RULES)]
    return "\n".join(lines) + "\n"


def _cells(rule: Rule) -> Iterator[str]:
    yield f"`{rule.id}`"
    yield rule.kind
    yield f"`{rule.field}`" if rule.field else "whole object"
    yield str(rule.action)
    yield rule.condition or "always"
    yield rule.reason
    yield rule.source


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def explain(reports: Iterable[Report]) -> Iterator[str]:
    """Yield lines for people: each object once, below it what was done to it and why.

    Args:
        reports: a bundle's reports, sorted by reference as they are there.
    """
    for ref, group in groupby(reports, key=lambda report: report.ref):
        yield str(ref)
        for report in group:
            removal = report.removal
            field = f" {removal.path}" if removal.path else ""
            yield f"  {removal.action}{field}: {removal.why} [{removal.rule}]"
