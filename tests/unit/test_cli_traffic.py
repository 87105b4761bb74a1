"""Weights by hand: shown though one route is away, set only over what was expected, kept off a migration under way."""

import json
from contextlib import suppress

import by_hand
import pytest
from by_hand import CONFIG, Marked, migration, weights
from click.testing import CliRunner

from bluegreen.cli import traffic as cli
from bluegreen.cli.main import main
from bluegreen.migration import look
from bluegreen.migration.hand import RULES
from bluegreen.migration.lock import MigrationLock
from bluegreen.migration.look import Glance, Lookout, Seen, glances
from bluegreen.model.errors import ConflictError, InvalidInputError, LockedError, TransientError
from bluegreen.model.ports import Weights
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


def test_show_tells_every_route(run, routers):
    routers["api"].raw = {Side.BLUE: 50, Side.GREEN: 50}
    done = run("show")

    assert done.exit_code == 0, done.output
    head, shop, api = done.stdout.splitlines()
    assert head.split()[:5] == ["ROUTE", "ROUTER", "BLUE", "GREEN", "SETTLED"]
    assert shop.split() == ["shop", "fake", "100", "%", "0", "%", "yes", "100", "0s", "-"]
    assert api.split()[2:6] == ["50", "%", "50", "%"]
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_one_route_that_is_away_hides_no_other(run, routers):
    routers["shop"].faults = ["away"]
    done = run("show")

    assert done.exit_code == 1
    assert "api    fake    100 %" in done.stdout
    assert "shop: reading: away [fake.away]" in done.stderr


def test_a_fault_of_an_adapter_hides_no_other(run, routers):
    routers["shop"].raw = {Side.BLUE: 0, Side.GREEN: 0}  # its own assertion breaks
    done = run("show", "-o", "json")
    shop, api = json.loads(done.stdout)["items"]

    assert done.exit_code == 1
    assert (shop["blue"], shop["error"]["code"]) == (None, "adapter.fault")
    assert (api["blue"], api["error"]) == (100, None)


def test_weights_stay_shown_when_only_the_settling_cannot_be_found_out(run, routers):
    routers["shop"].faults = ["", "away"]
    shop, _ = json.loads(run("show", "-o", "json").stdout)["items"]

    assert (shop["blue"], shop["settled"], shop["error"]["code"]) == (100, None, "fake.away")


def test_the_owner_of_a_mark_is_told(run, routers):
    routers["shop"] = Marked("shop", settles=[False])
    shop, api = json.loads(run("show", "-o", "json").stdout)["items"]

    assert (shop["owner"], shop["settled"], api["owner"]) == ("somebody", False, "")


def test_one_route_can_be_chosen_and_a_wrong_name_is_refused(run):
    assert len(json.loads(run("show", "--route", "api", "-o", "json").stdout)["items"]) == 1
    error = run("show", "--route", "shp").exception
    assert isinstance(error, InvalidInputError)
    assert "did you mean `shop`" in str(error)


def test_set_writes_receiver_first_and_tells_before_and_after(run, routers):
    done = run("set", 10, "--yes")

    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == ["shop: 100/0 -> 90/10", "api: 100/0 -> 90/10"]
    assert routers["shop"].history == [(100, 10), (90, 10)]
    again = run("set", 10, "--yes", "--route", "shop")
    assert again.stdout == "shop: 90/10 -> 90/10 (it was so already)\n"
    assert len(routers["shop"].history) == 2


def test_set_says_when_it_will_have_taken_effect(run, routers):
    routers["shop"].settle_seconds = 30.0

    assert "shop: takes effect within 30 s" in run("set", 10, "--yes", "--route", "shop").stderr


def test_set_refuses_what_is_not_expected_and_writes_nothing(run, routers):
    routers["api"].raw = {Side.BLUE: 70, Side.GREEN: 30}
    error = run("set", 50, "--expect", 0, "--yes").exception

    assert isinstance(error, ConflictError)
    assert "api serves 70/30" in error.why
    assert routers["shop"].history == []
    assert run("set", 50, "--expect", 30, "--route", "api", "--yes").exit_code == 0


def test_a_writer_between_look_and_write_is_noticed(run, routers, monkeypatch):
    shift = routers["shop"].shift

    def late(to, expect):
        routers["shop"].raw = {Side.BLUE: 20, Side.GREEN: 80}
        shift(to, expect)

    monkeypatch.setattr(routers["shop"], "shift", late, raising=False)

    assert isinstance(run("set", 10, "--yes", "--route", "shop").exception, ConflictError)
    assert weights(routers["shop"]) == (20, 80)


