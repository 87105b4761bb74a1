"""References are looked up late, and nothing but the reference is ever shown."""

import pytest

from bluegreen.config.secrets import is_reference, resolve_secret
from bluegreen.model.errors import InvalidInputError


def test_a_variable_a_file_and_a_plain_value(tmp_path):
    (tmp_path / "token").write_text("s3cret\n")

    assert resolve_secret("env:TOKEN", {"TOKEN": "s3cret"}, tmp_path) == "s3cret"
    assert resolve_secret("file:token", {}, tmp_path) == "s3cret"
    assert resolve_secret(f"file:{tmp_path}/token", {}, tmp_path / "else") == "s3cret"
    assert resolve_secret("plain", {}, tmp_path) == "plain"
    assert is_reference("env:A")
    assert not is_reference("plain")


@pytest.mark.parametrize("reference", ["env:NONE", "env:EMPTY", "file:none", "file:binary", "file:large", "file:."])
def test_what_cannot_be_looked_up_names_the_reference_only(tmp_path, reference):
    (tmp_path / "binary").write_bytes(b"s3cret\xff")
    (tmp_path / "large").write_bytes(b"s3cret" * 20000)

    with pytest.raises(InvalidInputError) as caught:
        resolve_secret(reference, {"EMPTY": ""}, tmp_path)

    assert reference in str(caught.value)
    assert "s3cret" not in str(caught.value)
