"""`bluegreen traffic` as a person types it, in processes of its own, on a real HAProxy and a real PowerDNS."""

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
from rig_powerdns import API_KEY, PowerDnsRig

from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side

SECONDS = 30.0


@pytest.fixture
def rig(tmp_path_factory):
    made = HaproxyRig(tmp_path_factory.mktemp("haproxy"))
    yield made
    made.close()


@pytest.fixture
def directory(rig, tmp_path):
    settings = {"socket": rig.socket.address, "backend": "shop", "blue": "blue", "green": "green"}
    routes = [
        {"name": "shop", "router": "haproxy", "with": settings},
        {"name": "away", "router": "haproxy", "with": {**settings, "socket": str(tmp_path / "none.sock")}},
    ]
    return configured(tmp_path, routes, {"name": "users", "probe": "haproxy", "with": settings})


def configured(directory, routes, probe):
    """Write a configuration into a directory, and return it."""
    config = {
        "from": "old",
        "to": "new",
        "namespaces": ["shop"],
        "routes": routes,
        "probes": [probe],
        "objectives": [{"name": "o", "probe": probe["name"], "good": "99%"}],
    }
    (directory / "bluegreen.yaml").write_text(json.dumps(config))
    return directory


def command(*arguments, group=("traffic",)):
    return [sys.executable, "-m", "bluegreen", *group, *map(str, arguments)]


def surroundings(directory):
    return {**os.environ, "BLUEGREEN_STATE_DIR": str(directory / "state"), "TERM": "xterm", "COLUMNS": "100"}


def run(directory, *arguments, **more):
    where = {"cwd": directory, "env": surroundings(directory), "stdin": subprocess.DEVNULL}
    return subprocess.run(command(*arguments, **more), capture_output=True, text=True, check=False, timeout=60, **where)


def test_show_set_show(rig, directory):
    shown = run(directory, "show", "-o", "json")
    shop, away = json.loads(shown.stdout)["items"]

    assert shown.returncode == 1
    assert (shop["blue"], shop["green"], shop["resolution"], shop["settled"]) == (100, 0, 256, True)
    assert away["error"]["code"] == "haproxy.no-socket"
    assert "stats socket" in run(directory, "show").stderr

    refused = run(directory, "set", 10, "--yes")
    assert (refused.returncode, rig.open_router().read()) == (2, Weights(100, 0)), refused.stderr
    assert f"asking HAProxy at {directory / 'none.sock'}" in " ".join(refused.stderr.split())
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


def nobody_is_served(rig):
    for side in Side:
        rig.socket.ask(f"set weight shop/{side} 0")
    assert rig.visit(3)["failed"] == 3


def test_out_of_nobody_served_set_0_gives_service_again_and_no_other_share_does(rig, directory):
    nobody_is_served(rig)
    refused = run(directory, "set", 50, "--route", "shop", "--yes")
    assert refused.returncode == 2
    assert "bluegreen traffic set 0" in " ".join(refused.stderr.split())
    assert rig.visit(3)["failed"] == 3

    done = run(directory, "set", 0, "--route", "shop", "--yes")
    assert (done.returncode, done.stdout) == (0, "shop: no shares -> 100/0\n"), done.stderr
    assert rig.visit(20) == {"blue": 20, "green": 0, "failed": 0}


def test_out_of_nobody_served_revert_gives_service_again_onto_a_healthy_blue_only(rig, tmp_path):
    urls = {str(side): server.url for side, server in rig.sides.items()}
    probe = {"name": "http", "probe": "http", "with": {**urls, "timeout": "1s"}}
    configured(tmp_path, [{"name": "shop", "router": "haproxy", "with": rig.settings()}], probe)
    nobody_is_served(rig)
    rig.sides[Side.BLUE].manners.status = 500
    assert run(tmp_path, group=("revert",)).returncode == 1
    assert rig.visit(3)["failed"] == 3

    rig.sides[Side.BLUE].manners.status = 200
    done = run(tmp_path, group=("revert",))
    assert done.returncode == 0, done.stderr
    assert "Reverted: blue serves all traffic." in done.stderr
    assert rig.visit(20) == {"blue": 20, "green": 0, "failed": 0}


