"""What a cleaning rule is, and the one list of all of them: it feeds the code, `export --explain` and the docs page.

A rule is data and holds no code: conditions are phrases of `conditions.py`, and what a path cannot say is a procedure
of `procedures.py` found by the rule's id. A rule never decides by who runs the export.
"""

import enum

import msgspec

POD_TEMPLATE = "(pod template)"
"""Stands for a Pod and for the template of every workload; the rule's field begins at the template."""


class Action(enum.StrEnum):
    """What a rule does: remove a field, keep it and say so, change it, leave the object out, or only report."""

    STRIP = "strip"
    KEEP = "keep"
    REWRITE = "rewrite"
    LEAVE_OUT = "leave out"
    REPORT = "report"


class Rule(msgspec.Struct, frozen=True):
    """One cleaning rule.

    Attributes:
        id: stable name, shown by --explain.
        kind: Kind or Kind.group as kubectl writes it (Service is core, Deployment.apps), with * as a wildcard;
            "*" is every object, POD_TEMPLATE every pod and template of pods.
        field: path of `paths.py`, empty when the rule is about the whole object.
        action: what happens.
        condition: phrase of `conditions.py`, empty for always.
        reason: why, in one sentence for people.
        source: where that is known from.
    """

    id: str
    kind: str
    field: str
    action: Action
    condition: str
    reason: str
    source: str


class Removal(msgspec.Struct, frozen=True):
    """One thing that a rule did to an object.

    Attributes:
        rule: id of the rule.
        action: what the rule does.
        path: field in the object, empty when the whole object was meant.
        why: reason in words.
    """

    rule: str
    action: Action
    path: str
    why: str


def strip(kind: str, field: str, reason: str, source: str, *, when: str = "", name: str) -> Rule:
    """Return a rule that removes a field."""
    return Rule(name, kind, field, Action.STRIP, when, reason, source)


def rewrite(kind: str, field: str, reason: str, source: str, *, when: str = "", name: str) -> Rule:
    """Return a rule whose procedure changes a field."""
    return Rule(name, kind, field, Action.REWRITE, when, reason, source)


def keep(kind: str, field: str, reason: str, source: str, *, when: str = "", name: str) -> Rule:
    """Return a rule that keeps a field that others remove, and says so."""
    return Rule(name, kind, field, Action.KEEP, when, reason, source)


def leave_out(kind: str, reason: str, source: str, *, when: str = "", name: str) -> Rule:
    """Return a rule that leaves the object out."""
    return Rule(name, kind, "", Action.LEAVE_OUT, when, reason, source)


def report(kind: str, field: str, reason: str, source: str, *, when: str = "", name: str) -> Rule:
    """Return a rule that tells a person."""
    return Rule(name, kind, field, Action.REPORT, when, reason, source)
