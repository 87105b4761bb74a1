"""Work in a process of its own: what it says arrives, what happens to it is no harm, and none is left."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from bluegreen.exporter.bundle import make_bundle
from bluegreen.exporter.write import write_bundle
from bluegreen.migration import beside
from bluegreen.migration.reading import Reading
from bluegreen.model.errors import InvalidInputError

LONG = 60
ALONE = """
import os, signal, sys, threading, time
from pathlib import Path
from bluegreen.migration import beside
from bluegreen.migration.beside import begin
from bluegreen.migration.reading import Reading
here = os.getpid()
"""


def alone(script):
    """Run a script in an interpreter that has one thread, as a command has when it begins; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE + textwrap.dedent(script)],
        capture_output=True, text=True, timeout=LONG, check=False,
    )  # fmt: skip
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout


def test_it_is_done_in_another_process_that_is_gone_afterwards():
    out = alone(
        """
        def work(say):
            say(b"soon")
            return f"{os.getpid()}".encode() + b"x" * 1_000_000
        one = begin(work)
        print(one.word())
        found = one.result()
        one.end()
        print(found.rstrip(b"x") != str(here).encode(), len(found) > 1_000_000)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            print("no child")
        """
    )
    assert out.splitlines() == ["b'soon'", "True True", "no child"]


def test_a_result_may_be_empty_and_no_word_said():
    assert alone("one = begin(lambda say: b'')\nprint(one.word(), one.result())") == "None b''\n"


def test_what_fails_there_has_no_result_and_prints_nothing():
    out = alone(
        """
        def work(say):
            say(b"soon")
            raise ValueError("not to be seen")
        one = begin(work)
        print(one.word(), one.result())
        """
    )
    assert out == "b'soon' None\n"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_what_is_stopped_there_has_no_result_and_prints_nothing(number):
    out = alone(
        f"""
        def stopped(number, frame):
            raise KeyboardInterrupt
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stopped)
        def work(say):
            os.kill(os.getpid(), {number})
            time.sleep(60)
            return b""
        one = begin(work)
        print(one.word(), one.result())
        """
    )
    assert out == "None None\n"


def test_a_result_that_is_cut_off_on_its_way_is_none():
    out = alone(
        """
        def cut(self, data):
            os.write(self._store, data[:5])
            os.kill(os.getpid(), signal.SIGKILL)
        beside._Parcel.send = cut
        print(begin(lambda say: b"all of it").result())
        """
    )
    assert out == "None\n"


def test_a_long_word_that_nobody_asks_for_holds_nothing_up():
    out = alone(
        """
        def work(say):
            say(b"x" * 10_000_000)
            return b"done"
        print(begin(work).result())
        """
    )
    assert out == "b'done'\n"


ENDLESS = """
def work(say):
    say(str(os.getpid()).encode())
    time.sleep(60)
    return b""
one = begin(work)
print(one.word().decode(), flush=True)
"""


def test_the_child_does_not_outlive_a_command_that_ends_without_asking():
    assert not Path(f"/proc/{int(alone(ENDLESS))}").exists()


def test_a_command_that_is_stopped_while_it_forks_leaves_no_child():
    out = alone(
        """
        def stopped(number, frame):
            raise KeyboardInterrupt
        signal.signal(signal.SIGTERM, stopped)
        fork = os.fork
        def slow_fork():
            os.kill(here, signal.SIGTERM)
            pid = fork()
            if pid:
                print(pid, flush=True)
            return pid
        os.fork = slow_fork
        def work(say):
            time.sleep(60)
            return b""
        try:
            begin(work)
        except KeyboardInterrupt:
            print("stopped")
        """
    )
    pid, stopped = out.splitlines()
    assert stopped == "stopped"
    assert not Path(f"/proc/{pid}").exists()


def test_nothing_is_forked_where_a_thread_runs():
    out = alone(
        """
        end = threading.Event()
        threading.Thread(target=end.wait, daemon=True).start()
        print(begin(lambda say: b""))
        """
    )
    assert out == "None\n"


@pytest.mark.parametrize("lacking", ["sys.platform = 'darwin'", "del os.memfd_create"])
def test_nothing_is_forked_where_it_is_not_sound_or_cannot_be(lacking):
    assert alone(f"{lacking}\nprint(begin(lambda say: b''))") == "None\n"


