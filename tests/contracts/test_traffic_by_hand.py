"""`bluegreen traffic` as a person types it, in processes of its own, on a real HAProxy."""

import json
import os
import pty
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest
from rig_haproxy import HaproxyRig

from bluegreen.model.ports import Weights

SECONDS = 30.0


@pytest.fixture
def rig(tmp_path_factory):
    made = HaproxyRig(tmp_path_factory.mktemp("haproxy"))
    yield made
    made.close()


@pytest.fixture
def directory(rig, tmp_path):
    settings = {"socket": rig.socket.address, "backend": "shop", "blue": "blue", "green": "green"}
    config = {
        "from": "old",
        "to": "new",
        "namespaces": ["shop"],
        "routes": [
            {"name": "shop", "router": "haproxy", "with": settings},
            {"name": "away", "router": "haproxy", "with": {**settings, "socket": str(tmp_path / "none.sock")}},
        ],
        "probes": [{"name": "users", "probe": "haproxy", "with": settings}],
        "objectives": [{"name": "o", "probe": "users", "good": "99%"}],
    }
    (tmp_path / "bluegreen.yaml").write_text(json.dumps(config))
    return tmp_path


def command(*arguments):
    return [sys.executable, "-m", "bluegreen", "traffic", *map(str, arguments)]


def surroundings(directory):
    return {**os.environ, "BLUEGREEN_STATE_DIR": str(directory / "state"), "TERM": "xterm", "COLUMNS": "100"}


def run(directory, *arguments):
    where = {"cwd": directory, "env": surroundings(directory), "stdin": subprocess.DEVNULL}
    return subprocess.run(command(*arguments), capture_output=True, text=True, check=False, timeout=60, **where)


def test_show_set_show(rig, directory):
    shown = run(directory, "show", "-o", "json")
    shop, away = json.loads(shown.stdout)["items"]

    assert shown.returncode == 1
    assert (shop["blue"], shop["green"], shop["resolution"], shop["settled"]) == (100, 0, 256, True)
    assert away["error"]["code"] == "haproxy.no-socket"
    assert "stats socket" in run(directory, "show").stderr

    refused = run(directory, "set", 10, "--yes")
    assert (refused.returncode, rig.open_router().read()) == (2, Weights(100, 0)), refused.stderr
    assert run(directory, "set", 10, "--route", "shop").returncode == 2, "without a terminal it must not write"
    done = run(directory, "set", 10, "--route", "shop", "--yes")
    assert (done.returncode, done.stdout) == (0, "shop: 100/0 -> 90/10\n"), done.stderr
    assert rig.open_router().read() == Weights(90, 10)
    assert 5 <= rig.visit(100)["green"] <= 15

    other = run(directory, "set", 50, "--route", "shop", "--expect", 0, "--yes")
    assert (other.returncode, rig.open_router().read()) == (1, Weights(90, 10)), other.stderr
    assert "shop serves 90/10" in other.stderr
    assert run(directory, "set", 0, "--route", "shop", "--expect", 10, "--yes").returncode == 0
    assert run(directory, "show", "--route", "shop").returncode == 0


def hears_ctrl_c():
    """Undo what a shell does to its background jobs: they, and all they start, ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def watching(directory, *arguments):
    """Run watch in a pipe; yields the process and a function that returns its next line."""
    lines: queue.Queue[str] = queue.Queue()
    process = subprocess.Popen(
        command("watch", "--interval", "100ms", *arguments),
        stdout=subprocess.PIPE,
        text=True,
        cwd=directory,
        env=surroundings(directory),
        preexec_fn=hears_ctrl_c,  # noqa: PLW1509 - no thread of the test's own runs yet
    )

    def pump():
        for line in process.stdout:
            lines.put(line)

    reader = threading.Thread(target=pump, daemon=True)
    reader.start()
    try:
        yield process, lambda: lines.get(timeout=SECONDS)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        reader.join(10)
        process.stdout.close()


def test_watch_in_a_pipe_tells_each_change_and_survives_a_restart(rig, directory):
    with watching(directory, "-o", "json", "--route", "shop") as (process, line):
        assert json.loads(line())["green"] == 0
        run(directory, "set", 10, "--route", "shop", "--yes")
        change = json.loads(line())
        assert (change["kind"], change["name"], change["green"]) == ("TrafficChange", "shop", 10)
        rig.cut()
        assert json.loads(line())["error"]["code"] == "haproxy.unreachable"
        rig.mend()
        assert json.loads(line())["green"] == 0, "a restart brings back the weights of the config file"
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 130


def test_watch_shows_the_routes_that_answer_beside_one_that_does_not(directory):
    with watching(directory) as (process, line):
        texts = sorted(line().partition(" ")[2] for _ in range(2))
        assert texts[0].startswith("away: not readable: ")
        assert texts[1] == "shop: blue 100 % green 0 %\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 130


def test_watch_ends_quietly_when_its_reader_goes_away(directory):
    script = f"{' '.join(command('watch', '--interval', '100ms'))} | head -1"
    where = {"cwd": directory, "env": surroundings(directory)}
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=60, **where)

    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr


def read_until(descriptor, wanted):
    seen, end = b"", time.monotonic() + SECONDS
    while wanted not in seen:
        assert time.monotonic() < end, seen.decode(errors="replace")
        if select.select([descriptor], [], [], 0.2)[0]:
            seen += os.read(descriptor, 65536)
    return seen


def test_watch_on_a_terminal_is_live_and_gives_the_terminal_back(directory):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command("watch", "--interval", "100ms", "--route", "shop"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=directory,
        env=surroundings(directory),
        preexec_fn=hears_ctrl_c,  # noqa: PLW1509 - no thread of the test's own runs yet
    )
    os.close(theirs)
    try:
        read_until(ours, b"Ctrl-C to end")
        run(directory, "set", 25, "--route", "shop", "--yes")
        read_until(ours, b"blue 75 % green 25 %")
        process.send_signal(signal.SIGINT)
        read_until(ours, b"\x1b[?25h")
        assert process.wait(SECONDS) == 130
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)
        os.close(ours)
