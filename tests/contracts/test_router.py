"""The contract of TrafficRouter, run by every router against the real thing.

A router joins by one line in RIGS: a function that takes a directory and returns a rig with open_router, cut, mend,
write_elsewhere, visit and close.
"""

import contextlib
import threading
import time
from functools import partial

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rig_alb import AlbRig
from rig_envoy import EnvoyRig
from rig_gateway import GatewayRig
from rig_haproxy import HaproxyRig
from rig_http import wait_until
from rig_powerdns import PowerDnsRig, Rfc2136Rig
from rig_route53 import Route53Rig

from bluegreen.model.errors import (
    BluegreenError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    RefusedError,
    TransientError,
)
from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side
from bluegreen_adapters.haproxy_router import open_router

RIGS = {
    "alb": AlbRig,
    "envoy": EnvoyRig,
    "gateway-api": pytest.param(GatewayRig, marks=pytest.mark.lab),
    "haproxy": HaproxyRig,
    "powerdns": PowerDnsRig,
    "rfc2136": Rfc2136Rig,
    "route53": Route53Rig,
}

ALL_BLUE, HALF, ALL_GREEN = Weights(100, 0), Weights(50, 50), Weights(0, 100)
# A walk on a backend that answers slowly is as telling, and fewer of them are long enough.
WALKS, SLOW_WALKS = 60, 12


@pytest.fixture(params=RIGS.values(), ids=RIGS)
def rig(request, tmp_path):
    rig = request.param(tmp_path)
    yield rig
    rig.close()


@pytest.fixture
def router(rig):
    return rig.open_router()


# ---- every router ----


def test_it_names_itself_and_its_limits(router):
    assert router.name == "shop"
    assert router.resolution >= 1
    assert router.settle_seconds >= 0


def test_what_is_written_is_read_back_settled_and_served(rig, router):
    assert router.read() == ALL_BLUE
    router.shift(Weights(90, 10), expect=ALL_BLUE)
    assert router.read() == Weights(90, 10)
    wait_until(lambda: router.settled(Weights(90, 10)))
    assert not router.settled(ALL_BLUE)
    seen = rig.visit(200)
    assert seen["failed"] == 0
    assert abs(seen["green"] - 20) <= (1 if rig.deterministic else 18)


def test_zero_gets_nothing(rig, router):
    assert rig.visit(50) == {"blue": 50, "green": 0, "failed": 0}
    router.shift(ALL_GREEN, expect=ALL_BLUE)
    wait_until(lambda: router.settled(ALL_GREEN))
    wait_until(lambda: rig.visit(1)["green"])  # a data plane may follow its controller a moment later
    assert rig.visit(50) == {"blue": 0, "green": 50, "failed": 0}


def test_asked_for_what_is_served_it_succeeds_whatever_was_expected(router):
    router.shift(HALF, expect=ALL_BLUE)
    router.shift(HALF, expect=ALL_BLUE)
    router.shift(HALF, expect=ALL_GREEN)
    assert router.read() == HALF


def test_a_second_writer_is_noticed_and_not_overwritten(rig, router):
    rig.write_elsewhere(Weights(70, 30))
    with pytest.raises(ConflictError, match=r"90/10"):
        router.shift(Weights(90, 10), expect=ALL_BLUE)
    assert router.read() == Weights(70, 30)


def test_any_walk_over_the_weights_is_exact(rig):
    @settings(max_examples=SLOW_WALKS if rig.slow else WALKS, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.integers(0, 100), max_size=6))
    def walk(greens):
        router = rig.open_router()
        served = router.read()
        for green in greens:
            to = Weights.for_green(green)
            router.shift(to, expect=served)
            served = router.read()
            assert served == to
            wait_until(partial(router.settled, to))

    walk()


def test_an_unreachable_backend_is_an_error_and_then_it_goes_on(rig, router):
    rig.cut()
    for act in (router.read, lambda: router.shift(HALF, expect=ALL_BLUE), lambda: router.settled(HALF)):
        with pytest.raises(BluegreenError) as caught:
            act()
        assert isinstance(caught.value, TransientError | RefusedError)
        assert caught.value.why
    rig.mend()
    router.shift(HALF, expect=ALL_BLUE)
    assert router.read() == HALF


def test_finalize_keeps_the_weights_and_may_be_called_twice(router):
    router.shift(ALL_GREEN, expect=ALL_BLUE)
    router.finalize()
    router.finalize()
    assert router.read() == ALL_GREEN


def test_users_with_kept_connections_lose_nothing_on_the_way_out_and_back(rig, router):
    ended, seen = threading.Event(), []
    users = [threading.Thread(target=lambda: seen.append(_use(rig, ended)), daemon=True) for _ in range(4)]
    for user in users:
        user.start()
    served = ALL_BLUE
    try:
        for green in (10, 50, 100, 0, 100, 37, 0):
            router.shift(Weights.for_green(green), expect=served)
            served = Weights.for_green(green)
            wait_until(partial(router.settled, served))
            time.sleep(0.1)
    finally:
        ended.set()
        for user in users:
            user.join(30)
    assert sum(part["failed"] for part in seen) == 0
    assert sum(part["green"] for part in seen) > 0


