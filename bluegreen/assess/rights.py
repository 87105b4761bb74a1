"""The rights that a migration needs in both clusters, and which of them we miss.

It asks by SelfSubjectAccessReview, which stores nothing. What an adapter needs for itself is its own check's; Velero's
are here as well, for an assessment knows of claims before a mover is configured.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from bluegreen.model.errors import BluegreenError
from bluegreen.model.findings import Finding, Severity
from bluegreen.model.ports import Cluster, Raw

_WORKERS = 8
_VELERO = "velero.io"
_INFO = Severity.INFO
_CARRIED = "Velero, which carries the claims"
_RUN = "the checks of bluegreen.yaml that run a command in a pod"


class Need(msgspec.Struct, frozen=True, order=True):
    """A right that is needed.

    Attributes:
        side: blue or green.
        plural: resource, with its subresource after a slash.
        group: API group, empty for the core group.
        namespace: namespace, empty for all or none.
        verb: Kubernetes verb.
        purpose: what it is for.
        severity: how bad it is to miss it.
    """

    side: str
    plural: str
    group: str
    namespace: str
    verb: str
    purpose: str
    severity: Severity


class Missing(msgspec.Struct, frozen=True):
    """Verbs that we miss on one resource in one namespace.

    Attributes:
        need: the first of the needs; its verb stands for all.
        verbs: every verb.
        context: the cluster's context.
    """

    need: Need
    verbs: tuple[str, ...]
    context: str


class Extras(msgspec.Struct, frozen=True):
    """What is done besides moving objects.

    Attributes:
        configured: whether a migration says the rest; else it is what most migrations do, and missing it is no blocker.
        velero: Velero's namespace, empty when it carries nothing.
        commands: namespaces in which commands are run in pods; not looked at unless configured.
    """

    configured: bool = False
    velero: str = "velero"
    commands: tuple[str, ...] = ()


def needs(
    moved: Sequence[Raw],
    plurals: Mapping[tuple[str, str], str],
    extras: Extras,
    there: Mapping[str, frozenset[str]] | None = None,
) -> tuple[Need, ...]:
    """Return every right that moving these objects needs, each once and sorted.

    Args:
        moved: objects as green will have them.
        plurals: resource name in URLs by (apiVersion, kind).
        extras: what is done besides.
        there: names of cluster-wide objects that green has already, by kind; they need not be created.
    """
    found = {*_of_objects(moved, plurals, there or {}), *_of_commands(moved, extras)}
    if extras.velero and any(obj["kind"] == "PersistentVolumeClaim" for obj in moved):
        severity = Severity.BLOCKER if extras.configured else Severity.WARNING
        found |= {*_of_velero(extras.velero, severity), *_of_carriers(moved, severity)}
    return tuple(sorted(found))


def _of_objects(
    moved: Iterable[Raw], plurals: Mapping[tuple[str, str], str], there: Mapping[str, frozenset[str]]
) -> Iterator[Need]:
    """Yield what bringing each object needs: an apply of one that is not there is a patch and a create.

    Of those in one namespace each kind is looked at once.
    """
    alike = {(obj["apiVersion"], obj["kind"], _where(obj) or obj["metadata"]["name"]): obj for obj in moved}
    for obj in alike.values():
        plural = plurals.get((obj["apiVersion"], obj["kind"]))
        where, group = _where(obj), obj["apiVersion"].rpartition("/")[0]
        if plural is None:
            continue  # its API is found missing elsewhere
        exists = not where and obj["metadata"]["name"] in there.get(obj["kind"], ())
        for verb in ("get", "list", "patch") if exists else ("create", "get", "list", "patch"):
            yield Need("green", plural, group, where, verb, "moving the objects", Severity.BLOCKER)
        if not exists:
            undo = "going back, which removes what it made"
            yield Need("green", plural, group, where, "delete", undo, Severity.WARNING)


def _where(obj: Raw) -> str:
    return str(obj["metadata"].get("namespace") or "")


def _of_commands(moved: Iterable[Raw], extras: Extras) -> Iterator[Need]:
    severity = Severity.BLOCKER if extras.configured else Severity.INFO
    for where in extras.commands if extras.configured else _namespaces(moved):
        for side in ("blue", "green"):
            yield Need(side, "pods", "", where, "list", _RUN, severity)
            yield Need(side, "pods/exec", "", where, "create", _RUN, severity)


def _of_velero(where: str, severity: Severity) -> Iterator[Need]:
    """Yield what the Velero mover does in Velero's namespace."""
    table = (
        ("blue", "backups", "create get list"),
        ("blue", "deletebackuprequests", "create get delete"),
        ("blue", "podvolumebackups", "list patch"),
        ("blue", "backupstoragelocations", "list"),
        ("green", "backups", "create get list"),
        ("green", "restores", "create get list delete"),
        ("green", "podvolumebackups", "create list"),
        ("green", "podvolumerestores", "list patch"),
        ("green", "backupstoragelocations", "list"),
    )
    for side, plural, verbs in table:
        yield from (Need(side, plural, _VELERO, where, verb, _CARRIED, severity) for verb in verbs.split())
    for side in ("blue", "green"):
        for group, plural, verb in (("", "configmaps", "patch"), ("", "configmaps", "delete"), ("", "pods", "list")):
            yield Need(side, plural, group, where, verb, _CARRIED, severity)
        for plural in ("deployments", "daemonsets"):
            yield Need(side, plural, "apps", where, "get", _CARRIED, severity)


