"""How the pods of each side fare, from its API server: ready, restarted, killed for memory, crash-looping, pending.

What is counted. Each look counts every pod that should serve once, so an objective speaks of ready pod-seconds: "99.5 %
of them". Bad in a look is
- a pod that cannot run: CrashLoopBackOff, ImagePullBackOff, CreateContainerConfigError and their like, at once;
- a pod that is not ready (pending, starting, failing its readiness) for longer than `grace`;
- a pod that restarted since the last look, OOMKilled or for another reason, in that one look even if it is ready again;
- a pod that failed since the last look, in that one look.
A pod within its grace is not counted at all: starting is no fault, and no proof of health. Pods that are being deleted
or have succeeded are not counted either. At the first look nothing has a grace: the import has waited
for green, and a way back must not take a blue that has been down for an hour for one that starts.

What that means to the gate. Pods of one look are not independent, and need not be: the gate bets on the bad share of
each second, whatever its size (see bluegreen/slo/evidence.py), so a hundred pods are one bet and no hundred. Looks that
follow each other are not independent either, when a state lasts. Therefore short unreadiness is no error but a grace, a
restart is an event of one look, and what lasts longer is what it looks like, an outage: it is meant to send green back.
`minSamples` counts pod-looks: 3 pods at an interval of 5 s are 36 a minute.

What it cannot see: replicas that no controller could create have no pod. It must never take an API server that does not
answer for a sick workload, and never asks for more than the pods of the named namespaces.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from bluegreen.model.errors import BluegreenError
from bluegreen.model.permissions import Permissions
from bluegreen.model.ports import ApiResource, Cluster
from bluegreen.model.refs import Side
from bluegreen.model.samples import Broken, Counts, NoData, Sample
from bluegreen_adapters.options import Options
from bluegreen_adapters.pod_health import PodLook, Standing, look

PERMISSIONS = Permissions(
    ("in each namespace of both clusters: list pods",),
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "bluegreen-probe", "namespace": "NAMESPACE"},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}],
    },
)
_PODS = ApiResource("v1", "Pod", "pods", namespaced=True, verbs=frozenset({"list"}))
_DEFAULT_GRACE = 30.0
_GRANT = "bluegreen adapters permissions kubernetes"


@dataclass(frozen=True, slots=True)
class _Past:
    """What a pod was at the last look: when it was first seen unready, its restarts, whether it had failed."""

    unready_since: float | None
    restarts: int
    failed: bool


@dataclass(slots=True)
class KubernetesProbe:
    """The pods of some namespaces.

    Attributes:
        name: name of the probe.
        clusters: cluster of each side.
        namespaces: where its pods are.
        selector: label selector, empty for all pods.
        grace: seconds that a pod may be unready without being counted.
        clock: monotonic seconds.
    """

    name: str
    clusters: Mapping[Side, Cluster]
    namespaces: tuple[str, ...]
    selector: str
    grace: float
    clock: Callable[[], float] = time.monotonic
    synthetic: bool = False
    users: bool = False
    gives_latency: bool = False
    _past: dict[Side, dict[str, _Past]] = field(default_factory=dict)

    def check(self) -> tuple[str, ...]:
        """Return namespaces whose pods may not be listed, and such as have none on blue, which serves today."""
        reasons: list[str] = []
        for side in Side:
            try:
                reasons += self._hidden(side)
            except BluegreenError as error:
                reasons.append(f"{side}: {error}")
        return tuple(reasons)

    def sample(self, side: Side) -> Sample:
        """Return how the pods of a side stand, with what happened to them since the last call."""
        try:
            looks = [look(pod) for pod in self._pods(side)]
        except BluegreenError as error:
            return Broken(str(error))
        except (KeyError, TypeError, ValueError) as error:
            return Broken(f"a pod that cannot be read: {type(error).__name__}: {error}")
        now, before = self.clock(), self._past.get(side)
        faults = {seen.uid: _fault(seen, before, now, self.grace) for seen in looks}
        self._past[side] = {seen.uid: _remember(seen, before, now) for seen in looks}
        return self._counted(looks, [fault for fault in faults.values() if fault is not None])

    def close(self) -> None:
        """Release nothing: the clusters are the run's."""

    def _pods(self, side: Side) -> Iterator[dict[str, object]]:
        cluster = self.clusters[side]
        for namespace in self.namespaces:
            yield from cluster.list(_PODS, namespace, self.selector)

    def _counted(self, looks: list[PodLook], faults: list[str]) -> Sample:
        """Return the counts of one look; an empty fault is a good pod."""
        bad = [fault for fault in faults if fault]
        if faults:
            return Counts(good=len(faults) - len(bad), bad=len(bad), synthetic=False, example=bad[0] if bad else "")
        waiting = [seen.words for seen in looks if seen.standing is Standing.UNREADY]
        if waiting:
            return NoData(f"{len(waiting)} pods are not ready, for less than {self.grace:g} s: {waiting[0]}")
        return NoData(f"no pod that should serve in {', '.join(self.namespaces)}")

    def _hidden(self, side: Side) -> Iterator[str]:
        cluster = self.clusters[side]
        for namespace in self.namespaces:
            if not cluster.may("list", "", "pods", namespace):
                yield f"pods of {namespace} may not be listed on {side}; grant what is shown by: {_GRANT}"
            elif side is Side.BLUE and not any(True for _ in cluster.list(_PODS, namespace, self.selector)):
                what = f" with {self.selector}" if self.selector else ""
                yield f"there is no pod{what} in namespace {namespace} on blue; correct namespaces or selector"