def _use(rig, ended):
    total = {"blue": 0, "green": 0, "failed": 0}
    while not ended.is_set():
        for key, count in rig.visit(10).items():
            total[key] += count
    return total


# ---- HAProxy's own traps ----


@pytest.fixture
def haproxy(tmp_path):
    rig = HaproxyRig(tmp_path)
    yield rig
    rig.close()


@contextlib.contextmanager
def other_haproxy(path, **config):
    path.mkdir()
    rig = HaproxyRig(path, **config)
    try:
        yield rig
    finally:
        rig.close()


def test_a_reload_is_noticed_and_said(haproxy):
    router = haproxy.open_router()
    router.shift(HALF, expect=ALL_BLUE)
    haproxy.reload()
    assert router.read() == ALL_BLUE
    with pytest.raises(ConflictError, match="config file: HAProxy was reloaded") as caught:
        router.shift(ALL_GREEN, expect=HALF)
    assert caught.value.code == "haproxy.reloaded"
    assert router.read() == ALL_BLUE


def test_with_a_state_file_weights_survive_a_reload(tmp_path):
    with other_haproxy(tmp_path / "s", defaults="load-server-state-from-file global") as rig:
        router = rig.open_router()
        router.shift(HALF, expect=ALL_BLUE)
        rig.reload(keep_state=True)
        assert router.read() == HALF
        router.shift(ALL_GREEN, expect=HALF)
        assert rig.visit(10)["green"] == 10


def test_over_tcp_it_works_the_same(haproxy):
    router = open_router("shop", haproxy.settings(socket=f"127.0.0.1:{haproxy.admin_port}"))
    router.shift(HALF, expect=ALL_BLUE)
    assert haproxy.open_router().read() == HALF


def test_the_receiver_is_raised_before_the_sender_is_lowered(haproxy):
    router, said = haproxy.open_router(), []
    recorder = open_router("shop", haproxy.settings())
    object.__setattr__(recorder, "socket", _Recorder(router.socket, said))
    recorder.shift(HALF, expect=ALL_BLUE)
    recorder.shift(ALL_GREEN, expect=HALF)
    recorder.shift(ALL_BLUE, expect=ALL_GREEN)
    assert [line for line in said if line.startswith("set")] == [
        "set weight shop/green 50",
        "set weight shop/blue 50",
        "set weight shop/green 100",
        "set weight shop/blue 0",
        "set weight shop/blue 100",
        "set weight shop/green 0",
    ]


class _Recorder:
    def __init__(self, socket, said, cut_at=None):
        self.socket, self.said, self.cut_at, self.address = socket, said, cut_at, socket.address

    def ask(self, command):
        self.said.append(command)
        if self.cut_at and len([line for line in self.said if line.startswith("set")]) == self.cut_at:
            raise TransientError("test.cut", command, "cut by the test")
        return self.socket.ask(command)


@pytest.mark.parametrize("to", [HALF, ALL_GREEN])
@pytest.mark.parametrize("then", ["again", "back"])
def test_a_write_cut_between_its_halves_can_be_done_again_or_undone(haproxy, to, then):
    cut = haproxy.open_router()
    object.__setattr__(cut, "socket", _Recorder(cut.socket, [], cut_at=2))
    with pytest.raises(TransientError):
        cut.shift(to, expect=ALL_BLUE)
    router = haproxy.open_router()
    assert not router.settled(to)
    assert haproxy.visit(20)["failed"] == 0
    if then == "again":
        router.shift(to, expect=ALL_BLUE)
        assert router.read() == to
    else:
        router.shift(ALL_BLUE, expect=router.read())
        assert router.read() == ALL_BLUE


def test_a_receiver_in_maintenance_is_refused_with_the_command_that_helps(haproxy):
    router = haproxy.open_router()
    for state, word in (("drain", "DRAIN"), ("maint", "MAINT")):
        haproxy.socket.ask(f"set server shop/green state {state}")
        with pytest.raises(RefusedError, match=word) as caught:
            router.shift(HALF, expect=ALL_BLUE)
        assert "set server shop/green state ready" in caught.value.next_step
        assert router.read() == ALL_BLUE
    haproxy.socket.ask("set server shop/green state ready")
    router.shift(HALF, expect=ALL_BLUE)


def test_a_drained_side_is_read_as_serving_nothing_and_going_back_still_works(haproxy):
    router = haproxy.open_router()
    router.shift(HALF, expect=ALL_BLUE)
    haproxy.socket.ask("set server shop/green state drain")
    assert router.read() == ALL_BLUE
    assert not router.settled(HALF)
    with pytest.raises(ConflictError, match="in DRAIN"):
        router.shift(ALL_GREEN, expect=HALF)
    router.shift(ALL_BLUE, expect=router.read())
    haproxy.socket.ask("set server shop/green state ready")
    assert haproxy.visit(20) == {"blue": 20, "green": 0, "failed": 0}


