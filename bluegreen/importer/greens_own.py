"""What green keeps of its own in an object that we write: replicas that an autoscaler set, subjects of other imports.

Without it, a second import would take capacity away under load, and namespaces that are brought one by one would take
each other's rights. Pure.
"""

from collections.abc import Iterable, Iterator

import msgspec

from bluegreen.importer import shape
from bluegreen.importer.idle import is_asleep
from bluegreen.model.accounts import account_of
from bluegreen.model.marks import WAS_REPLICAS, annotation
from bluegreen.model.ports import Raw
from bluegreen.model.sleeping import Path, Scales, scales_of

Target = tuple[str, str, str]
_REPLICAS: Path = ("spec", "replicas")


class Scene(msgspec.Struct, frozen=True):
    """What must be known of all objects of an import beside one of them.

    Attributes:
        scaled: targets of autoscalers, as namespace, kind and name.
        namespaces: the namespaces that the import is about.
        scales: where the replicas of custom resources stand.
    """

    scaled: frozenset[Target] = frozenset()
    namespaces: frozenset[str] = frozenset()
    scales: Scales = msgspec.field(default_factory=dict)


NO_SCENE = Scene()


def scene_of(objects: Iterable[Raw]) -> Scene:
    """Return the scene of transformed objects."""
    known = tuple(objects)
    names = {str(obj["metadata"].get("namespace") or "") for obj in known}
    names |= {str(obj["metadata"]["name"]) for obj in known if obj["kind"] == "Namespace"}
    return Scene(frozenset(_targets(known)), frozenset(names), scales_of(known))


def _targets(objects: Iterable[Raw]) -> Iterator[Target]:
    for obj in objects:
        if obj["kind"] in ("HorizontalPodAutoscaler", "ScaledObject"):
            target = shape.get(obj, "spec", "scaleTargetRef") or {}
            yield obj["metadata"]["namespace"], str(target.get("kind") or "Deployment"), str(target.get("name"))


def with_greens_own(obj: Raw, live: Raw, scene: Scene) -> Raw:
    """Return an object as it shall be applied over what green has; not a copy where nothing is kept.

    Args:
        obj: the object as green shall have it.
        live: the object as green has it.
        scene: what is known of all objects of the import.
    """
    if obj["kind"] == "ClusterRoleBinding":
        return _with_subjects(obj, live, scene.namespaces)
    if scene.scaled and _place(obj) in scene.scaled:
        return _with_replicas(obj, live, scene.scales.get((str(obj["apiVersion"]), str(obj["kind"])), _REPLICAS))
    return obj


def _place(obj: Raw) -> Target:
    return str(obj["metadata"].get("namespace") or ""), str(obj["kind"]), str(obj["metadata"]["name"])


def _with_replicas(obj: Raw, live: Raw, path: Path) -> Raw:
    """Keep the replicas that green runs; none is no autoscaler's number, and what sleeps is woken with blue's."""
    now = shape.get(live, *path)
    if not isinstance(now, int) or now == 0 or _sleeps(obj) or _sleeps(live) or shape.get(obj, *path) in (None, now):
        return obj
    return _with(obj, path, now)


def _sleeps(obj: Raw) -> bool:
    return annotation(obj, WAS_REPLICAS) is not None or is_asleep(obj)


def _with(node: Raw, path: Path, value: object) -> Raw:
    """Return a copy of nested maps with another value at a path; the rest is shared."""
    return {**node, path[0]: value if len(path) == 1 else _with(node[path[0]], path[1:], value)}


def _with_subjects(obj: Raw, live: Raw, namespaces: frozenset[str]) -> Raw:
    """Keep green's subjects but for those of this import's namespaces, in green's order, ours behind them.

    An export holds only subjects of its own namespaces: the others are of earlier imports or of green's people.
    """
    mine = {_identity(subject): subject for subject in obj.get("subjects") or ()}
    there = {_identity(subject): subject for subject in live.get("subjects") or ()}
    stays = [s for key, s in there.items() if key in mine or not _is_in(s, namespaces)]
    return {**obj, "subjects": [*stays, *(s for key, s in mine.items() if key not in there)]}


def _identity(subject: Raw) -> Target:
    return str(subject.get("kind")), str(subject.get("namespace") or ""), str(subject.get("name"))


def _is_in(subject: Raw, namespaces: frozenset[str]) -> bool:
    account = account_of(subject)
    return account is not None and account[0] in namespaces
