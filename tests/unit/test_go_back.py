"""`bluegreen revert`: at once, step by step, one route; beside a run it orders, and it never says what is not so."""

import threading
import time
from dataclasses import dataclass, field
from functools import partial

import pytest
from fake_traffic import FakeProbe, FakeRouter, Returning
from shift_run import NOW, config

from bluegreen.migration import go_back
from bluegreen.migration.connect_back import Back
from bluegreen.migration.go_back import Way
from bluegreen.migration.journal import Journal
from bluegreen.migration.lock import MigrationLock
from bluegreen.migration.orders import read_orders
from bluegreen.migration.store import Manifest, Store
from bluegreen.model.errors import InvalidInputError, LockedError, NotFoundError, RefusedError, TransientError
from bluegreen.model.refs import ClusterId, Side
from bluegreen.model.samples import Broken, Counts, NoData

BLUE, GREEN = (ClusterId(context, uid, "v1", "https://x") for context, uid in (("old", "u1"), ("new", "u2")))


@dataclass
class Marked(FakeRouter):
    finalized: int = 0

    def finalize(self):
        self.finalized += 1


class Refusing(FakeRouter):
    """A router whose backend is not there."""

    def read(self):
        raise NotFoundError("fake.missing", "reading", "no such backend")


@dataclass
class Place:
    """A state directory with one migration, routes and a probe of fakes, and what was told."""

    root: object
    routers: list
    answer: Counts = field(default_factory=lambda: Counts(10, 0))
    told: list = field(default_factory=list)
    dead: dict = field(default_factory=dict)

    def __post_init__(self):
        self.store = Store(self.root / "m1")
        self.store.write_manifest(Manifest("m1", BLUE, GREEN, ("shop",), (50, 100), "d", NOW))
        self.journal = Journal(self.store.events)

    def config(self):
        names = [router.name for router in self.routers] + list(self.dead)
        return config(routes=[{"name": name, "router": "fake"} for name in names], hold="50ms")

    def revert(self, way=None):
        probe = {"web": FakeProbe(answer=lambda _side: self.answer)}
        go_back.connect_back = lambda _config, names: Back(
            tuple(router for router in self.routers if router.name in (names or [router.name])), self.dead, probe
        )
        return go_back.go_back(self.config(), self.root, self.told.append, way or Way())

    def ends(self, outcome, running):
        """Play the process of the run: it hears the order, ends as said, and lets its lock go."""
        lock = MigrationLock(self.root, (BLUE.uid, GREEN.uid), NOW)
        lock.__enter__()
        running.set()
        while not read_orders(self.store.orders):
            time.sleep(0.01)
        self.journal("run.finished", outcome=outcome, exit_code=0)
        time.sleep(0.3)  # it writes its reports
        lock.__exit__(None, None, None)


def router(name="shop", green=50):
    return Marked(name, raw={Side.BLUE: 100 - green, Side.GREEN: green})


@pytest.fixture(autouse=True)
def _real_parts_come_back(monkeypatch):
    monkeypatch.setattr(go_back, "connect_back", None)


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path, [router()])


def beside(place, outcome):
    running = threading.Event()
    thread = threading.Thread(target=place.ends, args=(outcome, running), daemon=True)
    thread.start()
    assert running.wait(10)
    return thread


def green_of(place):
    return [router.raw[Side.GREEN] for router in place.routers]


def test_at_once_it_is_on_blue_noted_and_let_go(place):
    assert place.revert() == place.store
    assert green_of(place) == [0]
    assert place.store.outcome() == "reverted"
    assert place.routers[0].finalized == 1


@pytest.mark.parametrize("gradual", [False, True])
def test_onto_a_sick_blue_nobody_is_sent(place, gradual):
    place.answer = Counts(0, 10)
    with pytest.raises(RefusedError, match="blue is unhealthy"):
        place.revert(Way(gradual=gradual))
    assert green_of(place) == [50]
    assert place.store.outcome() == ""


