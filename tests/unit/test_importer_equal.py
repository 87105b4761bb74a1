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


TEXTS = st.sampled_from(["", "1", "x"])
LABELS = st.dictionaries(st.sampled_from(["app", "selector", "bluegreen.io/x"]), TEXTS)
NOTES = st.dictionaries(st.sampled_from(["note", "a.b/c", "bluegreen.io/was-replicas", MIGRATION]), TEXTS)
FINALIZERS = st.lists(st.sampled_from(["a/x", "b/y"]), unique=True)
OWNERS = st.lists(st.fixed_dictionaries({"uid": TEXTS, "controller": st.booleans()}), max_size=2)
PARTS = {"labels": LABELS, "annotations": NOTES, "finalizers": FINALIZERS, "ownerReferences": OWNERS}
SERVERS = {
    "uid": "u",
    "resourceVersion": "7",
    "creationTimestamp": "2026-11-24T00:00:00Z",
    "generation": 1,
    "selfLink": "/api/v1/things/t",
}


def with_metadata(meta):
    return {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "t", "namespace": "shop", **meta}}


def on_green(meta, *owned):
    """Return an object as the server has it, with what it remembers of each of our applies."""
    entries = [
        {"manager": MANAGER, "operation": "Apply", "apiVersion": "v1", "fieldsV1": {"f:metadata": fields}}
        for fields in owned
    ]
    return with_metadata({**meta, **SERVERS, "managedFields": entries})


@st.composite
def variations(draw, meta):
    """Draw metadata that differs from a server's in a few fields, or only in the mark that it has not."""
    mine = copy.deepcopy(meta)
    if draw(st.booleans()):
        mine.get("annotations", {}).pop(MIGRATION, None)
    for key in draw(st.lists(st.sampled_from([*PARTS]), max_size=2)):
        mine[key] = draw(st.none() | st.just([] if key in ("finalizers", "ownerReferences") else {}) | PARTS[key])
    for key in draw(st.lists(st.sampled_from([*PARTS]), max_size=1)):
        mine.pop(key, None)
    if mine.get("annotations") is not None:
        mine["annotations"] |= draw(st.sampled_from([{}, {}, {MIGRATION: "1"}, {"bluegreen.io/x": "1"}]))
    for owner in mine.get("ownerReferences") or ():
        owner["controller"] = draw(st.sampled_from([owner["controller"], int(owner["controller"])]))
    return mine | draw(st.sampled_from([{}, {}, {"creationTimestamp": None}, {"uid": "u"}, {"generation": True}]))


@st.composite
def owned_metadata(draw, meta):
    """Draw what the server remembers of our applies of metadata: a part of it, and of what is there no longer."""
    labels, notes, finalizers = (
        draw(st.lists(st.sampled_from([*meta.get(key, ()), "gone/x"]), unique=True, min_size=least))
        for key, least in (("labels", 0), ("annotations", 0), ("finalizers", 0))
    )
    dot = draw(st.sampled_from([{}, {".": {}}]))
    fields = {
        "f:labels": dot | {f"f:{name}": {} for name in labels},
        "f:annotations": dot | {f"f:{name}": {} for name in notes},
        "f:finalizers": dot | {f'v:"{value}"': {} for value in finalizers},
        "f:ownerReferences": {f'k:{{"uid":"{one["uid"]}"}}': dot for one in meta.get("ownerReferences", ())},
    }
    return {key: fields[key] for key in draw(st.sets(st.sampled_from([*fields])))}


@settings(max_examples=800)
@given(st.fixed_dictionaries({}, optional=PARTS), st.data())
def test_what_it_calls_equal_has_no_difference_in_its_metadata(drawn, data):
    meta = {key: value for key, value in drawn.items() if value}  # a server leaves out what is empty
    live = on_green(meta, *data.draw(st.lists(owned_metadata(meta), max_size=2)))
    obj = with_metadata(data.draw(variations(meta)))
    if surely_equal(obj, live):
        assert differences(obj, live) + dropped(obj, live) == ()


def test_annotations_that_are_ours_as_a_whole_and_hold_our_mark_alone_are_not_missed():
    live = on_green({"labels": {"app": "x"}, "annotations": {MIGRATION: "m"}}, {"f:annotations": {}})
    obj = with_metadata({"labels": {"app": "x"}})
    assert surely_equal(obj, live)
    assert dropped(obj, live) == ()
    live["metadata"]["annotations"]["note"] = "blue dropped it"
    assert dropped(obj, live) != ()


MARKED = {"f:annotations": {".": {}, f"f:{MIGRATION}": {}}}


def test_what_the_server_adds_to_metadata_and_our_mark_do_not_hide_that_it_is_equal():
    owned = {"f:labels": {"f:app": {}}, **MARKED}
    labels, notes = {"labels": {"app": "x"}}, {"note": "1"}
    assert surely_equal(with_metadata(labels), on_green({**labels, "annotations": {MIGRATION: "m"}}, owned))
    assert surely_equal(
        with_metadata({**labels, "annotations": notes}),
        on_green({**labels, "annotations": {**notes, MIGRATION: "m"}}, owned),
    )
    owner = {"ownerReferences": [{"uid": "1", "controller": True}], "finalizers": ["a/x"]}
    assert surely_equal(with_metadata(owner), on_green({**owner, "annotations": {MIGRATION: "m"}}, MARKED))


def test_each_way_to_be_unequal_in_metadata_is_left_to_the_thorough_look():
    labels, notes = {"app": "x", "tier": "web"}, {"note": "1", MIGRATION: "m"}
    more = {"finalizers": ["a/x"], "ownerReferences": [{"uid": "1", "controller": True}]}
    live = on_green(
        {"labels": labels, "annotations": notes, **more},
        {
            "f:labels": {"f:app": {}, "f:tier": {}},
            "f:annotations": {"f:note": {}, f"f:{MIGRATION}": {}},
            "f:finalizers": {'v:"a/x"': {}},
        },
    )
    mine = {"labels": labels, "annotations": {"note": "1"}, **more}
    assert surely_equal(with_metadata(mine), live)
    for other in (
        {"labels": {"app": "x"}},
        {"labels": {}},
        {"labels": {"app": "x", "tier": "db"}},
        {"labels": {**labels, "new": "1"}},
        {"annotations": {}},
        {"annotations": {"note": "2"}},
        {"finalizers": []},
        {"finalizers": ["a/x", "b/y"]},
        {"ownerReferences": [{"uid": "1", "controller": 1}]},
    ):
        assert not surely_equal(with_metadata({**mine, **other}), live), other
    for key in ("labels", "annotations", "finalizers"):
        assert not surely_equal(with_metadata({k: v for k, v in mine.items() if k != key}), live), key
