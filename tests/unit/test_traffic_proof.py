"""A random split is proven by enough answers, and refuted when it is off."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluegreen.traffic.proof import ALPHA, POWER, p_value, trial_of

SEED = 7


def draws(dice, samples, share):
    return sum(dice.random() < share for _ in range(samples))


@pytest.mark.parametrize(
    ("asked", "about"), [(10, 1322), (50, 3142), (1, 4266)], ids=["10 or 15", "50 or 45", "1 or 2"]
)
def test_sample_sizes_agree_with_the_normal_approximation(asked, about):
    """The exact test needs a few more than the textbook formula, never fewer and never a tenth more."""
    assert about <= trial_of(asked).samples <= 1.1 * about


@pytest.mark.parametrize("asked", [0, 100])
def test_nothing_and_all_are_refuted_by_a_single_other_answer(asked):
    trial = trial_of(asked)
    right = trial.samples if asked else 0
    assert trial.holds(right)
    assert not trial.holds(right - 1 if asked else 1)
    assert 0.95**trial.samples <= 1 - POWER + 1e-9


@pytest.mark.parametrize("asked", [1, 5, 10, 37, 50, 90, 99])
def test_the_right_share_is_hardly_ever_refuted_and_a_wrong_one_nearly_always(asked):
    dice, trial = random.Random(SEED), trial_of(asked)  # noqa: S311 - a simulation
    runs = 300
    off = min(5, max(1, min(asked, 100 - asked) // 2))
    wrong = asked + off if asked < 95 else asked - off
    kept = sum(trial.holds(draws(dice, trial.samples, asked / 100)) for _ in range(runs))
    missed = sum(trial.holds(draws(dice, trial.samples, wrong / 100)) for _ in range(runs))
    assert kept >= runs - 3
    assert missed <= 10


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 99))
def test_the_bounds_are_those_of_the_p_value(asked):
    trial = trial_of(asked)
    assert p_value(asked, trial.samples, trial.low) > ALPHA - 1e-9
    assert p_value(asked, trial.samples, trial.high) > ALPHA - 1e-9
    if trial.low:
        assert p_value(asked, trial.samples, trial.low - 1) <= ALPHA + 1e-9
    if trial.high < trial.samples:
        assert p_value(asked, trial.samples, trial.high + 1) <= ALPHA + 1e-9
