"""Every reason why Velero could not move volumes now, each with what to type. It only reads."""

from collections.abc import Iterator

from bluegreen.model.errors import BluegreenError
from bluegreen.model.ports import Cluster, Raw
from bluegreen.model.refs import ObjectRef, Side
from bluegreen_adapters.velero_names import STORAGE, Options
from bluegreen_adapters.velero_phases import phase_of
from bluegreen_adapters.velero_reads import find

_KINDS = ("backups", "restores", "podvolumebackups", "podvolumerestores", "backupstoragelocations")
_RIGHTS = {
    Side.BLUE: (("create", "velero.io", "backups"), ("create", "velero.io", "deletebackuprequests")),
    Side.GREEN: (("create", "velero.io", "restores"), ("delete", "velero.io", "restores")),
}


def check(blue: Cluster, green: Cluster, options: Options) -> tuple[str, ...]:
    """Return every reason why a move cannot work now; empty is good."""
    reasons: list[str] = []
    locations = {}
    for side, cluster in ((Side.BLUE, blue), (Side.GREEN, green)):
        try:
            reasons.extend(_side_reasons(side, cluster, options))
            locations[side] = location(cluster, options)
        except BluegreenError as error:
            reasons.append(f"{side}: {error}")
    reasons.extend(_storage_reasons(locations, options))
    return tuple(reasons)


def _side_reasons(side: Side, cluster: Cluster, options: Options) -> Iterator[str]:
    kubectl = f"kubectl --context {cluster.id.context} -n {options.namespace}"
    served = {r.plural for r in cluster.resources() if r.api_version.startswith("velero.io/")}
    missing = [kind for kind in _KINDS if kind not in served]
    if missing:
        hint = f"type: velero install --kubecontext {cluster.id.context}"
        yield f"{side} does not serve Velero's {', '.join(missing)}; {hint}"
        return
    server = find(cluster, ObjectRef("apps/v1", "Deployment", options.namespace, "velero"))
    if server is None:
        yield f"{side} has no Deployment velero in {options.namespace}; set the mover's option namespace, or install it"
    elif not (server.get("status") or {}).get("availableReplicas"):
        yield f"Velero is not available on {side}; type: {kubectl} describe deployment velero"
    yield from _agent_reasons(side, cluster, options, kubectl)
    for verb, group, plural in _RIGHTS[side]:
        if not cluster.may(verb, group, plural, options.namespace):
            yield f"we may not {verb} {plural} on {side}; type: {kubectl} auth can-i {verb} {plural}.{group}"


def _agent_reasons(side: Side, cluster: Cluster, options: Options, kubectl: str) -> Iterator[str]:
    agent = find(cluster, ObjectRef("apps/v1", "DaemonSet", options.namespace, "node-agent"))
    if agent is None:
        yield f"{side} has no DaemonSet node-agent, which copies the files; type: velero install --use-node-agent"
        return
    status = agent.get("status") or {}
    ready, wanted = int(status.get("numberReady") or 0), int(status.get("desiredNumberScheduled") or 0)
    if ready < wanted or not ready:
        hint = f"type: {kubectl} describe daemonset node-agent"
        yield f"node-agent is ready on {ready} of {wanted} nodes of {side}; {hint}"


def location(cluster: Cluster, options: Options) -> Raw | None:
    """Return the BackupStorageLocation that a move uses in a cluster, None when there is none."""
    found = list(cluster.list(STORAGE, options.namespace))
    if options.storage_location:
        return next((raw for raw in found if raw["metadata"]["name"] == options.storage_location), None)
    by_flag = next((raw for raw in found if (raw.get("spec") or {}).get("default")), None)
    return by_flag or next((raw for raw in found if raw["metadata"]["name"] == "default"), None)


def _storage_reasons(locations: dict[Side, Raw | None], options: Options) -> Iterator[str]:
    wanted = options.storage_location or "default"
    for side, store in locations.items():
        if store is None:
            yield f"{side} has no BackupStorageLocation {wanted!r}; type: velero backup-location get"
        elif phase_of(store) != "Available":
            why = (store.get("status") or {}).get("message") or "no reason is given"
            yield f"the BackupStorageLocation of {side} is {phase_of(store) or 'not validated yet'}: {why}"
    stores = [_bucket(place) for place in locations.values() if place is not None]
    if len(stores) == len(Side) and stores[0] != stores[1]:
        ours, theirs = ("/".join(part for part in store if part) for store in stores)
        yield f"blue backs up to {ours}, green reads {theirs}; give both BackupStorageLocations one bucket and prefix"


def _bucket(place: Raw) -> tuple[str, str]:
    storage = (place.get("spec") or {}).get("objectStorage") or {}
    return str(storage.get("bucket", "")), str(storage.get("prefix") or "").strip("/")
