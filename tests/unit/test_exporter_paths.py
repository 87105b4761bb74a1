"""Field paths of rules: keys are taken as they are, so a slash or a dot in one never leads elsewhere."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.exporter.paths import find, may_lead, parse_path, plain_start, strip, strip_one


def test_a_key_with_slash_tilde_and_dot_is_one_key():
    # reference b5 defect 2: JSON pointers put together by hand address another field
    obj = {"metadata": {"annotations": {"a.b/c~d": "1", "a": {"b": "keep"}, "a.b": {"c~d": "keep"}}}}
    assert strip(obj, parse_path('metadata.annotations["a.b/c~d"]')) == ['metadata.annotations["a.b/c~d"]']
    assert obj == {"metadata": {"annotations": {"a": {"b": "keep"}, "a.b": {"c~d": "keep"}}}}


def test_every_item_and_matching_items():
    obj = {"spec": {"ports": [{"nodePort": 1}, {}, {"nodePort": 2}]}, "metadata": {"finalizers": ["a/x", "b", "a/y"]}}
    assert [m.path for m in find(obj, parse_path("spec.ports[].nodePort"))] == [
        "spec.ports[0].nodePort",
        "spec.ports[2].nodePort",
    ]
    strip(obj, parse_path('metadata.finalizers[="a/*"]'))
    assert obj["metadata"]["finalizers"] == ["b"]


def test_emptied_metadata_maps_go_and_other_empty_values_stay():
    obj = {"metadata": {"annotations": {"a": "1"}}, "spec": {"emptyDir": {}, "x": {"y": 1}}}
    strip(obj, parse_path("metadata.annotations.a"))
    strip(obj, parse_path("spec.x.y"))
    assert obj == {"metadata": {}, "spec": {"emptyDir": {}, "x": {}}}


@pytest.mark.parametrize("text", ["a..b", "a[", "a[0]", "a b", '["open'])
def test_what_is_no_path_is_refused(text):
    with pytest.raises(ValueError, match="is no path"):
        parse_path(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@given(JSON)
def test_paths_never_fail_on_any_shape(value):
    for text in ("a.b", "a[].b", 'a["*"].b', 'a[="*"]', "[].a"):
        strip(copy.deepcopy(value), parse_path(text))


PLAIN = (
    "metadata.annotations.a",
    "metadata.a",
    "spec.a.b",
    "status",
    "metadata.labels.x",
    "spec.template.metadata.a.b",
)
KEYS = st.sampled_from(["metadata", "annotations", "labels", "spec", "status", "template", "a", "b", "x"])
TREES = st.recursive(
    st.none() | st.integers() | st.just([]) | st.just({}), lambda inner: st.dictionaries(KEYS, inner, max_size=4)
)


@given(st.sampled_from(PLAIN), st.dictionaries(KEYS, TREES, max_size=4))
def test_the_quick_way_to_one_field_does_what_the_general_one_does(path, tree):
    steps, same = parse_path(path), json.loads(json.dumps(tree))

    general = strip(tree, steps)

    assert plain_start(steps) == tuple(path.split("."))
    assert strip_one(same, plain_start(steps)) == bool(general)
    assert same == tree


PATTERNS = ('metadata.annotations["a*"]', 'metadata.labels["?"]', 'spec["*a*"].b', 'metadata.annotations["x"]')


@given(st.sampled_from(PLAIN), st.dictionaries(KEYS, TREES, max_size=4))
def test_a_quick_look_says_whether_a_path_leads_anywhere(path, tree):
    steps = parse_path(path)

    assert may_lead(steps)(tree) == bool(list(find(tree, steps)))


@given(st.sampled_from((*PATTERNS, "spec.a[].b", 'metadata[="a*"]')), st.dictionaries(KEYS, TREES, max_size=4))
def test_a_quick_look_never_says_no_to_a_path_that_leads_somewhere(path, tree):
    steps = parse_path(path)

    assert may_lead(steps)(tree) or not list(find(tree, steps))


def test_a_quick_look_knows_patterns():
    look = may_lead(parse_path('metadata.annotations["velero.io/*"]'))

    assert look({"metadata": {"annotations": {"velero.io/backup": "b"}}})
    assert not look({"metadata": {"annotations": {"example.com/velero.io/backup": "b"}}})
    assert not look({"metadata": {"annotations": []}})
    assert not look({"metadata": {}})
