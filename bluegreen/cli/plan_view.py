"""The plan on the terminal: what moves, what it will do to both clusters, what was found.

Names come from clusters and may be hostile; they are printed without markup and control characters.
"""

import shutil
import sys
import textwrap
from typing import Any

import click

from bluegreen.model.durations import format_duration
from bluegreen.model.errors import clean_text

_LABEL_WIDTH = 12
_NO_FOLDING = 2000
_SIGNS = {"create": "+", "change": "~", "equal": "=", "conflict": "!", "refused": "x", "left out": "-"}


def _line(label: str, text: str) -> None:
    """Print one labelled text on stderr, folded to the width of the terminal."""
    width = max(40, shutil.get_terminal_size().columns) if sys.stderr.isatty() else _NO_FOLDING
    indent = " " * (_LABEL_WIDTH + (3 if text.startswith("- ") else 1))
    first = f"{label.ljust(_LABEL_WIDTH)} "
    click.echo(textwrap.fill(clean_text(text, 1000), width, initial_indent=first, subsequent_indent=indent), err=True)


def show_plan(plan: dict[str, Any]) -> None:
    """Print the summary that a person confirms.

    Args:
        plan: Prepared.describe().
    """
    click.echo("bluegreen will move", err=True)
    _line("  from", f"{plan['from']['context']} ({plan['from']['version']})")
    _line("  to", f"{plan['to']['context']} ({plan['to']['version']})")
    _line("  namespaces", ", ".join(plan["namespaces"]))
    total = sum(plan["objects"].values())
    most = sorted(plan["objects"].items(), key=lambda item: (-item[1], item[0]))
    _line("  objects", f"{total}: " + ", ".join(f"{count} {kind}" for kind, count in most[:6]) + _more(len(most) - 6))
    _line("  volumes", ", ".join(plan["claims"]) or "none")
    _line("  data", plan["data"])
    for text in plan["volumes"]:
        _line("", f"- {text}")
    path = " → ".join(["0", *map(str, plan["steps"])])
    _line("  traffic", f"{path} % by {', '.join(plan['routes'])}")
    _line("  pace", f"each step at least {format_duration(plan['hold'])}, bake {format_duration(plan['bake'])}")
    for text in plan["objectives"]:
        _line("  objective", text)
    for finding in plan["findings"]:
        _line(f"  {finding['severity']}", f"{finding['subject']}: {finding['reason']}. {finding['action']}")
    click.echo("Blue stays as it is, for a rollback.", err=True)


def _more(count: int) -> str:
    """Return how many kinds are not named."""
    return f", and {count} more kinds" if count > 0 else ""


def show_changes(changes: list[dict[str, str]]) -> int:
    """Print what would happen to each object on stdout and return the exit code.

    Args:
        changes: rows with action, object and reason.
    """
    for row in changes:
        reason = f"  ({clean_text(row['reason'])})" if row["reason"] else ""
        click.echo(f"{_SIGNS.get(row['action'], '?')} {row['action'].ljust(8)} {clean_text(row['object'])}{reason}")
    counts: dict[str, int] = {}
    for row in changes:
        counts[row["action"]] = counts.get(row["action"], 0) + 1
    click.echo("Plan: " + ", ".join(f"{count} to {action}" for action, count in sorted(counts.items())) + ".")
    return 1 if counts.get("refused") or counts.get("conflict") else 0
