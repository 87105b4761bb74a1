"""Comparing: what we ask for must be there, defaults and additions are no differences, Secrets are not shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.importer.diff import ABSENT, WITHHELD, differences
from bluegreen.importer.quantity import parse_quantity, same_quantity


def obj(spec, kind="Deployment", **more):
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}, "spec": spec, **more}


def paths(expected, actual):
    return [change.path for change in differences(obj(expected), obj(actual))]


def test_defaults_of_the_server_are_no_differences():
    assert paths({"a": 1}, {"a": 1, "b": 2}) == []
    assert paths({"a": {}, "b": [], "c": None, "d": ""}, {}) == []


def test_an_injected_container_is_none_and_a_missing_one_is():
    one, two = {"name": "a", "image": "i"}, {"name": "b", "image": "j"}
    assert paths({"containers": [two]}, {"containers": [one, two]}) == []
    assert paths({"containers": [one, two]}, {"containers": [one]}) == ["spec.containers[name=b]"]
    assert paths({"containers": [{"name": "a", "image": "k"}]}, {"containers": [one]}) == [
        "spec.containers[name=a].image"
    ]


def test_lists_whose_order_counts():
    assert paths({"args": ["a", "b"]}, {"args": ["b", "a"]}) == ["spec.args[0]", "spec.args[1]"]
    assert paths({"args": ["a"]}, {"args": ["a", "b"]}) == ["spec.args"]
    assert paths({"ports": [80]}, {"ports": [80]}) == []


def test_ports_are_told_apart_by_number_and_protocol():
    tcp, udp = {"port": 53, "protocol": "TCP", "name": "t"}, {"port": 53, "protocol": "UDP", "name": "u"}
    assert paths({"ports": [tcp, udp]}, {"ports": [udp, {**tcp, "nodePort": 3}]}) == []
    assert paths({"ports": [{"port": 53}]}, {"ports": [tcp]}) == []


def test_types_are_not_mixed_up():
    assert paths({"a": True}, {"a": 1}) == ["spec.a"]
    assert paths({"a": "1"}, {"a": 1}) == ["spec.a"]


def test_quantities_are_compared_by_value():
    assert paths({"requests": {"cpu": "0.5", "memory": "1024Mi"}}, {"requests": {"cpu": "500m", "memory": "1Gi"}}) == []
    assert paths({"requests": {"cpu": "0.5"}}, {"requests": {"cpu": "5"}}) == ["spec.requests.cpu"]
    assert paths({"value": "0.5"}, {"value": "500m"}) == ["spec.value"]


@pytest.mark.parametrize("text", ["", "1X", "Ki", "1e", "abc", "9" * 50])
def test_what_is_no_quantity(text):
    assert parse_quantity(text) is None


@given(st.integers(0, 10**6))
def test_thousandths(number):
    assert same_quantity(f"{number}m", str(number / 1000) if number % 1000 else number // 1000)


def test_a_secrets_value_is_compared_and_never_shown():
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "x", "labels": {"a": "1"}},
        "data": {"p": "Y2FuYXJ5"},
    }
    changes = differences(secret, {**secret, "metadata": {"name": "x"}, "data": {"p": "b3RoZXI="}})
    assert [(c.path, c.expected, c.actual) for c in changes if "data.p" in c.path] == [("data.p", WITHHELD, WITHHELD)]
    assert ("metadata.labels", '{"a": "1"}', ABSENT) in [(c.path, c.expected, c.actual) for c in changes]
    assert "Y2FuYXJ5" not in repr(changes)
    written = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "stringData": {"p": "canary"}}
    assert differences(written, secret) == ()


def test_our_own_annotations_and_status_do_not_count():
    one = {**obj({}), "metadata": {"name": "x", "annotations": {"bluegreen.io/migration": "m"}}, "status": {"a": 1}}
    assert differences(one, obj({})) == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=4), JSON, max_size=3))
def test_everything_equals_itself(spec):
    assert paths(spec, spec) == []
