"""Compares what was exported with what green has: every object there, every field as asked for, none of ours too many.

It only reads; a Secret's value is compared and never shown.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bluegreen.importer import shape
from bluegreen.importer.diff import ABSENT, differences
from bluegreen.importer.idle import SUSPENDED, is_asleep, make_idle, wakes
from bluegreen.importer.live import read_live
from bluegreen.importer.owned import dropped
from bluegreen.model.marks import WAS_SUSPENDED, annotation
from bluegreen.model.ports import Cluster, Raw
from bluegreen.model.refs import ObjectRef, ref_of
from bluegreen.model.sleeping import Scales, Wakes, scales_of


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

    Replicas that an autoscaler governs are not compared; a CronJob that still sleeps is compared with its sleeping
    form.

    Args:
        objects: transformed objects, not idle.
        cluster: green.
        workers: reads at a time.
    """
    expected = sorted(objects, key=ref_of)
    scaled, scales = frozenset(_scaled_targets(expected)), scales_of(expected)
    live = read_live(cluster, (ref_of(obj) for obj in expected), cluster.resources(), workers)
    return tuple(drift for obj in expected for drift in _drifts(obj, live.get(ref_of(obj)), scaled, scales))


def _drifts(obj: Raw, live: Raw | None, scaled: frozenset[tuple[str, str, str]], scales: Scales) -> Iterable[Drift]:
    ref = ref_of(obj)
    if live is None:
        return [Drift(ref, "", "an object", ABSENT)]
    held = shape.is_kind(obj, *SUSPENDED) and annotation(live, WAS_SUSPENDED) is not None
    if held or (wakes(obj) not in (None, Wakes.START) and is_asleep(live)):
        obj = make_idle(obj)
    replicas = ".".join(scales.get((ref.api_version, ref.kind), ("spec", "replicas")))
    governed = (ref.namespace, ref.kind, ref.name) in scaled
    return [
        Drift(ref, change.path, change.expected, change.actual)
        for change in differences(obj, live) + dropped(obj, live)
        if not (governed and change.path == replicas)
    ]


def _scaled_targets(objects: Iterable[Raw]) -> Iterable[tuple[str, str, str]]:
    for obj in objects:
        if obj["kind"] in ("HorizontalPodAutoscaler", "ScaledObject"):
            target = shape.get(obj, "spec", "scaleTargetRef") or {}
            yield obj["metadata"]["namespace"], str(target.get("kind") or "Deployment"), str(target.get("name"))
