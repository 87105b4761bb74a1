"""Read from blue what the carriers on green must look like, and refuse at once what Velero would leave out in silence.

Velero skips a volume it cannot back up by files (block, hostPath, a pod that does not run) and still says Completed;
that is how data gets lost, so each such case is a reason here. It only reads.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bluegreen.model.errors import InvalidInputError, NotFoundError
from bluegreen.model.ports import Cluster, Raw, VolumePod, VolumeRequest
from bluegreen.model.refs import ObjectRef
from bluegreen_adapters.velero_names import CLAIMS, PODS
from bluegreen_adapters.velero_reads import claims_of, find, is_live, uid_of

_STATEFUL = "statefulset.kubernetes.io/pod-name"


@dataclass(frozen=True, slots=True)
class SourcePod:
    """A pod on blue whose volumes are moved: its object and the claims behind its volumes."""

    raw: Raw
    volumes: tuple[tuple[str, str], ...]

    @property
    def namespace(self) -> str:
        """Return the namespace."""
        return str(self.raw["metadata"]["namespace"])

    @property
    def name(self) -> str:
        """Return the name."""
        return str(self.raw["metadata"]["name"])


@dataclass(frozen=True, slots=True)
class SourceClaim:
    """A claim on blue and the StorageClass that it gets on green."""

    namespace: str
    name: str
    storage_class: str


@dataclass(slots=True)
class Survey:
    """What blue holds for a request, and every reason why it cannot be moved."""

    pods: list[SourcePod] = field(default_factory=list)
    claims: list[SourceClaim] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


def selector_of(pod: VolumePod) -> Mapping[str, str]:
    """Return the labels by which the backup finds a pod: its StatefulSet name, else all that it has."""
    own = pod.labels.get(_STATEFUL)
    return {_STATEFUL: own} if own else dict(pod.labels)


def wanted_claims(request: VolumeRequest) -> tuple[tuple[str, str], ...]:
    """Return (namespace, claim) of every claim in the request, each once, sorted."""
    return tuple(sorted({(pod.namespace, claim) for pod in request.pods for claim in pod.claims}))


def survey(blue: Cluster, request: VolumeRequest) -> Survey:
    """Read pods and claims of a request from blue.

    Raises:
        InvalidInputError: something cannot be moved; all reasons at once.
    """
    found = Survey()
    for pod in request.pods:
        _look_at_pod(blue, pod, request, found)
    for namespace, name in wanted_claims(request):
        _look_at_claim(blue, namespace, name, request, found)
    found.reasons.extend(_bystanders(blue, request))
    if found.reasons:
        hint = "change what the reasons name, then run the same command again"
        raise InvalidInputError("velero.request", f"preparing the move {request.id}", tuple(found.reasons), hint)
    return found


def _look_at_pod(blue: Cluster, pod: VolumePod, request: VolumeRequest, found: Survey) -> None:
    raw = find(blue, ObjectRef("v1", "Pod", pod.namespace, pod.name))
    if raw is None:
        found.reasons.append(f"Pod {pod.namespace}/{pod.name} is not on blue any more")
        return
    found.reasons.extend(_pod_reasons(pod, raw, request))
    found.pods.append(SourcePod(raw, tuple(claims_of(raw))))


def _pod_reasons(pod: VolumePod, raw: Raw, request: VolumeRequest) -> Iterator[str]:
    where = f"Pod {pod.namespace}/{pod.name}"
    phase = (raw.get("status") or {}).get("phase")
    mounted = {claim for _, claim in claims_of(raw)}
    if pod.namespace not in request.namespaces:
        yield f"{where} lies outside the namespaces of the move"
    if not selector_of(pod):
        yield f"{where} has no labels, so a backup cannot select it; give it one"
    if phase != "Running":
        yield f"{where} is {phase}; a file-system backup needs it Running"
    for claim in sorted(set(pod.claims) - mounted):
        yield f"{where} does not mount the claim {claim}"
    for claim in sorted(mounted - set(pod.claims)):
        yield f"{where} also mounts the claim {claim}, which the move leaves out; Velero takes all of a pod's claims"
    yield from _device_reasons(where, raw)


def _device_reasons(where: str, raw: Raw) -> Iterator[str]:
    containers = raw["spec"].get("containers") or []
    used = {mount["name"] for container in containers for mount in container.get("volumeMounts") or []}
    for volume, claim in claims_of(raw):
        if volume not in used:
            yield f"{where}: no container mounts the files of claim {claim}; Velero moves files, no block devices"


def _look_at_claim(blue: Cluster, namespace: str, name: str, request: VolumeRequest, found: Survey) -> None:
    where = f"PersistentVolumeClaim {namespace}/{name}"
    raw = find(blue, ObjectRef(CLAIMS.api_version, CLAIMS.kind, namespace, name))
    if raw is None:
        found.reasons.append(f"{where} is not on blue")
        return
    source = str(raw["spec"].get("storageClassName") or "")
    target = request.storage_classes.get(source, source)
    found.claims.append(SourceClaim(namespace, name, target))
    if raw["spec"].get("volumeMode") == "Block":
        found.reasons.append(f"{where} is a block volume; Velero moves files only")
    if _is_host_path(blue, str(raw["spec"].get("volumeName") or "")):
        found.reasons.append(
            f"{where} lies on a hostPath volume; Velero cannot back it up, move it to a CSI or local class"
        )


def _is_host_path(blue: Cluster, volume: str) -> bool:
    try:
        return bool(volume) and "hostPath" in blue.get(ObjectRef("v1", "PersistentVolume", "", volume))["spec"]
    except NotFoundError:
        return False


def _bystanders(blue: Cluster, request: VolumeRequest) -> Iterator[str]:
    """Find pods with claims that the selectors catch although nobody asked for them."""
    asked = {(pod.namespace, pod.name) for pod in request.pods}
    selectors = [selector_of(pod) for pod in request.pods]
    for namespace in request.namespaces:
        for raw in blue.list(PODS, namespace):
            labels = raw["metadata"].get("labels") or {}
            caught = any(selector and selector.items() <= labels.items() for selector in selectors)
            key = (namespace, str(raw["metadata"]["name"]))
            if caught and key not in asked and is_live(raw) and any(True for _ in claims_of(raw)):
                yield f"Pod {key[0]}/{key[1]} mounts claims and has the labels of a moved pod, but is not in the move"


def cargo_of(found: Survey) -> list[dict[str, str]]:
    """Return what each volume of each pod holds, as recorded beside the carriers' rules."""
    return [
        {"namespace": pod.namespace, "pod": pod.name, "uid": uid_of(pod.raw), "volume": volume, "claim": claim}
        for pod in found.pods
        for volume, claim in pod.volumes
    ]
