"""The body of a call: an apply must mean the same to a reader of YAML as to one of JSON."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from bluegreen.kube.calls import APPLY_PATCH, MERGE_PATCH, Call, encoded

# What a YAML reader folds or refuses inside a quoted string (yaml.org/spec/1.1: b-char, and what is not c-printable).
TRAPS = "".join(map(chr, [*range(0x7F, 0xA0), 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF]))


def body(value, content_type=APPLY_PATCH):
    return encoded(Call("PATCH", "/x", "x", "patch", body={"a": value}, content_type=content_type)).decode()


@given(st.text(alphabet=st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(TRAPS + '\\"\n\t'))))
def test_an_apply_has_no_character_that_yaml_reads_otherwise_and_means_the_same(text):
    sent = body(text)

    assert json.loads(sent) == {"a": text}
    assert not set(sent) & set(TRAPS)
    assert not re.search(r"[\x00-\x1f]", sent)


def test_only_what_needs_it_is_escaped():
    assert body("ü😀 \\u2028") == '{"a":"ü😀 \\\\u2028"}'
    assert body("a \u2028 b") == '{"a":"a \\u2028 b"}'
    assert body("a \u2028 b", MERGE_PATCH) == '{"a":"a \u2028 b"}'
    assert encoded(Call("GET", "/x", "x", "get")) is None
