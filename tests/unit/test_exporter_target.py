"""Where a bundle is written: a directory of its own, of which nothing is ever deleted that no export wrote."""

from pathlib import Path

import pytest

from bluegreen.exporter.bundle import make_bundle
from bluegreen.exporter.layout import INDEX
from bluegreen.exporter.write import write_bundle
from bluegreen.model.errors import InvalidInputError


def bundle(*names):
    objects = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": n, "namespace": "shop"}} for n in names]
    return make_bundle(["shop"], [(obj, "1") for obj in objects], tuple, [], b"k")


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_a_bundle_takes_the_place_of_the_last_one(tmp_path):
    write_bundle(bundle("a", "b"), tmp_path / "b")
    write_bundle(bundle("c"), tmp_path / "b")

    assert len(names(tmp_path / "b")) == 3
    assert names(tmp_path) == ["b"]


@pytest.mark.parametrize("foreign", ["NOTES.md", ".git", "extra.yaml"])
def test_what_no_export_wrote_is_never_deleted(tmp_path, foreign):
    target = tmp_path / "b"
    write_bundle(bundle("a"), target)
    (target / foreign).mkdir()
    (target / foreign / "mine").write_text("work of a year")

    with pytest.raises(InvalidInputError, match=foreign) as caught:
        write_bundle(bundle("c"), target)
    assert "directory of its own" in caught.value.next_step
    assert (target / foreign / "mine").read_text() == "work of a year"


def test_an_index_that_cannot_be_read_makes_every_other_file_foreign(tmp_path):
    target = tmp_path / "b"
    write_bundle(bundle("a"), target)
    (target / INDEX).write_text("files: [")

    with pytest.raises(InvalidInputError, match="configmap"):
        write_bundle(bundle("a"), target)


@pytest.mark.parametrize("target", ["", "."])
def test_the_working_directory_cannot_be_replaced(tmp_path, monkeypatch, target):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InvalidInputError, match="no directory that can be replaced"):
        write_bundle(bundle("a"), Path(target))
