"""Directory, journal and lock of a migration: what a crash may leave behind and what it must not break."""

import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.migration.journal import Journal, read_events
from bluegreen.migration.lock import MigrationLock
from bluegreen.migration.store import Manifest, Store, new_id, stores
from bluegreen.model.errors import LockedError, RefusedError
from bluegreen.model.refs import ClusterId


def manifest(name="old-new-1"):
    cluster = ClusterId("old", "uid-1", "v1.34.4", "https://10.201.1.2:6443")
    return Manifest(name, cluster, cluster, ("shop",), (10, 100), "d" * 64, "2026-01-01T00:00:00.000Z")


def test_manifest_comes_back_as_written(tmp_path):
    store = Store(tmp_path / "m")
    store.write_manifest(manifest())

    assert store.manifest() == manifest()
    assert [s.path.name for s in stores(tmp_path)] == ["m"]


def test_manifest_of_another_schema_is_refused(tmp_path):
    store = Store(tmp_path / "m")
    store.write_manifest(manifest())
    file = store.path / "migration.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"schema": 99}))

    with pytest.raises(RefusedError, match="another bluegreen") as caught:
        store.manifest()

    assert caught.value.code == "state.other-schema"


@given(cut=st.integers(min_value=0, max_value=400))
def test_manifest_cut_anywhere_is_a_clear_error(tmp_path_factory, cut):
    store = Store(tmp_path_factory.mktemp("state") / "m")
    store.write_manifest(manifest())
    file = store.path / "migration.json"
    text = file.read_text()
    file.write_text(text[: min(cut, len(text) - 3)])

    with pytest.raises(RefusedError):
        store.manifest()


@given(st.text(max_size=300), st.text(max_size=300))
def test_ids_are_dns_labels_short_enough_to_derive_names_from(blue, green):
    name = new_id(blue, green, "2026-11-24T17:00:00.123Z")

    assert len(name) <= 40
    assert name == name.strip("-")
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_directory_is_private(tmp_path):
    store = Store(tmp_path / "m")
    store.write_manifest(manifest())
    Journal(store.events)("run.started")

    assert store.path.stat().st_mode & 0o777 == 0o700
    assert store.events.stat().st_mode & 0o777 == 0o600


def test_event_after_a_half_written_line_is_read(tmp_path):
    path = tmp_path / "events.jsonl"
    Journal(path)("one")
    with path.open("a") as file:
        file.write('{"name": "tw')
    Journal(path)("three")

    assert [event.name for event in read_events(path)] == ["one", "three"]


def test_failing_listener_fails_nothing(tmp_path):
    journal = Journal(tmp_path / "events.jsonl")
    journal.listen(lambda event: 1 / 0)
    journal("one")

    assert [event.name for event in read_events(tmp_path / "events.jsonl")] == ["one"]


def test_outcome_is_empty_until_the_run_finished(tmp_path):
    store = Store(tmp_path)
    journal = Journal(store.events)
    journal("run.started")
    assert store.outcome() == ""

    journal("run.finished", outcome="migrated")

    assert store.outcome() == "migrated"


def test_second_process_is_told_who_holds_the_lock(tmp_path):
    code = (
        "import sys; from pathlib import Path; from bluegreen.migration.lock import MigrationLock\n"
        "with MigrationLock(Path(sys.argv[1]), ['a', 'b'], 'then'): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(LockedError, match=f"process {holder.pid} on .* since then"),
            MigrationLock(tmp_path, ["b", "a"], "now"),
        ):
            pass
    finally:
        holder.kill()
        holder.wait()

    with MigrationLock(tmp_path, ["a", "b"], "now"):
        (lock,) = tmp_path.glob("*.lock")
        assert str(os.getpid()) in lock.read_text()
