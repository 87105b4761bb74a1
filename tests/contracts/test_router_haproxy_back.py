"""HAProxy where no shares can be said (0/0, a third server) or where its socket is missing: the way back stays open."""

import contextlib
import time
from pathlib import Path

import pytest
from rig_haproxy import HaproxyRig, Recorder, other_haproxy
from rig_http import SmallServer

from bluegreen.config.models import Migration
from bluegreen.migration.connect import connect_traffic
from bluegreen.migration.connect_back import connect_back
from bluegreen.migration.reasons import Reasons
from bluegreen.model.errors import ConflictError, NoSharesError, RefusedError, TransientError
from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side
from bluegreen.slo.health import BlueHealth, Health
from bluegreen.traffic import weights
from bluegreen.traffic.pace import Pace

ALL_BLUE, HALF, ALL_GREEN = Weights(100, 0), Weights(50, 50), Weights(0, 100)


@pytest.fixture
def haproxy(tmp_path):
    rig = HaproxyRig(tmp_path)
    yield rig
    rig.close()


@pytest.fixture
def dark(haproxy):
    """Return HAProxy at 0/0."""
    haproxy.write_elsewhere(_Nobody())
    assert haproxy.visit(5) == {"blue": 0, "green": 0, "failed": 5}
    return haproxy


class _Nobody:
    """Weights that Weights cannot say."""

    def of(self, _side):
        return 0


def test_nobody_served_is_refused_on_the_way_out_with_what_to_type(dark):
    router = dark.open_router()
    with pytest.raises(NoSharesError, match="nobody is served") as caught:
        router.read()
    assert caught.value.code == "haproxy.serves-nothing"
    assert "bluegreen revert" in caught.value.next_step
    assert "bluegreen traffic set 0" in caught.value.next_step
    with pytest.raises(ConflictError):
        router.shift(HALF, expect=ALL_BLUE)
    with pytest.raises(NoSharesError):
        weights.shift([router], HALF, ALL_BLUE, _untold)


def test_out_of_nobody_served_the_way_back_gives_users_service_again(dark):
    router = dark.open_router()
    assert _back(router)
    assert router.read() == ALL_BLUE
    assert dark.visit(20) == {"blue": 20, "green": 0, "failed": 0}


def test_brought_back_twice_it_is_as_once(dark):
    router = dark.open_router()
    assert (router.bring_back(), router.bring_back()) == ("", "")
    assert router.read() == ALL_BLUE


def test_blue_is_raised_before_green_is_lowered_on_the_way_back_beside_a_third_server(tmp_path):
    with _three(tmp_path) as rig:
        said, router = [], rig.open_router()
        object.__setattr__(router, "socket", Recorder(router.socket, said))
        router.bring_back()
        assert [line for line in said if line.startswith("set")] == [
            "set weight shop/blue 100",
            "set weight shop/green 0",
        ]


@contextlib.contextmanager
def _three(tmp_path):
    """HAProxy at 50/50 with a third server that takes traffic: blue once more, under another name."""
    spare = SmallServer(Side.BLUE)
    try:
        third = f"server third 127.0.0.1:{spare.port} weight 50"
        with other_haproxy(tmp_path / "three", weights=(50, 50), servers=third) as rig:
            yield rig
    finally:
        spare.stop()


def test_beside_a_third_server_green_is_left_and_the_third_is_told_with_what_to_type(tmp_path):
    with _three(tmp_path) as rig:
        router, told = rig.open_router(), []
        with pytest.raises(NoSharesError, match="third"):
            weights.shift([router], ALL_GREEN, HALF, _untold)
        assert rig.visit(30)["green"] == 10, "refused on the way out, nothing is written"

        assert _back(router, lambda name, /, **data: told.append((name, data)))
        seen = rig.visit(30)
        assert (seen["green"], seen["failed"]) == (0, 0)
        notice = next(data["text"] for name, data in told if name == "notice")
        assert "other servers take traffic, too: third" in notice
        assert "set weight shop/third 0" in notice

        rig.socket.ask("set weight shop/third 0")
        assert router.read() == ALL_BLUE


