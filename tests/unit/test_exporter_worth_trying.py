"""The rules that are tried on an object are exactly those whose quick look says yes, whatever its keys are."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bluegreen.exporter.catalogue import RULES, rules_for

KINDS = ("ConfigMap", "Service", "Deployment.apps", "CronJob.batch", "Widget.example.com", "PersistentVolumeClaim")
WORDS = sorted(
    {word for rule in RULES for word in rule.field.replace("[]", "").split(".") if word and "[" not in word}
    | {"template", "jobTemplate", "spec", "metadata", "annotations", "labels"}
)
KEYS = st.sampled_from([*WORDS, "velero.io/backup-name", "argocd.argoproj.io/instance", "x"])
TREES = st.recursive(
    st.none() | st.integers() | st.text(max_size=2),
    lambda inner: st.dictionaries(KEYS, inner, max_size=4) | st.lists(inner, max_size=2),
    max_leaves=12,
)


@settings(max_examples=300)
@given(st.sampled_from(KINDS), st.dictionaries(KEYS, TREES, max_size=5))
def test_what_is_remembered_by_keys_is_what_each_rule_says_itself(kind, obj):
    rules = rules_for(kind)
    for _ in range(2):
        assert rules.worth_trying(obj) == tuple(bound for bound in rules.change if bound.may_lead(obj))


def test_a_value_does_not_change_what_its_key_decides():
    rules = rules_for("ConfigMap")
    marked = {"metadata": {"annotations": {"velero.io/x": "1"}, "labels": None}}
    assert rules.worth_trying({"metadata": {**marked["metadata"], "labels": {}}}) != ()
    for obj in (marked, {"metadata": None}, {"metadata": {"annotations": []}}, {}):
        assert rules.worth_trying(obj) == tuple(bound for bound in rules.change if bound.may_lead(obj))
