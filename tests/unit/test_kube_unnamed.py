"""Files without a name: read by path as often as wanted, on no disk, and gone with the process that made them."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bluegreen.kube.unnamed import path_of


def test_a_text_is_read_from_its_path_again_and_again_and_is_on_no_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    path = path_of(b"one")

    assert [Path(path).read_bytes() for _ in range(2)] == [b"one"] * 2
    assert path_of(b"one") == path
    assert Path(path_of(b"other")).read_bytes() == b"other"
    assert os.path.isfile(path)  # noqa: PTH113 - as libraries ask
    assert list(tmp_path.iterdir()) == []


def test_no_other_program_that_we_start_has_it():
    path = path_of(b"for us alone")

    found = subprocess.run(["cat", path], capture_output=True, check=False, close_fds=False)

    assert (found.returncode, found.stdout) == (1, b"")


@pytest.mark.parametrize(
    "lack",
    [
        "unnamed._in_memory = lambda: False",
        "def no(_):\n raise PermissionError\nos.memfd_create = no",
    ],
)
def test_where_there_are_none_it_is_a_file_for_us_alone_that_is_removed_at_the_end(tmp_path, lack):
    program = (
        "import os; from bluegreen.kube import unnamed\n"
        f"{lack}\n"
        "path = unnamed.path_of(b'text')\n"
        "print(path, oct(os.stat(path).st_mode & 0o777), open(path).read())"
    )

    said = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ).stdout.split()

    assert (Path(said[0]).parent, said[1:]) == (tmp_path, ["0o600", "text"])
    assert list(tmp_path.iterdir()) == []
