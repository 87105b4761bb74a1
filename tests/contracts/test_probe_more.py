"""The probes that see no HTTP of their own: TCP, DNS and Prometheus, against real servers."""

import pytest
from rig_http import free_port, two_servers
from rig_powerdns import ADDRESSES, NAME, PowerDnsRig
from rig_prometheus import PrometheusRig

from bluegreen.model.errors import InvalidInputError
from bluegreen.model.refs import Side
from bluegreen.model.samples import Broken, Counts, NoData
from bluegreen_adapters import dns_probe, prometheus_probe, tcp_probe


def test_tcp_tells_an_open_port_from_a_closed_one_and_from_its_own_blindness():
    sides = two_servers()
    targets = {str(side): f"127.0.0.1:{server.port}" for side, server in sides.items()}
    try:
        probe = tcp_probe.open_probe("p", targets)
        assert probe.sample(Side.GREEN).good == 1
        sides[Side.GREEN].stop()
        dead = probe.sample(Side.GREEN)
        assert isinstance(dead, Counts)
        assert dead.bad == 1
        assert "refused" in dead.example
        assert probe.sample(Side.BLUE).good == 1
        blind = tcp_probe.open_probe("p", {**targets, "green": "no-such-name.invalid:80"})
        assert isinstance(blind.sample(Side.GREEN), Broken)
    finally:
        for server in sides.values():
            server.stop()


def test_dns_judges_the_code_the_content_and_silence(tmp_path):
    rig = PowerDnsRig(tmp_path)
    try:
        here, nobody = f"127.0.0.1:{rig.port}", f"127.0.0.1:{free_port()}"
        settings = {"blue": here, "green": nobody, "query": NAME, "timeout": "300ms"}
        probe = dns_probe.open_probe("p", settings)
        assert probe.sample(Side.BLUE).good == 1
        assert probe.sample(Side.GREEN).bad == 1
        for more, good in (({"answer": ADDRESSES[Side.BLUE]}, 1), ({"answer": "192.0.2.9"}, 0), ({"type": "MX"}, 0)):
            assert dns_probe.open_probe("p", {**settings, **more}).sample(Side.BLUE).good == good
        missing = dns_probe.open_probe("p", {**settings, "query": "no.shop.test"}).sample(Side.BLUE)
        assert "NXDOMAIN" in missing.example
    finally:
        rig.close()


def test_prometheus_counts_growth_per_side_and_no_series_is_no_data(tmp_path):
    rig = PrometheusRig(tmp_path)
    try:
        probe = rig.open_probe()
        assert isinstance(probe.sample(Side.GREEN), NoData)
        rig.count("green", good=7, bad=2)
        sample = probe.sample(Side.GREEN)
        assert (sample.good, sample.bad, sample.synthetic) == (7, 2, False)
        assert isinstance(probe.sample(Side.GREEN), NoData)
        assert isinstance(rig.open_probe(green="nobody").sample(Side.GREEN), NoData)
        assert isinstance(rig.open_probe(all="sum($side").sample(Side.GREEN), Broken)
        rig.process.kill()
        rig.process.wait(5)
        assert isinstance(probe.sample(Side.GREEN), Broken)
    finally:
        rig.close()


@pytest.mark.parametrize("module", [tcp_probe, dns_probe, prometheus_probe])
def test_every_fault_of_the_settings_is_told_at_once(module):
    with pytest.raises(InvalidInputError) as caught:
        module.open_probe("p", {"bluee": "x", "green": "169.254.169.254:80", "timeout": "soon"})
    assert len(caught.value.reasons) >= 3
