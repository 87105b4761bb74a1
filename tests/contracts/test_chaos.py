"""What breaks at 50 %, with HAProxy, servers, probes and users real: each fault with the law that it must obey."""

import socket
import sys
import threading
import time
from pathlib import Path

import pytest
from rig_haproxy import HaproxyRig
from rig_http import wait_until

from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side
from bluegreen.traffic.states import Command, Phase
from bluegreen_adapters import haproxy_router, http_probe

sys.path.insert(0, str(Path(__file__).parent.parent / "unit"))
from shift_run import Shift

ALL_BLUE, HALF = Weights(100, 0), Weights(50, 50)
LONG = {"hold": "120s", "budget": "240s"}


@pytest.fixture
def rig(tmp_path):
    rig = HaproxyRig(tmp_path)
    yield rig
    rig.close()


@pytest.fixture
def at_half(rig, tmp_path):
    """Return a shift that has come to 50 % and is judged there for long, and what lets it go."""
    urls = {str(side): server.url for side, server in rig.sides.items()}
    probe = http_probe.open_probe("web", {**urls, "timeout": "500ms"})
    shift = Shift(tmp_path, routers=[rig.open_router()], probes={"web": probe}, **LONG)
    shift.begin().in_phase(Phase.JUDGING)
    wait_until(lambda: any(data["judgements"][0]["samples"] > 20 for data in shift.events("gate.judged")), 30.0)
    yield shift
    shift.order(Command.ABORT)
    probe.close()


def seen(shift, phase):
    return [state.phase for state in shift.states].count(phase)


def test_a_green_that_dies_is_left_and_users_fail_no_longer(rig, at_half):
    rig.sides[Side.GREEN].stop()
    assert at_half.ended() is Phase.REVERTED
    assert rig.open_router().read() == ALL_BLUE
    assert rig.visit(20) == {"blue": 20, "green": 0, "failed": 0}


def test_a_blue_that_dies_takes_nobody_back_until_it_is_well(rig, at_half):
    """Law 4: back only onto a healthy blue; a person is called meanwhile."""
    rig.sides[Side.BLUE].manners.status = 500
    wait_until(lambda: at_half.events("gate.judged")[-1]["blue"] == "sick", 30.0)
    at_half.order(Command.ABORT)
    at_half.in_phase(Phase.HELD)
    wait_until(lambda: at_half.events("run.paused"), 30.0)
    assert "blue is unhealthy" in at_half.events("run.paused")[-1]["reason"]
    assert rig.open_router().read() == HALF
    rig.sides[Side.BLUE].manners.status = 200
    assert at_half.ended() is Phase.REVERTED
    assert rig.open_router().read() == ALL_BLUE


def test_both_sides_bad_moves_nobody(rig, at_half):
    """Laws 3 and 4: what both sides suffer is not green's fault."""
    for server in rig.sides.values():
        server.manners.status = 500
    looks = len(at_half.events("gate.judged"))
    wait_until(lambda: len(at_half.events("gate.judged")) > looks + 6, 60.0)
    assert at_half.states[-1].phase in {Phase.JUDGING, Phase.HOLDING}
    assert rig.open_router().read() == HALF


def test_a_probe_that_is_cut_off_neither_passes_nor_goes_back(rig, tmp_path):
    """Law 3: a broken probe never reverts alone and never passes."""
    nobody = "http://192.0.2.1:9/"  # a network that is documented to lead nowhere
    probe = http_probe.open_probe("web", {"blue": nobody, "green": nobody, "timeout": "200ms"})
    shift = Shift(tmp_path, routers=[rig.open_router()], probes={"web": probe}, budget="6s", hold="1s")
    shift.begin().in_phase(Phase.PAUSED)
    assert rig.open_router().read() == HALF
    assert not seen(shift, Phase.REVERTING)
    assert not shift.events("step.passed")
    shift.order(Command.ABORT)
    shift.in_phase(Phase.HELD)  # nobody has seen a healthy blue
    assert rig.open_router().read() == HALF
    probe.close()


def test_a_router_that_is_gone_is_waited_for_on_the_way_back(rig, at_half):
    """A way back is never given up."""
    rig.cut()
    at_half.order(Command.ABORT)
    wait_until(lambda: len(at_half.events("revert.retried")) >= 2, 30.0)
    assert at_half.states[-1].phase is Phase.REVERTING
    rig.mend()
    assert at_half.ended() is Phase.REVERTED
    assert rig.open_router().read() == ALL_BLUE


def test_a_socket_that_hangs_holds_up_neither_the_gate_nor_an_order(rig, tmp_path):
    """The first write hangs; green is judged and an abort is heard; nothing was given to green."""
    path = tmp_path / "hang.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        hanging = haproxy_router.open_router("shop", rig.settings(socket=str(path), timeout="300ms"))
        urls = {str(side): one.url for side, one in rig.sides.items()}
        probe = http_probe.open_probe("web", {**urls, "timeout": "500ms"})
        shift = Shift(tmp_path, routers=[hanging], probes={"web": probe}, **LONG).begin()
        wait_until(lambda: len(shift.events("step.retried")) >= 2, 30.0)
        assert shift.events("gate.judged")
        shift.order(Command.ABORT)
        wait_until(lambda: shift.events("revert.retried"), 30.0)
        assert rig.open_router().read() == ALL_BLUE
        path.unlink()
        path.symlink_to(rig.dir / "admin.sock")  # the real one is there again
        assert shift.ended() is Phase.REVERTED
        probe.close()
    assert rig.visit(10) == {"blue": 10, "green": 0, "failed": 0}


def test_a_second_writer_in_the_middle_is_not_written_over(rig, tmp_path):
    urls = {str(side): server.url for side, server in rig.sides.items()}
    probe = http_probe.open_probe("web", {**urls, "timeout": "500ms"})
    shift = Shift(tmp_path, routers=[rig.open_router()], probes={"web": probe}, hold="3s", budget="120s")
    shift.begin().in_phase(Phase.JUDGING)
    rig.write_elsewhere(Weights(70, 30))
    shift.in_phase(Phase.PAUSED)
    assert rig.open_router().read() == Weights(70, 30)
    shift.until(lambda: shift.events("run.paused"))
    assert "70/30" in shift.events("run.paused")[0]["reason"]
    shift.order(Command.ABORT)
    assert shift.ended() is Phase.REVERTED
    assert rig.open_router().read() == ALL_BLUE
    probe.close()


def test_a_wall_clock_that_is_set_back_changes_no_duration(rig, tmp_path, monkeypatch):
    """Law 10: durations are monotonic; the time of day is for people."""
    urls = {str(side): server.url for side, server in rig.sides.items()}
    probe = http_probe.open_probe("web", {**urls, "timeout": "500ms"})
    real, stepped = time.time, threading.Event()
    monkeypatch.setattr(time, "time", lambda: real() - (86_400 if stepped.is_set() else 0))
    shift = Shift(tmp_path, routers=[rig.open_router()], probes={"web": probe}, hold="2s", budget="60s", bake="1s")
    began = time.monotonic()
    shift.begin().in_phase(Phase.JUDGING)
    stepped.set()
    assert shift.ended() is Phase.DONE
    assert time.monotonic() - began >= 5.0  # 2 s at 50 %, 2 s at 100 %, 1 s of bake
    assert all(data["seconds"] >= 2.0 for data in shift.events("step.passed"))
    probe.close()
