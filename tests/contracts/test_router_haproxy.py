"""HAProxy's own traps, beside the contract that test_router.py runs: reloads, servers that are out, its socket."""

import time

import pytest
from rig_haproxy import HaproxyRig, Recorder, other_haproxy
from rig_http import each_write_reaches_the_next_request, wait_until

from bluegreen.model.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    RefusedError,
    TransientError,
)
from bluegreen.model.ports import Weights
from bluegreen_adapters.haproxy_router import open_router

ALL_BLUE, HALF, ALL_GREEN = Weights(100, 0), Weights(50, 50), Weights(0, 100)


@pytest.fixture
def haproxy(tmp_path):
    rig = HaproxyRig(tmp_path)
    yield rig
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
    object.__setattr__(recorder, "socket", Recorder(router.socket, said))
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


@pytest.mark.parametrize("to", [HALF, ALL_GREEN])
@pytest.mark.parametrize("then", ["again", "back"])
def test_a_write_cut_between_its_halves_can_be_done_again_or_undone(haproxy, to, then):
    cut = haproxy.open_router()
    object.__setattr__(cut, "socket", Recorder(cut.socket, [], cut_at=2))
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


def test_a_server_that_fails_its_check_receives_nothing_and_may_be_tried_again(tmp_path):
    check = "server dead 127.0.0.1:1 weight 0 check inter 50ms fall 1"
    with other_haproxy(tmp_path / "d", servers=check) as rig:
        router = open_router("shop", rig.settings(green="dead"))
        wait_until(lambda: ",DOWN," in rig.socket.ask("show stat"))
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
        assert time.monotonic() - began < 30.0


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


def test_a_write_reaches_the_next_request_on_a_kept_connection(haproxy):
    each_write_reaches_the_next_request(haproxy, haproxy.open_router())
