"""The contract of Probe, run by every probe against real servers.

A probe joins by one line in RIGS: a function that takes a directory and returns a rig with open_probe, see (makes the
probe notice that many requests to a side), sides, blind (breaks the probe's own sight), close.
"""

import errno
import threading
import time

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rig_envoy import EnvoyProbeRig
from rig_haproxy import HaproxyRig
from rig_http import free_port, two_servers

from bluegreen.model.errors import InvalidInputError
from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side
from bluegreen.model.samples import Broken, Counts, NoData
from bluegreen_adapters import haproxy_probe, http_faults, http_probe

TIMEOUT = 0.5


class HttpProbeRig:
    """The HTTP probe makes its own requests."""

    def __init__(self, directory) -> None:
        self.sides = two_servers()

    def open_probe(self, **more):
        urls = {str(side): server.url for side, server in self.sides.items()}
        return http_probe.open_probe("p", {**urls, "timeout": TIMEOUT, **more})

    def see(self, probe, side, count):
        return [probe.sample(side) for _ in range(count)]

    def blind(self):
        return self.open_probe(blue="http://no-such-name.invalid/", green="http://no-such-name.invalid/")

    def close(self):
        for server in self.sides.values():
            server.stop()


class HaproxyProbeRig:
    """The HAProxy probe sees what users do."""

    def __init__(self, directory) -> None:
        self.haproxy = HaproxyRig(directory)
        self.sides = self.haproxy.sides

    def open_probe(self, **more):
        probe = haproxy_probe.open_probe("p", self.haproxy.settings(timeout=TIMEOUT, **more))
        for side in Side:
            probe.sample(side)
        return probe

    def see(self, probe, side, count):
        self.haproxy.write_elsewhere(Weights.for_green(100 if side is Side.GREEN else 0))
        self.haproxy.visit(count)
        return [probe.sample(side)]

    def blind(self):
        probe = self.open_probe()
        self.haproxy.cut()
        return probe

    def close(self):
        self.haproxy.close()


RIGS = {"envoy": EnvoyProbeRig, "http": HttpProbeRig, "haproxy": HaproxyProbeRig}


@pytest.fixture(params=RIGS.values(), ids=RIGS)
def rig(request, tmp_path):
    rig = request.param(tmp_path)
    yield rig
    rig.close()


@pytest.fixture
def probe(rig):
    probe = rig.open_probe()
    yield probe
    probe.close()


def total(samples):
    counts = [sample for sample in samples if isinstance(sample, Counts)]
    return sum(sample.good for sample in counts), sum(sample.bad for sample in counts)


# ---- every probe ----


def test_good_answers_are_counted_good_on_their_own_side(rig, probe):
    assert probe.name == "p"
    assert total(rig.see(probe, Side.GREEN, 5)) == (5, 0)
    assert total(rig.see(probe, Side.BLUE, 3)) == (3, 0)
    assert all(sample.synthetic is probe.synthetic for sample in rig.see(probe, Side.GREEN, 1))


def test_errors_of_the_server_are_bad_and_have_an_example(rig, probe):
    rig.sides[Side.GREEN].manners.status = 503
    samples = rig.see(probe, Side.GREEN, 4)
    assert total(samples) == (0, 4)
    assert "5" in samples[0].example
    assert total(rig.see(probe, Side.BLUE, 4)) == (4, 0)


def test_a_dead_target_is_bad_and_no_broken_probe(rig, probe):
    rig.sides[Side.GREEN].stop()
    samples = rig.see(probe, Side.GREEN, 2)
    assert total(samples)[0] == 0
    assert total(samples)[1] >= 2
    assert samples[-1].example


def test_an_answer_that_breaks_off_is_bad(rig, probe):
    rig.sides[Side.GREEN].manners.breaks_off = True
    good, bad = total(rig.see(probe, Side.GREEN, 3))
    assert good == 0
    assert bad >= 1  # HAProxy leaves the first on a kept connection to the client, who asks again


def test_a_target_that_hangs_is_bad_within_bounded_time(rig, probe):
    rig.sides[Side.GREEN].manners.delay = 30.0
    began = time.monotonic()
    good, bad = total(rig.see(probe, Side.GREEN, 1))
    assert (good, bad) == (0, 1)
    assert time.monotonic() - began < 6.0


def test_a_blind_probe_is_broken_and_never_a_bad_target(rig):
    probe = rig.blind()
    for side in Side:
        sample = probe.sample(side)
        assert isinstance(sample, Broken)
        assert sample.reason
    probe.close()


