"""Envoy's own traps, each against a real Envoy."""

import contextlib
import socket
import threading
import time

import pytest
from rig_envoy import PREFIX, EnvoyRig
from rig_http import each_write_reaches_the_next_request, wait_until

from bluegreen.model.errors import ConflictError, InvalidInputError, NotFoundError, RefusedError, TransientError
from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side
from bluegreen_adapters.envoy_router import PERMISSIONS, open_router

ALL_BLUE, HALF, ALL_GREEN = Weights(100, 0), Weights(50, 50), Weights(0, 100)
MARK = "bluegreen.owner"
CHECK = {"timeout": "1s", "interval": "0.1s", "unhealthy_threshold": 1, "healthy_threshold": 1, "tcp_health_check": {}}


@contextlib.contextmanager
def envoy_with(path, **config):
    rig = EnvoyRig(path, **config)
    try:
        yield rig
    finally:
        rig.close()


@pytest.fixture
def envoy(tmp_path):
    with envoy_with(tmp_path) as rig:
        yield rig


def test_weights_and_mark_are_written_and_only_the_mark_goes_at_the_end(envoy):
    router = envoy.open_router()
    router.shift(ALL_GREEN, expect=ALL_BLUE)
    assert envoy.keys() == {"blue": "0", "green": "100", MARK: "bluegreen"}
    router.finalize()
    assert envoy.keys() == {"blue": "0", "green": "100"}
    assert envoy.visit(20) == {"blue": 0, "green": 20, "failed": 0}


def test_what_is_served_already_is_not_written(envoy):
    envoy.open_router().shift(ALL_BLUE, expect=HALF)
    envoy.open_router().finalize()
    assert envoy.keys() == {}


def test_anothers_mark_is_respected_also_at_the_end(envoy):
    router = envoy.open_router()
    envoy.open_router(owner="the-other").shift(HALF, expect=ALL_BLUE)
    for act in (lambda: router.shift(ALL_GREEN, expect=HALF), router.finalize):
        with pytest.raises(ConflictError, match="mark of 'the-other', and we are 'bluegreen'") as caught:
            act()
        assert caught.value.code == "envoy.owned"
        assert f"runtime_modify?{PREFIX}.{MARK}=" in caught.value.next_step
    assert router.read() == HALF
    assert envoy.keys()[MARK] == "the-other"


def test_a_writer_between_our_write_and_our_second_look_is_noticed(envoy):
    router = envoy.open_router()
    object.__setattr__(router, "admin", _Meddler(router.admin, lambda: envoy.write_elsewhere(Weights(70, 30))))
    with pytest.raises(ConflictError, match="right after our write") as caught:
        router.shift(HALF, expect=ALL_BLUE)
    assert caught.value.code == "envoy.not-read-back"
    assert envoy.open_router().read() == Weights(70, 30)


class _Meddler:
    """An admin interface beside which somebody acts after each write."""

    def __init__(self, admin, act):
        self.admin, self.act, self.address, self.ask = admin, act, admin.address, admin.ask

    def set_runtime(self, values):
        self.admin.set_runtime(values)
        self.act()


def test_a_restart_is_noticed_and_said(envoy):
    router = envoy.open_router()
    router.shift(HALF, expect=ALL_BLUE)
    envoy.restart()
    assert router.read() == ALL_BLUE
    assert not router.settled(HALF)
    with pytest.raises(ConflictError, match=r"of the config.*started at 20\d\d-.*runtime does not outlive") as caught:
        router.shift(ALL_GREEN, expect=HALF)
    assert caught.value.code == "envoy.restarted"
    assert router.read() == ALL_BLUE
    router.shift(HALF, expect=ALL_BLUE)
    assert router.read() == HALF


# ---- how a write reaches users ----


def test_no_request_ever_meets_one_key_without_the_other(envoy):
    """0/0 answers 404; 100/0 and 0/100 in turn would be 0/0 if the keys came one by one."""
    router, ended, seen = envoy.open_router(), threading.Event(), []
    users = [threading.Thread(target=_hammer, args=(envoy, ended, seen), daemon=True) for _ in range(3)]
    for user in users:
        user.start()
    served = ALL_BLUE
    try:
        for _ in range(60):
            to = ALL_GREEN if served == ALL_BLUE else ALL_BLUE
            router.shift(to, expect=served)
            served = to
    finally:
        ended.set()
        for user in users:
            user.join(30)
    assert sum(part["failed"] for part in seen) == 0
    assert sum(part["blue"] for part in seen) > 0
    assert sum(part["green"] for part in seen) > 0


