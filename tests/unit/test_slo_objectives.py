"""What can be wrong with an objective, told before a run."""

import pytest

from bluegreen.slo.objectives import Objective, unusable


class Probe:
    def __init__(self, gives_latency=True):
        self.gives_latency = gives_latency


def test_every_fault_at_once():
    with pytest.raises(ValueError, match="good is") as caught:
        Objective("o", "p", 1.0, min_samples=0, below=0, alpha=0.9, burst=-1)
    for word in ("good", "alpha", "min_samples", "below", "burst"):
        assert f"{word} is" in str(caught.value)


def test_a_missing_probe_or_metric_is_an_error_at_plan_time():
    objectives = [
        Objective("a", "web", 0.99),
        Objective("b", "wbe", 0.99),
        Objective("c", "users", 0.99, below=0.5),
    ]
    reasons = unusable(objectives, {"web": Probe(), "users": Probe(gives_latency=False)})
    assert len(reasons) == 2
    assert "'wbe'; there are: users, web" in reasons[0]
    assert "no time per request" in reasons[1]


def test_nothing_to_judge_is_an_error():
    assert unusable([], {}) != ()
    assert unusable([Objective("a", "web", 0.99)], {"web": Probe()}) == ()
