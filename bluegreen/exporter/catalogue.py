"""The one list of all cleaning rules, and which of them speak about an object.

The code, `export --explain` and the docs page read this list and no other.
"""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from bluegreen.exporter.conditions import Test, compile_condition
from bluegreen.exporter.paths import Step, StepKind, join, may_lead, parse_path, plain_start
from bluegreen.exporter.rules import POD_TEMPLATE, Action, Removal, Rule
from bluegreen.exporter.rules_every import EVERY_OBJECT, LEFT_OUT
from bluegreen.exporter.rules_kinds import BY_KIND
from bluegreen.exporter.rules_workloads import WORKLOADS
from bluegreen.model.ports import Raw

RULES: tuple[Rule, ...] = LEFT_OUT + EVERY_OBJECT + WORKLOADS + BY_KIND

TEMPLATES: dict[str, str] = {
    "Pod": "",
    "PodTemplate": "template",
    "ReplicationController": "spec.template",
    "Deployment.apps": "spec.template",
    "ReplicaSet.apps": "spec.template",
    "StatefulSet.apps": "spec.template",
    "DaemonSet.apps": "spec.template",
    "Job.batch": "spec.template",
    "CronJob.batch": "spec.jobTemplate.spec.template",
    "DeploymentConfig.apps.openshift.io": "spec.template",
    "Rollout.argoproj.io": "spec.template",
    "CloneSet.apps.kruise.io": "spec.template",
    "StatefulSet.apps.kruise.io": "spec.template",
    "DaemonSet.apps.kruise.io": "spec.template",
    "ScaledJob.keda.sh": "spec.jobTargetRef.template",
    "Service.serving.knative.dev": "spec.template",
}
"""Where the pod template of a workload stands."""


class BoundRule(msgspec.Struct, frozen=True):
    """A rule made ready for one kind.

    Attributes:
        rule: the rule.
        steps: its field.
        may_lead: says no, quickly, where it can have nothing to do.
        lead: the keys that the field begins with.
        held_by: the keys that lead to the map whose keys the quick look asks for last.
        place: the field in words where `lead` is all of it, else empty: there is one such place or none.
        test: its condition.
        removal: what is told of it where it is about the object or the one place, without a reason of its own.
    """

    rule: Rule
    steps: tuple[Step, ...]
    may_lead: Callable[[Any], bool]
    lead: tuple[str, ...]
    held_by: tuple[str, ...]
    place: str
    test: Test
    removal: Removal


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules that speak about one kind: first those that leave the object out, then those that change it.

    Attributes:
        leave_out: in order.
        change: in order.
        holders: the maps below the object whose keys say which rules may lead somewhere, each as the number of the one
            above it (0 is the object) and its key there.
        known: rules by the keys that such maps had; objects of one kind have few different ones.
    """

    leave_out: tuple[BoundRule, ...]
    change: tuple[BoundRule, ...]
    holders: tuple[tuple[int, str], ...]
    known: dict[tuple[tuple[str, ...] | None, ...], tuple[BoundRule, ...]] = field(default_factory=dict)

    def worth_trying(self, obj: Raw) -> tuple[BoundRule, ...]:
        """Return the rules of `change` that may lead somewhere in an object, found by its keys once and remembered."""
        maps: list[Any] = [obj]
        for above, key in self.holders:
            held = maps[above]
            below = None if held is None else held.get(key)
            maps.append(below if type(below) is dict else None)
        keys = tuple([None if held is None else tuple(held) for held in maps])
        found = self.known.get(keys)
        if found is None:
            found = tuple(bound for bound in self.change if bound.may_lead(obj))
            if len(self.known) < _MOST_KNOWN:
                self.known[keys] = found
        return found


_MOST_KNOWN = 1024
"""Sets of keys remembered for each kind."""


@functools.cache
def rules_for(kind: str) -> RuleSet:
    """Return the rules for a kind.

    Args:
        kind: Kind.group, or Kind alone for the core group.
    """
    bound = tuple(_bind(rule, kind) for rule in RULES if _speaks_about(rule, kind))
    change = tuple(b for b in bound if b.rule.action is not Action.LEAVE_OUT)
    leave_out = tuple(b for b in bound if b.rule.action is Action.LEAVE_OUT)
    return RuleSet(leave_out, change, _holders(change))


def _holders(rules: Iterable[BoundRule]) -> tuple[tuple[int, str], ...]:
    """Return the maps that hold the last key, or the pattern, that a quick look at a rule's field asks for."""
    wanted = {lead[:length] for lead in (bound.held_by for bound in rules) for length in range(1, len(lead) + 1)}
    numbers = {path: number for number, path in enumerate([(), *sorted(wanted)])}
    return tuple((numbers[path[:-1]], path[-1]) for path in sorted(wanted))


@functools.cache
def always_left_out(kind: str) -> Rule | None:
    """Return the rule that leaves every object of a kind out, so that it need not even be listed."""
    return next((b.rule for b in rules_for(kind).leave_out if not b.rule.condition), None)


def _speaks_about(rule: Rule, kind: str) -> bool:
    if rule.kind == POD_TEMPLATE:
        return kind in TEMPLATES
    return rule.kind in ("*", kind) or ("*." in rule.kind and fnmatchcase(kind, rule.kind))


def _bind(rule: Rule, kind: str) -> BoundRule:
    prefix = TEMPLATES[kind] if rule.kind == POD_TEMPLATE else ""
    path = f"{prefix}.{rule.field}".strip(".") if rule.field else ""
    steps = parse_path(path)
    # What a procedure needs is its own affair: the field of its rule only tells people where it works.
    asked = () if rule.action is Action.REWRITE else steps
    lead = plain_start(asked)
    place = functools.reduce(join, lead, "") if len(lead) == len(steps) else ""
    pattern = len(asked) > len(lead) and asked[len(lead)].kind is StepKind.GLOB
    held_by = lead if pattern else lead[:-1]
    test, removal = compile_condition(rule.condition), Removal(rule.id, rule.action, place, rule.reason)
    return BoundRule(rule, steps, may_lead(asked), lead, held_by, place, test, removal)