def _fault(seen: PodLook, before: Mapping[str, _Past] | None, now: float, grace: float) -> str | None:
    """Return what is wrong with a pod in this look, empty for nothing, None where it does not count.

    Args:
        seen: the pod.
        before: pods of the last look by UID, None at the first.
        now: monotonic seconds.
        grace: seconds that a pod may be unready.
    """
    past = _past_of(seen, before)
    restarted = seen.restarts - past.restarts
    if seen.standing is Standing.FAILED:
        return None if past.failed else seen.words
    if seen.standing is Standing.ENDED:
        return None
    if seen.standing is Standing.IN_TROUBLE:
        return seen.words
    if restarted > 0:
        return f"{seen.last_end or seen.words or seen.uid}, restarted {restarted} time(s)"
    if seen.standing is Standing.READY:
        return ""
    since = now if past.unready_since is None else past.unready_since
    return seen.words if now - since >= grace else None


def _past_of(seen: PodLook, before: Mapping[str, _Past] | None) -> _Past:
    """Return what a pod was: at the first look as it is now and unready since ever, a new pod without restarts."""
    if before is None:
        return _Past(-math.inf, seen.restarts, seen.standing is Standing.FAILED)
    return before.get(seen.uid, _Past(None, 0, failed=False))


def _remember(seen: PodLook, before: Mapping[str, _Past] | None, now: float) -> _Past:
    past = _past_of(seen, before)
    since = now if past.unready_since is None else past.unready_since
    waiting = seen.standing in {Standing.UNREADY, Standing.IN_TROUBLE}
    return _Past(since if waiting else None, seen.restarts, seen.standing is Standing.FAILED)


def open_probe(name: str, options: Mapping[str, object], *, clusters: Mapping[Side, Cluster]) -> KubernetesProbe:
    """Return a probe of the pods of both clusters.

    Args:
        name: name of the probe.
        options: namespaces (list), selector (label selector of the pods; all), grace (30s; how long a pod may be
            unready without being counted).
        clusters: cluster of each side.

    Raises:
        InvalidInputError: settings that cannot be used, all of them.
    """
    given = Options("probe kubernetes", name, options)
    namespaces, selector = given.items("namespaces", ()), given.text("selector", "")
    grace = given.seconds("grace", _DEFAULT_GRACE)
    given.finish()
    return KubernetesProbe(name, clusters, tuple(dict.fromkeys(namespaces)), selector, grace)
