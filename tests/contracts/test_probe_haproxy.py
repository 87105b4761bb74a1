"""The HAProxy probe's own traps: first looks, reloads, cleared counters, names that are not there.

The contract that every probe keeps is in test_probe.py.
"""

import pytest
from rig_probes import HaproxyProbeRig, total

from bluegreen.model.refs import Side
from bluegreen.model.samples import Broken, Counts, NoData
from bluegreen_adapters import haproxy_probe


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
