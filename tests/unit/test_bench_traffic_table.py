"""The traffic bench's arithmetic: each target can be missed, what was not measured is missed, none is rounded away."""

import json
import socket
import time

import pytest

from scenarios.bench_traffic import __main__ as bench
from scenarios.bench_traffic.table import Measured, Way, absent, failed, row, table
from scenarios.bench_traffic.tap import Tap, holds, is_dns_update

WAYS = (Way(10.0, 10.05, 10.02), Way(0.0, 0.1, -0.1), Way(30.0, 30.02, None))
FULL = {"blue": 60, "green": 40}


def got(**more):
    given = {"ways": WAYS, "answers": FULL, "back_answers": {"green 500": 3, "blue": 9}, "ttl": None, "about": {}}
    return Measured(**{**given, **more})


def test_a_row_that_reaches_its_targets():
    found = row("haproxy", got())

    assert found["missed"] == []
    assert found["verdict_to_first_write_ms"] == {"median": 50.0, "max": 100.0}
    assert found["verdict_to_last_wrong_answer_s"] == {"median": 0.0, "max": 0.02}
    assert (found["requests"], found["requests_on_green"], found["requests_lost"]) == (100, 40, 0)
    assert table([found], ["haproxy"])["ok"]


@pytest.mark.parametrize(
    ("more", "missed"),
    [
        ({"ways": (Way(10.0, 10.1001, 10.0),)}, "verdict_to_first_write_ms"),
        ({"ways": (Way(0.0, 0.0001, None), Way(0.0, float("inf"), None))}, "verdict_to_first_write_ms"),
        ({"ways": (Way(10.0, 10.01, 11.01),)}, "verdict_to_last_wrong_answer_s"),
        ({"ways": (Way(10.0, 10.01, 13.01),), "ttl": 1}, "verdict_to_last_wrong_answer_s"),
        ({"answers": {**FULL, "lost": 1}}, "requests_lost"),
        ({"answers": {**FULL, "green 500": 1}}, "requests_lost"),
        ({"answers": {"blue": 100}}, "requests_lost"),
        ({"back_answers": {"blue": 9}}, "nobody was on green before the verdict"),
    ],
)
def test_each_target_can_be_missed(more, missed):
    found = row("haproxy", got(**more))

    assert found["missed"] == [missed]
    assert not table([found], ["haproxy"])["ok"]


def test_nothing_measured_is_missed():
    assert {"verdict_to_first_write_ms", "verdict_to_last_wrong_answer_s"} <= set(row("x", got(ways=()))["missed"])


def test_a_required_router_without_a_row_or_measure_is_no_success():
    good = row("haproxy", got())

    assert not table([good], ["haproxy", "envoy"])["ok"]
    assert not table([good, absent("envoy", "why")], ["haproxy", "envoy"])["ok"]
    assert not table([good, failed("envoy", "why")], ["haproxy"])["ok"]
    assert table([good, absent("gateway-api", "the lab is down")], ["haproxy"])["ok"]


def test_the_command_fails_with_the_table_when_a_row_misses(monkeypatch, capsys):
    late = row("haproxy", got(ways=(Way(10.0, 10.2, 10.0),)))
    monkeypatch.setattr(bench, "rows", lambda: [late])
    monkeypatch.setattr(bench, "REQUIRED", ("haproxy",))
    monkeypatch.setattr(bench.signal, "signal", lambda *_: None)

    assert bench.main() == 1
    out, err = capsys.readouterr()
    assert json.loads(out) == {"ok": False, "rows": [late]}
    assert "missed: haproxy: verdict_to_first_write_ms" in err


def test_the_tap_forwards_all_and_notes_writes_only():
    with socket.create_server(("127.0.0.1", 0)) as server:
        tap = Tap(server.getsockname()[1], holds(b"set weight"))
        try:
            with socket.create_connection(("127.0.0.1", tap.port)) as client:
                far, _ = server.accept()
                with far:
                    far.settimeout(5)
                    client.sendall(b"get weight shop/blue\n")
                    assert far.recv(100) == b"get weight shop/blue\n"
                    assert tap.writes == []
                    began = time.monotonic()
                    client.sendall(b"set weight shop/blue 0\n")
                    assert far.recv(100) == b"set weight shop/blue 0\n"
                    assert began <= tap.writes[0] <= time.monotonic()
        finally:
            tap.close()


def test_an_update_is_told_from_a_question():
    assert is_dns_update(b"\0\x20\x12\x34\x28\0")
    assert not is_dns_update(b"\0\x20\x12\x34\x01\0")
    assert not is_dns_update(b"\0\x20")
