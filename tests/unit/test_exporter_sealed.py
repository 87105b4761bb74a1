"""Secrets of a bundle: encrypted, opened by the right identity only, and never in plain text on the disk."""

import pyrage
import pytest

from bluegreen.exporter.bundle import make_bundle
from bluegreen.exporter.layout import INDEX, SEALED
from bluegreen.exporter.read import read_bundle
from bluegreen.exporter.sealed import read_identities
from bluegreen.exporter.write import write_bundle
from bluegreen.exporter.yaml_in import load_yaml
from bluegreen.model.errors import InvalidInputError

KEY = b"k"
CANARY = "Y2FuYXJ5LXZhbHVl"


def obj(kind, name, **data):
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "shop"}, "data": data}


def bundle(*objects):
    return make_bundle(["shop"], [(o, "1") for o in objects], tuple, [], KEY, source="uid-of-blue")


@pytest.fixture
def identity():
    return pyrage.x25519.Identity.generate()


@pytest.fixture
def sealed(tmp_path, identity):
    directory = tmp_path / "b"
    written = write_bundle(
        bundle(obj("ConfigMap", "conf", a="1"), obj("Secret", "password", p=CANARY)),
        directory,
        (str(identity.to_public()),),
    )
    assert written == ()
    return directory


def test_an_encrypted_secret_comes_back_and_stands_nowhere_in_plain_text(sealed, identity):
    back = read_bundle(sealed, KEY, identities=(str(identity),))
    assert [o["metadata"]["name"] for o in back.objects] == ["conf", "password"]
    assert back.objects[1]["data"] == {"p": CANARY}
    assert (back.source, back.withheld) == ("uid-of-blue", ())
    everything = b"".join(path.read_bytes() for path in sealed.iterdir())
    assert CANARY.encode() not in everything
    assert SEALED not in load_yaml((sealed / "kustomization.yaml").read_bytes())["resources"]


def test_without_an_identity_the_error_names_the_flag(sealed):
    with pytest.raises(InvalidInputError, match="--age-identity"):
        read_bundle(sealed, KEY)


def test_secrets_can_be_left_closed_and_then_count_as_withheld(sealed):
    back = read_bundle(sealed, KEY, sealed=True)
    assert (len(back.items), back.withheld) == (1, ("shop/password",))


def test_encrypted_secrets_are_counted_unopened_and_not_when_they_stay_closed(sealed, identity):
    heard = []
    read_bundle(sealed, KEY, heard.append, identities=(str(identity),))
    with pytest.raises(InvalidInputError, match="--age-identity"):
        read_bundle(sealed, KEY, heard.append)
    read_bundle(sealed, KEY, heard.append, sealed=True)
    maps, secrets = {("configmap", "shop"): 1}, {("secret", "shop"): 1}
    assert heard == [maps | secrets, maps | secrets, maps]


def test_another_identity_opens_nothing(sealed):
    stranger = str(pyrage.x25519.Identity.generate())
    with pytest.raises(InvalidInputError, match="opens with none"):
        read_bundle(sealed, KEY, identities=(stranger,))


def test_a_cut_off_file_is_refused(sealed, identity):
    path = sealed / SEALED
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InvalidInputError, match="edited or cut off"):
        read_bundle(sealed, KEY, identities=(str(identity),))
    with pytest.raises(InvalidInputError, match="damaged"):
        read_bundle(sealed, KEY, identities=(str(identity),), edited=True)


def test_something_else_than_secrets_inside_is_refused(sealed, identity):
    plain = b'{"apiVersion": "v1", "kind": "List", "items": [{"kind": "ConfigMap"}]}'
    (sealed / SEALED).write_bytes(pyrage.encrypt(plain, [identity.to_public()], armored=True))
    with pytest.raises(InvalidInputError, match="something else than Secrets"):
        read_bundle(sealed, KEY, identities=(str(identity),), edited=True)


def test_a_wrong_recipient_is_counted_not_quoted_and_nothing_is_written(tmp_path):
    with pytest.raises(InvalidInputError, match="recipient 1 is no age") as caught:
        write_bundle(bundle(obj("Secret", "s", p=CANARY)), tmp_path / "b", ("AGE-SECRET-KEY-1CANARY",))
    assert "CANARY" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_identity_file_is_read_as_age_keygen_writes_it(tmp_path, identity):
    path = tmp_path / "key.txt"
    path.write_text(f"# created: 2026\n# public key: {identity.to_public()}\n{identity}\n")
    assert read_identities(path) == (str(identity),)
    path.write_text("# nothing\n")
    with pytest.raises(InvalidInputError, match="holds no identity"):
        read_identities(path)
    with pytest.raises(InvalidInputError, match="No such file"):
        read_identities(tmp_path / "none")


@pytest.mark.parametrize("old,new", [(b'"reports": []', b'"reports": [{}]'), (b' "shop"\n', b" 5\n")])
def test_an_index_of_another_shape_is_refused(tmp_path, old, new):
    write_bundle(bundle(obj("ConfigMap", "conf")), tmp_path / "b")
    path = tmp_path / "b" / INDEX
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(InvalidInputError):
        read_bundle(tmp_path / "b", KEY)
