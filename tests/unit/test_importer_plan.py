"""A plan is not held up by one object that the server fails over, and not made at all without a server."""

import pytest
from fake_api import FakeApi

from bluegreen.importer.decide import Verdict
from bluegreen.importer.plan import PlanOptions, plan_import
from bluegreen.importer.refusal import Cause
from bluegreen.model.errors import TransientError
from bluegreen.model.refs import ObjectRef, ref_of

LOST = TransientError("kube.connection", "checking", "Connection aborted.")
BUSY = TransientError("kube.throttled", "checking", "too many requests")


def obj(name):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "shop"}, "spec": {}}


class Failing(FakeApi):
    """A server that loses the connection on the dry run of one object, as often as told."""

    def __init__(self, error, times):
        super().__init__({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        self.error, self.times, self.asked, self.gone = error, times, 0, False

    def apply(self, obj, *, force=False, dry_run=False):
        if obj["metadata"]["name"] == "bad":
            self.asked += 1
            if self.asked <= self.times:
                raise self.error
        return super().apply(obj, force=force, dry_run=dry_run)

    def get(self, ref):
        if self.gone and self.asked:
            raise LOST
        return super().get(ref)


def planned(green):
    plan = plan_import([obj("bad"), obj("good")], green, PlanOptions("m", dry_run=True, workers=1))
    return {entry.ref.name: entry for entry in plan.entries}


def test_an_object_that_the_server_fails_over_is_refused_in_clear_words_and_the_others_are_planned():
    green = Failing(LOST, 99)
    entries = planned(green)
    assert (entries["bad"].verdict, entries["bad"].cause) == (Verdict.REFUSED, Cause.UNANSWERED)
    assert "drops the connection each time it is asked to check this object" in entries["bad"].reason
    assert entries["good"].verdict is Verdict.CREATE
    assert green.asked == 2


def test_a_server_that_was_away_for_a_moment_is_asked_again():
    assert planned(Failing(LOST, 1))["bad"].verdict is Verdict.CREATE


def test_a_server_that_is_gone_ends_the_plan():
    green = Failing(LOST, 99)
    green.gone = True
    with pytest.raises(TransientError):
        planned(green)


def test_another_error_is_not_asked_about_again():
    green = Failing(BUSY, 99)
    assert planned(green)["bad"].cause is Cause.TRANSIENT
    assert green.asked == 1


def test_a_plan_names_every_object_and_writes_nothing():
    green = FakeApi()
    planned_refs = [ref_of(obj("good")), ObjectRef("v1", "Service", "shop", "bad")]
    assert sorted(entry.ref for entry in planned(green).values()) == sorted(planned_refs)
    assert green.writes == []