def test_it_recovers_when_the_target_comes_back(rig, probe):
    rig.sides[Side.GREEN].stop()
    rig.see(probe, Side.GREEN, 1)
    rig.sides[Side.GREEN].start()
    time.sleep(0.1)
    assert total(rig.see(probe, Side.GREEN, 3))[0] == 3


def test_both_sides_can_be_sampled_at_once(rig, probe):
    seen = {side: [] for side in Side}

    def look(side):
        for _ in range(20):
            seen[side].append(probe.sample(side))

    threads = [threading.Thread(target=look, args=(side,), daemon=True) for side in Side]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [len(samples) for samples in seen.values()] == [20, 20]
    assert not any(isinstance(sample, Broken) for samples in seen.values() for sample in samples)


def test_close_may_be_called_twice(rig):
    probe = rig.open_probe()
    probe.close()
    probe.close()


# ---- the HTTP probe ----


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
    sample = http.open_probe().sample(Side.GREEN)
    assert len(sample.latencies) == 1
    assert 0.1 <= sample.latencies[0] < 0.4


def test_a_body_that_drips_cannot_hold_the_probe_up(http):
    manners = http.sides[Side.GREEN].manners
    manners.body, manners.drip = "x" * 100, 0.1
    began = time.monotonic()
    sample = http.open_probe().sample(Side.GREEN)
    assert sample.bad == 1
    assert time.monotonic() - began < TIMEOUT + 0.5


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
    used = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (len(_open_files()) + 8, hard))
        with pytest.raises(OSError, match="Too many open files"):
            while True:
                used.append(open("/dev/null"))  # noqa: PTH123, SIM115 - closed below
        sample = probe.sample(Side.GREEN)
    finally:
        for file in used:
            file.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert isinstance(sample, Broken), sample
    assert "open files" in sample.reason


def _open_files():
    from pathlib import Path  # noqa: PLC0415 - only here

    return list(Path("/proc/self/fd").iterdir())


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


@given(
    st.dictionaries(
        st.text(max_size=12), st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.text()))
    )
)
def test_any_settings_are_refused_or_opened(given_settings):
    for open_probe in (http_probe.open_probe, haproxy_probe.open_probe):
        try:
            open_probe("p", given_settings).close()
        except InvalidInputError as error:
            assert error.reasons


# ---- the HAProxy probe ----


@pytest.fixture
def haproxy(tmp_path):
    rig = HaproxyProbeRig(tmp_path)
    yield rig
    rig.close()


def test_the_first_look_sets_the_mark(haproxy):
    haproxy.haproxy.visit(5)
    probe = haproxy_probe.open_probe("p", haproxy.haproxy.settings())
    assert isinstance(probe.sample(Side.BLUE), NoData)
    haproxy.haproxy.visit(3)
    assert probe.sample(Side.BLUE) == Counts(good=3, bad=0, synthetic=False)
    assert isinstance(probe.sample(Side.BLUE), NoData)


def test_a_reload_loses_one_interval_and_is_never_negative(haproxy):
    probe = haproxy.open_probe()
    haproxy.see(probe, Side.BLUE, 9)
    haproxy.haproxy.reload()
    sample = probe.sample(Side.BLUE)
    assert isinstance(sample, NoData)
    assert "reloaded" in sample.reason
    assert total(haproxy.see(probe, Side.BLUE, 2)) == (2, 0)


def test_cleared_counters_are_noticed(haproxy):
    probe = haproxy.open_probe()
    haproxy.see(probe, Side.BLUE, 9)
    haproxy.haproxy.socket.ask("clear counters all")
    assert isinstance(probe.sample(Side.BLUE), NoData)


def test_classes_that_count_as_bad_can_be_chosen(haproxy):
    haproxy.sides[Side.GREEN].manners.status = 404
    assert total(haproxy.see(haproxy.open_probe(), Side.GREEN, 3)) == (3, 0)
    assert total(haproxy.see(haproxy.open_probe(bad=["4xx", "5xx"]), Side.GREEN, 3)) == (0, 3)


def test_a_frontend_of_the_same_name_does_not_confuse_it(haproxy):
    probe = haproxy.open_probe()
    assert total(haproxy.see(probe, Side.GREEN, 4)) == (4, 0)


def test_a_missing_server_is_a_broken_probe(haproxy):
    probe = haproxy_probe.open_probe("p", haproxy.haproxy.settings(green="none"))
    sample = probe.sample(Side.GREEN)
    assert isinstance(sample, Broken)
    assert "there are: blue, green" in sample.reason


def test_it_says_that_it_cannot_judge_latency(haproxy):
    assert haproxy.open_probe().gives_latency is False
