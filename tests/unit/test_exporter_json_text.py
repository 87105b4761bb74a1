"""A text of that form is read quickly only where it is exactly what we would write; all readers see the same in it."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bluegreen.exporter import json_text as module
from bluegreen.exporter.json_text import json_text, read_json_text
from bluegreen.exporter.yaml_full import load_by_library
from bluegreen.exporter.yaml_in import YamlRefusedError

TEXTS = st.text(st.characters(blacklist_categories=("Cs",)), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)
INDEXES = st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4)
SMALL = {"kind": "Bundle", "files": [{"file": "a.yaml", "sha256": "0"}]}


def read(data):
    return read_json_text(data, 10_000, 1_000)


@settings(max_examples=400, deadline=None)
@given(INDEXES)
@example({"a": "\x7f\x85\u2028\ufeff\uffff\U0001f600 é"})
def test_both_readers_see_what_was_written(value):
    text = json_text(value)
    assert read(text) == value
    assert load_by_library(text) == value
    assert json_text(dict(reversed(value.items()))) == text


def test_what_we_wrote_is_not_left_to_the_full_reader(monkeypatch):
    monkeypatch.setattr(module, "load_yaml", lambda *_args, **_more: pytest.fail("it was"))
    assert read(json_text(SMALL)) == SMALL


@settings(max_examples=300, deadline=None)
@given(INDEXES, st.data())
def test_a_damaged_text_is_read_as_the_full_reader_reads_it(value, data):
    text = bytearray(json_text(value))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(text) - 1))
        text[place : place + data.draw(st.integers(0, 1))] = data.draw(
            st.sampled_from([b"", b'"', b"\n", b" ", b"1", b","])
        )
    try:
        expected = load_by_library(bytes(text))
    except YamlRefusedError:
        with pytest.raises(YamlRefusedError):
            read(bytes(text))
    else:
        found = read(bytes(text))
        assert (found, json.dumps(found)) == (expected, json.dumps(expected))


@pytest.mark.parametrize(
    "text",
    [
        b'{"kind": "Bundle", "kind": "Other"}',
        b'{\n "kind": "Bundle",\n "kind": "Bundle"\n}\n',
        b"{" * 5000,
        b'{"a":' * 5000,
        b'{"a": &x 1, "b": *x}',
        json_text({str(number): number for number in range(2000)}),
        b" " * 10_001,
    ],
)
def test_what_readers_disagree_about_is_refused(text):
    with pytest.raises(YamlRefusedError):
        read(text)


@pytest.mark.parametrize("value", [2**63, 10**30, 1e22, 1.5e300, 1e-7])
def test_numbers_that_readers_disagree_about_are_left_to_the_full_reader(value):
    with pytest.raises(YamlRefusedError):
        read(json_text({"a": value}))


def test_no_depth_passes_that_the_full_reader_refuses():
    for depth in range(55, 75):
        value = "x"
        for _ in range(depth):
            value = [value]
        text = json_text({"a": value})
        try:
            expected = load_by_library(text)
        except YamlRefusedError:
            with pytest.raises(YamlRefusedError):
                read(text)
        else:
            assert read(text) == expected


def test_a_large_text_is_block_yaml_and_never_read_the_quick_way(monkeypatch):
    monkeypatch.setattr(module, "_QUICK", 20)
    text = json_text(SMALL)
    assert text.startswith(b'"files":')
    assert read(text) == SMALL