def _hammer(rig, ended, seen):
    while not ended.is_set():
        seen.append(rig.visit(20))


def test_a_write_reaches_the_next_request_on_a_kept_connection(envoy):
    each_write_reaches_the_next_request(envoy, envoy.open_router())


def test_one_write_is_one_call_with_both_keys(envoy):
    router, written = envoy.open_router(), []
    recorder = _Meddler(router.admin, lambda: None)
    recorder.set_runtime = lambda values: (written.append(dict(values)), router.admin.set_runtime(values))
    other = envoy.open_router()
    object.__setattr__(other, "admin", recorder)
    other.shift(Weights(90, 10), expect=ALL_BLUE)
    assert written == [{f"{PREFIX}.blue": "90", f"{PREFIX}.green": "10", f"{PREFIX}.{MARK}": "bluegreen"}]


# ---- weights that cannot be governed ----


def test_nobody_served_is_refused(envoy):
    router = envoy.open_router()
    envoy.modify(blue=0, green=0)
    assert envoy.visit(3)["failed"] == 3
    with pytest.raises(RefusedError, match="nobody is served") as caught:
        router.read()
    assert caught.value.code == "envoy.serves-nothing"
    with pytest.raises(ConflictError):
        router.shift(HALF, expect=ALL_BLUE)


def test_weights_too_large_to_be_added_serve_nobody(envoy):
    envoy.modify(green=2**32 - 1)
    assert envoy.visit(3)["failed"] == 3
    with pytest.raises(RefusedError, match="nobody is served"):
        envoy.open_router().read()


def test_weights_of_another_scale_and_half_set_keys_are_read_as_shares(tmp_path):
    with envoy_with(tmp_path, weights=(9, 1)) as rig:
        router = rig.open_router()
        assert router.read() == Weights(90, 10)
        rig.modify(green=27)
        assert router.read() == Weights(25, 75)
        router.shift(HALF, expect=Weights(25, 75))
        assert router.read() == HALF
        rig.modify(blue="", green="")
        assert router.read() == Weights(90, 10)
        rig.modify(blue=100_000, green=1)
        assert router.read() == Weights(99, 1)


@pytest.mark.parametrize("text", ["abc", "50%", "0x10", "-5", "50.7", "true"])
def test_a_value_that_envoy_may_read_otherwise_is_refused(envoy, text):
    envoy.modify(green=text)
    with pytest.raises(RefusedError, match=rf"{PREFIX}\.green holds no whole number") as caught:
        envoy.open_router().read()
    assert caught.value.code == "envoy.not-a-number"


@pytest.mark.parametrize("layers", [None, [{"name": "base", "static_layer": {}}]])
def test_without_an_admin_layer_nothing_is_written(tmp_path, layers):
    with envoy_with(tmp_path, layers=layers) as rig:
        for act in (rig.open_router().read, lambda: rig.open_router().shift(HALF, expect=ALL_BLUE)):
            with pytest.raises(RefusedError, match="no admin layer") as caught:
                act()
            assert "admin_layer: {}" in caught.value.next_step
        with pytest.raises(RefusedError, match="no admin layer"):
            rig.open_router().admin.set_runtime({f"{PREFIX}.green": "1"})


def test_a_runtime_without_layers_is_one_admin_layer(tmp_path):
    with envoy_with(tmp_path, layers=[]) as rig:
        rig.open_router().shift(HALF, expect=ALL_BLUE)
        assert rig.open_router().read() == HALF


def test_a_layer_above_ours_that_sets_a_key_is_refused_before_the_write(tmp_path):
    above = {"name": "from-disk", "static_layer": {"routing": {"shop": {"green": 33}}}}
    layers = [{"name": "admin", "admin_layer": {}}, above]
    with envoy_with(tmp_path, layers=layers, weights=(67, 0)) as rig:
        router = rig.open_router()
        assert router.read() == Weights(67, 33)
        with pytest.raises(RefusedError, match=r"'from-disk' sets routing\.shop\.green above") as caught:
            router.shift(HALF, expect=Weights(67, 33))
        assert caught.value.code == "envoy.overridden"
        assert rig.keys() == {"green": "33"}


