"""Waits until what was started on green is ready, and says of each object why it is not when the time is over.

It only reads.
"""

from collections.abc import Callable, Iterable

from bluegreen.importer import shape
from bluegreen.importer.live import read_live
from bluegreen.importer.ready import pod_trouble, why_not_ready
from bluegreen.model.errors import RefusedError
from bluegreen.model.events import Emit
from bluegreen.model.ports import ApiResource, Cluster, Raw
from bluegreen.model.refs import ObjectRef

_PODS = ApiResource("v1", "Pod", "pods", namespaced=True, verbs=frozenset())
_SHORTEST, _LONGEST = 0.5, 5.0


class NotReadyError(RefusedError):
    """Objects were not ready in time.

    Attributes:
        reasons: one line per object.
    """

    def __init__(self, what: str, reasons: tuple[str, ...]) -> None:
        self.reasons = reasons
        super().__init__("import.not-ready", what, "; ".join(reasons), "kubectl describe the first of them on green")


def wait_ready(
    cluster: Cluster,
    refs: Iterable[ObjectRef],
    *,
    seconds: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    emit: Emit,
) -> None:
    """Wait until workloads are available, claims bound and bare pods ready.

    Args:
        cluster: green.
        refs: what to wait for; kinds without readiness only have to exist.
        seconds: how long to wait.
        clock: monotonic seconds.
        sleep: waits that many seconds.
        emit: told when the number of objects waited for changes.

    Raises:
        NotReadyError: the time is over; with the reason of each object, its pods' troubles included.
    """
    waiting = tuple(refs)
    resources = cluster.resources()
    end, pause, said = clock() + seconds, _SHORTEST, -1
    while waiting:
        live = read_live(cluster, waiting, resources)
        reasons = {ref: _reason(live.get(ref)) for ref in waiting}
        waiting = tuple(ref for ref in waiting if reasons[ref])
        if len(waiting) != said:
            said, pause = len(waiting), _SHORTEST
            emit("ready.waiting", objects=said, first=f"{waiting[0]}: {reasons[waiting[0]]}" if waiting else "")
        if waiting and clock() >= end:
            raise _late(cluster, {ref: reasons[ref] for ref in waiting}, live, seconds)
        if waiting:
            sleep(pause)
            pause = min(pause * 1.5, _LONGEST)


def _reason(live: Raw | None) -> str:
    return "it does not exist" if live is None else why_not_ready(live)


def _late(cluster: Cluster, reasons: dict[ObjectRef, str], live: dict[ObjectRef, Raw], seconds: float) -> NotReadyError:
    lines = tuple(f"{ref}: {why}{_troubles(cluster, live.get(ref))}" for ref, why in reasons.items())
    return NotReadyError(f"waiting {seconds:.0f} s for {len(lines)} objects on {cluster.id.context}", lines)


def _troubles(cluster: Cluster, live: Raw | None) -> str:
    """Return what the pods of a workload say, each trouble once."""
    labels = shape.get(live, "spec", "selector", "matchLabels")
    if live is None or not labels:
        return ""
    selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    pods = cluster.list(_PODS, live["metadata"]["namespace"], selector)
    troubles = sorted({trouble for pod in pods if (trouble := pod_trouble(pod))})
    return f" ({'; '.join(troubles[:3])})" if troubles else ""
