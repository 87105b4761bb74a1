"""Wakes what was imported asleep: StatefulSets, Deployments, DaemonSets, custom resources, bare pods; schedules last.

Waking twice does nothing the second time. What was scaled to 0 or suspended on blue stays so, and nothing is woken that
this migration did not create.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from bluegreen.importer import shape
from bluegreen.importer.apply import ApplyOptions, apply_objects
from bluegreen.importer.idle import runs_once, wakes, waking
from bluegreen.importer.order import Phase
from bluegreen.importer.scales import read_scales
from bluegreen.model.errors import NotFoundError
from bluegreen.model.events import Emit
from bluegreen.model.marks import IDLE, RUN_AGAIN, WAS_AWAKE, WAS_REPLICAS, WAS_SUSPENDED, annotation, is_ours
from bluegreen.model.ports import Cluster, Raw
from bluegreen.model.refs import ObjectRef, ref_of
from bluegreen.model.sleeping import Wakes, sleep_of

After = Callable[[Sequence[ObjectRef]], None]
_STAGES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("stateful", ("StatefulSet",)),
    ("stateless", ("Deployment", "ReplicaSet", "ReplicationController")),
    ("per node", ("DaemonSet",)),
)


def start(cluster: Cluster, objects: Iterable[Raw], options: ApplyOptions, emit: Emit, after: After) -> None:
    """Wake the workloads, then apply bare pods, then what must wait for them (webhooks).

    Args:
        cluster: green.
        objects: transformed objects, not idle.
        options: migration id, workers and clocks; prepare is not used.
        emit: told of each stage.
        after: called with the references of each stage before the next one begins, to wait until they are ready.

    Raises:
        NotFoundError: a workload is not on green.
        ApplyFailedError: bare pods or webhooks were refused.
    """
    everything = list(objects)
    awake = ApplyOptions(options.migration, options.clock, options.sleep, options.workers)
    for name, kinds in _STAGES:
        refs = [ref_of(obj) for obj in everything if shape.is_kind(obj, *kinds)]
        woken = _each(refs, awake.workers, lambda ref: _wake(cluster, ref, awake.migration))
        emit("start.stage", stage=name, objects=len(refs), woken=sum(woken))
        after(refs)
    if custom := _wake_custom(cluster, everything, awake, emit):
        after(custom)
    pods = apply_objects(cluster, everything, Phase.START, awake, emit)
    after([result.ref for result in pods])
    apply_objects(cluster, everything, Phase.LATE, awake, emit)


def _wake_custom(cluster: Cluster, objects: Iterable[Raw], options: ApplyOptions, emit: Emit) -> list[ObjectRef]:
    """Wake custom resources, whose operators run by now, but for those that wait for the end; return what can wake."""
    known = list(objects)
    scales = read_scales(cluster, known, emit)
    custom = [obj for obj in known if sleep_of(obj, scales) and wakes(obj) in (None, Wakes.START)]
    refs = [ref_of(obj) for obj in custom]
    woken = _each(refs, options.workers, lambda ref: _wake(cluster, ref, options.migration))
    if refs:
        emit("start.stage", stage="custom", objects=len(refs), woken=sum(woken))
    return refs


def resume_cronjobs(cluster: Cluster, objects: Iterable[Raw], migration: str, emit: Emit) -> tuple[ObjectRef, ...]:
    """Let CronJobs run again that did so on blue, and Jobs that a person marked; the very last act on green.

    Args:
        cluster: green.
        objects: transformed objects.
        migration: id of the migration.
        emit: told how many.

    Returns:
        what runs again now.
    """
    kinds = [obj for obj in objects if is_schedule(ref_of(obj)) or _may_run_again(obj)]
    refs = [ref_of(obj) for obj in kinds]
    resumed = tuple(ref for ref in refs if _resume(cluster, ref, migration))
    emit("start.cronjobs", objects=len(refs), resumed=len(resumed))
    return resumed


def is_schedule(ref: ObjectRef) -> bool:
    """Return whether an object runs things by itself, now or later, and so wakes last."""
    names = {"apiVersion": ref.api_version, "kind": ref.kind}
    return shape.is_kind(names, "CronJob") or wakes(names) is Wakes.LAST


def _may_run_again(obj: Raw) -> bool:
    return runs_once(obj) and annotation(obj, RUN_AGAIN) == "true"


def _each(refs: Sequence[ObjectRef], workers: int, act: Callable[[ObjectRef], bool]) -> list[bool]:
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="start") as pool:
        return list(pool.map(act, refs))


def _wake(cluster: Cluster, ref: ObjectRef, migration: str) -> bool:
    """Wake one workload; return whether it slept."""
    live = cluster.get(ref)
    if not is_ours(live, migration):
        return False
    patch = wake_patch(live)
    if patch is None:
        return False
    cluster.patch(ref, patch)
    return True


def wake_patch(live: Raw) -> Raw | None:
    """Return the merge patch that wakes a workload, None when it does not sleep."""
    if shape.is_kind(live, "DaemonSet"):
        if IDLE not in (shape.pod_spec(live).get("nodeSelector") or {}):
            return None
        return {"spec": {"template": {"spec": {"nodeSelector": {IDLE: None}}}}}
    if (custom := annotation(live, WAS_AWAKE)) is not None:
        return waking(custom)
    was = annotation(live, WAS_REPLICAS)
    if was is None or not was.isdecimal():
        return None
    return {"metadata": {"annotations": {WAS_REPLICAS: None}}, "spec": {"replicas": int(was)}}


def _resume(cluster: Cluster, ref: ObjectRef, migration: str) -> bool:
    try:
        live = cluster.get(ref)
    except NotFoundError:
        return False  # deleted on green since: nothing to let run
    if wakes(live) is not None:
        return _wake(cluster, ref, migration)
    was = annotation(live, WAS_SUSPENDED)
    if was is None or not is_ours(live, migration):
        return False
    forget: Raw = {"metadata": {"annotations": {WAS_SUSPENDED: None}}}
    cluster.patch(ref, forget if was == "true" else {**forget, "spec": {"suspend": False}})
    return was != "true"
