"""The worked examples on the pages about the gate and about weights are what the code computes."""

from pathlib import Path

import pytest

from bluegreen.model.refs import Side
from bluegreen.model.samples import Counts
from bluegreen.slo.gate import judge_one
from bluegreen.slo.objectives import Objective
from bluegreen.slo.window import Window
from bluegreen.traffic.proof import trial_of

CONCEPTS = Path(__file__).parents[2] / "docs" / "concepts"
GREEN, BLUE, HOLD = 20, 180, 10.0


def lines(bad_of_green, bad_of_blue=0, seconds=13):
    """Return a judgement in words for each second; bad_of_green gives the bad requests of a second, counted from 1."""
    window = Window(Objective("availability", "users", good=0.99, min_samples=200), 0.0)
    told = {}
    for second in range(1, seconds + 1):
        for side, bad, total in ((Side.GREEN, bad_of_green(second), GREEN), (Side.BLUE, bad_of_blue, BLUE)):
            window.add(side, Counts(total - bad, bad, synthetic=False), second - 0.5)
        window.advance(float(second))
        judgement = judge_one(window, float(second), HOLD - second)
        told[second] = f"{second:>3} s  {judgement.line()}"
    return told


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (lines(lambda _: 3), (1, 7, 13)),
        (lines(lambda second: int(second == 3)), (3, 10)),
        (lines(lambda _: GREEN), (7,)),
        (lines(lambda _: 3, bad_of_blue=27), (13,)),
    ],
    ids=["three of twenty", "one alone", "all of them", "blue, too"],
)
def test_the_examples_of_the_gate_are_computed(told, shown):
    page = (CONCEPTS / "gate.md").read_text(encoding="utf-8").splitlines()

    assert [told[second] for second in shown if told[second] not in page] == []


@pytest.mark.parametrize("share", [1, 10, 50, 100])
def test_the_table_of_proofs_is_computed(share):
    trial = trial_of(share)
    times = f"{trial.low} to {trial.high} times" if trial.low != trial.high else f"{trial.low} times"

    assert f"| {share} % | {trial.samples} | {times} |" in (CONCEPTS / "traffic.md").read_text(encoding="utf-8")
