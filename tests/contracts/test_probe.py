"""The contract of Probe, run by every probe against real servers.

A probe joins by one line in RIGS: a function that takes a directory and returns a rig with open_probe, see (makes the
probe notice that many requests to a side), sides, sees (which manners of a server it can see), blind (breaks the
probe's own sight), close. Pods are no requests: the probe of workloads has its tests in test_probe_kubernetes.py.
"""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rig_envoy import EnvoyProbeRig
from rig_probes import DnsProbeRig, HaproxyProbeRig, HttpProbeRig, PrometheusProbeRig, TcpProbeRig, total

from bluegreen.model.errors import InvalidInputError
from bluegreen.model.refs import Side
from bluegreen.model.samples import Broken
from bluegreen_adapters import dns_probe, envoy_probe, haproxy_probe, http_probe, prometheus_probe, tcp_probe

MODULES = (dns_probe, envoy_probe, haproxy_probe, http_probe, prometheus_probe, tcp_probe)
RIGS = {
    "dns": DnsProbeRig,
    "envoy": EnvoyProbeRig,
    "haproxy": HaproxyProbeRig,
    "http": HttpProbeRig,
    "prometheus": PrometheusProbeRig,
    "tcp": TcpProbeRig,
}


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


def test_good_answers_are_counted_good_on_their_own_side(rig, probe):
    assert probe.name == "p"
    assert total(rig.see(probe, Side.GREEN, 5)) == (5, 0)
    assert total(rig.see(probe, Side.BLUE, 3)) == (3, 0)
    assert all(sample.synthetic is probe.synthetic for sample in rig.see(probe, Side.GREEN, 1))
    assert probe.users is not probe.synthetic, "what it does not ask itself, users have"


def test_errors_of_the_server_are_bad_and_have_an_example(rig, probe):
    rig.sides[Side.GREEN].manners.status = 503
    samples = rig.see(probe, Side.GREEN, 4)
    assert total(samples) == ((0, 4) if "status" in rig.sees else (4, 0))
    assert bool(samples[0].example) is ("status" in rig.sees)
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
    if "breaks_off" not in rig.sees:
        assert (good, bad) == (3, 0)
        return
    assert good == 0
    assert bad >= 1  # HAProxy leaves the first on a kept connection to the client, who asks again


def test_a_target_that_hangs_is_bad_within_bounded_time(rig, probe):
    rig.sides[Side.GREEN].manners.delay = 30.0
    began = time.monotonic()
    good, bad = total(rig.see(probe, Side.GREEN, 1))
    assert (good, bad) == ((0, 1) if "delay" in rig.sees else (1, 0))
    assert time.monotonic() - began < 20.0, "less than the target hangs"


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


@pytest.mark.parametrize("module", MODULES)
def test_every_fault_of_the_settings_is_told_at_once_and_no_metadata_address_is_asked(module):
    wrong = {"bluee": "x", "url": "http://169.254.169.254/", "admin": "http://169.254.169.254/", "timeout": "soon"}
    with pytest.raises(InvalidInputError) as caught:
        module.open_probe("p", {**wrong, "green": "169.254.169.254:80"})
    assert len(caught.value.reasons) >= 3
    assert "bluee is not known; did you mean blue?" in caught.value.reasons


@given(
    st.dictionaries(
        st.text(max_size=12), st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.text()))
    )
)
def test_any_settings_are_refused_or_opened(given_settings):
    for module in MODULES:
        try:
            module.open_probe("p", given_settings).close()
        except InvalidInputError as error:
            assert error.reasons
