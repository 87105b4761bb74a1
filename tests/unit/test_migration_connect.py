"""What is told before a migration begins: probes that could not measure, routes that serve no shares."""

import pytest
from fake_traffic import FakeProbe, FakeRouter, Returning
from shift_run import config

from bluegreen.migration import connect
from bluegreen.migration.connect import blind, connect_traffic
from bluegreen.migration.reasons import Reasons
from bluegreen.model.errors import TransientError
from bluegreen.model.ports import CheckedProbe
from bluegreen.model.refs import Side


class Plain:
    """A probe without a check."""

    def sample(self, side):
        raise AssertionError("nothing is sampled at plan time")


class Checked(Plain):
    """A probe with one."""

    def __init__(self, *reasons):
        self.reasons = reasons

    def check(self):
        if self.reasons and isinstance(self.reasons[0], Exception):
            raise self.reasons[0]
        return self.reasons


def test_every_reason_of_every_probe_is_told_with_its_name():
    probes = {"plain": Plain(), "well": Checked(), "ill": Checked("no metric x; correct it", "no metric y; correct it")}
    assert not isinstance(probes["plain"], CheckedProbe)
    assert blind(probes) == (
        "probe 'ill': no metric x; correct it",
        "probe 'ill': no metric y; correct it",
    )


def test_a_probe_whose_check_fails_is_no_good_one():
    assert blind({"p": Checked(ValueError("third party"))}) == (
        "probe 'p': it cannot check itself: ValueError: third party",
    )


@pytest.fixture
def opened(monkeypatch):
    """Return a function that opens one route over a router, and returns the routes and reasons."""

    def open_(router):
        made = {"bluegreen.routers": lambda _name, _settings: router, "bluegreen.probes": lambda *_: FakeProbe()}
        monkeypatch.setattr(connect, "load_adapter", lambda group, _name: made[group])
        reasons = Reasons()
        routers, _ = connect_traffic(config(routes=[{"name": "shop", "router": "fake"}]), reasons)
        return routers, reasons.found

    return open_


DARK = {Side.BLUE: 0, Side.GREEN: 0}


def test_a_route_that_serves_nobody_is_refused_for_a_migration(opened):
    router = Returning(raw=dict(DARK))
    assert opened(router) == ((), ["reading: nobody is served [fake.no-shares] (next: bluegreen revert)"])


def test_a_route_that_is_only_away_for_now_is_told_at_once_with_what_to_type(opened, monkeypatch):
    router = FakeRouter()

    def missing():
        raise TransientError("haproxy.no-socket", "asking HAProxy at /run/x.sock", "no such socket", "stats socket x")

    monkeypatch.setattr(router, "read", missing, raising=False)
    told = ["asking HAProxy at /run/x.sock: no such socket [haproxy.no-socket] (next: stats socket x)"]
    assert opened(router) == ((), told)
