"""What would happen to each object, on the terminal: one line per object, its fields below, the counts at the end.

Equal objects are only counted unless the wide form is asked for. Names and values come from clusters.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from bluegreen.cli.text import put
from bluegreen.importer.decide import Verdict
from bluegreen.importer.rewrite import Remark
from bluegreen.model.refs import ObjectRef
from bluegreen.report.words import amount

if TYPE_CHECKING:
    from bluegreen.importer.plan import PlanEntry

SIGNS = {
    Verdict.CREATE: "+",
    Verdict.CHANGE: "~",
    Verdict.EQUAL: "=",
    Verdict.CONFLICT: "!",
    Verdict.REFUSED: "x",
    Verdict.LEFT_OUT: "-",
}
_BAD = (Verdict.CONFLICT, Verdict.REFUSED)
_INDENT = 11
_NAMED = 3
_MAKE_FIRST = "; make the namespaces first to hear of it now, as bluegreen plan --create-namespaces does."


def bad(entries: Iterable["PlanEntry"]) -> bool:
    """Return whether something is refused or in conflict."""
    return any(entry.verdict in _BAD for entry in entries)


def show_entries(entries: Sequence["PlanEntry"], left_out: Sequence[tuple[ObjectRef, str]] = (), *, wide: bool) -> None:
    """Print the entries of a plan on stdout.

    Args:
        entries: one per object, in the order of the import.
        left_out: objects that stay on blue, with the reason; named in the wide form only.
        wide: equal objects, waves and objects left out as well.
    """
    for entry in entries:
        if wide or entry.verdict is not Verdict.EQUAL:
            _entry(entry, wide=wide)
    for ref, why in left_out if wide else ():
        put(f"- blue's   {ref}")
        put(why, _INDENT)
    counts = Counter(entry.verdict for entry in entries)
    words = [f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict]]
    stays = (
        f"; {amount(len(left_out), 'object')} {'stays' if len(left_out) == 1 else 'stay'} on blue" if left_out else ""
    )
    _tell_unjudged(entries)
    click.echo(f"Plan: {', '.join(words) or 'no objects'}{stays}.")


def _tell_unjudged(entries: Sequence["PlanEntry"]) -> None:
    """Say how many objects the server did not look at: for those, `create` is no promise."""
    needs = Counter(entry.unjudged for entry in entries if entry.unjudged)
    if needs:
        more = f" and {len(needs) - _NAMED} more" if len(needs) > _NAMED else ""
        first = ", ".join(sorted(needs)[:_NAMED]) + more
        put(
            f"Not judged by the server: {amount(needs.total(), 'object')}, since {first} must be there first. "
            "Webhooks, quotas, ports and names may still refuse them"
            f"{_MAKE_FIRST if any(need.startswith('Namespace ') for need in needs) else '.'}"
        )


def _entry(entry: "PlanEntry", *, wide: bool) -> None:
    wave = f"  [{entry.wave}]" if wide else ""
    put(f"{SIGNS[entry.verdict]} {str(entry.verdict).ljust(8)} {entry.ref}{wave}")
    cause = f"{entry.cause}: " if entry.cause else ""
    if wide or entry.verdict not in (Verdict.CREATE, Verdict.EQUAL):
        put(f"{cause}{entry.reason}", _INDENT)
    for change in entry.changes:
        put(f"{change.path}: {change.actual} → {change.expected}", _INDENT)
    for effect in entry.effects if wide or entry.verdict is not Verdict.EQUAL else ():
        for change in effect.changes:
            put(f"patch {effect.patch}: {change.path}: {change.actual} → {change.expected}", _INDENT)


def warn(remarks: Iterable[Remark]) -> None:
    """Print on stderr what a person should look at."""
    for remark in remarks:
        put(f"Warning: {remark}", err=True)
