"""The Envoy probe's own traps, against a real Envoy in front of servers that misbehave.

The contract that every probe keeps is in test_probe.py.
"""

import socket
import threading

import pytest
from rig_envoy import EnvoyProbeRig
from rig_http import plain_client, wait_until

from bluegreen.model.errors import InvalidInputError
from bluegreen.model.refs import Side
from bluegreen.model.samples import Broken, Counts, NoData
from bluegreen_adapters.envoy_probe import PERMISSIONS, open_probe

LIMITS = {"thresholds": [{"max_connections": 1, "max_pending_requests": 1}]}


class RawServer:
    """Answers each connection's first request with fixed bytes and closes; None keeps silent."""

    def __init__(self, reply):
        self.reply, self.listener, self.ended = reply, socket.create_server(("127.0.0.1", 0)), threading.Event()
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with connection:
            connection.recv(65536)
            if self.reply is None:
                self.ended.wait(30)
                return
            connection.sendall(self.reply)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)

    def close(self):
        self.ended.set()
        self.listener.close()


@pytest.fixture
def rig(tmp_path):
    rig = EnvoyProbeRig(tmp_path)
    yield rig
    rig.close()


@pytest.fixture
def raw(tmp_path):
    """Return a function that puts a raw server behind green and returns what the probe saw of so many users."""
    made = []

    def see(reply, count, **route):
        server = RawServer(reply)
        rig = EnvoyProbeRig(tmp_path, hosts={"green": [server.port]}, **route)
        made.extend([server, rig])
        probe = rig.open_probe()
        return rig.see(probe, Side.GREEN, count)[0]

    yield see
    for one in made:
        one.close()


def told(sample):
    assert isinstance(sample, Counts), sample
    return sample.good, sample.bad


# ---- what counts ----


def test_the_first_look_counts_nothing_and_no_user_is_no_data(rig):
    rig.see(rig.open_probe(), Side.GREEN, 3)
    probe = open_probe("p", {"admin": rig.envoy.admin})
    assert isinstance(probe.sample(Side.GREEN), NoData)
    assert isinstance(probe.sample(Side.GREEN), NoData)
    assert rig.see(probe, Side.GREEN, 2)[0] == Counts(good=2, bad=0, synthetic=False)


def test_a_target_that_refuses_is_told_as_failed_connections(rig):
    probe = rig.open_probe()
    rig.sides[Side.GREEN].stop()
    sample = rig.see(probe, Side.GREEN, 3)[0]
    assert told(sample) == (0, 3)
    assert "3 5xx answers" in sample.example
    assert "failed connections" in sample.example


def test_a_target_that_is_too_slow_is_told_as_a_timeout(raw):
    sample = raw(None, 1)
    assert told(sample) == (0, 1)
    assert sample.example == "1 5xx answers, 1 timeouts"


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ],
)
def test_answers_that_break_off_in_the_middle_are_bad_though_envoy_charges_a_200(raw, reply):
    sample = raw(reply, 2)
    assert told(sample) == (0, 2)
    assert sample.example == "2 answers cut in the middle"


def test_answers_that_break_off_before_they_begin_are_counted_once(raw):
    assert told(raw(b"", 4)) == (0, 4)


def test_what_is_no_http_is_counted_once(raw):
    assert told(raw(b"garbage\r\n\r\n", 4)) == (0, 4)