def test_an_unreachable_route_keeps_all_others_unwritten(run, routers):
    routers["api"].faults = ["away"]
    error = run("set", 10, "--yes").exception

    assert isinstance(error, InvalidInputError)
    assert routers["shop"].history == []


def test_a_write_that_is_cut_is_done_by_the_same_order_again(run, routers):
    routers["shop"].faults = ["", "", "cut"]  # propose reads, shift reads, the write is cut
    assert isinstance(run("set", 10, "--yes", "--route", "shop").exception, TransientError)
    assert weights(routers["shop"]) == (100, 10)

    done = run("set", 10, "--yes", "--route", "shop")
    assert (done.exit_code, weights(routers["shop"])) == (0, (90, 10))


def test_a_share_that_a_router_cannot_hold_is_refused(run, routers):
    routers["shop"].resolution = 10

    assert "cannot hold 33 per cent" in str(run("set", 33, "--yes").exception)
    assert run("set", 30, "--yes").exit_code == 0


def test_without_a_terminal_it_needs_yes(run, routers):
    done = run("set", 10)

    assert done.exit_code == 2
    assert "--yes" in done.stderr
    assert routers["shop"].history == []


@pytest.fixture
def terminal(monkeypatch):
    by_hand.on_a_terminal(monkeypatch)


@pytest.mark.usefixtures("run", "terminal")
@pytest.mark.parametrize(("answer", "code", "after"), [("y\n", 0, (90, 10)), ("n\n", 1, (100, 0))])
def test_on_a_terminal_it_asks(routers, answer, code, after):
    done = CliRunner().invoke(main, ["traffic", "set", "10", "--route", "shop"], input=answer)

    assert done.exit_code == code
    assert weights(routers["shop"]) == after
    assert "shop: 100/0 would become 90/10" in done.stderr


def test_a_migration_that_has_not_ended_keeps_hands_off(run, routers, state):
    migration(state)
    error = run("set", 10, "--yes").exception

    assert isinstance(error, InvalidInputError)
    assert "old-new-1" in str(error)
    assert error.next_step.startswith("to write all the same, add: --force unfinished; else ")
    assert routers["shop"].history == []
    assert run("set", 10, "--yes", "--force", "unfinished").exit_code == 0


@pytest.mark.parametrize("outcome", ["migrated", "reverted", "failed"])
def test_a_migration_that_has_ended_does_not(run, state, outcome):
    migration(state, outcome=outcome)

    assert run("set", 10, "--yes").exit_code == 0


def test_a_newer_run_of_the_same_namespaces_ends_an_older_one(run, state):
    migration(state, "old-new-1")
    migration(state, "old-new-2", outcome="migrated")

    assert run("set", 10, "--yes").exit_code == 0


def test_a_migration_between_other_contexts_is_none_of_ours(run, state, tmp_path):
    migration(state)
    (tmp_path / "bluegreen.yaml").write_text(CONFIG.replace("to: new", "to: third"))

    assert run("set", 10, "--yes").exit_code == 0


def test_beside_a_running_migration_the_whole_way_out_is_told(run, state):
    migration(state, f"old-new-{'1' * 200}")
    with MigrationLock(state, ("uid-1", "uid-2"), "2026-01-01T00:00:00.000Z"):
        error = run("set", 10, "--yes").exception
    assert isinstance(error, LockedError)
    assert error.why.startswith("another process works on these two clusters now")
    assert "--force locked --force unfinished" in error.next_step


def test_a_running_process_keeps_hands_off_and_is_named(run, routers, state):
    migration(state)
    with MigrationLock(state, ("uid-1", "uid-2"), "2026-01-01T00:00:00.000Z"):
        error = run("set", 10, "--yes", "--force", "unfinished").exception
        assert isinstance(error, LockedError)
        assert "process" in str(error)
        assert error.next_step.startswith("to write all the same, add: --force locked; else ")
        assert isinstance(run("set", 10, "--yes", "--force", "locked").exception, InvalidInputError)
        assert routers["shop"].history == []
        assert run("set", 10, "--yes", "--force", "locked", "--force", "unfinished").exit_code == 0
    assert weights(routers["shop"]) == (90, 10)


