"""A way back, and a hand on one route, need that route only; what else is broken keeps nobody on green."""

import pytest
from by_hand import CONFIG, command, two_routers, weights
from click.testing import CliRunner
from fake_traffic import FakeProbe, FakeRouter
from shift_run import config

from bluegreen.cli.main import main
from bluegreen.migration import connect
from bluegreen.migration.connect_back import connect_back
from bluegreen.model.errors import InvalidInputError, RefusedError
from bluegreen.model.refs import Side
from bluegreen.model.samples import Broken

BOTH = {
    "routes": [{"name": "good", "router": "fake"}, {"name": "bad", "router": "fake"}],
    "probes": [{"name": "web", "probe": "fake"}, {"name": "blind", "probe": "fake"}],
}


class Adapters:
    """Routers and probes by name; `bad` and `blind` cannot be opened. Remembers what was."""

    def __init__(self, fault, told):
        self.fault, self.told, self.opened = fault, told, []

    def load(self, group, _name):
        return self._router if group == "bluegreen.routers" else self._probe

    def _router(self, name, _settings):
        return self._open(name, FakeRouter(name, raw={Side.BLUE: 50, Side.GREEN: 50}))

    def _probe(self, name, _settings):
        return self._open(name, FakeProbe(name))

    def _open(self, name, made):
        self.opened.append(name)
        if name in {"bad", "blind"}:
            raise self.fault
        return made


FAULTS = {
    "ours": (RefusedError("x.gone", "opening it", "gone"), "opening it: gone [x.gone]"),
    "another's": (ValueError("a third party"), "ValueError: a third party"),
}


@pytest.fixture(params=FAULTS.values(), ids=FAULTS)
def adapters(request, monkeypatch):
    found = Adapters(*request.param)
    monkeypatch.setattr(connect, "load_adapter", found.load)
    return found


def test_a_named_route_alone_is_opened(adapters):
    back = connect_back(config(**BOTH), ("good",))
    assert [router.name for router in back.routers] == ["good"]
    assert back.left == {}
    assert "bad" not in adapters.opened


def test_without_names_what_does_not_open_is_left_with_its_reason(adapters):
    back = connect_back(config(**BOTH), ())
    assert [router.name for router in back.routers] == ["good"]
    assert back.left == {"bad": adapters.told}


def test_where_no_route_opens_it_is_refused(adapters):
    with pytest.raises(InvalidInputError) as caught:
        connect_back(config(**BOTH), ("bad",))
    assert len(caught.value.reasons) == 1


def test_a_probe_that_does_not_open_sees_nothing_and_is_not_left_out(adapters):
    probes = connect_back(config(**BOTH), ()).probes
    assert list(probes) == ["web", "blind"]
    assert isinstance(probes["blind"].sample(Side.BLUE), Broken)


def test_revert_of_one_route_beside_a_broken_one(adapters, tmp_path, monkeypatch):
    text = CONFIG.replace("name: shop,", "name: good,").replace("name: api,", "name: bad,")
    text = text.replace("{name: p, probe: http}", "{name: p, probe: http, interval: 20ms}, {name: blind, probe: http}")
    (tmp_path / "bluegreen.yaml").write_text(text.replace("99%}", "99%}, {name: o2, probe: blind, good: 99%}"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BLUEGREEN_STATE_DIR", str(tmp_path / "state"))
    done = CliRunner().invoke(main, ["revert", "--route", "good"])
    assert (done.exception, done.exit_code) == (None, 0)
    assert "blue serves all traffic of good" in done.stderr


@pytest.mark.parametrize("order", [("show",), ("set", "10", "--yes"), ("finalize",)])
def test_a_hand_on_one_route_does_not_open_another(order, tmp_path, monkeypatch):
    found = two_routers(monkeypatch)
    del found["api"]  # opening it raises
    done = command(tmp_path, tmp_path / "state", monkeypatch)(*order, "--route", "shop")
    assert (done.exception, done.exit_code) == (None, 0)
    assert weights(found["shop"]) == ((90, 10) if order[0] == "set" else (100, 0))
