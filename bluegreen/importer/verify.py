"""Compares what was exported with what green has: every object there, every field as asked for, none of ours too many.

It only reads; a Secret's value is compared and never shown.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bluegreen.importer import shape
from bluegreen.importer.diff import ABSENT, differences
from bluegreen.importer.greens_own import Scene, scene_of, with_greens_own
from bluegreen.importer.idle import SUSPENDED, is_asleep, make_idle, wakes
from bluegreen.importer.live import read_live
from bluegreen.importer.owned import dropped
from bluegreen.model.marks import WAS_SUSPENDED, annotation
from bluegreen.model.ports import Cluster, Raw
from bluegreen.model.refs import ObjectRef, ref_of
from bluegreen.model.sleeping import Wakes


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing that green does not have as blue has it.

    Attributes:
        ref: the object.
        path: the field, empty when the object is missing.
        expected: what it should be, as short JSON.
        actual: what it is, as short JSON.
    """

    ref: ObjectRef
    path: str
    expected: str
    actual: str


def compare(objects: Iterable[Raw], cluster: Cluster, workers: int = 8) -> tuple[Drift, ...]:
    """Return every drift between transformed objects and green.

    What green keeps of its own is no drift, such as replicas that an autoscaler set; a CronJob that still sleeps is
    compared with its sleeping form.

    Args:
        objects: transformed objects, not idle.
        cluster: green.
        workers: reads at a time.
    """
    expected = sorted(objects, key=ref_of)
    scene = scene_of(expected)
    live = read_live(cluster, (ref_of(obj) for obj in expected), cluster.resources(), workers)
    return tuple(drift for obj in expected for drift in _drifts(obj, live.get(ref_of(obj)), scene))


def _drifts(obj: Raw, live: Raw | None, scene: Scene) -> Iterable[Drift]:
    ref = ref_of(obj)
    if live is None:
        return [Drift(ref, "", "an object", ABSENT)]
    if _still_sleeps(obj, live):
        obj = make_idle(obj)
    obj = with_greens_own(obj, live, scene)
    changes = differences(obj, live) + dropped(obj, live)
    return [Drift(ref, change.path, change.expected, change.actual) for change in changes]


def _still_sleeps(obj: Raw, live: Raw) -> bool:
    """Return whether a thing that wakes last sleeps as this object would: with the same memory of what it was."""
    if shape.is_kind(obj, *SUSPENDED):
        was = annotation(live, WAS_SUSPENDED)
        return was is not None and was == annotation(make_idle(obj), WAS_SUSPENDED)
    return wakes(obj) not in (None, Wakes.START) and is_asleep(live)
