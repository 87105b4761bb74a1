"""A configuration in which nothing sees a blue without users is warned about before anything begins."""

import pytest
from fake_traffic import FakeProbe

from bluegreen.migration.watched import unwatched
from bluegreen.model.findings import Severity
from bluegreen.slo.objectives import Objective

USERS, WEB = FakeProbe("users", synthetic=False), FakeProbe("web")
PODS = FakeProbe("pods", synthetic=False, users=False)
PROBES = {"users": USERS, "web": WEB, "pods": PODS}


def objectives(*probes):
    return tuple(Objective(f"by-{name}", name, 0.99) for name in probes)


def test_users_alone_say_nothing_about_a_blue_that_has_none():
    (found,) = unwatched(objectives("users"), PROBES)
    assert (found.rule, found.severity, found.subject) == ("blue-unwatched", Severity.WARNING, "users")
    for words in ("100 %", "held", "revert is refused", "no request"):
        assert words in found.reason
    assert "probe: http" in found.action
    assert "bluegreen traffic set 0" in found.action


@pytest.mark.parametrize("seeing", ["web", "pods"])
def test_own_requests_or_pods_are_enough(seeing):
    assert unwatched(objectives("users", seeing), PROBES) == ()


def test_a_probe_that_no_objective_judges_is_not_enough():
    assert len(unwatched(objectives("users"), {"users": USERS, "web": WEB})) == 1