def test_where_no_process_can_be_made_no_descriptor_is_left_and_signals_are_heard():
    out = alone(
        """
        def refuse():
            raise BlockingIOError(11, "Resource temporarily unavailable")
        os.fork = refuse
        before = sorted(os.listdir("/proc/self/fd"))
        print(begin(lambda say: b"done"), sorted(os.listdir("/proc/self/fd")) == before)
        print(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
        """
    )
    assert out.splitlines() == ["None True", "set()"]


@pytest.fixture
def here(monkeypatch):
    """Have all work done in this process, whose other threads a fork would not stand."""
    monkeypatch.setattr(beside, "_may_fork", lambda: False)


@pytest.fixture
def bundle(tmp_path):
    def config(name):
        meta = {"name": name, "namespace": "shop"}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"a": "é\u2028", "n": "1"}}

    objects = [(config(name), "") for name in ("a", "b")]
    made = make_bundle(["shop"], objects, tuple, ["fast"], b"key", source="uid", withheld=(), excluded=("Event",))
    write_bundle(made, tmp_path / "b")
    return tmp_path / "b"


@pytest.mark.usefixtures("here")
def test_without_another_process_a_bundle_is_read_when_it_is_asked_for_and_its_counts_are_told(bundle):
    reading = Reading(bundle, None, edited=False, without_secrets=False)
    heard = []
    listening = threading.Thread(target=lambda: heard.append(reading.counts()))
    listening.start()
    assert [obj["metadata"]["name"] for obj in reading.bundle().objects] == ["a", "b"]
    listening.join(LONG)
    assert heard == [{("configmap", "shop"): 2}]


def test_a_bundle_is_whole_that_another_process_read(bundle):
    out = alone(
        f"""
        reading = Reading(Path({str(bundle)!r}), None, edited=False, without_secrets=False)
        print(reading._beside is not None, reading.counts())
        found = reading.bundle()
        print(ascii([obj["data"] for obj in found.objects]), found.namespaces, found.storage_classes, found.source,
              found.excluded)
        """
    )
    assert out.splitlines() == [
        "True {('configmap', 'shop'): 2}",
        r"[{'a': '\xe9\u2028', 'n': '1'}, {'a': '\xe9\u2028', 'n': '1'}] ('shop',) ('fast',) uid ('Event',)",
    ]


def test_why_a_bundle_cannot_be_used_is_told_by_who_asks_for_it_and_no_child_is_left(bundle):
    next(bundle.glob("configmap*")).write_text("a: 1")
    out = alone(
        f"""
        from bluegreen.model.errors import InvalidInputError
        reading = Reading(Path({str(bundle)!r}), None, edited=False, without_secrets=False)
        try:
            reading.bundle()
        except InvalidInputError as error:
            print(len(error.reasons), error.reasons[0].split(" is ")[1])
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            print("no child")
        """
    )
    assert out.splitlines() == ["1 not what was exported: edited or cut off", "no child"]


@pytest.mark.usefixtures("here")
def test_without_another_process_nobody_waits_for_the_counts_of_what_is_no_bundle(tmp_path):
    reading = Reading(tmp_path / "none", None, edited=False, without_secrets=False)
    with pytest.raises(InvalidInputError) as caught:
        reading.bundle()
    assert caught.value.reasons == ("there is no such directory",)
    assert reading.counts() == {}


def test_an_identity_that_can_be_read_only_once_is_read_once(bundle, tmp_path):
    next(bundle.glob("configmap*")).write_text("a: 1")
    os.mkfifo(tmp_path / "key")
    writing = threading.Thread(target=(tmp_path / "key").write_text, args=("AGE-SECRET-KEY-1\n",), daemon=True)
    writing.start()
    out = alone(
        f"""
        from bluegreen.model.errors import InvalidInputError
        reading = Reading(Path({str(bundle)!r}), Path({str(tmp_path / "key")!r}), edited=False, without_secrets=False)
        try:
            reading.bundle()
        except InvalidInputError as error:
            print(error.reasons[0].split(" is ")[1])
        """
    )
    assert out == "not what was exported: edited or cut off\n"
    writing.join(LONG)


@pytest.mark.usefixtures("here")
def test_a_key_given_in_the_place_of_its_file_is_told_as_such(bundle):
    with pytest.raises(InvalidInputError) as caught:
        Reading(bundle, Path("k" * 5000), edited=False, without_secrets=False).bundle()
    assert caught.value.code == "bundle.identity"
