"""The rules as data: each has what the docs page and --explain need, and each can be carried out."""

from bluegreen.exporter.catalogue import RULES, always_left_out
from bluegreen.exporter.conditions import compile_condition
from bluegreen.exporter.paths import parse_path
from bluegreen.exporter.procedures import PROCEDURES
from bluegreen.exporter.rules import Action


def test_ids_are_unique():
    assert len({rule.id for rule in RULES}) == len(RULES)


def test_every_rule_says_why_and_whence():
    assert all(rule.reason and rule.source and rule.kind for rule in RULES)


def test_every_condition_and_path_can_be_read():
    for rule in RULES:
        compile_condition(rule.condition)
        parse_path(rule.field)


def test_rewrites_and_procedures_fit_each_other():
    assert {rule.id for rule in RULES if rule.action is Action.REWRITE} == set(PROCEDURES)


def test_only_whole_objects_are_left_out():
    assert all(bool(rule.field) == (rule.action is not Action.LEAVE_OUT) for rule in RULES)


def test_scratch_kinds_need_not_be_listed_and_likely_namesakes_must():
    for kind in (
        "Event",
        "Event.events.k8s.io",
        "Lease.coordination.k8s.io",
        "Backup.velero.io",
        "Subscription.operators.coreos.com",
        "PodMetrics.metrics.k8s.io",
        "CiliumEndpoint.cilium.io",
    ):
        assert always_left_out(kind) is not None
    for kind in ("Pod", "Secret", "Subscription.messaging.knative.dev", "Service.serving.knative.dev"):
        assert always_left_out(kind) is None