def test_nobody_served_is_refused(haproxy):
    router = haproxy.open_router()
    haproxy.socket.ask("set weight shop/blue 0")
    with pytest.raises(RefusedError, match="nobody is served") as caught:
        router.read()
    assert caught.value.code == "haproxy.serves-nothing"
    with pytest.raises(ConflictError):
        router.shift(HALF, expect=ALL_BLUE)


def test_a_server_that_fails_its_check_receives_nothing_and_may_be_tried_again(tmp_path):
    check = "server dead 127.0.0.1:1 weight 0 check inter 50ms fall 1"
    with other_haproxy(tmp_path / "d", servers=check) as rig:
        router = open_router("shop", rig.settings(green="dead"))
        time.sleep(0.3)
        with pytest.raises(TransientError, match="DOWN"):
            router.shift(HALF, expect=ALL_BLUE)
        assert router.read() == ALL_BLUE


def test_a_third_server_that_takes_traffic_is_refused_and_a_backup_is_not(tmp_path):
    with other_haproxy(tmp_path / "t", servers="server third 127.0.0.1:1 weight 1") as rig:
        with pytest.raises(RefusedError, match="third"):
            rig.open_router().read()
        rig.socket.ask("set weight shop/third 0")
        assert rig.open_router().read() == ALL_BLUE
    with other_haproxy(tmp_path / "b", servers="server spare 127.0.0.1:1 backup") as rig:
        assert rig.open_router().read() == ALL_BLUE


def test_weights_of_another_scale_are_read_as_shares(tmp_path):
    with other_haproxy(tmp_path / "w", weights=(256, 0)) as rig:
        router = rig.open_router()
        assert router.read() == ALL_BLUE
        router.shift(Weights(90, 10), expect=ALL_BLUE)
        assert 8 <= rig.visit(100)["green"] <= 12
    with other_haproxy(tmp_path / "x", weights=(256, 1)) as rig:
        assert rig.open_router().read() == Weights(99, 1)


def test_what_is_not_there_is_named(haproxy):
    with pytest.raises(NotFoundError, match="backend 'shoop'"):
        open_router("r", haproxy.settings(backend="shoop")).read()
    with pytest.raises(NotFoundError, match=r"shop/grün; there are: blue, green"):
        open_router("r", haproxy.settings(green="grün")).read()
    with pytest.raises(RefusedError, match="no such socket") as caught:
        open_router("r", haproxy.settings(socket=str(haproxy.dir / "none.sock"))).read()
    assert "stats socket" in caught.value.next_step


def test_a_socket_without_the_level_is_refused_with_what_to_write(haproxy):
    router = open_router("r", haproxy.settings(socket=str(haproxy.dir / "user.sock")))
    with pytest.raises(RefusedError, match="level is too low") as caught:
        router.shift(HALF, expect=ALL_BLUE)
    assert "level admin" in caught.value.next_step


def test_a_socket_that_hangs_is_left_after_the_timeout(tmp_path):
    import socket  # noqa: PLC0415 - only this test plays the server

    path = tmp_path / "hang.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        router = open_router("r", {"socket": str(path), "backend": "shop", "timeout": "200ms"})
        began = time.monotonic()
        with pytest.raises(TransientError, match=r"no answer within 0.2 s"):
            router.read()
        assert time.monotonic() - began < 1.0


def test_every_fault_of_the_settings_is_told_at_once():
    with pytest.raises(InvalidInputError) as caught:
        open_router("shop", {"sockett": "/x", "backend": "a b", "blue": "g", "green": "g", "timeout": "soon"})
    text = " | ".join(caught.value.reasons)
    for part in (
        "socket is missing",
        "sockett is not known; did you mean socket?",
        "backend holds a character",
        "green is the same server as blue",
        "timeout must be a duration",
    ):
        assert part in text


def test_a_command_cannot_be_smuggled_in_by_a_name():
    for name in ("shop;shutdown frontend shop", "shop\nquit", "a/b"):
        with pytest.raises(InvalidInputError, match="no name in haproxy"):
            open_router("shop", {"socket": "/x", "backend": name})


def test_a_write_takes_milliseconds(haproxy):
    router, took, served = haproxy.open_router(), [], ALL_BLUE
    with httpx.Client(trust_env=False) as user:
        user.get(f"http://127.0.0.1:{haproxy.port}/")
        for _ in range(40):
            to = ALL_GREEN if served == ALL_BLUE else ALL_BLUE
            began = time.monotonic()
            router.shift(to, expect=served)
            answer = user.get(f"http://127.0.0.1:{haproxy.port}/").text
            took.append(time.monotonic() - began)
            assert answer == ("green" if to.of(Side.GREEN) else "blue")
            served = to
    print(f"write to first answer: median {sorted(took)[20] * 1000:.2f} ms")  # noqa: T201 - measured
    assert sorted(took)[20] < 0.05
