"""The DNS probe's own traps, against a real PowerDNS: codes, contents, types, silence.

The contract that every probe keeps is in test_probe.py.
"""

import pytest
from rig_powerdns import ADDRESSES, NAME, PowerDnsRig

from bluegreen.model.refs import Side
from bluegreen_adapters import dns_probe
from scenarios.ports import free_port


@pytest.fixture
def settings(tmp_path):
    rig = PowerDnsRig(tmp_path)
    yield {
        "blue": f"127.0.0.1:{rig.port}",
        "green": f"127.0.0.1:{free_port()}",
        "query": NAME,
        "timeout": "500ms",
    }
    rig.close()


def test_the_code_and_the_content_decide(settings):
    for more, good in (
        ({}, 1),
        ({"answer": ADDRESSES[Side.BLUE]}, 1),
        ({"answer": "192.0.2.9"}, 0),
        ({"type": "MX"}, 0),
        ({"query": "no.shop.test"}, 0),
    ):
        sample = dns_probe.open_probe("p", {**settings, **more}).sample(Side.BLUE)
        assert (sample.good, sample.bad) == (good, 1 - good), (more, sample)


def test_a_bad_answer_is_told_in_words(settings):
    missing = dns_probe.open_probe("p", {**settings, "query": "no.shop.test"})
    assert "NXDOMAIN" in missing.sample(Side.BLUE).example
    assert "no answer within" in missing.sample(Side.GREEN).example
