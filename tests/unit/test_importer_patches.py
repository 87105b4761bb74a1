"""Patches: the RFCs' own cases, laws that hold for any JSON, and what no patch may do."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.importer.patches import Match, Patch, PatchFault, _operate, merged, patched
from bluegreen.model.pointers import pointer_of, tokens

# RFC 6902, appendix A.1 to A.16; A.13 is a JSON text that no parser hands on.
RFC_6902 = [
    ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"baz": "qux", "foo": "bar"}),
    (
        {"foo": ["bar", "baz"]},
        [{"op": "add", "path": "/foo/1", "value": "qux"}],
        {"foo": ["bar", "qux", "baz"]},
    ),
    ({"baz": "qux", "foo": "bar"}, [{"op": "remove", "path": "/baz"}], {"foo": "bar"}),
    ({"foo": ["bar", "qux", "baz"]}, [{"op": "remove", "path": "/foo/1"}], {"foo": ["bar", "baz"]}),
    (
        {"baz": "qux", "foo": "bar"},
        [{"op": "replace", "path": "/baz", "value": "boo"}],
        {"baz": "boo", "foo": "bar"},
    ),
    (
        {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
        [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
        {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
    ),
    (
        {"foo": ["all", "grass", "cows", "eat"]},
        [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
        {"foo": ["all", "cows", "eat", "grass"]},
    ),
    (
        {"baz": "qux", "foo": ["a", 2, "c"]},
        [{"op": "test", "path": "/baz", "value": "qux"}, {"op": "test", "path": "/foo/1", "value": 2}],
        {"baz": "qux", "foo": ["a", 2, "c"]},
    ),
    ({"baz": "qux"}, [{"op": "test", "path": "/baz", "value": "bar"}], None),
    (
        {"foo": "bar"},
        [{"op": "add", "path": "/child", "value": {"grandchild": {}}}],
        {"foo": "bar", "child": {"grandchild": {}}},
    ),
    ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}], {"foo": "bar", "baz": "qux"}),
    ({"foo": "bar"}, [{"op": "add", "path": "/baz/bat", "value": "qux"}], None),
    ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
    ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": "10"}], None),
    ({"foo": ["bar"]}, [{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}], {"foo": ["bar", ["abc", "def"]]}),
    # what the text of the RFC asks for beside its examples
    ({"a": 1}, [{"op": "test", "path": "/a", "value": True}], None),
    ({"a": {"b": 1}}, [{"op": "move", "from": "/a", "path": "/a/b"}], None),
    ({"a": [1]}, [{"op": "add", "path": "/a/2", "value": 1}], None),
    ({"a": [1, 2]}, [{"op": "add", "path": "/a/01", "value": 1}], None),
    ({"a": [1]}, [{"op": "remove", "path": "/a/-"}], None),
    ({"a": 1}, [{"op": "replace", "path": "/b", "value": 1}], None),
    ({"a": 1}, [{"op": "remove", "path": "/b"}], None),
    ({"a": None}, [{"op": "test", "path": "/a", "value": None}], {"a": None}),
    ({"a": 1}, [{"op": "copy", "from": "/a", "path": "/b"}], {"a": 1, "b": 1}),
]

# RFC 7386, appendix A.
RFC_7386 = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


def operated(document, operations):
    work = copy.deepcopy(document)
    for number, operation in enumerate(operations, 1):
        _operate(work, copy.deepcopy(operation), number)
    return work


@pytest.mark.parametrize(("document", "operations", "expected"), RFC_6902)
def test_json_patches_do_what_the_rfc_says(document, operations, expected):
    if expected is None:
        with pytest.raises(PatchFault):
            operated(document, operations)
    else:
        assert operated(document, operations) == expected


@pytest.mark.parametrize(("target", "patch", "expected"), RFC_7386)
def test_merge_patches_do_what_the_rfc_says(target, patch, expected):
    assert merged(copy.deepcopy(target), patch) == expected


KEYS = st.text(alphabet="ab~/é0", max_size=3)
LEAVES = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))
MAPS = st.dictionaries(KEYS, VALUES, max_size=4)


def without_nulls(value):
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return value


@given(MAPS, MAPS)
def test_a_merge_patch_twice_is_once(target, patch):
    once = merged(copy.deepcopy(target), patch)
    assert merged(copy.deepcopy(once), patch) == once


@given(MAPS, MAPS)
def test_a_merge_leaves_what_the_patch_does_not_name_and_writes_what_it_does(target, patch):
    after = merged(copy.deepcopy(target), patch)
    assert {k: v for k, v in after.items() if k not in patch} == {k: v for k, v in target.items() if k not in patch}
    assert all(key not in after for key, value in patch.items() if value is None)
    assert merged({}, patch) == without_nulls(patch)


@given(MAPS, KEYS, VALUES)
def test_removing_what_was_added_restores_the_document(document, key, value):
    document.pop(key, None)
    pointer = pointer_of((key,))
    added = operated(document, [{"op": "add", "path": pointer, "value": value}])
    assert added == {**document, key: value}
    assert operated(added, [{"op": "remove", "path": pointer}]) == document


@given(st.lists(VALUES, max_size=4), st.data())
def test_removing_what_was_inserted_restores_the_list(items, data):
    pointer = f"/l/{data.draw(st.integers(0, len(items)))}"
    added = operated({"l": items}, [{"op": "add", "path": pointer, "value": "new"}])
    assert len(added["l"]) == len(items) + 1
    assert operated(added, [{"op": "remove", "path": pointer}]) == {"l": items}


@given(st.lists(st.text(max_size=5), max_size=4))
def test_pointers_are_read_as_they_are_written(path):
    assert tokens(pointer_of(tuple(path))) == tuple(path)


@pytest.mark.parametrize("text", ["a", "a/b", "/~", "/a~2", "/~~1"])
def test_what_is_no_pointer_is_refused(text):
    with pytest.raises(ValueError, match="no JSON pointer"):
        tokens(text)


def obj(kind="Deployment", version="apps/v1", **more):
    meta = {"name": "web", "namespace": "shop", "labels": {"app": "web"}, **more.pop("meta", {})}
    return {"apiVersion": version, "kind": kind, "metadata": meta, **more}


def operations(*given, match=None):
    return Patch("p", match or Match(), operations=given)


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        (Match(), True),
        (Match(api_version="apps/v1", kind="Deployment"), True),
        (Match(api_version="apps/v1beta1"), False),
        (Match(group="apps"), True),
        (Match(group=""), False),
        (Match(kind="deployment"), False),
        (Match(name="w*"), True),
        (Match(name="w"), False),
        (Match(namespace="sh?p"), True),
        (Match(namespace="store"), False),
        (Match(labels="app in (web, api),!old"), True),
        (Match(labels="app!=web"), False),
    ],
)
def test_a_match_needs_every_key_that_is_given(match, fits):
    assert match.fits(obj()) is fits


def test_the_input_and_the_patch_are_not_changed():
    before = obj(spec={"list": []})
    value = {"a": []}
    patch = operations(
        {"op": "add", "path": "/spec/list/-", "value": value}, {"op": "add", "path": "/spec/list/0/a/-", "value": 1}
    )
    for _ in range(2):
        assert patched(before, patch)["spec"] == {"list": [{"a": [1]}]}
    merge = Patch("m", Match(), merge={"spec": value})
    after = patched(before, merge)
    after["spec"]["a"].append("x")
    assert before["spec"] == {"list": []}
    assert value == {"a": []}


@pytest.mark.parametrize(
    ("given_patch", "words"),
    [
        (
            operations({"op": "replace", "path": "/spec/template/spec/x", "value": 1}),
            "operation 1, replace /spec/template/spec/x: .* leads as far as /spec$",
        ),
        (operations({"op": "add", "path": "/spec/a/b", "value": 1}), "add /spec/a/b: .* as far as /spec$"),
        (operations({"op": "move", "from": "/x", "path": "/spec/a"}), "move /x: .* as far as the top$"),
        (operations({"op": "test", "path": "/spec/replicas", "value": 9}), "test /spec/replicas: .* another one"),
        (operations({"op": "remove", "path": "/spec/replicas/a"}), "remove /spec/replicas/a: .* /spec/replicas$"),
        (operations({"op": "add", "path": "/spec/list/7", "value": 9}), "add /spec/list/7: .* beyond the end"),
        (operations({"op": "replace", "path": "", "value": {}}), "the whole object"),
        (operations({"op": "replace", "path": "/metadata/name", "value": "x"}), "may not do that"),
        (operations({"op": "remove", "path": "/metadata/namespace"}), "may not do that"),
        (operations({"op": "add", "path": "/metadata/uid", "value": "1"}), "may not do that"),
        (operations({"op": "remove", "path": "/metadata"}), "may not do that"),
        (Patch("m", Match(), merge={"kind": "Pod"}), "may not do that"),
        (Patch("m", Match(), merge={"metadata": {"labels": "x"}}), "labels or annotations"),
        (
            Patch("m", Match(), merge={"metadata": {"annotations": {"bluegreen.io/volume": "moved"}}}),
            "keeps for itself",
        ),
    ],
)
def test_a_fault_names_operation_and_pointer(given_patch, words):
    with pytest.raises(PatchFault, match=words):
        patched(obj(spec={"replicas": 2, "list": []}), given_patch)


def test_a_job_may_be_marked_to_run_again():
    marked = Patch("m", Match(), merge={"metadata": {"annotations": {"bluegreen.io/run-again": "true"}}})
    assert patched(obj("Job", "batch/v1"), marked)["metadata"]["annotations"] == {"bluegreen.io/run-again": "true"}


@pytest.mark.parametrize(
    "given_patch",
    [
        operations({"op": "add", "path": "/data/p", "value": "CANARY"}),
        operations({"op": "test", "path": "/data/p", "value": "CANARY"}),
        operations({"op": "test", "path": "", "value": {"data": "CANARY"}}),
        operations({"op": "copy", "from": "/data/p", "path": "/metadata/annotations"}),
        operations({"op": "move", "from": "/data", "path": "/metadata/annotations"}),
        operations({"op": "copy", "from": "", "path": "/metadata/x"}),
        Patch("m", Match(), merge={"stringData": {"p": "CANARY"}}),
    ],
)
def test_a_value_of_a_secret_goes_neither_in_nor_out(given_patch):
    with pytest.raises(PatchFault, match="may not hold a Secret's value") as caught:
        patched(obj("Secret", "v1", data={"p": "Q0FOQVJZ"}), given_patch)
    assert "CANARY" not in str(caught.value)


def test_keys_of_a_secret_may_be_renamed_and_removed():
    secret = obj("Secret", "v1", data={"old": "Q0FOQVJZ", "gone": "eA=="})
    renamed = operations(
        {"op": "move", "from": "/data/old", "path": "/data/new"}, {"op": "remove", "path": "/data/gone"}
    )
    assert patched(secret, renamed)["data"] == {"new": "Q0FOQVJZ"}
    assert patched(secret, Patch("m", Match(), merge={"data": {"gone": None}}))["data"] == {"old": "Q0FOQVJZ"}


@given(st.text(alphabet="CANRY", min_size=6, max_size=6), st.sampled_from(["add", "replace", "test", "remove"]))
def test_no_fault_about_a_secret_quotes_a_value(value, name):
    secret = obj("Secret", "v1", data={"p": value}, meta={"annotations": {"a": value}})
    operation = {"op": name, "path": "/metadata/annotations/a/b", "value": "x"}
    with pytest.raises(PatchFault) as caught:
        patched(secret, operations(operation))
    assert value not in json.dumps(str(caught.value))
