"""Waits until custom resource definitions are established and served, so that their objects can be applied."""

import contextlib
import json
from collections.abc import Callable, Iterable

from bluegreen.importer import shape
from bluegreen.model.errors import NotFoundError, RefusedError
from bluegreen.model.ports import Cluster, Raw
from bluegreen.model.refs import ref_of

_PAUSE = 0.25


def wait_established(
    cluster: Cluster,
    definitions: Iterable[Raw],
    seconds: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> None:
    """Wait until every definition is Established and its kind is in discovery, in each version that is served.

    Args:
        seconds: how long to wait.
        clock: monotonic seconds.
        sleep: waits that many seconds.

    Raises:
        RefusedError: the time is over; names the definitions and what they say.
    """
    waiting = list(definitions)
    end = clock() + seconds
    while waiting:
        reasons = {str(ref_of(crd)): why for crd in waiting if (why := _why_not(cluster, crd))}
        if not reasons:
            return _wait_served(cluster, waiting, end, clock, sleep)
        if clock() >= end:
            raise _late("; ".join(f"{name}: {why}" for name, why in reasons.items()))
        sleep(_PAUSE)
    return None


def _why_not(cluster: Cluster, crd: Raw) -> str:
    live = cluster.get(ref_of(crd))
    conditions = {c.get("type"): c for c in shape.get(live, "status", "conditions") or ()}
    if conditions.get("NamesAccepted", {}).get("status") == "False":
        return str(conditions["NamesAccepted"].get("message", "its names are taken"))
    if conditions.get("Established", {}).get("status") == "True":
        return ""
    return str(conditions.get("Established", {}).get("message") or "not established yet")


def _wait_served(
    cluster: Cluster, definitions: list[Raw], end: float, clock: Callable[[], float], sleep: Callable[[float], None]
) -> None:
    wanted = {kind for crd in definitions for kind in _kinds(crd)}
    while missing := wanted - _served(cluster, wanted):
        if clock() >= end:
            raise _late("not in discovery: " + ", ".join(f"{kind} of {version}" for version, kind in sorted(missing)))
        sleep(_PAUSE)


def _kinds(crd: Raw) -> list[tuple[str, str]]:
    """Return apiVersion and kind of each version that a definition says is served."""
    spec = crd["spec"]
    served = (version["name"] for version in spec.get("versions") or () if version.get("served"))
    return [(f"{spec['group']}/{name}", spec["names"]["kind"]) for name in served]


def _served(cluster: Cluster, wanted: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return which kinds are served; of each kind the preferred version is told, the others are asked for."""
    found = {(r.api_version, r.kind) for r in cluster.resources()} & wanted
    for version in {version for version, _ in wanted - found}:
        with contextlib.suppress(NotFoundError):
            told = json.loads(cluster.raw(f"/apis/{version}").text)
            found |= {(version, str(entry["kind"])) for entry in told.get("resources") or ()}
    return found


def _late(why: str) -> RefusedError:
    return RefusedError("import.definitions", "waiting for custom resource definitions", why, "kubectl describe crd")
