"""The quick look is never more generous than the thorough one, whatever a server or a person did to the object."""

import copy

from hypothesis import given, settings
from hypothesis import strategies as st

from bluegreen.importer.diff import differences
from bluegreen.importer.equal import surely_equal
from bluegreen.importer.owned import dropped
from bluegreen.kube.writes import MANAGER
from bluegreen.model.marks import MIGRATION

KEYS = st.sampled_from(["name", "ports", "protocol", "port", "selector", "env", "labels", "bluegreen.io/x", "a.b"])
SCALARS = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "TCP", "UDP", "1", "x"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)


def fields_of(value):
    """Return what the server remembers of an apply of a value: lists of named items by key, others as a whole."""
    if isinstance(value, dict) and value:
        return {f"f:{key}": fields_of(below) for key, below in value.items()}
    if (
        isinstance(value, list)
        and value
        and all(isinstance(one, dict) and type(one.get("name")) is str for one in value)
    ):
        return {f'k:{{"name":"{one["name"]}"}}': {".": {}, **fields_of(one)} for one in value}
    return {}


def applied(spec):
    """Return an object as the server has it after our apply."""
    obj = {
        "apiVersion": "v1",
        "kind": "Thing",
        "metadata": {"name": "t", "annotations": {MIGRATION: "m"}},
        "spec": spec,
    }
    owned = fields_of({"spec": spec, "metadata": {"annotations": {MIGRATION: "m"}}})
    entry = {"manager": MANAGER, "operation": "Apply", "apiVersion": "v1", "fieldsV1": owned}
    return copy.deepcopy({**obj, "metadata": {**obj["metadata"], "uid": "1", "managedFields": [entry]}})


def wanted(spec):
    return {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": spec}


@settings(max_examples=400)
@given(st.dictionaries(KEYS, VALUES, max_size=4), st.data())
def test_what_it_calls_equal_has_no_difference(spec, data):
    live = applied(spec)
    mine = data.draw(st.just(spec) | st.dictionaries(KEYS, VALUES, max_size=4))
    for place in [live["spec"], *[v for v in live["spec"].values() if isinstance(v, dict)]]:
        place.update(data.draw(st.dictionaries(KEYS, VALUES, max_size=1)))
    obj = wanted(mine)
    if surely_equal(obj, live):
        assert differences(obj, live) + dropped(obj, live) == ()


def test_only_an_annotation_is_a_mark():
    live = applied({"bluegreen.io/x": None})
    assert not surely_equal(wanted({}), live)


def test_what_the_server_adds_does_not_hide_that_it_is_equal():
    spec = {"selector": {"app": "x"}, "ports": [{"name": "http", "port": 80}], "labels": {"a": "b"}}
    live = applied(spec)
    live["spec"]["ports"][0]["protocol"] = "TCP"
    live["spec"]["clusterIP"] = "10.0.0.1"
    assert surely_equal(wanted(spec), live)


def test_each_way_to_be_unequal_is_left_to_the_thorough_look():
    spec = {"selector": {"app": "x"}, "ports": [{"name": "http", "port": 80}], "args": ["a", "b"], "on": True}
    live = applied(spec)
    for other in (
        {**spec, "args": ["b", "a"]},
        {**spec, "selector": {"app": "y"}},
        {**spec, "ports": []},
        {**spec, "new": 1},
        {"selector": spec["selector"], "ports": spec["ports"]},
        {**spec, "on": 1},
        {**spec, "ports": [{"name": "http", "port": "80"}]},
    ):
        assert not surely_equal(wanted(other), live)
    udp = applied(spec)
    udp["spec"]["ports"][0]["protocol"] = "UDP"
    assert not surely_equal(wanted(spec), udp)


def test_a_key_too_many_in_a_selector_is_seen():
    spec = {"selector": {"app": "x"}}
    live = applied(spec)
    live["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"] = {"f:selector": {}}
    assert surely_equal(wanted(spec), live)
    live["spec"]["selector"]["tier"] = "web"
    assert not surely_equal(wanted(spec), live)
