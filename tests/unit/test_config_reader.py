"""bluegreen.yaml as data: what YAML 1.1 would turn into something else stays what was written; bombs are refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.config.problems import Place
from bluegreen.config.reader import MAX_BYTES, read_file, read_text


@pytest.mark.parametrize(
    "word",
    [
        "no",
        "yes",
        "on",
        "off",
        "y",
        "n",
        "No",
        "True",
        "010",
        "0o7",
        "0x1F",
        "12:30",
        "1_000",
        "2026-11-24",
        ".5",
        ".inf",
        "+1",
    ],
)
def test_words_of_yaml_1_1_stay_text(word):
    assert read_text(f"a: {word}").data == {"a": word}


@pytest.mark.parametrize(
    ("word", "value"),
    [("true", True), ("null", None), ("~", None), ("", None), ("10", 10), ("-3", -3), ("0.01", 0.01), ("1e3", 1000.0)],
)
def test_words_and_numbers_of_json_have_their_type(word, value):
    found = read_text(f"a: {word}").data["a"]

    assert found == value
    assert type(found) is type(value)


def test_every_key_and_value_has_its_place():
    document = read_text("a:\n  - name: x\n    with: {k: v}\n")

    assert document.keys[("a", 0, "with")] == Place(3, 5)
    assert document.values[("a", 0, "with", "k")] == Place(3, 15)


def test_a_key_written_twice_is_refused_with_both_lines():
    (problem,) = read_text("from: a\nto: b\nfrom: c\n").problems

    assert (problem.place, problem.why) == (Place(3, 1), "is written twice; the first one is in line 1")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: !!python/object/apply:os.system [id]", "has the tag"),
        ("a: !mine 3", "has the tag"),
        ("a: !!int x", "does not fit its tag"),
        ("a: !!bool yes", "does not fit its tag"),
        ("b: &b {x: 1}\na:\n  <<: *b", "merge keys are not read"),
        ("1: x", "has a key that is not text"),
        ("true: x", "has a key that is not text"),
        ("? [a]\n: x", "has a key that is not text"),
        ("- a", "must be a mapping"),
        ("a: [", "is no YAML"),
        ("a: b: c", "is no YAML"),
        ("a: 1\n---\nb: 2", "is no YAML"),
        ("a: \x07", "is no YAML"),
        ("a: *nowhere", "is no YAML"),
    ],
)
def test_what_is_no_plain_data_is_refused(text, why):
    assert any(why in problem.why for problem in read_text(text).problems)


def test_plain_aliases_are_fine():
    assert read_text("a: &x [1]\nb: *x").data == {"a": [1], "b": [1]}


def test_an_alias_bomb_is_refused_before_it_grows():
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 10)]

    (problem,) = read_text("\n".join(lines)).problems

    assert "aliases counted" in problem.why


@pytest.mark.parametrize(
    "text", ["a: &a [*a]", "a: " + "[" * 100 + "]" * 100, "a: " + "{a: " * 5000, "a: " + "9" * 5000]
)
def test_depth_loops_and_endless_numbers_are_refused(text):
    assert read_text(text).problems


def test_an_empty_file_is_an_empty_mapping():
    assert read_text("").data == {}
    assert read_text("# nothing\n").problems == []


def test_a_byte_order_mark_is_skipped(tmp_path):
    (tmp_path / "f").write_bytes(b"\xef\xbb\xbfa: 1\n")

    assert read_file(tmp_path / "f").data == {"a": 1}


def test_an_unreadable_file_says_why(tmp_path: Path):
    (tmp_path / "latin").write_bytes(b"a: 1\nb: \xe9\n")
    (tmp_path / "large").write_bytes(b"#" * (MAX_BYTES + 1))

    (latin,) = read_file(tmp_path / "latin").problems
    assert (latin.why, latin.place) == ("is not UTF-8 text", Place(2, 4))
    assert "larger than" in read_file(tmp_path / "large").problems[0].why
    assert "No such file" in read_file(tmp_path / "none").problems[0].why
    assert "directory" in read_file(tmp_path).problems[0].why


@given(st.text(max_size=200))
def test_any_text_gives_data_or_problems_never_a_crash(text):
    document = read_text(text)

    assert isinstance(document.data, dict)