def test_a_layer_below_ours_is_a_start_like_any_other(tmp_path):
    below = {"name": "from-disk", "static_layer": {"routing": {"shop": {"blue": 75, "green": 25}}}}
    with envoy_with(tmp_path, layers=[below, {"name": "admin", "admin_layer": {}}]) as rig:
        rig.open_router().shift(HALF, expect=Weights(75, 25))
        assert rig.open_router().read() == HALF


def test_a_third_cluster_that_takes_traffic_is_refused_and_one_without_weight_is_not(tmp_path):
    three = [{"name": name, "weight": weight} for name, weight in (("blue", 100), ("green", 0), ("spare", 5))]
    with envoy_with(tmp_path, route={"clusters": three}, clusters={"spare": 1}) as rig:
        with pytest.raises(RefusedError, match="take traffic, too: spare") as caught:
            rig.open_router().read()
        assert f"{PREFIX}.spare" in caught.value.next_step
        rig.modify(spare=0)
        rig.open_router().shift(HALF, expect=ALL_BLUE)
        assert rig.visit(20)["failed"] == 0


def test_a_route_without_a_prefix_is_refused_with_what_to_write(tmp_path):
    with envoy_with(tmp_path, route={"runtime_key_prefix": ""}) as rig:
        with pytest.raises(RefusedError, match="no runtime_key_prefix") as caught:
            rig.open_router().read()
        assert f"runtime_key_prefix: {PREFIX}" in caught.value.next_step


def test_what_is_not_there_is_named(envoy):
    with pytest.raises(NotFoundError, match=f"there are: {PREFIX}"):
        envoy.open_router(prefix="routing.shoop").read()
    with pytest.raises(NotFoundError, match=r"no cluster grün in the weighted route; there are: blue, green"):
        envoy.open_router(green="grün").read()


def test_two_routes_with_the_prefix_must_agree(tmp_path):
    listed = [{"name": "blue", "weight": 50}, {"name": "green", "weight": 50}]
    weighted = {"runtime_key_prefix": PREFIX, "clusters": listed}
    other = {"match": {"prefix": "/api"}, "route": {"weighted_clusters": weighted}}
    with envoy_with(tmp_path, routes=[other]) as rig:
        with pytest.raises(RefusedError, match="2 routes have that prefix and different weights"):
            rig.open_router().read()
        rig.modify(blue=100, green=0)
        rig.open_router().shift(HALF, expect=ALL_BLUE)
        assert rig.open_router().read() == HALF


def test_routes_that_come_by_file_are_found_like_those_of_the_config(tmp_path):
    with envoy_with(tmp_path, by_file=True) as rig:
        rig.open_router().shift(ALL_GREEN, expect=ALL_BLUE)
        assert rig.visit(20) == {"blue": 0, "green": 20, "failed": 0}


def test_names_with_odd_characters_work(tmp_path):
    names = {"blue": "outbound|80||shop.old.svc:80", "green": "outbound|80||shop.new&svc+x%20=:80"}
    listed = [{"name": names["blue"], "weight": 1}, {"name": names["green"], "weight": 0}]
    with envoy_with(tmp_path, route={"clusters": listed}, names=names) as rig:
        router = rig.open_router(**names)
        router.shift(ALL_GREEN, expect=ALL_BLUE)
        assert router.settled(ALL_GREEN)
        assert rig.visit(20) == {"blue": 0, "green": 20, "failed": 0}


def test_a_receiver_without_a_healthy_host_gets_nothing_and_may_be_tried_again(tmp_path):
    with envoy_with(tmp_path, cluster={"health_checks": [CHECK | {"no_traffic_interval": "0.1s"}]}) as rig:
        router = rig.open_router()
        rig.sides[Side.GREEN].stop()
        wait_until(lambda: not _is_healthy(rig, "green"), 30.0)
        with pytest.raises(TransientError, match="none of its hosts is healthy") as caught:
            router.shift(HALF, expect=ALL_BLUE)
        assert caught.value.code == "envoy.receiver-down"
        assert rig.keys() == {}
        rig.sides[Side.GREEN].start()
        wait_until(lambda: _is_healthy(rig, "green"), 30.0)
        router.shift(HALF, expect=ALL_BLUE)
        assert router.settled(HALF)