def test_revert_beside_a_third_server_says_that_blue_does_not_serve_alone(tmp_path):
    (tmp_path / "haproxy").mkdir()
    rig = HaproxyRig(tmp_path / "haproxy", weights=(50, 50), servers="server third 127.0.0.1:1 weight 1")
    try:
        urls = {str(side): server.url for side, server in rig.sides.items()}
        probe = {"name": "http", "probe": "http", "with": {**urls, "timeout": "1s"}}
        configured(tmp_path, [{"name": "shop", "router": "haproxy", "with": rig.settings()}], probe)
        done = run(tmp_path, group=("revert",))
        assert done.returncode == 0, done.stderr
        assert "set weight shop/third 0" in done.stderr
        assert "Reverted: green serves nobody, but blue does not serve alone." in done.stderr
        rig.socket.ask("set weight shop/third 0")
        assert rig.open_router().read() == Weights(100, 0)
    finally:
        rig.close()


@pytest.fixture
def dns(tmp_path_factory):
    made = PowerDnsRig(tmp_path_factory.mktemp("powerdns"))
    yield made
    made.close()


@pytest.fixture
def named(dns, tmp_path):
    """Return a directory whose configuration has one route, a name in PowerDNS."""
    (tmp_path / "key").write_text(API_KEY)
    route = {"name": "shop", "router": "powerdns", "with": {**dns.settings(ttl="30s"), "api_key": "file:key"}}
    probe = {"name": "tcp", "probe": "tcp", "with": {"blue": "127.0.0.1:1", "green": "127.0.0.1:1"}}
    return configured(tmp_path, [route], probe)


def test_what_set_leaves_in_dns_finalize_removes(dns, named):
    assert run(named, "finalize").stdout == "shop: nothing to remove\n"

    done = run(named, "set", 10, "--yes")
    assert (done.returncode, done.stdout) == (0, "shop: 100/0 -> 90/10\n"), done.stderr
    assert "the mark of bluegreen and a lowered TTL" in " ".join(done.stderr.split())
    assert owner(named) == "bluegreen"
    assert {ttl for kind, _, ttl in dns.stored() if kind == "LUA"} == {30}
    assert run(named, "finalize").returncode == 2, "without a terminal it must not write"
    assert owner(named) == "bluegreen"

    done = run(named, "finalize", "--yes")
    assert (done.returncode, done.stdout) == (0, "shop: mark removed, weights stay 90/10\n"), done.stderr
    assert owner(named) == ""
    assert [(kind, ttl) for kind, _, ttl in dns.stored()] == [("LUA", 300)]


def test_a_plain_record_is_one_again_after_a_try_and_finalize(dns, named):
    plain = dns.stored()
    for green in (10, 0):
        assert run(named, "set", green, "--yes").returncode == 0
    assert dns.stored() != plain

    assert run(named, "finalize", "--yes").stdout == "shop: mark removed, weights stay 100/0\n"
    assert dns.stored() == plain


def test_finalize_keeps_anothers_mark_in_dns(dns, named):
    dns.open_router(owner="somebody-else").shift(Weights(90, 10), expect=Weights(100, 0))
    before = dns.stored()

    done = run(named, "finalize", "--yes")
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert "somebody-else" in done.stderr
    assert dns.stored() == before


def owner(directory):
    return json.loads(run(directory, "show", "-o", "json").stdout)["items"][0]["owner"]


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


def changes_until(line, wanted):
    """Return the first change that is as wanted; none comes after the last one, which fails the test."""
    while not wanted(change := json.loads(line())):
        pass
    return change


def test_watch_in_a_pipe_tells_each_change_and_survives_a_restart(rig, directory):
    with watching(directory, "-o", "json", "--route", "shop") as (process, line):
        assert json.loads(line())["green"] == 0
        run(directory, "set", 10, "--route", "shop", "--yes")
        # A look may fall between two of its writes, and tell that, too.
        change = changes_until(line, lambda change: change["green"] == 10)
        assert (change["kind"], change["name"]) == ("TrafficChange", "shop")
        rig.cut()
        lost = changes_until(line, lambda change: change["blue"] is None)
        assert lost["error"]["code"] == "haproxy.unreachable"
        rig.mend()
        # a restart brings back the weights of the config file
        changes_until(line, lambda change: change["green"] == 0)
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
            try:
                seen += os.read(descriptor, 65536)
            except OSError as error:  # Linux says so once the other end is closed
                raise AssertionError(f"it ended without: {seen!r}") from error
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