@pytest.mark.parametrize(("state", "word"), [("drain", "DRAIN"), ("maint", "MAINT")])
def test_a_blue_that_is_out_of_service_is_not_called_back_and_green_is_kept(haproxy, state, word):
    router = haproxy.open_router()
    router.shift(ALL_GREEN, expect=ALL_BLUE)
    haproxy.socket.ask(f"set server shop/blue state {state}")
    with pytest.raises(RefusedError, match=word) as caught:
        router.bring_back()
    assert "set server shop/blue state ready" in caught.value.next_step
    assert router.read() == ALL_GREEN


def test_a_blue_that_has_its_weight_and_is_out_of_service_is_no_reason_to_lower_green(haproxy):
    router = haproxy.open_router()
    router.shift(HALF, expect=ALL_BLUE)
    haproxy.socket.ask("set weight shop/blue 100;set server shop/blue state drain")
    with pytest.raises(RefusedError, match="DRAIN"):
        router.bring_back()
    assert haproxy.visit(10) == {"blue": 0, "green": 10, "failed": 0}


def test_where_blue_alone_is_drained_the_command_that_serves_again_is_told(haproxy):
    haproxy.socket.ask("set server shop/blue state drain")
    with pytest.raises(NoSharesError) as caught:
        haproxy.open_router().read()
    assert "set server shop/blue state ready" in caught.value.next_step


def test_a_migration_does_not_begin_where_nobody_is_served_and_a_way_back_does(dark):
    reasons = Reasons()
    connect_traffic(_config(dark.settings()), reasons)
    assert "nobody is served" in reasons.found[0]
    back = connect_back(_config(dark.settings()), ())
    assert not back.left
    assert _back(back.routers[0])
    assert dark.visit(5)["blue"] == 5


def _untold(_name, /, **_data):
    """Emit to nobody."""


def _back(router, emit=_untold):
    """Go back onto a healthy blue; say whether everything is back."""
    pace = Pace(time.monotonic, time.sleep)
    healthy = BlueHealth(Health.HEALTHY)
    return weights.revert([router], lambda: healthy, pace=pace, within=10.0, emit=emit, known=healthy).reverted


def _config(settings) -> Migration:
    """Return a configuration with one route, whose clusters are not there."""
    given = {
        "from": "nowhere",
        "to": "elsewhere",
        "namespaces": ["shop"],
        "routes": [{"name": "shop", "router": "haproxy", "with": settings}],
        "probes": [{"name": "shop", "probe": "tcp", "with": {"blue": "127.0.0.1:1", "green": "127.0.0.1:1"}}],
        "objectives": [{"name": "up", "probe": "shop", "good": "99%"}],
    }
    return Migration.model_validate(given)


@contextlib.contextmanager
def _without_socket(rig):
    """Take the socket's file away as a restart does for a moment; yields a function that brings it back."""
    path = Path(rig.socket.address)
    away = path.rename(path.with_suffix(".away"))
    yield lambda: away.rename(path) if away.exists() else None
    if away.exists():
        away.rename(path)


def test_a_socket_that_is_missing_may_be_tried_again(haproxy):
    router = haproxy.open_router()
    with _without_socket(haproxy) as bring_back:
        for act in (router.read, lambda: router.shift(HALF, expect=ALL_BLUE), lambda: router.settled(ALL_BLUE)):
            with pytest.raises(TransientError, match="no such socket") as caught:
                act()
            assert caught.value.code == "haproxy.no-socket"
        bring_back()
        router.shift(HALF, expect=ALL_BLUE)
        assert router.read() == HALF


def test_a_socket_that_is_missing_for_a_moment_does_not_end_the_waiting_for_weights(haproxy):
    router, looks = haproxy.open_router(), []
    router.shift(HALF, expect=ALL_BLUE)
    with _without_socket(haproxy) as bring_back:

        def sleep(seconds):
            looks.append(seconds)
            if len(looks) == 3:
                bring_back()

        assert weights.settle([router], HALF, 30.0, Pace(time.monotonic, sleep), _untold)
    assert len(looks) == 3


def test_a_wrong_path_is_told_at_once_before_a_migration_with_the_path_and_what_to_type(haproxy):
    path, reasons = str(haproxy.dir / "none.sock"), Reasons()
    connect_traffic(_config(haproxy.settings(socket=path)), reasons)
    assert f"asking HAProxy at {path}" in reasons.found[0]
    assert "no such socket" in reasons.found[0]
    assert f"stats socket {path} mode 660 level admin" in reasons.found[0]
