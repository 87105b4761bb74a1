"""Waits until custom resource definitions are established and served, so that their objects can be applied."""

from collections.abc import Callable, Iterable

from bluegreen.importer import shape
from bluegreen.model.errors import RefusedError
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
    """Wait until every definition is Established and its kind is in discovery.

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
    wanted = {(crd["spec"]["group"], crd["spec"]["names"]["kind"]) for crd in definitions}
    while missing := wanted - {(r.api_version.rpartition("/")[0], r.kind) for r in cluster.resources()}:
        if clock() >= end:
            raise _late("not in discovery: " + ", ".join(sorted(f"{kind}.{group}" for group, kind in missing)))
        sleep(_PAUSE)


def _late(why: str) -> RefusedError:
    return RefusedError("import.definitions", "waiting for custom resource definitions", why, "kubectl describe crd")
