"""The one list of all cleaning rules, and which of them speak about an object.

The code, `export --explain` and the docs page read this list and no other.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from bluegreen.exporter.conditions import Test, compile_condition
from bluegreen.exporter.paths import Step, join, may_lead, parse_path, plain_start
from bluegreen.exporter.rules import POD_TEMPLATE, Action, Rule
from bluegreen.exporter.rules_every import EVERY_OBJECT, LEFT_OUT
from bluegreen.exporter.rules_kinds import BY_KIND
from bluegreen.exporter.rules_workloads import WORKLOADS

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


@dataclass(frozen=True, slots=True)
class BoundRule:
    """A rule made ready for one kind.

    Attributes:
        rule: the rule.
        steps: its field.
        may_lead: says no, quickly, where it can have nothing to do.
        lead: the keys that the field begins with.
        place: the field in words where `lead` is all of it, else empty: there is one such place or none.
        test: its condition.
    """

    rule: Rule
    steps: tuple[Step, ...]
    may_lead: Callable[[Any], bool]
    lead: tuple[str, ...]
    place: str
    test: Test


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules that speak about one kind: first those that leave the object out, then those that change it."""

    leave_out: tuple[BoundRule, ...]
    change: tuple[BoundRule, ...]


@functools.cache
def rules_for(kind: str) -> RuleSet:
    """Return the rules for a kind.

    Args:
        kind: Kind.group, or Kind alone for the core group.
    """
    bound = tuple(_bind(rule, kind) for rule in RULES if _speaks_about(rule, kind))
    return RuleSet(
        leave_out=tuple(b for b in bound if b.rule.action is Action.LEAVE_OUT),
        change=tuple(b for b in bound if b.rule.action is not Action.LEAVE_OUT),
    )


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
    return BoundRule(rule, steps, may_lead(asked), lead, place, compile_condition(rule.condition))
