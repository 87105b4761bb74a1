"""Steps: every fault at once, and weights that a router cannot hold."""

import pytest

from bluegreen.model.ports import Weights
from bluegreen.traffic.steps import Step, check_steps


class Router:
    def __init__(self, resolution, name="shop"):
        self.resolution, self.name = resolution, name


def steps(*weights):
    return [Step(weight) for weight in weights]


def test_good_steps():
    assert check_steps(steps(10, 50, 100)) == ()
    assert steps(10)[0].weights == Weights(90, 10)


def test_all_faults_at_once():
    found = " | ".join(check_steps(steps(50, 10, 150, 10, -1, 99)))
    for part in (
        "150 is not between 1 and 100",
        "-1 is not between 1 and 100",
        "10 stands 2 times",
        "10 comes after 50",
        "the last step is 99",
    ):
        assert part in found


@pytest.mark.parametrize(
    ("weights", "part"),
    [
        ((10, 50), "the last step is 50"),
        ((0, 100), "0 is not between"),
        ((), "there is no step"),
        ((10, 100, 100), "100 stands 2 times"),
        ((100, 50), "50 comes after 100"),
    ],
)
def test_one_fault(weights, part):
    assert any(part in reason for reason in check_steps(steps(*weights)))


def test_a_budget_that_ends_before_the_hold_could_never_pass():
    found = check_steps([Step(100, hold=60, budget=30)])
    assert len(found) == 1
    assert "could never pass" in found[0]
    assert check_steps([Step(100, hold=-1, settle_timeout=0)])


def test_a_coarse_router_cannot_hold_fine_weights():
    found = check_steps(steps(5, 50, 100), [Router(10)])
    assert found == ("route 'shop' has 10 positions and cannot hold 5 per cent; nearest: 10",)
    assert check_steps(steps(5, 50, 100), [Router(256), Router(255), Router(100), Router(20)]) == ()
    assert "nearest: 10 or 20" in check_steps(steps(15, 100), [Router(10)])[0]
