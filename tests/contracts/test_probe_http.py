"""The HTTP probe's own traps: what decides, what it must not follow, and whose fault it is.

The contract that every probe keeps is in test_probe.py.
"""

import errno
import time

import httpx
import pytest
from rig_probes import TIMEOUT, HttpProbeRig

from bluegreen.model.errors import InvalidInputError
from bluegreen.model.refs import Side
from bluegreen.model.samples import Broken, Counts
from bluegreen_adapters import http_faults, http_probe
from scenarios.ports import free_port


@pytest.fixture
def http(tmp_path):
    rig = HttpProbeRig(tmp_path)
    yield rig
    rig.close()


def test_status_body_and_header_decide(http):
    manners = http.sides[Side.GREEN].manners
    manners.status, manners.body, manners.header = 404, "all is well", {"X-Version": "v2.1"}
    for settings, good in (
        ({}, False),
        ({"status": 404}, True),
        ({"status": ["200-299", 404]}, True),
        ({"status": 404, "body": "well"}, True),
        ({"status": 404, "body": "ill"}, False),
        ({"status": 404, "header": {"x-version": "v2"}}, True),
        ({"status": 404, "header": {"X-Version": "v3"}}, False),
    ):
        probe = http.open_probe(**settings)
        sample = probe.sample(Side.GREEN)
        assert (sample.good, sample.bad) == ((1, 0) if good else (0, 1)), (settings, sample)
        probe.close()


def test_latency_is_measured_per_answer(http):
    http.sides[Side.GREEN].manners.delay = 0.1
    probe, began = http.open_probe(), time.monotonic()
    sample = probe.sample(Side.GREEN)
    assert len(sample.latencies) == 1
    assert 0.1 <= sample.latencies[0] <= time.monotonic() - began


def test_a_body_that_drips_cannot_hold_the_probe_up(http):
    manners = http.sides[Side.GREEN].manners
    manners.body, manners.drip = "x" * 100, 0.1
    began = time.monotonic()
    sample = http.open_probe().sample(Side.GREEN)
    assert sample.bad == 1
    assert time.monotonic() - began < TIMEOUT + 3.0  # all of it would take 10 s


def test_a_large_body_is_not_read_to_its_end(http):
    http.sides[Side.GREEN].manners.body = "x" * 3_000_000
    assert http.open_probe().sample(Side.GREEN).good == 1


def test_redirects_are_not_followed_unless_asked(http):
    manners = http.sides[Side.GREEN].manners
    manners.status, manners.header = 302, {"Location": http.sides[Side.BLUE].url}
    assert http.open_probe(status=302).sample(Side.GREEN).good == 1
    assert http.open_probe(status=200, follow_redirects=True).sample(Side.GREEN).good == 1
    assert http.sides[Side.BLUE].manners.served == 1


def test_proxies_of_the_environment_are_not_used(http, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{free_port()}")
    assert http.open_probe().sample(Side.GREEN).good == 1


def test_the_connection_is_kept(http):
    probe = http.open_probe()
    for _ in range(5):
        probe.sample(Side.GREEN)
    assert len(http.sides[Side.GREEN]._server.connections) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
        "http://[::ffff:169.254.169.254]/",
        "http://metadata.google.internal/",
        "http://METADATA.google.internal./",
    ],
)
def test_metadata_addresses_are_refused(http, url):
    with pytest.raises(InvalidInputError, match="metadata"):
        http.open_probe(green=url)


def test_a_name_that_leads_to_a_forbidden_address_gets_no_request(http, monkeypatch):
    monkeypatch.setattr(http_faults, "_METADATA_ADDRESSES", frozenset({"127.0.0.1"}))
    probe = http_probe.open_probe(
        "p", {str(side): server.url.replace("127.0.0.1", "localhost") for side, server in http.sides.items()}
    )
    sample = probe.sample(Side.GREEN)
    assert isinstance(sample, Broken)
    assert "metadata" in sample.reason
    assert http.sides[Side.GREEN].manners.served == 0


@pytest.mark.parametrize(
    ("number", "ours"),
    [
        (errno.ECONNREFUSED, False),
        (errno.ECONNRESET, False),
        (errno.ETIMEDOUT, False),
        (errno.EHOSTUNREACH, False),
        (errno.ENETUNREACH, True),
        (errno.EMFILE, True),
        (errno.EADDRNOTAVAIL, True),
    ],
)
def test_whose_fault_it_is_follows_the_first_cause(number, ours):
    error = httpx.ConnectError("x")
    error.__cause__ = OSError(number, "why")
    assert bool(http_faults.own_fault(error)) is ours


def test_too_many_open_files_is_the_probes_own_fault(http):
    import resource  # noqa: PLC0415 - only here

    probe = http.open_probe()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))  # which all have: no further one is given
        sample = probe.sample(Side.GREEN)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert isinstance(sample, Broken), sample
    assert "open files" in sample.reason


def test_a_bad_certificate_is_the_targets_fault(http):
    sample = http.open_probe(green=http.sides[Side.GREEN].url.replace("http:", "https:")).sample(Side.GREEN)
    assert isinstance(sample, Counts)
    assert sample.bad == 1


def test_every_fault_of_the_settings_is_told_at_once_and_no_value():
    with pytest.raises(InvalidInputError) as caught:
        http_probe.open_probe(
            "web",
            {
                "blue": "ftp://x",
                "green": "http://user:hunter2@x/",
                "statuss": 200,
                "status": "2xx",
                "timeout": True,
                "send": {"Authorization": 7},
                "verify": "/no/such/file",
            },
        )
    text = " | ".join(caught.value.reasons)
    for part in (
        "blue must be a URL",
        "green must hold no user or password",
        "statuss is not known; did you mean status?",
        "status must be a code",
        "timeout must be a duration",
        "send must be a mapping",
        "verify must be",
    ):
        assert part in text
    assert "hunter2" not in str(caught.value)
