"""Steps: every fault at once, and weights that a router cannot hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.model.errors import InvalidInputError
from bluegreen.model.ports import Weights
from bluegreen.traffic.steps import Step, check_steps, parse_steps, require_steps


class Router:
    def __init__(self, resolution, name="shop"):
        self.resolution, self.name = resolution, name


def reasons(text):
    with pytest.raises(InvalidInputError) as caught:
        parse_steps(text)
    return caught.value.reasons


def test_good_steps():
    steps = parse_steps(" 10, 50 ,100")
    assert [step.weight for step in steps] == [10, 50, 100]
    assert steps[0].weights == Weights(90, 10)


def test_all_faults_at_once():
    found = " | ".join(reasons("50,10,x,150,10,-1,,99"))
    for part in (
        "'x' is no whole number",
        "'' is no whole number",
        "150 is not between 1 and 100",
        "-1 is not between 1 and 100",
        "10 stands 2 times",
        "10 comes after 50",
    ):
        assert part in found


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("10,50", "the last step is 50"),
        ("0,100", "0 is not between"),
        ("", "no whole number"),
        ("10.5,100", "'10.5' is no whole"),
        ("10,100,100", "100 stands 2 times"),
        ("100,50", "50 comes after 100"),
    ],
)
def test_one_fault(text, part):
    assert any(part in reason for reason in reasons(text)), reasons(text)


@given(st.text(alphabet="0123456789,-+ x%.", max_size=20))
def test_any_text_is_refused_with_reasons_or_gives_steps_that_obey_the_rules(text):
    try:
        steps = parse_steps(text)
    except InvalidInputError as error:
        assert error.reasons
        return
    weights = [step.weight for step in steps]
    assert weights == sorted(set(weights))
    assert weights[-1] == 100
    assert all(1 <= weight <= 100 for weight in weights)


def test_a_budget_that_ends_before_the_hold_could_never_pass():
    found = check_steps([Step(100, hold=60, budget=30)])
    assert len(found) == 1
    assert "could never pass" in found[0]
    assert check_steps([Step(100, hold=-1, settle_timeout=0)])


def test_a_coarse_router_cannot_hold_fine_weights():
    steps = parse_steps("5,50,100")
    found = check_steps(steps, [Router(10)])
    assert found == ("route 'shop' has 10 positions and cannot hold 5 per cent; nearest: 10",)
    assert check_steps(steps, [Router(256), Router(255), Router(100), Router(20)]) == ()
    assert "nearest: 10 or 20" in check_steps(parse_steps("15,100"), [Router(10)])[0]
    with pytest.raises(InvalidInputError):
        require_steps(steps, [Router(10)])


def test_steps_take_the_runs_times():
    steps = parse_steps("10,100", lambda weight: Step(weight, hold=weight))
    assert [step.hold for step in steps] == [10, 100]