def test_a_sender_that_died_does_not_hold_up_the_way_away_from_it(tmp_path):
    with envoy_with(tmp_path, cluster={"health_checks": [CHECK | {"no_traffic_interval": "0.1s"}]}) as rig:
        router = rig.open_router()
        wait_until(lambda: _is_healthy(rig, "green"), 30.0)
        router.shift(HALF, expect=ALL_BLUE)
        rig.sides[Side.GREEN].stop()
        wait_until(lambda: not _is_healthy(rig, "green"), 30.0)
        assert not router.settled(HALF)
        router.shift(ALL_BLUE, expect=HALF)
        assert router.settled(ALL_BLUE)
        assert rig.visit(10) == {"blue": 10, "green": 0, "failed": 0}


def test_a_cluster_without_hosts_is_no_receiver(tmp_path):
    with envoy_with(tmp_path, hosts={"green": []}) as rig:
        with pytest.raises(TransientError, match="has no host"):
            rig.open_router().shift(HALF, expect=ALL_BLUE)
        assert rig.open_router().read() == ALL_BLUE


def _is_healthy(rig, cluster):
    lines = rig.ask("clusters").text.splitlines()
    return any(line.startswith(f"{cluster}::") and line.endswith("health_flags::healthy") for line in lines)


# ---- the interface ----


def test_the_paths_of_the_permissions_are_enough_and_no_more_is_open(tmp_path):
    paths = [*PERMISSIONS.policy["admin"]["allow_paths"], {"exact": "/ready"}]
    with envoy_with(tmp_path, admin={"allow_paths": paths}) as rig:
        router = rig.open_router()
        router.shift(HALF, expect=ALL_BLUE)
        assert router.settled(HALF)
        router.finalize()
        assert rig.ask("quitquitquit").status_code == 403
        assert rig.ask("stats").status_code == 403


def test_a_forbidden_path_is_said_with_the_setting_that_opens_it(tmp_path):
    with envoy_with(tmp_path, admin={"allow_paths": [{"exact": "/ready"}, {"prefix": "/config_dump"}]}) as rig:
        with pytest.raises(RefusedError, match="403") as caught:
            rig.open_router().read()
        assert "allow_paths: {exact: /clusters}" in caught.value.next_step


def test_over_a_unix_socket_it_works_the_same(tmp_path):
    path = tmp_path / "admin.sock"
    with envoy_with(tmp_path, admin={"address": {"pipe": {"path": str(path)}}}, socket=path) as rig:
        router = rig.open_router()
        router.shift(HALF, expect=ALL_BLUE)
        assert router.read() == HALF


def test_a_listener_is_no_admin_interface(envoy):
    with pytest.raises(RefusedError, match="no JSON") as caught:
        envoy.open_router(admin=f"http://127.0.0.1:{envoy.port}").read()
    assert "admin section" in caught.value.next_step


def test_an_interface_that_hangs_is_left_after_the_timeout():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        router = open_router("r", {"admin": address, "prefix": "p", "timeout": "200ms"})
        began = time.monotonic()
        with pytest.raises(TransientError, match=r"no answer within 0.2 s"):
            router.read()
        assert time.monotonic() - began < 30.0


def test_proxies_of_the_environment_are_not_used(envoy, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert envoy.open_router().read() == ALL_BLUE


@pytest.mark.parametrize(
    "admin", ["ftp://x", "127.0.0.1:9901", "http://user:hunter2@x/", "http://x/path", "http://169.254.169.254", "nope"]
)
def test_an_address_that_can_be_none_is_refused_and_not_repeated(admin):
    with pytest.raises(InvalidInputError, match="admin ") as caught:
        open_router("shop", {"admin": admin, "prefix": "p"})
    assert "hunter2" not in str(caught.value)


def test_every_fault_of_the_settings_is_told_at_once():
    with pytest.raises(InvalidInputError) as caught:
        open_router("shop", {"prefx": "/x", "blue": "a b", "green": "a b", "timeout": "soon", "owner": "a,b"})
    text = " | ".join(caught.value.reasons)
    for part in (
        "prefix is missing",
        "prefx is not known; did you mean prefix?",
        "blue holds a character",
        "green is the same cluster as blue",
        "timeout must be a duration",
        "owner must be",
    ):
        assert part in text
