"""What we applied once and blue no longer has is noticed, planned and removed; fields of others are left alone."""

import copy
import json
import time

import pytest
from fake_api import FakeApi, quiet
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.importer.apply import ApplyOptions, Outcome, apply_objects
from bluegreen.importer.decide import Verdict
from bluegreen.importer.diff import ABSENT, WITHHELD
from bluegreen.importer.idle import make_idle
from bluegreen.importer.order import Phase
from bluegreen.importer.owned import dropped
from bluegreen.importer.plan import PlanOptions, plan_import
from bluegreen.importer.verify import compare
from bluegreen.model.refs import ref_of


class Owning(FakeApi):
    """A cluster that remembers what bluegreen applied and removes what it no longer does, as server-side apply does."""

    def apply(self, obj, *, force=False, dry_run=False):
        ref = ref_of(obj)
        before = self.objects.get(ref)
        if before is not None:
            self.objects[ref] = freed(before, obj)
        answer = super().apply(obj, force=force, dry_run=dry_run)
        answer["metadata"]["managedFields"] = [entry(fields(obj), version=obj["apiVersion"])]
        if dry_run and before is not None:
            self.objects[ref] = before
        if not dry_run:
            self.objects[ref]["metadata"]["managedFields"] = answer["metadata"]["managedFields"]
        return answer


def entry(fields_v1, manager="bluegreen", operation="Apply", version="v1", **more):
    return {"manager": manager, "operation": operation, "apiVersion": version, "fieldsV1": fields_v1, **more}


def fields(value):
    """Return the fieldsV1 of maps, which is all that these objects are made of."""
    own = {key: inner for key, inner in value.items() if key not in ("apiVersion", "kind", "name", "namespace")}
    return {f"f:{key}": fields(inner) if isinstance(inner, dict) else {} for key, inner in own.items()}


def freed(live, wanted):
    """Return a live object without what its last apply owned and the next one leaves out."""
    after = copy.deepcopy(live)
    for owned in after["metadata"].pop("managedFields", ()):
        _free(after, wanted, owned["fieldsV1"])
    return after


def _free(live, wanted, owned):
    for key, below in owned.items():
        name = key.removeprefix("f:")
        if name in live and name not in wanted:
            del live[name]
        elif below and name in live:
            _free(live[name], wanted[name], below)


def obj(kind, name, version="v1", **more):
    meta = {"name": name, "namespace": "shop", **more.pop("meta", {})}
    return {"apiVersion": version, "kind": kind, "metadata": meta, **more}


def bring(green, *objects, idle=False):
    how = ApplyOptions("m", time.monotonic, lambda _: None, **({"prepare": make_idle} if idle else {}))
    return [result.outcome for result in apply_objects(green, objects, Phase.IMPORT, how, quiet)]


def test_a_dropped_field_is_drift_a_change_and_gone_after_the_next_import():
    green = Owning()
    bring(green, obj("ConfigMap", "c", data={"a": "1", "b": "2"}, meta={"labels": {"x": "y"}}))
    now = obj("ConfigMap", "c", data={"a": "1"})
    expected = [("metadata.labels.x", ABSENT, '"y"'), ("data.b", ABSENT, '"2"')]

    assert sorted((d.path, d.expected, d.actual) for d in compare([now], green)) == sorted(expected)
    for server in (False, True):
        (planned,) = plan_import([now], green, PlanOptions("m", dry_run=server)).entries
        assert planned.verdict is Verdict.CHANGE
        assert {(c.path, c.expected) for c in planned.changes} >= {("data.b", ABSENT)}
    assert bring(green, now) == [Outcome.CHANGED]
    assert green.get(ref_of(now))["data"] == {"a": "1"}
    assert compare([now], green) == ()
    assert bring(green, now) == [Outcome.EQUAL]


def test_what_sleeps_and_our_marks_are_no_extras():
    green = Owning()
    web = obj("Deployment", "web", "apps/v1", spec={"replicas": 2})
    nightly = obj("CronJob", "nightly", "batch/v1", spec={"suspend": False})
    bring(green, web, nightly, idle=True)
    assert bring(green, web, nightly, idle=True) == [Outcome.EQUAL, Outcome.EQUAL]
    assert [d.path for d in compare([web, nightly], green)] == ["spec.replicas"]


PORTS = [{"port": 80, "protocol": "TCP", "name": "web"}, {"port": 53, "protocol": "UDP"}]


def live_service(*entries):
    spec = {"ports": PORTS, "selector": {"app": "web"}, "clusterIP": "10.0.0.1"}
    return obj("Service", "s", meta={"managedFields": list(entries), "finalizers": ["a/b", "c/d"]}, spec=spec)


