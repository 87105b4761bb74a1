"""Work in a process of its own: what it says arrives, and whatever happens to it, the work is done and none is left."""

import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from bluegreen.exporter.bundle import make_bundle
from bluegreen.exporter.write import write_bundle
from bluegreen.migration import beside
from bluegreen.migration.beside import Beside
from bluegreen.migration.reading import Reading
from bluegreen.model.errors import InvalidInputError

LONG = 60
ALONE = """
import os, signal, sys, threading, time
from bluegreen.migration.beside import Beside
here = os.getpid()
"""


def alone(script):
    """Run a script in an interpreter that has one thread, as a command has when it begins; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE + textwrap.dedent(script)],
        capture_output=True, text=True, timeout=LONG, check=False,
    )  # fmt: skip
    return done.stdout, done.stderr, done.returncode


@pytest.fixture
def here(monkeypatch):
    """Have all work done in this process, whose other threads a fork would not stand."""
    monkeypatch.setattr(beside, "_may_fork", lambda: False)


def test_it_is_done_in_another_process_that_is_gone_afterwards():
    out, err, code = alone(
        """
        def work(say):
            say(b"soon")
            return f"{os.getpid()}".encode() + b"x" * 1_000_000
        one = Beside(work)
        print(one.word().decode())
        found = one.result()
        print(found.rstrip(b"x") != str(here).encode(), len(found) > 1_000_000)
        one.end()
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            print("no child")
        """
    )
    assert (out.splitlines(), err, code) == (["soon", "True True", "no child"], "", 0)


def test_a_result_may_be_empty_and_no_word_said():
    out, err, code = alone("one = Beside(lambda say: b'')\nprint(one.word(), one.result())")
    assert (out, err, code) == ("b'' b''\n", "", 0)


def test_what_fails_there_is_done_here_and_its_error_is_told_from_here():
    out, err, code = alone(
        """
        def work(say):
            say(b"soon")
            raise ValueError(f"done here: {os.getpid() == here}")
        one = Beside(work)
        print(one.word())
        try:
            one.result()
        except ValueError as error:
            print(error)
        """
    )
    assert (out.splitlines(), err, code) == (["b'soon'", "done here: True"], "", 0)


def test_what_is_killed_there_is_done_here():
    out, err, code = alone(
        """
        def work(say):
            say(b"soon")
            if os.getpid() != here:
                os.kill(os.getpid(), signal.SIGKILL)
            return b"all of it"
        one = Beside(work)
        print(one.word(), one.result())
        """
    )
    assert (out, err, code) == ("b'soon' b'all of it'\n", "", 0)


def test_a_result_that_is_killed_on_its_way_is_none():
    out, err, code = alone(
        """
        from bluegreen.migration import beside
        def cut(self, data):
            os.write(self._store, data[:5])
            os.kill(os.getpid(), signal.SIGKILL)
        def work(say):
            if os.getpid() != here:
                beside._Parcel.send = cut
            return b"all of it"
        print(Beside(work).result())
        """
    )
    assert (out, err, code) == ("b'all of it'\n", "", 0)


def test_a_long_word_that_nobody_asks_for_holds_nothing_up():
    out, err, code = alone(
        """
        def work(say):
            say(b"x" * 10_000_000)
            return str(os.getpid() != here).encode()
        print(Beside(work).result())
        """
    )
    assert (out, err, code) == ("b'True'\n", "", 0)


def test_the_child_does_not_outlive_a_command_that_ends_without_asking():
    out, err, code = alone(
        """
        import subprocess
        def work(say):
            say(str(os.getpid()).encode())
            time.sleep(60)
            return b""
        one = Beside(work)
        print(one.word().decode())
        """
    )
    assert (err, code) == ("", 0)
    assert not Path(f"/proc/{int(out)}").exists()


def test_a_signal_ends_the_child_and_prints_nothing():
    out, err, code = alone(
        """
        def stopped(number, frame):
            raise KeyboardInterrupt
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stopped)
        def work(say):
            if os.getpid() != here:
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(60)
            return b"here"
        print(Beside(work).result())
        """
    )
    assert (out, err, code) == ("b'here'\n", "", 0)


def test_nothing_is_forked_where_a_thread_runs():
    out, err, code = alone(
        """
        end = threading.Event()
        threading.Thread(target=end.wait, daemon=True).start()
        print(Beside(lambda say: str(os.getpid() == here).encode()).result())
        """
    )
    assert (out, err, code) == ("b'True'\n", "", 0)


@pytest.mark.usefixtures("here")
def test_without_another_process_the_word_is_heard_while_the_work_is_done():
    heard = []
    may_end = threading.Event()

    def work(say):
        say(b"soon")
        assert may_end.wait(LONG)
        return b"done"

    one = Beside(work)
    listening = threading.Thread(target=lambda: (heard.append(one.word()), may_end.set()))
    listening.start()
    assert one.result() == b"done"
    listening.join(LONG)
    assert heard == [b"soon"]


@pytest.mark.usefixtures("here")
def test_without_another_process_nobody_waits_for_a_word_that_is_never_said():
    def fail(_say):
        raise ValueError("no")

    for work in (fail, lambda _say: b""):
        one = Beside(work)
        if work is fail:
            with pytest.raises(ValueError, match="no"):
                one.result()
        else:
            one.result()
        assert one.word() == b""


def test_where_no_process_can_be_made_it_is_done_here_and_no_descriptor_is_left():
    out, err, code = alone(
        """
        def refuse():
            raise BlockingIOError(11, "Resource temporarily unavailable")
        os.fork = refuse
        before = sorted(os.listdir("/proc/self/fd"))
        one = Beside(lambda say: say(b"soon") or b"done")
        print(one.result(), one.word(), sorted(os.listdir("/proc/self/fd")) == before)
        print(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
        """
    )
    assert (out.splitlines(), err, code) == (["b'done' b'soon' True", "set()"], "", 0)


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
def test_a_bundle_is_read_whole_and_its_counts_are_told(bundle):
    reading = Reading(bundle, None, edited=False, without_secrets=False)
    found = reading.bundle()
    assert [obj["data"] for obj in found.objects] == [{"a": "é\u2028", "n": "1"}] * 2
    assert (found.namespaces, found.storage_classes, found.source) == (("shop",), ("fast",), "uid")
    assert found.excluded == ("Event",)
    assert reading.counts() == {("configmap", "shop"): 2}


def test_a_bundle_is_the_same_read_by_another_process(bundle):
    out, err, code = alone(
        f"""
        from pathlib import Path
        from bluegreen.migration.reading import Reading
        reading = Reading(Path({str(bundle)!r}), None, edited=False, without_secrets=False)
        print(reading.counts(), [obj["metadata"]["name"] for obj in reading.bundle().objects])
        """
    )
    assert (out, err, code) == ("{('configmap', 'shop'): 2} ['a', 'b']\n", "", 0)


@pytest.mark.usefixtures("here")
def test_why_a_bundle_cannot_be_read_is_told_when_it_is_asked_for(tmp_path):
    reading = Reading(tmp_path / "none", None, edited=False, without_secrets=False)
    with pytest.raises(InvalidInputError) as caught:
        reading.bundle()
    assert caught.value.reasons == ("there is no such directory",)
    assert reading.counts() == {}
