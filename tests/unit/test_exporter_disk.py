"""Bundles on disk: the same bytes every time, no Secret, and every harmful or broken directory refused."""

import hashlib
import os
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.exporter.bundle import Report, make_bundle
from bluegreen.exporter.layout import INDEX
from bluegreen.exporter.names import file_name, file_place
from bluegreen.exporter.read import read_bundle
from bluegreen.exporter.rules import Action, Removal
from bluegreen.exporter.write import write_bundle
from bluegreen.exporter.yaml_in import YamlRefusedError, load_yaml
from bluegreen.exporter.yaml_out import dump_yaml
from bluegreen.model.errors import InvalidInputError
from bluegreen.model.refs import ObjectRef

KEY = b"k"


def conf(name="conf", kind="ConfigMap", **data):
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "shop"}, "data": data}


def bundle(*objects):
    return make_bundle(["shop"], [(o, "1") for o in objects], tuple, ["disk"], KEY)


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_a_bundle_comes_back_equal_and_its_bytes_are_stable(tmp_path):
    written = bundle(conf(a="no", b="1e3"), conf("second", c="\u2028ü😀"))
    write_bundle(written, tmp_path / "one")
    write_bundle(bundle(*reversed(written.objects)), tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    back = read_bundle(tmp_path / "one", KEY)
    assert back.objects == written.objects
    assert (back.digest, back.namespaces, back.storage_classes) == (written.digest, ("shop",), ("disk",))


def reported(*refs):
    return make_bundle(
        ["shop"], [], lambda: [Report(ref, Removal("uid", Action.STRIP, "f", "w")) for ref in refs], [], KEY
    )


def test_reports_come_back_for_names_with_spaces_and_for_objects_without_a_namespace(tmp_path):
    rbac = "rbac.authorization.k8s.io/v1"
    written = reported(
        ObjectRef(rbac, "Role", "shop", "can read  all"), ObjectRef(rbac, "ClusterRole", "", " may see: everything ")
    )
    write_bundle(written, tmp_path / "b")
    assert read_bundle(tmp_path / "b", KEY).reports == written.reports


def test_a_report_that_cannot_be_read_is_named(tmp_path):
    write_bundle(reported(ObjectRef("v1", "Pod", "shop", "x"), ObjectRef("v1", "Pod", "shop", "y")), tmp_path / "b")
    broken(tmp_path / "b", b"v1 Pod shop x", b"v1 Pod")
    with pytest.raises(InvalidInputError, match="the report of uid on 'v1 Pod' cannot be read") as caught:
        read_bundle(tmp_path / "b", KEY)
    assert len(caught.value.reasons) == 1
    broken(tmp_path / "b", b'"action": "strip"', b'"action": "dance"')
    with pytest.raises(InvalidInputError, match="the report of uid cannot be read"):
        read_bundle(tmp_path / "b", KEY)


def test_a_secret_is_named_and_never_written(tmp_path):
    withheld = write_bundle(bundle(conf(), conf("password", "Secret", p="Y2FuYXJ5")), tmp_path / "b")
    assert withheld == ("shop/password",)
    everything = b"".join(contents(tmp_path / "b").values())
    assert b"Y2FuYXJ5" not in everything
    assert b"shop/password" in everything


def test_kustomize_finds_every_file(tmp_path):
    write_bundle(bundle(conf("a"), conf("b")), tmp_path / "b")
    listed = load_yaml((tmp_path / "b" / "kustomization.yaml").read_bytes())["resources"]
    assert set(contents(tmp_path / "b")) == {*listed, "kustomization.yaml", INDEX}


def test_a_bundle_is_replaced_and_other_directories_are_not(tmp_path):
    write_bundle(bundle(conf("a")), tmp_path / "b")
    write_bundle(bundle(conf("b")), tmp_path / "b")
    assert [o["metadata"]["name"] for o in read_bundle(tmp_path / "b", KEY).objects] == ["b"]
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(InvalidInputError):
        write_bundle(bundle(), tmp_path / "mine")


def test_nothing_is_left_when_writing_fails(tmp_path, monkeypatch):
    monkeypatch.setattr("bluegreen.exporter.write._kustomization", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_bundle(bundle(conf()), tmp_path / "b")
    assert list(tmp_path.iterdir()) == []


def broken(directory, old, new):
    path = directory / INDEX
    path.write_bytes(path.read_bytes().replace(old, new))


@pytest.mark.parametrize("bad", ["../escape.yaml", "/etc/passwd", "sub/x.yaml", "..", ""])
def test_paths_never_leave_the_directory(tmp_path, bad):
    write_bundle(bundle(conf()), tmp_path / "b")
    name = next(n for n in contents(tmp_path / "b") if n.startswith("configmap"))
    broken(tmp_path / "b", name.encode(), bad.encode())
    with pytest.raises(InvalidInputError, match="no plain file name"):
        read_bundle(tmp_path / "b", KEY)


OTHERS = {"link": lambda path: path.symlink_to("../elsewhere"), "directory": Path.mkdir, "fifo": os.mkfifo}


@pytest.mark.parametrize("make", OTHERS.values(), ids=OTHERS)
def test_what_is_no_plain_file_is_neither_followed_nor_waited_for(tmp_path, make):
    write_bundle(bundle(conf()), tmp_path / "b")
    path = next(p for p in (tmp_path / "b").iterdir() if p.name.startswith("configmap"))
    (tmp_path / "elsewhere").write_bytes(path.read_bytes())
    path.unlink()
    make(path)
    with pytest.raises(InvalidInputError, match="no plain file"):
        read_bundle(tmp_path / "b", KEY)


def test_a_file_that_is_too_large_is_not_read_to_its_end(tmp_path):
    write_bundle(bundle(conf()), tmp_path / "b")
    path = next(p for p in (tmp_path / "b").iterdir() if p.name.startswith("configmap"))
    with path.open("r+b") as file:
        file.truncate(1 << 34)
    with pytest.raises(InvalidInputError, match="larger than 16777216 bytes"):
        read_bundle(tmp_path / "b", KEY)


def test_an_edited_file_is_refused_unless_said(tmp_path):
    write_bundle(bundle(conf(a="1")), tmp_path / "b")
    path = next(p for p in (tmp_path / "b").iterdir() if p.name.startswith("configmap"))
    path.write_bytes(path.read_bytes().replace(b'"1"', b'"2"'))
    with pytest.raises(InvalidInputError, match="edited or cut off") as caught:
        read_bundle(tmp_path / "b", KEY)
    assert "--edited" in caught.value.next_step
    assert read_bundle(tmp_path / "b", KEY, edited=True).objects[0]["data"] == {"a": "2"}


def test_every_reason_is_given_at_once(tmp_path):
    write_bundle(bundle(conf("a"), conf("b"), conf("c")), tmp_path / "b")
    one, two, _ = sorted(p for p in (tmp_path / "b").iterdir() if p.name.startswith("configmap"))
    one.unlink()
    two.write_bytes(b'"a": *x')
    with pytest.raises(InvalidInputError) as caught:
        read_bundle(tmp_path / "b", KEY, edited=True)
    assert len(caught.value.reasons) == 2
    assert "--edited" not in caught.value.next_step, "it was given"


@pytest.mark.parametrize("edited", [True, False])
def test_a_missing_file_is_not_taken_by_saying_edited(tmp_path, edited):
    write_bundle(bundle(conf("a"), conf("b")), tmp_path / "b")
    next(p for p in (tmp_path / "b").iterdir() if p.name.startswith("configmap")).unlink()
    with pytest.raises(InvalidInputError) as caught:
        read_bundle(tmp_path / "b", KEY, edited=edited)
    assert "--edited" not in caught.value.next_step
    assert "export again" in caught.value.next_step


def test_newer_truncated_and_foreign_directories(tmp_path):
    with pytest.raises(InvalidInputError, match="missing"):
        read_bundle(tmp_path, KEY)
    write_bundle(bundle(conf()), tmp_path / "b")
    broken(tmp_path / "b", b'"format": 2', b'"format": 3')
    with pytest.raises(InvalidInputError, match="upgrade"):
        read_bundle(tmp_path / "b", KEY)
    path = tmp_path / "b" / INDEX
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(InvalidInputError):
        read_bundle(tmp_path / "b", KEY)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: 1\na: 2", "stands twice"),
        ("a: &x [1]\nb: *x", "anchors"),
        ("a: *x", "anchors"),
        ("a: !!python/object:os.system {}", "tag"),
        ("a: 1\n---\nb: 2", "second document"),
        ("[" * 100 + "]" * 100, "deeper"),
        ("a: {b: {", "line 2"),
        ("1: a", "no string"),
        ("a: \x00", "not YAML"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(text, why):
    with pytest.raises(YamlRefusedError, match=why):
        load_yaml(text.encode())


@pytest.mark.parametrize(
    "word",
    [
        "no",
        "Yes",
        "on",
        "OFF",
        "y",
        "0777",
        "0o7",
        "0x1F",
        "1_000",
        "12:30",
        "1e3",
        ".5",
        "+1",
        ".inf",
        "2026-01-01",
        "<<",
        "=",
        "99999999999999999999",
    ],
)
def test_yaml_traps_must_be_quoted(word):
    with pytest.raises(YamlRefusedError, match="quote it"):
        load_yaml(f"a: {word}".encode())
    assert load_yaml(f'a: "{word}"'.encode()) == {"a": word}


def test_plain_words_that_all_read_alike_are_taken():
    text = b"a: 10.96.0.1\nb: 100m\nc: true\nd: null\ne: -5\nf: 1.5\ng: v1\nh: 1.2.3\ni: |\n  x\n"
    assert load_yaml(text) == {
        "a": "10.96.0.1",
        "b": "100m",
        "c": True,
        "d": None,
        "e": -5,
        "f": 1.5,
        "g": "v1",
        "h": "1.2.3",
        "i": "x\n",
    }


def test_a_bomb_is_refused_at_once():
    bomb = "a: &a [x,x,x]\n" + "".join(
        f"{c}: &{c} [*{p},*{p},*{p}]\n" for p, c in zip("abcdefghi", "bcdefghij", strict=True)
    )
    with pytest.raises(YamlRefusedError):
        load_yaml(bomb.encode())


TEXT = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    [
        "no",
        "on",
        "1e3",
        "0o7",
        "12:30",
        "~",
        "null",
        "true",
        "=",
        "<<",
        "2026-01-01",
        " a",
        "a: b",
        "#",
        "\u2028",
        "\ufeff",
        "\x85",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=15,
)


@given(st.dictionaries(TEXT, JSON, max_size=4))
def test_what_is_written_is_what_is_read(value):
    data = dump_yaml(value)
    assert load_yaml(data) == value
    assert yaml.load(data, Loader=yaml.CSafeLoader) == value
    assert dump_yaml(value) == data


@given(TEXT, TEXT, TEXT)
def test_file_names_are_safe_and_differ(kind, namespace, name):
    ref = ObjectRef("v1", kind, namespace, name)
    written = file_name(ref)
    assert re.fullmatch(r"[a-z0-9_-][a-z0-9._-]{0,110}\.yaml", written)
    assert Path(written).name == written
    assert written != file_name(ObjectRef("v1", kind, namespace, name + "x"))
    assert hashlib.sha256(b"").hexdigest() not in written


def edited(directory, old, new):
    path = next(path for path in directory.iterdir() if path.name.startswith("configmap"))
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"name": "conf"', '"name": ".."', "may not be . or .."),
        ('"name": "conf"', '"name": "a/b"', "not hold / or %"),
        ('"name": "conf"', '"name": 5', "metadata.name 5 is no text"),
        ('"name": "conf"', '"name": "a\\e[31m"', "not printable"),
        ('"namespace": "shop"', '"namespace": "../x"', "no name of a namespace"),
        ('"kind": "ConfigMap"', '"kind": 5', "kind 5 is no text"),
        ('"name": "conf"', '"labels": ["a"]\n  "name": "conf"', "metadata.labels is no map of texts"),
        ('"name": "conf"', '"annotations": "a"\n  "name": "conf"', "metadata.annotations is no map of texts"),
        ('"name": "conf"', '"annotations":\n    "a": 5\n  "name": "conf"', "metadata.annotations is no map of texts"),
    ],
)
def test_what_an_object_says_of_itself_must_be_what_an_api_takes(tmp_path, old, new, why):
    write_bundle(bundle(conf()), tmp_path / "b")
    edited(tmp_path / "b", old, new)

    with pytest.raises(InvalidInputError, match=re.escape(why)) as caught:
        read_bundle(tmp_path / "b", KEY, edited=True)
    assert "correct those files" in caught.value.next_step


def test_what_to_do_next_fits_what_is_wrong(tmp_path):
    def next_step(directory, **more):
        with pytest.raises(InvalidInputError) as caught:
            read_bundle(directory, KEY, **more)
        return caught.value

    assert "no such directory" in str(next_step(tmp_path / "none"))
    write_bundle(bundle(conf()), tmp_path / "b")
    broken(tmp_path / "b", b'"format": 2', b'"format": 1')
    assert "export again with this one" in str(next_step(tmp_path / "b"))


NAMES = st.from_regex(r"[a-z0-9]([a-z0-9]|-[a-z0-9]){0,15}", fullmatch=True)


@given(st.from_regex(r"[A-Z][A-Za-z0-9]{0,20}", fullmatch=True), NAMES, NAMES)
def test_the_name_of_a_file_tells_its_kind_and_namespace(kind, namespace, name):
    assert file_place(file_name(ObjectRef("v1", kind, namespace, name))) == (kind.lower(), namespace)
    assert file_place(file_name(ObjectRef("v1", kind, "", name))) == (kind.lower(), name)


@pytest.mark.parametrize("name", ["", "--", "x", "conf.yaml", "../a--b", "a--", "--a--b--c", "---"])
def test_any_name_of_a_file_has_a_place(name):
    kind, namespace = file_place(name)
    assert name.startswith(kind)
    assert namespace in name


def spread():
    """Return a bundle of two namespaces, with objects that are in none, one of which is called as a namespace is."""
    maps = [{**conf(f"c{i}"), "metadata": {"name": f"c{i}", "namespace": "a"}} for i in range(5)]
    other = {**conf("one"), "metadata": {"name": "one", "namespace": "b"}}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "reader"}}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}
    return make_bundle(["a", "b"], [(o, "1") for o in (*maps, other, role, space)], tuple, [], KEY)


