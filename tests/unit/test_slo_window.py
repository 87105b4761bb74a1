"""What a window counts, and when it bets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.model.refs import Side
from bluegreen.model.samples import Broken, Counts, NoData
from bluegreen.slo.objectives import Objective
from bluegreen.slo.window import Window, bad_of, open_windows

G, B = Side.GREEN, Side.BLUE


def window(**more):
    return Window(Objective("o", "p", 0.99, **more), start=100.0)


def test_sides_are_counted_apart():
    seen = window()
    seen.add(G, Counts(3, 1, example="500"), 100.1)
    seen.add(B, Counts(5, 0), 100.2)
    assert (seen.tallies[G].total, seen.tallies[G].bad, seen.tallies[G].example) == (4, 1, "500")
    assert (seen.tallies[B].total, seen.tallies[B].bad) == (5, 0)


def test_a_block_is_bet_on_once_it_has_ended():
    seen = window()
    seen.add(G, Counts(0, 1), 100.5)
    seen.advance(100.9)
    assert seen.accounts[G].blocks == 0
    seen.advance(101.0)
    seen.advance(101.0)
    assert seen.accounts[G].blocks == 1


def test_a_late_sample_goes_to_the_block_that_is_open():
    seen = window()
    seen.advance(105.0)
    seen.add(G, Counts(0, 1), 101.0)
    seen.advance(105.9)
    assert seen.accounts[G].blocks == 0
    seen.advance(106.0)
    assert seen.accounts[G].blocks == 1


def test_recent_forgets_after_half_a_minute_and_the_tally_does_not():
    seen = window()
    seen.add(G, Counts(0, 1), 100.5)
    seen.advance(129.0)
    assert seen.recent(G).bad == 1
    seen.advance(132.0)
    assert seen.recent(G).bad == 0
    assert seen.tallies[G].bad == 1


def test_a_machine_that_slept_for_a_day_costs_nothing():
    seen = window()
    seen.add(G, Counts(1, 0), 100.5)
    seen.advance(100.0 + 86400)
    seen.add(G, Counts(1, 0), 86501.0)
    seen.advance(86503.0)
    assert seen.accounts[G].blocks == 2


def test_streaks_of_a_broken_and_an_empty_probe():
    seen = window()
    seen.add(G, Broken("no route"), 100.1)
    assert seen.tallies[G].broken == "no route"
    seen.add(G, NoData("nobody came"), 100.2)
    assert (seen.tallies[G].broken, seen.tallies[G].empty) == ("", "nobody came")
    seen.add(G, Counts(1, 0), 100.3)
    assert (seen.tallies[G].broken, seen.tallies[G].empty) == ("", "")
    seen.add(G, Counts(0, 0), 100.4)
    assert seen.tallies[G].empty
    assert seen.tallies[G].data_at == 100.3


def test_latency_without_times_is_a_broken_probe():
    seen = window(below=0.5)
    seen.add(G, Counts(1, 0), 100.1)
    assert "no time per request" in seen.tallies[G].broken
    assert seen.tallies[G].total == 0


@pytest.mark.parametrize(
    ("sample", "bad"),
    [
        (Counts(1, 0, (0.1,)), 0),
        (Counts(1, 0, (0.5,)), 1),
        (Counts(0, 1, (0.9,)), 1),
        (Counts(0, 1, (0.1,)), 1),
        (Counts(3, 2, (0.1, 0.9, 0.1)), 3),
        (Counts(3, 2, (0.1, 0.9, 0.9, 0.9, 0.1)), 3),
        (Counts(0, 3, ()), 3),
    ],
)
def test_a_request_is_good_only_if_it_was_fast_too(sample, bad):
    assert bad_of(sample, 0.5) == bad


@given(st.integers(0, 20), st.integers(0, 20), st.lists(st.floats(0, 2), max_size=40))
def test_bad_is_between_what_is_sure_and_what_is_there(good, bad, latencies):
    found = bad_of(Counts(good, bad, tuple(latencies)), 0.5)
    assert bad <= found <= good + bad


def test_windows_by_name():
    assert set(open_windows([Objective("a", "p", 0.9), Objective("b", "p", 0.9)], 0.0)) == {"a", "b"}
