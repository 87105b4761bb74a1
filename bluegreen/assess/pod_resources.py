"""What one pod asks for, as the scheduler and a quota count it. Pure.

Source: k8s.io/component-helpers/resource (PodRequests, PodLimits), the API server's defaults of pods, and LimitRanger.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bluegreen.assess.amounts import amount, replicas
from bluegreen.assess.pods import pod_spec
from bluegreen.model.ports import Raw

Amounts = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a namespace's LimitRanges give to containers that do not say.

    Attributes:
        requests: by resource.
        limits: by resource.
    """

    requests: Amounts = field(default_factory=dict)
    limits: Amounts = field(default_factory=dict)


def defaults_of(ranges: Iterable[Raw]) -> Defaults:
    """Return the defaults of the LimitRanges of a namespace.

    Where two of them give one to the same resource, the least counts, so that no more is told than is asked for: which
    of the two the API server takes is not determined, and changes from pod to pod.
    """
    requests: dict[str, Decimal] = {}
    limits: dict[str, Decimal] = {}
    for one in ranges:
        for item in (one.get("spec") or {}).get("limits") or ():
            if item.get("type") == "Container":
                # As the API server completes an item, which a LimitRange that comes from elsewhere may not be yet.
                most = {**_amounts(item.get("max")), **_amounts(item.get("default"))}
                least = {**_amounts(item.get("min")), **most, **_amounts(item.get("defaultRequest"))}
                limits, requests = _least(limits, most), _least(requests, least)
    return Defaults(requests, limits)


@dataclass(frozen=True, slots=True)
class PodResources:
    """What a pod asks for.

    Attributes:
        requests: by resource.
        limits: by resource.
        unsaid: which of `requests.cpu` and its like some container does not say.
    """

    requests: Amounts
    limits: Amounts
    unsaid: frozenset[str]


def pod_resources(spec: Mapping[str, Any], given: Defaults | None = None) -> PodResources:
    """Return what a pod of a specification asks for.

    Args:
        spec: the pod's specification, as somebody wrote it.
        given: defaults of its namespace.
    """
    whole = spec.get("resources") or {}
    given = Defaults() if given is None or whole else given
    main = [_says(one, given) for one in spec.get("containers") or ()]
    first = [(_says(one, given), one.get("restartPolicy") == "Always") for one in spec.get("initContainers") or ()]
    requests, limits = (
        _together([one[at] for one in main], [(one[at], stays) for one, stays in first]) for at in (_REQUESTS, _LIMITS)
    )
    # What a pod says as a whole goes before what its containers say, a limit alone behind it.
    own = _amounts(whole.get("requests")), _amounts(whole.get("limits"))
    requests = {**own[_LIMITS], **requests, **own[_REQUESTS]}
    limits = {**limits, **own[_LIMITS]}
    overhead = _amounts(spec.get("overhead"))
    return PodResources(
        requests=_plus(requests, overhead),
        limits={key: value + overhead.get(key, 0) if value else value for key, value in limits.items()},
        unsaid=frozenset() if whole else _unsaid([*main, *(one for one, _ in first)]),
    )


_REQUESTS, _LIMITS = 0, 1
_MUST_SAY = tuple(
    (f"{word}.{resource}", at, resource)
    for at, word in ((_REQUESTS, "requests"), (_LIMITS, "limits"))
    for resource in ("cpu", "memory")
)


def _unsaid(containers: Iterable[tuple[Amounts, Amounts]]) -> frozenset[str]:
    return frozenset(key for one in containers for key, at, resource in _MUST_SAY if resource not in one[at])


def total(objects: Iterable[Raw], resource: str) -> Decimal:
    """Return what the pods of all workloads request; CronJobs and Jobs run now and then and do not count."""
    staying = (obj for obj in objects if obj["kind"] not in ("CronJob", "Job"))
    asked = (pod_resources(pod_spec(obj)).requests.get(resource, Decimal(0)) * replicas(obj) for obj in staying)
    return sum(asked, Decimal(0))


def _says(container: Raw, given: Defaults) -> tuple[Amounts, Amounts]:
    """Return requests and limits of a container as the API server completes them."""
    resources = container.get("resources") or {}
    limits, requests = _amounts(resources.get("limits")), _amounts(resources.get("requests"))
    return {**given.requests, **limits, **requests}, {**given.limits, **limits}


def _together(main: Iterable[Amounts], first: Iterable[tuple[Amounts, bool]]) -> Amounts:
    """Return the most that is needed at a time: those that run together, or one that runs before them."""
    beside: dict[str, Decimal] = {}
    most: dict[str, Decimal] = {}
    for asked, stays in first:
        needs = _plus(beside, asked)
        if stays:
            beside = needs
        most = {key: max(most.get(key, Decimal(0)), needs.get(key, Decimal(0))) for key in {*most, *needs}}
    running = beside
    for asked in main:
        running = _plus(running, asked)
    return {key: max(running.get(key, Decimal(0)), most.get(key, Decimal(0))) for key in {*running, *most}}


def _plus(some: Amounts, more: Amounts) -> dict[str, Decimal]:
    return {key: some.get(key, Decimal(0)) + more.get(key, Decimal(0)) for key in {*some, *more}}


def _least(some: Amounts, more: Amounts) -> dict[str, Decimal]:
    return {key: min(given[key] for given in (some, more) if key in given) for key in {*some, *more}}


def _amounts(given: Any) -> dict[str, Decimal]:
    return {str(key): amount(value) for key, value in (given or {}).items()}