OWNED = {
    "f:metadata": {"f:finalizers": {'v:"a/b"': {}, 'v:"c/d"': {}}},
    "f:spec": {
        "f:selector": {},
        "f:ports": {
            'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:name": {}, "f:port": {}},
            'k:{"port":53,"protocol":"UDP"}': {".": {}, "f:port": {}},
        },
    },
}


def paths(wanted, live):
    return [change.path for change in dropped(wanted, live)]


def test_items_of_lists_are_told_apart_by_their_keys_and_defaults_count():
    live = live_service(entry(OWNED))
    same = obj("Service", "s", meta={"finalizers": ["a/b", "c/d"]})
    both = [{"port": 80, "name": "web"}, {"port": 53, "protocol": "UDP"}]
    assert paths({**same, "spec": {"ports": both, "selector": {"app": "web"}}}, live) == []
    fewer = obj("Service", "s", meta={"finalizers": ["c/d"]}, spec={"ports": [{"port": 80}]})
    assert paths(fewer, live) == [
        "metadata.finalizers[a/b]",
        "spec.selector",
        "spec.ports[port=80].name",
        "spec.ports[port=53]",
    ]


def test_a_selector_that_is_owned_as_a_whole_has_no_key_too_many():
    peer = {"podSelector": {"matchLabels": {"a": "1", "b": "2"}}, "more": {"default": "x"}}
    owned = entry(
        {"f:spec": {"f:ingress": {}, "f:podSelector": {}, "f:policyTypes": {}}}, version="networking.k8s.io/v1"
    )
    spec = {"podSelector": {"matchLabels": {"app": "web"}}, "ingress": [{"from": [peer]}], "policyTypes": ["Ingress"]}
    live = obj("NetworkPolicy", "n", "networking.k8s.io/v1", spec=spec, meta={"managedFields": [owned]})
    fewer = copy.deepcopy(live)
    del fewer["spec"]["ingress"][0]["from"][0]["podSelector"]["matchLabels"]["b"]
    del fewer["spec"]["ingress"][0]["from"][0]["more"]["default"]
    fewer["spec"]["podSelector"] = {}
    assert paths(live, live) == []
    assert paths(fewer, live) == ["spec.ingress[0].from[0].podSelector.matchLabels.b", "spec.podSelector.matchLabels"]


@pytest.mark.parametrize(
    "other",
    [
        entry(OWNED, manager="kubectl"),
        entry(OWNED, operation="Update"),
        entry(OWNED, subresource="status"),
        entry(OWNED, version="v2"),
    ],
)
def test_fields_of_another_manager_operation_or_version_are_not_ours(other):
    assert paths(obj("Service", "s", spec={}), live_service(other)) == []


def test_a_null_that_a_custom_resource_keeps_is_asked_for():
    owned = entry({"f:spec": {"f:doors": {"f:front": {}, "f:back": {}}}}, version="e/v1")
    house = obj("House", "h", "e/v1", spec={"doors": {"front": None, "back": {}}}, meta={"managedFields": [owned]})
    assert paths(house, house) == []


WORDS = st.text(alphabet="ab./:~é0", max_size=3)
TREES = st.recursive(WORDS, lambda inner: st.dictionaries(WORDS, inner, min_size=1, max_size=4), max_leaves=12).filter(
    lambda tree: isinstance(tree, dict)
)


def leaves(tree, path=()):
    for key, value in tree.items():
        yield from leaves(value, (*path, key)) if isinstance(value, dict) else [(*path, key)]


@given(TREES, st.data())
def test_exactly_what_was_dropped_is_found(tree, data):
    applied = obj("Thing", "t", "e/v1", spec=tree)
    live = copy.deepcopy(applied)
    live["metadata"]["managedFields"] = [entry(fields(applied), version="e/v1")]
    live["spec"]["of another"] = {"hand": "x"}
    assert dropped(applied, live) == ()
    *above, last = data.draw(st.sampled_from(list(leaves(tree))))
    holder = applied["spec"]
    for key in above:
        holder = holder[key]
    value = holder.pop(last)
    (change,) = dropped(applied, live)
    assert (change.expected, json.loads(change.actual)) == (ABSENT, value)


def test_what_green_no_longer_has_is_no_extra():
    live = obj("ConfigMap", "c", data={}, meta={"managedFields": [entry({"f:data": {"f:a": {}}})]})
    assert paths(obj("ConfigMap", "c", data={}), live) == []


def test_a_secrets_value_is_not_shown():
    owned = entry({"f:data": {"f:p": {}}, "f:type": {}})
    live = obj("Secret", "s", data={"p": "Q0FOQVJZ"}, type="Opaque", meta={"managedFields": [owned]})
    hidden, kind = dropped(obj("Secret", "s", data={}), live)
    assert (hidden.path, hidden.expected, hidden.actual) == ("data.p", WITHHELD, WITHHELD)
    assert kind.actual == '"Opaque"'