def test_step_by_step_it_takes_the_steps_backwards(tmp_path, place):
    place = Place(tmp_path, [router(green=100)])
    place.revert(Way(gradual=True))
    assert [green for _, green in place.routers[0].history if green in (0, 50)][-1] == 0
    assert 50 in [green for _, green in place.routers[0].history]


@pytest.mark.parametrize("gradual", [False, True])
def test_where_nobody_is_served_blue_is_raised(tmp_path, gradual):
    place = Place(tmp_path, [Returning(raw={Side.BLUE: 0, Side.GREEN: 0}), router("api")])
    assert place.revert(Way(gradual=gradual)) == place.store
    assert green_of(place) == [0, 0]
    assert place.routers[0].raw[Side.BLUE] == 100
    assert place.store.outcome() == "reverted"


def test_one_route_goes_back_and_the_migration_has_not_ended(tmp_path, place):
    place = Place(tmp_path, [router("lb"), router("dns")])
    assert place.revert(Way(routes=("dns",))) is None
    assert green_of(place) == [50, 0]
    assert place.store.outcome() == ""
    with pytest.raises(InvalidInputError, match="nonesuch"):
        place.revert(Way(routes=("nonesuch",)))


def test_beside_a_run_it_orders_and_waits(place):
    running = beside(place, "reverted")
    assert place.revert() == place.store
    running.join(5)
    assert [order.command for order in read_orders(place.store.orders)] == ["abort"]
    assert green_of(place) == [50], "two writers"


def test_a_run_that_had_just_arrived_is_taken_back_by_this_command(place):
    place.routers[0].raw = {Side.BLUE: 0, Side.GREEN: 100}
    running = beside(place, "migrated")
    place.revert()
    running.join(5)
    assert green_of(place) == [0]
    assert place.store.outcome() == "reverted"


def test_a_process_that_is_no_run_yet_is_named_and_not_ordered(place):
    place.journal("run.finished", outcome="migrated", exit_code=0)
    with MigrationLock(place.root, (BLUE.uid, GREEN.uid), NOW), pytest.raises(LockedError, match="process"):
        place.revert()
    assert read_orders(place.store.orders) == ()


@pytest.mark.parametrize("answer", [NoData("nobody came"), Broken("no route")], ids=str)
def test_a_blue_of_which_nothing_is_known_is_not_called_sick(place, answer, monkeypatch):
    monkeypatch.setattr(go_back.controller, "check_blue", partial(go_back.controller.check_blue, within=0.3))
    place.answer = answer
    with pytest.raises(RefusedError, match="not known") as caught:
        place.revert()
    assert "mend blue" not in caught.value.next_step
    assert "bluegreen traffic set 0" in caught.value.next_step
    assert green_of(place) == [50]


def test_a_sick_blue_is_to_be_mended(place):
    place.answer = Counts(0, 10)
    with pytest.raises(RefusedError, match="unhealthy") as caught:
        place.revert()
    assert caught.value.next_step.startswith("mend blue")


def test_a_route_that_does_not_open_is_left_and_named_and_the_others_are_back(place):
    place.dead = {"dns": "no such zone [dns.missing]"}
    with pytest.raises(RefusedError, match=r"not back: dns; back are: shop; no such zone") as caught:
        place.revert()
    assert not isinstance(caught.value, InvalidInputError), "exit code 2"
    assert green_of(place) == [0]
    assert place.store.outcome() == "", "it is not back as a whole"
    assert any("dns" in event.data.get("text", "") for event in place.told if event.name == "notice")


@pytest.mark.parametrize("gradual", [False, True])
def test_a_route_that_is_away_keeps_no_other_from_blue(tmp_path, place, gradual):
    place = Place(tmp_path, [Refusing("lb", raw={Side.BLUE: 50, Side.GREEN: 50}), router("dns")])
    with pytest.raises(TransientError, match="not back: lb; back are: dns"):
        place.revert(Way(gradual=gradual))
    assert green_of(place) == [50, 0]
    assert place.routers[1].finalized == 1
