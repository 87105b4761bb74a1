"""The verdicts: when green passes, fails, or nobody can say."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.model.refs import Side
from bluegreen.model.samples import Broken, Counts, NoData
from bluegreen.model.verdicts import Judgement, Verdict
from bluegreen.slo.gate import combine, judge, judge_one
from bluegreen.slo.health import Health, blue_health
from bluegreen.slo.objectives import Objective
from bluegreen.slo.window import Window

G, B = Side.GREEN, Side.BLUE
START = 50.0
GOOD, BAD = Counts(1, 0), Counts(0, 1, example="HTTP 500")


def fed(seconds, green, blue=GOOD, per_second=2, **more):
    """Return a window after that many seconds of the same samples, and the time then."""
    more = {"good": 0.99, "min_samples": 20, **more}
    window = Window(Objective("errors", "p", **more), START)
    return feed(window, 0, seconds, green, blue, per_second=per_second)


def feed(window, since, seconds, green, blue=GOOD, *, per_second=2):
    turn = {G: itertools.cycle(green if isinstance(green, list) else [green])}
    turn[B] = itertools.cycle(blue if isinstance(blue, list) else [blue])
    for index in range(int(seconds * per_second)):
        at = START + since + (index + 0.5) / per_second
        window.advance(at)
        for side in (G, B):
            if (sample := next(turn[side])) is not None:
                window.add(side, sample, at)
    now = START + since + seconds
    window.advance(now)
    return window, now


def verdict(window, now, hold_left=0.0):
    return judge_one(window, now, hold_left)


def test_a_good_green_passes_after_minimum_and_hold():
    window, now = fed(5, GOOD)
    assert verdict(window, now).verdict is Verdict.INCONCLUSIVE
    assert verdict(window, now).needed == 10
    window, now = fed(20, GOOD)
    held = verdict(window, now, hold_left=3.2)
    assert (held.verdict, "4 s more" in held.reason) == (Verdict.INCONCLUSIVE, True)
    passed = verdict(window, now)
    assert (passed.verdict, passed.value, passed.samples, passed.needed) == (Verdict.PASS, 1.0, 40, None)


def test_a_dead_green_fails_in_seconds_even_below_the_minimum():
    window, now = fed(10, BAD, min_samples=1000)
    judgement = verdict(window, now)
    assert judgement.verdict is Verdict.FAIL
    assert judgement.evidence >= 100
    assert judgement.example == "HTTP 500"
    assert "FAIL" in judgement.line()
    assert "100.00% bad" in judgement.reason


def test_a_few_errors_are_undecided_with_an_estimate():
    window, now = fed(12, [GOOD] * 20 + [BAD] + [GOOD] * 20)
    judgement = verdict(window, now)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "may be chance" in judgement.reason
    assert judgement.needed > 0


def test_starved_is_never_passed():
    for green in (None, NoData("nobody came"), Counts(0, 0)):
        for seconds in (1, 30, 600):
            window, now = fed(seconds, green)
            assert verdict(window, now).verdict in {Verdict.INCONCLUSIVE, Verdict.PROBE_ERROR}
    window, now = fed(20, NoData("nobody came"))
    assert "nobody came" in verdict(window, now).reason


def test_data_that_stopped_is_no_good_data():
    window, now = fed(60, GOOD)
    window, now = feed(window, 60, 40, NoData("nobody came"))
    judgement = verdict(window, now)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "no request has reached green for" in judgement.reason


def test_a_broken_probe_neither_passes_nor_fails():
    window, now = fed(60, GOOD)
    window.add(G, Broken("no route from here"), now)
    assert verdict(window, now).verdict is Verdict.PROBE_ERROR
    window, now = fed(60, Broken("no route"), Broken("no route"))
    assert verdict(window, now).verdict is Verdict.PROBE_ERROR


def test_a_probe_that_went_silent_is_broken():
    window, now = fed(60, GOOD)
    judgement = verdict(window, now + 31)
    assert judgement.verdict is Verdict.PROBE_ERROR
    assert "not answered for 31 s" in judgement.reason


def test_a_bad_green_beside_a_blind_look_at_blue_does_not_go_back():
    window, now = fed(20, BAD, Broken("no route"))
    judgement = verdict(window, now)
    assert judgement.verdict is Verdict.PROBE_ERROR
    assert "no route" in judgement.reason


def test_both_sides_broken_is_nobodys_fault_here():
    window, now = fed(60, BAD, BAD)
    judgement = verdict(window, now)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "blue breaks it too" in judgement.reason
    half = [BAD, GOOD]
    assert verdict(*fed(60, half, half)).verdict is Verdict.INCONCLUSIVE


def test_green_much_worse_than_a_blue_that_errs_fails_all_the_same():
    blue = [BAD] + [GOOD] * 49
    window, now = fed(120, [BAD, GOOD], blue, per_second=5)
    assert verdict(window, now).verdict is Verdict.FAIL


def test_a_silent_blue_at_full_weight_does_not_protect_green():
    window, now = fed(10, BAD, NoData("no user's request reached this side"))
    assert verdict(window, now).verdict is Verdict.FAIL


def test_errors_that_begin_after_a_long_good_time_are_found():
    window, now = fed(1800, GOOD)
    assert verdict(window, now).verdict is Verdict.PASS
    for seconds in range(1, 61):
        window, now = feed(window, 1800 + seconds - 1, 1, [BAD, GOOD])
        if verdict(window, now).verdict is Verdict.FAIL:
            break
    assert seconds <= 30
    assert "of the last" in verdict(window, now).reason
    assert window.tallies[G].bad_share < 0.01


def test_errors_that_have_just_begun_hold_the_pass():
    window, now = fed(1200, GOOD)
    for seconds in range(1, 30):
        window, now = feed(window, 1200 + seconds - 1, 1, BAD)
        judgement = verdict(window, now)
        if judgement.verdict is not Verdict.PASS:
            break
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert seconds <= 2
    assert "not in the last half minute" in judgement.reason


def test_within_the_objective_but_worse_than_blue_fails_where_asked():
    green = [BAD] + [GOOD] * 199
    plain, now = fed(300, green, per_second=20)
    assert verdict(plain, now).verdict is Verdict.PASS
    compared, now = fed(300, green, per_second=20, compare_with_blue=True)
    judgement = verdict(compared, now)
    assert judgement.verdict is Verdict.FAIL
    assert "on blue at the same time" in judgement.reason


def test_a_difference_that_nobody_would_care_about_passes():
    green = [BAD] + [GOOD] * 1999
    window, now = fed(2000, green, per_second=20, compare_with_blue=True)
    assert verdict(window, now).verdict is Verdict.PASS


def test_a_comparison_never_hides_an_absolute_failure():
    window, now = fed(15, BAD, GOOD, compare_with_blue=True)
    assert verdict(window, now).verdict is Verdict.FAIL


@pytest.mark.parametrize("compare", [False, True])
def test_a_side_without_one_error_does_not_hide_those_of_the_other(compare):
    """A rank test over minutes calls 5 of 10 bad ones against none "no difference"; here the objective is a floor."""
    half = [Counts(2, 0)] * 10 + [Counts(1, 1)] * 10
    window, now = fed(60, half, Counts(2, 0), compare_with_blue=compare)
    judgement = verdict(window, now)
    assert judgement.verdict is Verdict.FAIL
    assert f"{judgement.bad / judgement.samples:.2%} bad" in judgement.reason
    assert blue_health([window.objective], {"errors": window}, now).health is Health.HEALTHY


@pytest.mark.parametrize("compare", [False, True])
def test_a_green_without_one_error_hides_no_sick_blue_and_passes(compare):
    half = [Counts(2, 0)] * 10 + [Counts(1, 1)] * 10
    window, now = fed(60, Counts(2, 0), half, compare_with_blue=compare)
    assert verdict(window, now).verdict is Verdict.PASS
    assert blue_health([window.objective], {"errors": window}, now).health is Health.SICK


def test_a_blue_that_nobody_visits_makes_no_comparison_and_hides_nothing():
    for blue in (None, NoData("nobody"), Counts(0, 0)):
        window, now = fed(20, BAD, blue, compare_with_blue=True)
        assert window.versus_blue.balance == 1.0
        found = verdict(window, now)
        assert found.verdict is (Verdict.FAIL if now - window.tallies[B].heard_at < 30 else Verdict.PROBE_ERROR)


def test_slow_answers_are_bad_where_the_objective_says_so():
    slow, fast = Counts(1, 0, (0.9,)), Counts(1, 0, (0.1,))
    assert verdict(*fed(20, slow, fast, below=0.5)).verdict is Verdict.FAIL
    assert verdict(*fed(20, fast, fast, below=0.5)).verdict is Verdict.PASS


def judged(verdict):
    return Judgement("o", verdict, None, 0.99, 0, 0, None, None, "")


@given(st.lists(st.sampled_from(Verdict)))
def test_the_worst_verdict_counts(verdicts):
    combined = combine([judged(verdict) for verdict in verdicts])
    for worst in (Verdict.FAIL, Verdict.PROBE_ERROR, Verdict.INCONCLUSIVE):
        if worst in verdicts:
            assert combined is worst
            return
    assert combined is (Verdict.PASS if verdicts else Verdict.INCONCLUSIVE)


def test_objectives_are_judged_in_order_each_by_its_window():
    objectives = [Objective("a", "p", 0.99, min_samples=5), Objective("b", "q", 0.9, min_samples=5)]
    windows = {objective.name: Window(objective, START) for objective in objectives}
    feed(windows["a"], 0, 20, GOOD)
    feed(windows["b"], 0, 20, BAD)
    judgements = judge(objectives, windows, START + 20, 0.0)
    assert [(j.objective, j.verdict) for j in judgements] == [("a", Verdict.PASS), ("b", Verdict.FAIL)]


samples = st.one_of(
    st.none(),
    st.builds(NoData, st.just("none")),
    st.builds(Broken, st.just("broken")),
    st.builds(Counts, st.integers(0, 30), st.integers(0, 30)),
)


@given(st.lists(st.tuples(samples, samples), max_size=40), st.floats(0, 5), st.booleans())
def test_whatever_is_seen_the_laws_hold(pairs, hold_left, compare):
    window = Window(Objective("o", "p", 0.99, min_samples=10, compare_with_blue=compare), START)
    for index, pair in enumerate(pairs):
        at = START + 0.3 * index
        for side, sample in zip((G, B), pair, strict=True):
            if sample is not None:
                window.add(side, sample, at)
        window.advance(at)
        judgement = judge_one(window, at, hold_left)
        green, blue = window.tallies[G], window.tallies[B]
        if judgement.verdict is Verdict.PASS:
            assert green.total >= 10
            assert hold_left == 0
            assert green.bad_share <= 0.01
            assert not green.broken
        if judgement.verdict is Verdict.FAIL:
            assert green.bad
            assert judgement.evidence >= 100 or compare
            assert not green.broken
            assert not blue.broken


@pytest.mark.parametrize(
    ("green", "blue", "health"),
    [
        (GOOD, GOOD, Health.HEALTHY),
        (BAD, GOOD, Health.HEALTHY),
        (GOOD, BAD, Health.SICK),
        (BAD, BAD, Health.SICK),
        (BAD, [BAD, *[GOOD] * 9], Health.HEALTHY),
        (None, [BAD, *[GOOD] * 9], Health.SICK),
        (BAD, None, Health.UNKNOWN),
        (BAD, NoData("nobody"), Health.UNKNOWN),
        (BAD, Broken("no route"), Health.UNKNOWN),
    ],
)
def test_health_of_blue(green, blue, health):
    window, now = fed(20, green, blue)
    found = blue_health([window.objective], {"errors": window}, now)
    assert found.health is health
    assert bool(found.reasons) is (health is not Health.HEALTHY)


def test_one_sick_objective_makes_blue_sick_and_unknown_is_never_healthy():
    good, now = fed(20, GOOD, GOOD)
    bad, _ = fed(20, GOOD, BAD)
    blind, _ = fed(20, GOOD, None)
    windows = {"good": good, "bad": bad, "blind": blind}
    names = [Objective(name, "p", 0.99) for name in windows]
    assert blue_health(names, windows, now).health is Health.SICK
    assert blue_health([names[0], names[2]], windows, now).health is Health.HEALTHY
    assert blue_health([names[2]], windows, now).health is Health.UNKNOWN
    assert blue_health([], {}, now).health is Health.UNKNOWN


def test_one_bad_request_among_many_does_not_make_blue_sick():
    window, now = fed(3, GOOD)
    window.add(B, BAD, now)
    assert blue_health([window.objective], {"errors": window}, now).health is Health.HEALTHY
