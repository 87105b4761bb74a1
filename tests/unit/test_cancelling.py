"""An abort while volumes are moved takes the move back, and whatever comes of that, the abort is how the run ended."""

from types import SimpleNamespace

import pytest

from bluegreen.migration import cancelling, workflow
from bluegreen.model.errors import ConflictError, TransientError
from bluegreen.model.ports import VolumePod, VolumeRequest

REQUEST = VolumeRequest("m1", ("shop",), {}, (VolumePod("shop", "db-0", {}, ("data",)),))


class Mover:
    """A mover that remembers what was cancelled, or fails to."""

    def __init__(self, fault=None):
        self.fault, self.cancelled = fault, []

    def cancel(self, request):
        self.cancelled.append(request.id)
        if self.fault:
            raise self.fault


class Place:
    """A run that was refused in a phase, and the steps that were recorded after it."""

    def __init__(self, monkeypatch, mover, request=REQUEST):
        self.steps, self.told = [], []
        self.run = SimpleNamespace(mover=mover, request=request, emit=self._emit, closing=False, routers=())
        monkeypatch.setattr(workflow, "_recorded", self._recorded)

    def _recorded(self, run, name, act):
        self.steps.append(name)
        return act(run)

    def _emit(self, name, /, **data):
        self.told.append((name, data))

    def fails(self, phase, code, *, cached=False):
        return workflow._failed(self.run, phase, {"refused": {"code": code, "text": "why"}}, cached=cached)

    @property
    def notices(self):
        return [data["text"] for name, data in self.told if name == "notice"]


@pytest.mark.parametrize("code", ["run.aborted", "run.out-of-time"])
def test_a_move_under_way_is_cancelled_before_the_routes_are_restored(monkeypatch, code):
    place = Place(monkeypatch, Mover())
    ended = place.fails("volumes", code, cached=True)
    assert ended == {"outcome": "failed", "phase": "volumes", "refused": {"code": code, "text": "why"}}
    assert place.run.mover.cancelled == ["m1"]
    assert place.steps == ["volumes-cancel", "routes-restore"]
    assert "cancelled" in place.notices[0]


@pytest.mark.parametrize(
    ("phase", "code"), [("volumes", "volumes.failed"), ("import", "run.aborted"), ("verify", "run.aborted")]
)
def test_a_move_that_failed_itself_or_is_over_stays(monkeypatch, phase, code):
    place = Place(monkeypatch, Mover())
    place.fails(phase, code)
    assert place.run.mover.cancelled == []


FAULTS = (
    (TransientError("v.slow", "cancelling m1", "still there", "velero backup delete m1"), "velero backup delete m1"),
    (ConflictError("v.used", "cancelling m1", "a pod uses it"), "a pod uses it"),
    (KeyError("status"), "KeyError"),
)


@pytest.mark.parametrize(("fault", "words"), FAULTS)
def test_what_could_not_be_cancelled_is_told_once_and_the_abort_stands(monkeypatch, fault, words):
    place = Place(monkeypatch, Mover(fault))
    assert place.fails("volumes", "run.aborted")["refused"]["code"] == "run.aborted"
    assert place.run.mover.cancelled == ["m1"]
    assert "could not be cancelled" in place.notices[0]
    assert words in place.notices[0]


@pytest.mark.parametrize("request_", [None, VolumeRequest("m1", ("shop",), {}, ())], ids=["none", "no claims"])
def test_without_claims_there_is_nothing_to_cancel(monkeypatch, request_):
    place = Place(monkeypatch, Mover(), request_)
    place.fails("volumes", "run.aborted")
    assert place.run.mover.cancelled == []
    assert place.notices == []


def test_without_a_mover_there_is_nothing_to_cancel():
    assert cancelling.cancel_move(SimpleNamespace(mover=None, request=REQUEST)) == {"cancelled": True}
