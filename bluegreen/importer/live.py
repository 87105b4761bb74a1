"""Reads what green has of a set of objects: by list where many are of one kind, else one by one.

It only reads; an object, a kind or a namespace that is not there is simply absent from the answer.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from bluegreen.importer.ahead import ListsAhead
from bluegreen.model.errors import NotFoundError
from bluegreen.model.ports import ApiResource, Cluster, Raw
from bluegreen.model.refs import ObjectRef

WORTH_A_LIST = 4
"""Objects of a kind in a namespace from which on they are read by one list and not one by one."""
Place = tuple[str, str, str]


def read_live(
    cluster: Cluster,
    refs: Iterable[ObjectRef],
    resources: Iterable[ApiResource],
    workers: int = 8,
    ahead: ListsAhead | None = None,
) -> dict[ObjectRef, Raw]:
    """Return the objects that exist.

    Args:
        cluster: where to look.
        refs: what to look for.
        resources: what the cluster serves, as its resources() said.
        workers: reads at a time.
        ahead: lists that are under way already.
    """
    served = {(r.api_version, r.kind): r for r in resources}
    places: dict[Place, list[ObjectRef]] = {}
    for ref in refs:
        places.setdefault((ref.api_version, ref.kind, ref.namespace), []).append(ref)
    jobs = list(_jobs(places, served))
    found: dict[ObjectRef, Raw] = {}
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="live") as pool:
        for part in pool.map(lambda job: _read(cluster, job, ahead), jobs):
            found.update(part)
    return found


Job = tuple[ApiResource | None, list[ObjectRef]]


def _jobs(places: Mapping[Place, list[ObjectRef]], served: Mapping[tuple[str, str], ApiResource]) -> Iterable[Job]:
    for (api_version, kind, _), refs in places.items():
        resource = served.get((api_version, kind))
        if resource is not None and len(refs) >= WORTH_A_LIST:
            yield resource, refs
        else:
            yield from ((None, [ref]) for ref in refs)


def _read(cluster: Cluster, job: Job, ahead: ListsAhead | None) -> dict[ObjectRef, Raw]:
    resource, refs = job
    try:
        if resource is None:
            return {refs[0]: cluster.get(refs[0])}
        wanted = {ref.name: ref for ref in refs}
        early = ahead.take(resource, refs[0].namespace) if ahead else None
        listed = cluster.list(resource, refs[0].namespace) if early is None else early
        return {ref: obj for obj in listed if (ref := wanted.get(obj["metadata"]["name"]))}
    except NotFoundError:
        return {}
