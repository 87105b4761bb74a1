"""The quick YAML writer and reader against PyYAML: the same bytes, the same values, the same refusals."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bluegreen.exporter.bundle import Report, make_bundle
from bluegreen.exporter.read import read_bundle
from bluegreen.exporter.rules import Action, Removal
from bluegreen.exporter.write import write_bundle
from bluegreen.exporter.yaml_full import load_by_library
from bluegreen.exporter.yaml_in import YamlRefusedError, load_yaml
from bluegreen.exporter.yaml_out import dump_by_library, dump_yaml
from bluegreen.model.refs import ObjectRef

TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.text(' \t\n"\\:-#{}[]a1\x85\u2028\ufeff\U0001f600')
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | TEXTS
KEYS = st.text("abc.io/-_ ", max_size=8) | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=20
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=5)


@settings(max_examples=400, deadline=None)
@given(OBJECTS)
@example({"a" * 129: "a key too long for one line"})
@example({"": [[], {}, [[1.5e300, 1e22, -0.0]], [{"b": [{"c": None}]}]]})
@example({"a": "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")})
def test_the_bytes_are_those_of_the_library(value: Any) -> None:
    assert dump_yaml(value) == dump_by_library(value)


@settings(max_examples=400, deadline=None)
@given(OBJECTS)
def test_what_was_written_is_read_as_it_was(value: Any) -> None:
    finite = json.loads(json.dumps(value).replace("-Infinity", "1").replace("Infinity", "1"))

    assert load_yaml(dump_yaml(finite)) == finite


def _outcome(read: Any, data: bytes) -> Any:
    try:
        return repr(read(data))
    except YamlRefusedError as error:
        return f"refused: {error}"


SIMPLE = [
    '"a"',
    '"b": ',
    '"a":\n',
    "- ",
    "  ",
    "\n",
    "1",
    "01",
    "1e3",
    "1.5e+3",
    "true",
    "no",
    "{}",
    "[]",
    "null",
    "\t",
]
ODD = ["# x", "a: b", '"\\n"', '"\\x41"', '"\\ud83d"', '"\\U0001F600"', '"\\/"', '"\\ "', "---\n", "...\n", "\r", "&x"]
PIECES = st.sampled_from(SIMPLE + ODD)


@settings(max_examples=1500, deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join))
@example('"a":1\n')
@example('"a":\n"b": 1\n')
@example('"a": 1\n"a": 2\n')
@example('"a":\n    "b": 1\n  "c": 2\n')
@example('"a": 1\n  "b": 2\n')
@example('- "a": 1\n "b": 2\n')
@example('- - "a"\n  - "b"\n- "c"\n')
@example('"a": -0\n')
@example('"a": 9223372036854775808\n')
@example('"a": "x\\\n  y"\n')
@example('"a": 1')
def test_any_text_is_read_or_refused_as_the_library_does(text: str) -> None:
    assert _outcome(load_yaml, text.encode()) == _outcome(load_by_library, text.encode())


@settings(max_examples=600, deadline=None)
@given(OBJECTS, st.data())
def test_a_damaged_file_is_read_or_refused_as_the_library_does(value: Any, data: st.DataObject) -> None:
    text = bytearray(dump_yaml(value))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 2))] = data.draw(st.sampled_from([b"", b" ", b"\n", b'"', b"-", b"\\"]))
        text = text or bytearray(b"\n")

    assert _outcome(load_yaml, bytes(text)) == _outcome(load_by_library, bytes(text))


@pytest.mark.parametrize("depth", [63, 64, 65, 66])
def test_the_limit_of_depth_is_the_same(depth: int) -> None:
    value: Any = "deep"
    for _ in range(depth):
        value = {"a": value}

    assert _outcome(load_yaml, dump_yaml(value)) == _outcome(load_by_library, dump_yaml(value))


def test_reports_come_back_from_the_index_as_they_were(tmp_path: Path) -> None:
    removals = [Removal("uid", Action.STRIP, "metadata.uid", "why"), Removal("uid", Action.STRIP, "status", "why")]
    refs = [ObjectRef("v1", "ConfigMap", "shop", "a"), ObjectRef("v1", "Namespace", "", "shop")]
    reports = [Report(ref, removal) for ref in refs for removal in removals]
    bundle = make_bundle(["shop"], [], lambda: reports, [], b"key")

    write_bundle(bundle, tmp_path / "b")

    assert read_bundle(tmp_path / "b", b"key").reports == bundle.reports