SPREAD = {("configmap", "a"): 5, ("configmap", "b"): 1, ("namespace", "a"): 1}


def test_how_many_objects_there_are_is_told_before_a_file_is_read(tmp_path):
    write_bundle(spread(), tmp_path / "b")
    heard = []
    assert len(read_bundle(tmp_path / "b", KEY, heard.append).items) == 8
    assert heard == [SPREAD]

    def told(counts):
        heard.append(counts)
        for path in (tmp_path / "b").glob("configmap--*"):
            path.write_bytes(path.read_bytes()[:-5])

    with pytest.raises(InvalidInputError, match="edited or cut off") as caught:
        read_bundle(tmp_path / "b", KEY, told)
    assert len(caught.value.reasons) == 6
    assert heard == [SPREAD, SPREAD]


def test_nothing_is_told_of_a_bundle_without_an_index(tmp_path):
    heard = []
    with pytest.raises(InvalidInputError, match="missing"):
        read_bundle(tmp_path, KEY, heard.append)
    write_bundle(spread(), tmp_path / "b")
    broken(tmp_path / "b", b'"format": 2', b'"format": 3')
    with pytest.raises(InvalidInputError, match="upgrade"):
        read_bundle(tmp_path / "b", KEY, heard.append)
    assert heard == []


@pytest.mark.parametrize("entry", ["text", 5, None, [], {}, {"sha256": "0"}, {"file": 5}, {"file": None}, {"file": []}])
def test_entries_of_another_shape_are_not_counted_and_refused_as_ever(tmp_path, entry):
    write_bundle(spread(), tmp_path / "b")
    path = tmp_path / "b" / INDEX
    index = load_yaml(path.read_bytes())
    path.write_bytes(dump_yaml({**index, "files": [entry, *index["files"], entry]}))
    heard = []
    with pytest.raises(InvalidInputError, match="is no plain file name") as caught:
        read_bundle(tmp_path / "b", KEY, heard.append)
    assert len(caught.value.reasons) == 2
    assert heard == [SPREAD]


@pytest.mark.parametrize("closed", ["text", 5, [], {}, {"names": None}, {"names": 5}, {"names": True}])
@pytest.mark.parametrize("sealed", [False, True])
def test_encrypted_secrets_of_another_shape_are_refused(tmp_path, closed, sealed):
    write_bundle(spread(), tmp_path / "b")
    path = tmp_path / "b" / INDEX
    path.write_bytes(dump_yaml({**load_yaml(path.read_bytes()), "secrets": closed}))
    with pytest.raises(InvalidInputError, match="secrets is no map with a list of names"):
        read_bundle(tmp_path / "b", KEY, sealed=sealed)


@pytest.mark.parametrize("closed", [{"names": []}, {"names": [5, None, {}, "shop"]}])
def test_encrypted_secrets_with_odd_names_are_refused_as_ever(tmp_path, closed):
    write_bundle(spread(), tmp_path / "b")
    path = tmp_path / "b" / INDEX
    path.write_bytes(dump_yaml({**load_yaml(path.read_bytes()), "secrets": closed}))
    heard = []
    with pytest.raises(InvalidInputError, match="encrypted Secrets: give --age-identity"):
        read_bundle(tmp_path / "b", KEY, heard.append)
    assert heard == [SPREAD]