def _of_carriers(moved: Iterable[Raw], severity: Severity) -> Iterator[Need]:
    for where in _namespaces(moved):
        for verb in ("get", "list", "delete"):
            yield Need("green", "pods", "", where, verb, _CARRIED, severity)
        yield Need("green", "persistentvolumeclaims", "", where, "delete", _CARRIED, severity)


def _namespaces(moved: Iterable[Raw]) -> list[str]:
    return sorted({_where(obj) for obj in moved} - {""})


def ask(blue: Cluster, green: Cluster, wanted: Iterable[Need], gaps: dict[str, str]) -> tuple[Missing, ...]:
    """Return which of the rights we miss.

    Args:
        blue: the source.
        green: the target.
        wanted: the rights.
        gaps: told when a cluster does not answer the question.
    """
    wanted = tuple(wanted)
    asked = {need.side for need in wanted}
    sides = {side: cluster for side, cluster in (("blue", blue), ("green", green)) if side in asked}
    with ThreadPoolExecutor(_WORKERS) as pool:
        # Who may do everything is asked once, and not for a hundred single rights.
        anything = [Need(side, "*", "*", "", "*", "", _INFO) for side in sides]
        unbounded = list(pool.map(lambda need: _may(sides[need.side], need, gaps), anything))
        closed = {need.side for need, may in zip(anything, unbounded, strict=True) if not may}
        single = [need for need in wanted if need.side in closed]
        allowed = list(pool.map(lambda need: _may(sides[need.side], need, gaps), single))
    denied = [need for need, may in zip(single, allowed, strict=True) if may is False]
    return tuple(_grouped(denied, {side: cluster.id.context for side, cluster in sides.items()}))


def _may(cluster: Cluster, need: Need, gaps: dict[str, str]) -> bool | None:
    try:
        return cluster.may(need.verb, need.group, need.plural, need.namespace)
    except BluegreenError as error:
        gaps[f"our rights on {need.side}"] = str(error)
        return None


def _grouped(denied: Iterable[Need], contexts: Mapping[str, str]) -> Iterator[Missing]:
    groups: dict[tuple[str, str, str, str, str, Severity], list[Need]] = {}
    for need in denied:
        key = (need.side, need.plural, need.group, need.namespace, need.purpose, need.severity)
        groups.setdefault(key, []).append(need)
    for together in groups.values():
        yield Missing(together[0], tuple(need.verb for need in together), contexts[together[0].side])


def question(missing: Missing) -> str:
    """Return the commands that ask for a missing right again."""
    need = missing.need
    where = f" -n {need.namespace}" if need.namespace else ""
    return "; ".join(
        f"kubectl --context {missing.context} auth can-i {verb} {_resource(need)}{where}" for verb in missing.verbs
    )


def _resource(need: Need) -> str:
    return f"{need.plural}.{need.group}" if need.group else need.plural


def finding(missing: Missing) -> Finding:
    """Return a missing right as a finding."""
    need = missing.need
    return Finding(
        "right-missing",
        need.severity,
        f"{need.side}: {_resource(need)}{' in ' + need.namespace if need.namespace else ''}",
        f"we may not {', '.join(missing.verbs)} it; needed for {need.purpose}",
        f"grant {' and '.join(missing.verbs)}; ask again by: {question(missing)}",
    )
