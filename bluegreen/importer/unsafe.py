"""What makes a plan unsafe: rules as data, each with a name that a person must say to go on. Pure.

A rule never stops a plan by itself for ever: it asks for `--force NAME`, so that what is overruled is written in the
command. Only what a rule names is let through.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bluegreen.importer.decide import Verdict
from bluegreen.importer.plan import PlanEntry

MANY_PERCENT = 30
MANY_FROM = 10
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class UnsafeRule:
    """One rule.

    Attributes:
        name: what --force takes.
        reason: why a person should look, in one sentence.
        hits: the entries that it is about, none when the plan keeps the rule.
    """

    name: str
    reason: str
    hits: Callable[[Sequence[PlanEntry]], Sequence[PlanEntry]]


def _many(entries: Sequence[PlanEntry]) -> Sequence[PlanEntry]:
    existing = [e for e in entries if e.verdict in (Verdict.CHANGE, Verdict.EQUAL, Verdict.CONFLICT)]
    changed = [e for e in existing if e.verdict is Verdict.CHANGE]
    return changed if len(existing) >= MANY_FROM and len(changed) * 100 > len(existing) * MANY_PERCENT else ()


def _of(verdict: Verdict) -> Callable[[Sequence[PlanEntry]], Sequence[PlanEntry]]:
    return lambda entries: [entry for entry in entries if entry.verdict is verdict]


def _of_others(entries: Sequence[PlanEntry]) -> Sequence[PlanEntry]:
    return [e for e in entries if e.verdict is Verdict.CHANGE and not e.ours and not _comes_with_its_namespace(e)]


def _comes_with_its_namespace(entry: PlanEntry) -> bool:
    """Return whether the control plane makes the object in each namespace: that is no hand whose work is at stake."""
    return (entry.ref.kind, entry.ref.group, entry.ref.name) == ("ServiceAccount", "", "default")


RULES: tuple[UnsafeRule, ...] = (
    UnsafeRule("many-changes", f"more than {MANY_PERCENT} % of the objects that green has would change", _many),
    UnsafeRule("another-manager", "objects that another hand made would change", _of_others),
    UnsafeRule(
        "conflicts", "objects in conflict stay as green has them, so green is not what blue is", _of(Verdict.CONFLICT)
    ),
    UnsafeRule("refused", "the server refuses objects, so green would miss them", _of(Verdict.REFUSED)),
)
NAMES = tuple(rule.name for rule in RULES)


def unsafe(entries: Sequence[PlanEntry], forced: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield in one line each rule that a plan breaks and that was not forced.

    Args:
        entries: entries of the plan.
        forced: names of the rules that a person overruled.
    """
    for rule in RULES:
        hits = rule.hits(entries)
        if hits and rule.name not in forced:
            names = ", ".join(str(entry.ref) for entry in hits[:_SHOWN])
            more = f" and {len(hits) - _SHOWN} more" if len(hits) > _SHOWN else ""
            yield f"{rule.reason}: {names}{more}; look at them, then add --force {rule.name}"
