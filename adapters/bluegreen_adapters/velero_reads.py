"""Small readings of raw objects that several parts of the mover need. No decisions."""

from collections.abc import Iterator

from bluegreen.model.errors import NotFoundError
from bluegreen.model.ports import Cluster, Raw
from bluegreen.model.refs import ObjectRef


def find(cluster: Cluster, ref: ObjectRef) -> Raw | None:
    """Return an object, or None when it is not there."""
    try:
        return cluster.get(ref)
    except NotFoundError:
        return None


def uid_of(obj: Raw) -> str:
    """Return metadata.uid."""
    return str(obj["metadata"]["uid"])


def annotation(obj: Raw, key: str) -> str:
    """Return an annotation, empty when it is not set."""
    return str((obj["metadata"].get("annotations") or {}).get(key, ""))


def label(obj: Raw, key: str) -> str:
    """Return a label, empty when it is not set."""
    return str((obj["metadata"].get("labels") or {}).get(key, ""))


def claims_of(pod: Raw) -> Iterator[tuple[str, str]]:
    """Yield (volume, claim) of each claim that a pod mounts."""
    for volume in pod.get("spec", {}).get("volumes") or []:
        source = volume.get("persistentVolumeClaim")
        if source:
            yield str(volume["name"]), str(source["claimName"])


def is_live(pod: Raw) -> bool:
    """Return whether a pod runs or is going to."""
    return (pod.get("status") or {}).get("phase") not in {"Succeeded", "Failed"}
