"""What a write by hand leaves and finalize removes; and the way out of 0/0 by hand."""

import by_hand
import pytest
from by_hand import Cached, Marked, migration, weights
from click.testing import CliRunner
from fake_traffic import Returning

from bluegreen.cli.main import main
from bluegreen.migration.lock import MigrationLock
from bluegreen.model.errors import ConflictError, InvalidInputError, LockedError, NoSharesError, TransientError
from bluegreen.model.refs import Side


@pytest.fixture
def routers(monkeypatch):
    return by_hand.two_routers(monkeypatch)


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def run(routers, tmp_path, state, monkeypatch):
    return by_hand.command(tmp_path, state, monkeypatch)


@pytest.fixture
def terminal(monkeypatch):
    by_hand.on_a_terminal(monkeypatch)


def test_set_tells_what_stays_until_finalize_and_how_to_remove_it(run, routers):
    routers["shop"], routers["api"] = Cached("shop", mark=""), Marked("api", mark="")
    said = " ".join(run("set", 10, "--yes").stderr.split())  # it is wrapped

    shop = "shop: stays until `bluegreen traffic finalize --route shop`: the mark of us and a lowered TTL"
    assert said == f"{shop} api: stays until `bluegreen traffic finalize --route api`: the mark of us"


def test_a_mark_that_cannot_be_read_after_the_write_makes_no_failure_of_it(run, routers, monkeypatch):
    def away():
        raise TransientError("fake.away", "reading the mark", "away")

    routers["shop"] = Marked("shop", mark="")
    monkeypatch.setattr(routers["shop"], "marked_by", away, raising=False)
    done = run("set", 10, "--yes", "--route", "shop")

    assert (done.exit_code, done.stdout, done.stderr) == (0, "shop: 100/0 -> 90/10\n", "")


def test_finalize_removes_the_mark_and_keeps_the_weights(run, routers):
    routers["shop"] = Marked("shop", mark="us", raw={Side.BLUE: 90, Side.GREEN: 10})
    done = run("finalize", "--yes")

    assert (done.exit_code, done.stdout) == (0, "shop: mark removed, weights stay 90/10\napi: nothing to remove\n")
    assert (routers["shop"].mark, weights(routers["shop"])) == ("", (90, 10))
    assert run("finalize").stdout == "shop: nothing to remove\napi: nothing to remove\n", "nothing to ask about"


def test_finalize_leaves_anothers_mark_and_does_the_rest(run, routers):
    routers["shop"], routers["api"] = Marked("shop"), Marked("api", mark="us")
    done = run("finalize", "--yes")

    assert (done.exit_code, done.stdout) == (1, "api: mark removed, weights stay 100/0\n")
    assert done.stderr.splitlines() == ["shop: finalizing: the mark of somebody [fake.owned]", "  next: ask them"]
    assert (routers["shop"].mark, routers["api"].mark) == ("somebody", "")


def test_finalize_of_one_route_leaves_the_others(run, routers):
    routers["shop"], routers["api"] = Marked("shop", mark="us"), Marked("api", mark="us")

    assert run("finalize", "--yes", "--route", "api").stdout == "api: mark removed, weights stay 100/0\n"
    assert routers["shop"].mark == "us"


def test_finalize_without_a_terminal_needs_yes(run, routers):
    routers["shop"] = Marked("shop", mark="us")
    done = run("finalize")

    assert (done.exit_code, routers["shop"].mark) == (2, "us")
    assert "--yes" in done.stderr


@pytest.mark.usefixtures("run", "terminal")
@pytest.mark.parametrize(("answer", "code", "after"), [("y\n", 0, ""), ("n\n", 1, "us")])
def test_finalize_asks_on_a_terminal_and_tells_whose_mark_it_is(routers, answer, code, after):
    routers["shop"] = Cached("shop", mark="us")
    done = CliRunner().invoke(main, ["traffic", "finalize"], input=answer)

    assert (done.exit_code, routers["shop"].mark) == (code, after)
    assert "shop: would remove the mark of us and a lowered TTL, the weights stay" in done.stderr
    assert "api: nothing to remove" in done.stderr


def test_finalize_cut_off_is_done_by_the_same_order_again(run, routers):
    routers["shop"] = Marked("shop", mark="us", faults=["away"])
    assert run("finalize", "--yes").exit_code == 1
    assert routers["shop"].mark == "us"

    assert run("finalize", "--yes").exit_code == 0
    assert routers["shop"].mark == ""


def test_finalize_keeps_off_a_migration_that_has_not_ended_or_runs(run, routers, state):
    routers["shop"] = Marked("shop", mark="us")
    migration(state)
    assert isinstance(run("finalize", "--yes").exception, InvalidInputError)
    with MigrationLock(state, ("uid-1", "uid-2"), "2026-01-01T00:00:00.000Z"):
        assert isinstance(run("finalize", "--yes", "--force", "unfinished").exception, LockedError)
    assert run("finalize", "--yes", "--force", "all").exit_code == 2
    assert routers["shop"].mark == "us"

    assert run("finalize", "--yes", "--force", "unfinished").exit_code == 0
    assert routers["shop"].mark == ""


def test_set_0_brings_blue_back_where_nobody_is_served_and_no_other_share_does(run, routers):
    routers["shop"] = Returning("shop", raw={Side.BLUE: 0, Side.GREEN: 0})
    for refused in (("set", 10, "--yes"), ("set", 50, "--yes", "--route", "shop")):
        assert isinstance(run(*refused).exception, InvalidInputError)
    assert isinstance(run("set", 0, "--yes", "--expect", 50, "--route", "shop").exception, ConflictError)
    assert (weights(routers["shop"]), routers["api"].history) == ((0, 0), [])

    done = run("set", 0, "--yes", "--route", "shop")
    assert (done.exit_code, done.stdout) == (0, "shop: no shares -> 100/0\n"), done.output
    assert weights(routers["shop"]) == (100, 0)


def test_set_0_tells_who_serves_beside_blue(run, routers):
    routers["shop"] = Returning("shop", raw={Side.BLUE: 50, Side.GREEN: 50}, beside="third takes traffic; silence it")

    assert "third takes traffic; silence it" in run("set", 0, "--yes", "--route", "shop").stderr
    assert weights(routers["shop"]) == (100, 0)


def test_set_0_does_not_raise_blue_on_a_router_that_cannot_be_brought_back(run, routers, monkeypatch):
    def nobody():
        raise NoSharesError("fake.no-shares", "reading", "nobody is served")

    monkeypatch.setattr(routers["shop"], "read", nobody, raising=False)

    assert isinstance(run("set", 0, "--yes").exception, InvalidInputError)
    assert routers["shop"].history == []
