"""The betting accounts: fair by exact enumeration under the hypothesis, whatever depends on whatever inside a block."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluegreen.slo.evidence import Account, against_blue, against_objective, bad_share_alternatives


def binomial(bad, total, share):
    return math.comb(total, bad) * share**bad * (1 - share) ** (total - bad)


@pytest.mark.parametrize(("most", "size", "rest"), [(0.01, 2, 0), (0.01, 3, 1), (0.2, 2, 2), (0.001, 1, 0)])
def test_an_honest_balance_does_not_grow_on_average(most, size, rest):
    mean = 0.0
    for blocks in itertools.product(range(size + 1), repeat=5):
        account, chance = Account(), 1.0
        for number, bad in enumerate(blocks):
            account = against_objective(account, number, bad=bad, total=size, most=most, rest=rest)
            chance *= binomial(bad, size, most)
        mean += chance * account.balance
    assert mean == pytest.approx(1.0, abs=1e-9)


def test_requests_of_a_block_that_fail_all_together_change_nothing():
    most, mean = 0.05, 0.0
    for blocks in itertools.product((0, 20), repeat=8):
        account, chance = Account(), 1.0
        for number, bad in enumerate(blocks):
            account = against_objective(account, number, bad=bad, total=20, most=most, rest=0)
            chance *= most if bad else 1 - most
        mean += chance * account.balance
    assert mean == pytest.approx(1.0, abs=1e-9)


@given(most=st.floats(0.0001, 0.5), share=st.floats(0, 1), total=st.integers(1, 50))
def test_below_the_objective_every_bet_loses_on_average(most, share, total):
    honest = share * most
    gain = sum(
        binomial(bad, total, honest) * against_objective(Account(), 0, bad=bad, total=total, most=most, rest=0).balance
        for bad in range(total + 1)
    )
    assert gain <= 1 + 1e-9


@pytest.mark.parametrize(("greens", "blues"), [(3, 3), (1, 6), (6, 1), (2, 9)])
@pytest.mark.parametrize("share", [0.05, 0.3])
def test_sides_that_fail_alike_prove_nothing_on_average(greens, blues, share):
    mean = sum(
        binomial(bad, greens, share)
        * binomial(other, blues, share)
        * against_blue(Account(), 0, green=(bad, greens), blue=(other, blues), rest=0).balance
        for bad in range(greens + 1)
        for other in range(blues + 1)
    )
    assert mean <= 1 + 1e-9


@pytest.mark.parametrize(("greens", "blues"), [(20, 20), (2, 38), (38, 2)])
def test_bursts_of_each_side_alone_prove_nothing_on_average(greens, blues):
    share = 0.1
    mean = sum(
        (share if bad else 1 - share)
        * (share if other else 1 - share)
        * against_blue(Account(), 0, green=(bad, greens), blue=(other, blues), rest=0).balance
        for bad in (0, greens)
        for other in (0, blues)
    )
    assert mean <= 1 + 1e-9


def test_a_shock_that_hits_both_sides_moves_nothing():
    account = Account()
    for number in range(50):
        account = against_blue(account, number, green=(10, 10), blue=(10, 10), rest=0)
    assert account.balance <= 1 + 1e-9


def test_a_silent_blue_does_not_hide_errors_of_green():
    account = Account()
    for number in range(12):
        account = against_blue(account, number, green=(1, 10), blue=(0, 10), rest=0)
    assert account.balance > 100


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=40), st.integers(0, 4))
def test_a_balance_is_never_negative_nor_nan(blocks, rest):
    account = Account()
    for number, (bad, good) in enumerate(blocks):
        account = against_objective(account, number, bad=bad, total=bad + good, most=0.01, rest=rest)
        assert account.balance >= 0
        assert math.isfinite(account.balance)


def test_an_outage_without_end_does_not_overflow():
    account = Account()
    for number in range(2000):
        account = against_objective(account, number, bad=9, total=9, most=0.0001, rest=0)
    assert math.isfinite(account.balance)
    assert account.balance > 1e100


def test_after_an_error_it_rests_for_the_length_of_a_burst():
    account = against_objective(Account(), 0, bad=1, total=1, most=0.01, rest=3)
    for number in (1, 2, 3):
        assert against_objective(account, number, bad=1, total=1, most=0.01, rest=3) == account
    assert against_objective(account, 4, bad=1, total=1, most=0.01, rest=3).balance > account.balance


def test_a_second_without_errors_ends_the_rest_and_is_not_bet_on():
    account = against_objective(Account(), 0, bad=1, total=1, most=0.01, rest=9)
    rested = against_objective(account, 1, bad=0, total=1, most=0.01, rest=9)
    assert rested.balance == account.balance
    assert against_objective(rested, 2, bad=1, total=1, most=0.01, rest=9).balance > account.balance
    silent = against_objective(account, 1, bad=0, total=0, most=0.01, rest=9)
    assert against_objective(silent, 2, bad=1, total=1, most=0.01, rest=9) == account


@given(st.floats(0.00001, 0.9))
def test_every_alternative_is_worse_than_allowed_and_a_share(most):
    alternatives = bad_share_alternatives(most)
    assert all(most < share <= 1 for share in alternatives)
    assert list(alternatives) == sorted(alternatives)
