"""transform.patches in bluegreen.yaml: what is wrong is told from the file alone, with its place."""

import pytest

from bluegreen.config.example import EXAMPLE
from bluegreen.config.loader import load
from bluegreen.migration.scope import read_scope
from bluegreen.migration.transforms import describe, transform_of, transform_options
from bluegreen.model.errors import InvalidInputError

GOOD = """\
  patches:
    - name: more
      match: {apiVersion: apps/v1, kind: Deployment, name: "web*", labels: "app in (web, api)"}
      json:
        - {op: test, path: /spec/replicas, value: 2}
        - {op: add, path: /metadata/annotations/a~1b, value: null}
        - {op: move, from: /spec/a, path: /spec/b}
      required: true
    - name: quiet
      match: {group: "", namespace: shop}
      merge: {data: {DEBUG: null, LEVEL: "1"}}
"""


def loaded(tmp_path, patches):
    before, _, after = EXAMPLE.partition("  patches:")
    (tmp_path / "bluegreen.yaml").write_text(before + patches + after[after.index("routes:\n") :])
    return load(None, {}, {}, tmp_path)


def test_patches_come_from_the_file_to_every_command_alike(tmp_path):
    how = transform_options(loaded(tmp_path, GOOD).config.transform)
    assert read_scope(None, {}, {}, tmp_path).transform == how
    more, quiet = how.patches
    assert more.operations[1] == {"op": "add", "path": "/metadata/annotations/a~1b", "value": None}
    assert more.operations[2] == {"op": "move", "from": "/spec/a", "path": "/spec/b"}
    assert (more.required, more.match.labels, more.match.group) == (True, "app in (web, api)", None)
    assert (quiet.merge, quiet.match.group) == ({"data": {"DEBUG": None, "LEVEL": "1"}}, "")


def test_a_saved_transform_is_read_back_as_it_was(tmp_path):
    how = transform_options(loaded(tmp_path, GOOD).config.transform)
    assert transform_of(describe(how)) == how


def test_another_patch_is_another_configuration(tmp_path):
    first = loaded(tmp_path, GOOD).digest
    assert loaded(tmp_path, GOOD.replace("value: 2", "value: 3")).digest != first
    assert loaded(tmp_path, GOOD.replace("DEBUG: null", "OTHER: null")).digest != first


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("path: /spec/replicas", "path: spec.replicas", "is no JSON pointer: it begins with /"),
        ("a~1b", "a~b", "~ is written ~0"),
        ("op: move, from: /spec/a,", "op: move,", "move needs a `from`"),
        ("/spec/replicas, value: 2", "/spec/replicas", "test needs a `value`"),
        ("op: test", "op: tast", "must be `add`"),
        ("path: /metadata/annotations/a~1b", "path: /metadata/name", "may not change which object it is"),
        ("path: /metadata/annotations/a~1b", "path: /metadata", "may not change which object it is"),
        ("from: /spec/a", "from: /metadata/namespace", "changes /metadata/namespace"),
        ("merge: {data:", "merge: {kind:", "changes /kind"),
        ("app in (web, api)", "app web", "is no label selector: cannot read 'app web'"),
        ("name: quiet", "name: more", "is the name of two patches"),
        ("      required: true\n", "      merge: {}\n", "either `json` or `merge`"),
        ("kind: Deployment", "kinds: Deployment", "did you mean `kind`"),
        ('match: {group: "", namespace: shop}', "required: false", "match: is missing"),
    ],
)
def test_every_mistake_is_told_with_its_line(tmp_path, old, new, words):
    assert old in GOOD
    with pytest.raises(InvalidInputError) as caught:
        loaded(tmp_path, GOOD.replace(old, new))
    told = [reason for reason in caught.value.reasons if words in reason]
    assert told, caught.value.reasons
    assert all(reason.startswith("bluegreen.yaml:") and "transform.patches" in reason for reason in told)
