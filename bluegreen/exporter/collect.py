"""Reads every object of the chosen namespaces, several lists at a time.

It only reads. A list that fails stops the export with all such failures named: an export that silently misses objects
would be found out on green.
"""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from bluegreen.exporter.catalogue import always_left_out
from bluegreen.exporter.packed import Packed, each_once, pack
from bluegreen.exporter.rules import Rule
from bluegreen.model.errors import BluegreenError, InvalidInputError, NotFoundError
from bluegreen.model.ports import ApiResource, Cluster, Raw
from bluegreen.model.refs import ObjectRef

_NEEDED_VERBS = frozenset({"list", "get", "create", "delete"})
LOOKS, PAUSE_SECONDS = 20, 0.25
"""How often a kind that is told of and not found is looked for, and the pause between two looks."""
_SECOND_CHOICE = ("extensions/", "events.k8s.io/", "authorization.openshift.io/")


def worth_listing(resources: Iterable[ApiResource]) -> tuple[list[ApiResource], list[tuple[ApiResource, Rule]]]:
    """Split the namespaced resources into those to list and those that a rule leaves out as a whole.

    Args:
        resources: what the cluster serves.
    """
    wanted: list[ApiResource] = []
    left: list[tuple[ApiResource, Rule]] = []
    for resource in resources:
        if not resource.namespaced or not resource.verbs >= _NEEDED_VERBS:
            continue
        rule = always_left_out(resource.group_kind)
        if rule is None:
            wanted.append(resource)
        else:
            left.append((resource, rule))
    return wanted, left


def gather(cluster: Cluster, resources: Iterable[ApiResource], namespaces: Iterable[str], workers: int) -> list[Packed]:
    """Return every object of those resources in those namespaces, each once.

    Args:
        workers: number of lists read at a time.

    Raises:
        InvalidInputError: lists that could not be read, all of them.
    """
    jobs = [(resource, namespace) for resource in resources for namespace in namespaces]
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="export") as pool:
        answers = list(pool.map(lambda job: _list(cluster, *job), jobs))
    failures = tuple(
        f"{job[0].group_kind} in {job[1]}: {_why(a)}" for job, a in zip(jobs, answers, strict=True) if _failed(a)
    )
    if failures:
        raise InvalidInputError(
            "export.unreadable",
            f"reading blue ({len(failures)} of {len(jobs)} lists failed)",
            failures,
            "grant get and list on them",
        )
    found = (obj for answer in answers if not isinstance(answer, BluegreenError) for obj in answer)
    return each_once(found, _SECOND_CHOICE)


def _why(answer: object) -> str:
    return answer.why or str(answer) if isinstance(answer, BluegreenError) else ""


def _failed(answer: list[Packed] | BluegreenError) -> bool:
    return isinstance(answer, BluegreenError)


def _list(cluster: Cluster, resource: ApiResource, namespace: str) -> list[Packed] | BluegreenError:
    """Return the objects of a kind; none where its definition was deleted since the kinds were read, and they with it.

    The server may forget a kind some time before or after it stops telling of it.
    """
    error: BluegreenError | None = None
    for _ in range(LOOKS):
        try:
            return [pack(obj) for obj in cluster.list(resource, namespace)]
        except NotFoundError as missing:
            error = missing
        except BluegreenError as refusal:
            return refusal
        if not _is_served(cluster, resource):
            return []
        time.sleep(PAUSE_SECONDS)
    return error or []


def _is_served(cluster: Cluster, resource: ApiResource) -> bool:
    return any((r.api_version, r.kind) == (resource.api_version, resource.kind) for r in cluster.resources())


def get_or_none(cluster: Cluster, ref: ObjectRef) -> Raw | None:
    """Return an object, None when it or its kind is not there."""
    try:
        return cluster.get(ref)
    except NotFoundError:
        return None