def test_a_server_that_closes_after_a_whole_answer_is_good(raw):
    assert told(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", 4)) == (4, 0)


def test_an_interim_answer_is_no_second_request(raw):
    interim = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    # The server closes after each answer; unless it says so, Envoy may send the next request into that.
    assert told(raw(interim + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", 4)) == (4, 0)


def test_a_code_of_no_class_is_an_answer(raw):
    assert told(raw(b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 3)) == (3, 0)


def test_tries_that_failed_count_once_as_the_user_met_them(tmp_path):
    retried = {"retry_policy": {"retry_on": "5xx", "num_retries": 3}}
    rig = EnvoyProbeRig(tmp_path, action=retried)
    try:
        probe = rig.open_probe()
        rig.sides[Side.GREEN].manners.status = 503
        assert told(rig.see(probe, Side.GREEN, 2)[0]) == (0, 2)
        assert rig.sides[Side.GREEN].manners.served == 8
    finally:
        rig.close()


def test_users_turned_away_by_the_circuit_breaker_are_bad(tmp_path):
    # With two workers each may open a connection of its own, whatever the limit says.
    rig = EnvoyProbeRig(tmp_path, cluster={"circuit_breakers": LIMITS}, action={"timeout": "30s"}, workers=1)
    try:
        probe = rig.open_probe()
        rig.send_to(Side.GREEN)
        rig.envoy.patience = 60.0
        answers = rig.sides[Side.GREEN].manners.until = threading.Event()  # the second user waits for the first
        served = [threading.Thread(target=rig.envoy.visit, args=(1,), daemon=True) for _ in range(2)]
        served[0].start()
        # As long as the first one's connection is being opened he waits himself, and nobody else may.
        wait_until(lambda: rig.sides[Side.GREEN].manners.served == 1, 30.0)
        served[1].start()
        wait_until(lambda: _waiting(rig) == 1, 30.0)
        assert rig.envoy.visit(2)["failed"] == 2
        answers.set()
        for user in served:
            user.join(30)
        seen = []

        def all_counted():
            sample = probe.sample(Side.GREEN)
            seen.extend([sample] if isinstance(sample, Counts) else [])
            return sum(sum(told(one)) for one in seen) >= 4

        wait_until(all_counted, 30.0)
        assert (sum(one.good for one in seen), sum(one.bad for one in seen)) == (2, 2)
        assert any("over the circuit breaker's limit" in one.example for one in seen)
    finally:
        rig.close()


def test_a_user_who_leaves_counts_nowhere(rig):
    probe = rig.open_probe()
    rig.send_to(Side.GREEN)
    rig.sides[Side.GREEN].manners.delay = 1.5
    with socket.create_connection(("127.0.0.1", rig.envoy.port)) as user:
        user.sendall(b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
        wait_until(lambda: rig.sides[Side.GREEN].manners.served, 30.0)
    assert isinstance(probe.sample(Side.GREEN), NoData)


def test_classes_that_count_as_bad_can_be_chosen(rig):
    rig.sides[Side.GREEN].manners.status = 404
    assert told(rig.see(rig.open_probe(), Side.GREEN, 3)[0]) == (3, 0)
    assert told(rig.see(rig.open_probe(bad=["4xx", "5xx"]), Side.GREEN, 3)[0]) == (0, 3)


# ---- counters that start again ----


def test_a_restart_loses_one_interval_also_when_the_counters_are_higher_than_before(rig):
    probe = rig.open_probe()
    rig.see(probe, Side.GREEN, 3)
    rig.envoy.restart()
    sample = rig.see(probe, Side.GREEN, 9)[0]
    assert isinstance(sample, NoData)
    assert "restarted" in sample.reason
    assert told(rig.see(probe, Side.GREEN, 2)[0]) == (2, 0)


def test_reset_counters_are_noticed(rig):
    probe = rig.open_probe()
    rig.see(probe, Side.GREEN, 9)
    with plain_client() as person:
        person.post(f"{rig.envoy.admin}/reset_counters")
    assert isinstance(probe.sample(Side.GREEN), NoData)
    assert told(rig.see(probe, Side.GREEN, 2)[0]) == (2, 0)


# ---- a probe that cannot see ----


def test_an_unknown_cluster_is_a_broken_probe(rig):
    sample = rig.open_probe(green="gren").sample(Side.GREEN)
    assert isinstance(sample, Broken)
    assert "'gren'" in sample.reason


def test_a_router_that_counts_no_answers_is_a_broken_probe_and_no_side_without_users(tmp_path):
    rig = EnvoyProbeRig(tmp_path, router={"dynamic_stats": False})
    try:
        sample = rig.see(rig.open_probe(), Side.GREEN, 25)[0]
        assert isinstance(sample, Broken)
        assert "dynamic_stats" in sample.reason
    finally:
        rig.close()


def test_names_that_statistics_write_otherwise_are_found(tmp_path):
    names = {"blue": "outbound|80||old.svc:80", "green": "new.svc:80"}
    listed = [{"name": names["blue"], "weight": 0}, {"name": names["green"], "weight": 100}]
    rig = EnvoyProbeRig(tmp_path, route={"clusters": listed}, names=names)
    try:
        probe = rig.open_probe(**names)
        rig.envoy.visit(3)
        assert told(probe.sample(Side.GREEN)) == (3, 0)
        assert isinstance(probe.sample(Side.BLUE), NoData)
    finally:
        rig.close()


def test_the_paths_of_the_permissions_are_enough(tmp_path):
    paths = [*PERMISSIONS.policy["admin"]["allow_paths"], {"exact": "/ready"}, {"prefix": "/runtime_modify"}]
    rig = EnvoyProbeRig(tmp_path, admin={"allow_paths": paths})
    try:
        assert told(rig.see(rig.open_probe(), Side.GREEN, 3)[0]) == (3, 0)
    finally:
        rig.close()


def test_it_says_that_it_cannot_judge_latency(rig):
    assert rig.open_probe().gives_latency is False


def test_every_fault_of_the_settings_is_told_at_once():
    with pytest.raises(InvalidInputError) as caught:
        open_probe("p", {"admin": "ftp://x", "blue": "g", "green": "g", "bad": ["6xx"], "badd": 1})
    text = " | ".join(caught.value.reasons)
    for part in ("admin must be a URL", "green is the same cluster", "1 class(es) that do not exist", "badd is not"):
        assert part in text


def _waiting(rig):
    rows = rig.envoy.ask("stats", filter=r"^cluster\.green\.upstream_rq_pending_active$").text
    return int(rows.rpartition(": ")[2])