def test_the_lock_is_held_while_it_writes_and_given_back(run, routers, state, monkeypatch):
    migration(state, outcome="migrated")
    shift = routers["shop"].shift

    def locked(to, expect):
        with pytest.raises(LockedError):
            MigrationLock(state, ("uid-1", "uid-2"), "now").hold()
        shift(to, expect)

    monkeypatch.setattr(routers["shop"], "shift", locked, raising=False)

    assert run("set", 10, "--yes", "--route", "shop").exit_code == 0
    with MigrationLock(state, ("uid-1", "uid-2"), "now"):
        pass


def test_an_unknown_rule_is_no_consent(run):
    done = run("set", 10, "--yes", "--force", "all")

    assert done.exit_code == 2
    assert ", ".join(RULES) in done.stderr


@pytest.mark.parametrize("green", ["101", "-1", "ten"])
def test_a_share_beyond_the_whole_is_refused(run, green):
    assert run("set", "--yes", "--", green).exit_code == 2


class EndError(Exception):
    """The test has seen enough."""


def watched(routers, changes):
    """Return the glances at two routes while changes are made between them."""
    routes = tuple(look.Route.model_validate({"name": name, "router": "fake"}) for name in routers)
    left = list(changes)

    def sleep(seconds):
        if not left:
            raise EndError
        left.pop(0)(routers)

    seen, stream = [], glances(Lookout(None, routes), 1.0, sleep, lambda: "12:00")
    with suppress(EndError):
        while True:
            seen.append(next(stream))
    return seen


def test_a_glance_tells_only_what_changed(routers):
    def shift(found):
        found["api"].raw = {Side.BLUE: 90, Side.GREEN: 10}

    def away(found):
        found["shop"].faults = ["away"] * 2

    def still_away(found):
        assert found["shop"].faults == ["away"]

    first, same, shifted, gone, still, back = watched(
        routers, [lambda _: None, shift, away, still_away, lambda _: None]
    )

    assert [one.name for one in first.changed] == ["shop", "api"]
    assert same.changed == ()
    assert [(one.name, one.weights) for one in shifted.changed] == [("api", Weights(90, 10))]
    assert [(one.name, one.code) for one in gone.changed] == [("shop", "fake.away")]
    assert still.changed == ()
    assert [(one.name, one.code) for one in back.changed] == [("shop", "")]
    assert len(back.routes) == 2


SHOP = Seen("shop", "fake", Weights(90, 10), 100, 0.0, settled=True)


def test_lines_of_changes_are_plain_and_hostile_text_is_inert():
    glance = Glance("2026-01-01T00:00:00.000Z", (SHOP,), (SHOP,))
    assert cli.change_line(glance, SHOP) == "2026-01-01T00:00:00.000Z shop: blue 90 % green 10 %"

    gone = Seen("shop", "fake", code="x", fault="bad\x1b[31m\nline", owner="me")
    line = cli.change_line(glance, gone)
    assert line.startswith("2026-01-01T00:00:00.000Z shop: not readable, marked by me: bad")
    assert "\x1b" not in line
    data = json.loads(cli.change_json(glance, gone))
    assert (data["kind"], data["name"], data["blue"]) == ("TrafficChange", "shop", None)


def test_the_live_view_gives_the_terminal_back(capsys):
    from rich.console import Console  # noqa: PLC0415 - a view of its own

    from bluegreen.cli.traffic_live import live  # noqa: PLC0415

    def stream():
        yield Glance("12:00", (SHOP,), (SHOP,))
        yield Glance("12:01", (Seen("shop", "fake", code="x", fault="away"),), ())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        live(stream(), Console(force_terminal=True, width=100))
    out = capsys.readouterr().out
    assert "12:00 shop: blue 90 % green 10 %" in out
    assert "not readable: away" in out
    assert out.rstrip().endswith("\x1b[?25h") or "\x1b[?25h" in out


@pytest.mark.parametrize("interval", ["0", "50ms", "fast"])
def test_an_interval_that_would_hammer_is_refused(run, interval):
    assert run("watch", "--interval", interval).exit_code == 2


def test_watch_ends_with_the_interrupt_and_prints_lines(run, monkeypatch):
    def interrupted(_seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupted)
    done = run("watch", "-o", "json")

    assert [json.loads(line)["name"] for line in done.stdout.splitlines()] == ["shop", "api"]
    assert done.exit_code == 1  # click's own for an abort; run() makes it 130
