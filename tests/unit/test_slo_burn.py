"""Burn rates: windows that are full, rules that are broken, and when chance is excluded."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.model.refs import Side
from bluegreen.model.samples import Broken, Counts
from bluegreen.model.verdicts import Verdict
from bluegreen.slo.burn import History, Spent, chance, worst_burn
from bluegreen.slo.gate import judge_one
from bluegreen.slo.latencies import Latencies
from bluegreen.slo.objectives import BurnRate, Objective
from bluegreen.slo.window import Window

G, B = Side.GREEN, Side.BLUE
PAGE = BurnRate(5.0, 120.0, 20.0)


def window_of(**more):
    return Window(Objective("errors", "p", 0.99, **{"min_samples": 20, "burn_rates": (PAGE,), **more}), 0.0)


FINE = Counts(10, 0)


def feed(window, since, seconds, green, blue=FINE):
    """Give both sides one sample a second; return the time then."""
    for second in range(since, since + seconds):
        for side, sample in ((G, green), (B, blue)):
            window.add(side, sample, second + 0.5)
        window.advance(second + 1)
    return since + seconds


@pytest.mark.parametrize(("rate", "long", "short"), [(0.5, 60, 5), (2, 60, 60), (2, 60, 61), (2, 60, 0)])
def test_a_rule_that_makes_no_sense_is_refused(rate, long, short):
    with pytest.raises(ValueError, match="burn rate"):
        BurnRate(rate, long, short)


def test_a_window_that_is_not_full_says_nothing():
    history = History(5.0, 60.0)
    for second in range(59):
        history.add(G, 1, 10)
        history.advance(second + 1.0)
        assert history.over(G, 60.0) is None
    history.add(G, 1, 10)
    history.advance(60.0)
    assert history.over(G, 60.0) == Spent(60, 600, pytest.approx(1.2), 12)
    assert history.over(B, 60.0) == Spent()


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=80), st.integers(1, 30))
def test_a_window_is_the_sum_of_its_last_slots(samples, seconds):
    history = History(1.0, 30.0)
    for second, (bad, good) in enumerate(samples):
        history.add(G, bad, bad + good)
        history.advance(second + 1.0)
    seen = history.over(G, seconds)
    if seconds > len(samples):
        assert seen is None
        return
    last = samples[-seconds:]
    assert (seen.bad, seen.total) == (sum(bad for bad, _ in last), sum(bad + good for bad, good in last))
    assert seen.slots == sum(bad + good > 0 for bad, good in last)
    assert seen.shares == pytest.approx(sum(bad / (bad + good) for bad, good in last if bad + good))


def test_memory_is_bounded_by_the_longest_window():
    history = History(1.0, 30.0)
    history.advance(10_000.0)
    assert history.over(G, 30.0) == Spent()
    assert history.over(G, 31.0) is None


def test_the_bound_holds_where_the_chance_is_known():
    """One request per slot: the exact tail of the binomial distribution is never above the bound."""
    for slots in (10, 60, 200):
        for bad in range(1, slots + 1):
            tail = sum(
                math.comb(slots, k) * 0.01**k * 0.99 ** (slots - k) for k in range(bad, min(slots, bad + 60) + 1)
            )
            assert tail <= chance(Spent(bad, slots, float(bad), slots), 0.01) * (1 + 1e-9)
    assert chance(Spent(), 0.01) == 1.0
    assert chance(Spent(0, 10, 0.0, 10), 0.01) == 1.0


def test_both_windows_must_burn():
    late, early = window_of(), window_of()
    feed(late, 0, 110, Counts(10, 0))
    feed(late, 110, 20, Counts(5, 5))
    assert worst_burn(late.objective, late.history).short == pytest.approx(50, rel=0.1)
    feed(early, 0, 60, Counts(5, 5))
    feed(early, 60, 60, Counts(10, 0))
    assert worst_burn(early.objective, early.history) is None


def silent(**more):
    """Return a window whose sequential test sits out as long as errors go on: what burns is found without it."""
    window = window_of(**more)
    window.accounts[G] = window.accounts[G].rest(10**9)
    return window


def test_a_broken_rule_holds_green_and_sends_it_back_once_chance_is_excluded():
    unsure, sure = silent(burst=5.0), silent(burst=1.0)
    for window in (unsure, sure):
        feed(window, 0, 119, Counts(9, 1))
        early = judge_one(window, 119, 0.0)
        assert (early.verdict, "burns" in early.reason) == (Verdict.INCONCLUSIVE, False)
    feed(unsure, 119, 81, Counts(9, 1))
    held = judge_one(unsure, 200, 0.0)
    assert (held.verdict, "may be chance" in held.reason) == (Verdict.INCONCLUSIVE, True)
    assert held.needed > 0
    feed(sure, 119, 81, Counts(7, 3))
    judgement = judge_one(sure, 200, 0.0)
    assert judgement.verdict is Verdict.FAIL
    assert judgement.reason == (
        "the error budget burns 23.5 times as fast as allowed over 120 s and 30 times over 20 s, the limit is 5"
    )


def test_a_burn_that_blue_shares_or_cannot_be_compared_is_not_blamed_on_green():
    bad, verdicts = Counts(7, 3), []
    for blue in (bad, Broken("no route"), Counts(10, 0)):
        window = silent(burst=1.0)
        judgement = judge_one(window, feed(window, 0, 300, bad, blue), 0.0)
        assert "burns" in judgement.reason or "no route" in judgement.reason
        verdicts.append(judgement.verdict)
    assert verdicts == [Verdict.INCONCLUSIVE, Verdict.PROBE_ERROR, Verdict.FAIL]


def test_no_rule_leaves_the_sequential_test_its_whole_alpha():
    assert Objective("o", "p", 0.99).sequential_alpha == 0.01
    ruled = Objective("o", "p", 0.99, burn_rates=(PAGE,))
    assert ruled.sequential_alpha + ruled.burn_alpha == pytest.approx(0.01)
    assert ruled.burn_alpha > 0


def test_old_errors_leave_the_window():
    plain, windowed = window_of(burn_rates=()), window_of(burn_rates=(), window=60.0)
    for window in (plain, windowed):
        feed(window, 0, 300, Counts(100, 0))
        feed(window, 300, 1, Counts(0, 700))
        feed(window, 301, 59, Counts(100, 0))
    assert judge_one(windowed, 360, 0.0).verdict is not Verdict.PASS
    for window in (plain, windowed):
        feed(window, 360, 240, Counts(100, 0))
    assert judge_one(plain, 600, 0.0).verdict is Verdict.INCONCLUSIVE
    judgement = judge_one(windowed, 600, 0.0)
    assert (judgement.verdict, judgement.samples, judgement.value) == (Verdict.PASS, 6000, 1.0)


def test_a_window_never_passes_without_its_minimum_of_samples():
    window = window_of(burn_rates=(), window=60.0, min_samples=100)
    feed(window, 0, 300, Counts(10, 0))
    for second in range(300, 360):
        window.add(G, Counts(1, 0) if second % 10 == 0 else Counts(0, 0), second + 0.5)
        window.advance(second + 1)
    judgement = judge_one(window, 360, 0.0)
    assert (judgement.verdict, judgement.samples, judgement.needed) == (Verdict.INCONCLUSIVE, 6, 94)


def test_a_quantile_is_right_to_five_per_cent_and_only_information():
    dice, latencies = random.Random(7), Latencies()  # noqa: S311 - a sample, no secret
    times = [dice.lognormvariate(-2, 1) for _ in range(5000)]
    latencies.add(times)
    exact = sorted(times)[math.ceil(0.99 * len(times)) - 1]
    assert exact <= latencies.quantile(0.99) <= exact * 1.051
    assert Latencies().quantile(0.99) is None
    slow, plain = window_of(burn_rates=()), window_of(burn_rates=())
    feed(slow, 0, 30, Counts(2, 0, (9.0, 9.5)))
    feed(plain, 0, 30, Counts(2, 0))
    judgement = judge_one(slow, 30, 0.0)
    assert (judgement.verdict, judge_one(plain, 30, 0.0).p99) == (Verdict.PASS, None)
    assert judgement.p99 == pytest.approx(9.5, rel=0.06)
    assert "p99 9." in judgement.line()
