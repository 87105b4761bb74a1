"""What a pod asks for, by the rules of the scheduler, the defaults of pods and LimitRanges."""

from decimal import Decimal

import pytest

from bluegreen.assess.amounts import words
from bluegreen.assess.pod_resources import defaults_of, pod_resources


def box(cpu=None, *, limit=None, stays=False, **more):
    asked = {"requests": {"cpu": cpu} if cpu else {}, "limits": {"cpu": limit} if limit else {}}
    return {"name": "c", "resources": asked, **({"restartPolicy": "Always"} if stays else {}), **more}


def cpu(spec, *ranges):
    found = pod_resources(spec, defaults_of(ranges))
    return tuple(found[key].get("cpu") for found in ({"r": found.requests, "l": found.limits},) for key in "rl")


@pytest.mark.parametrize(
    "main,first,asked",
    [
        ([box("1"), box("2")], [], 3),
        ([box("1")], [box("4"), box("2")], 4),  # one after the other, before the others
        ([box("1")], [box("2", stays=True)], 3),  # a sidecar stays
        ([box("1")], [box("2", stays=True), box("3")], 5),  # and runs beside those that follow
        ([box("1")], [box("3"), box("2", stays=True)], 3),  # not beside those before it
        ([box(limit="2")], [], 2),  # a limit alone is the request, too
        ([box()], [], None),
    ],
)
def test_containers_together(main, first, asked):
    assert cpu({"containers": main, "initContainers": first})[0] == asked


def test_overhead_is_added_to_limits_that_are_there():
    spec = {"containers": [box("1")], "overhead": {"cpu": "250m", "memory": "1Mi"}}

    assert cpu(spec) == (Decimal("1.25"), None)
    assert cpu(spec | {"containers": [box(limit="1")]}) == (Decimal("1.25"), Decimal("1.25"))


def test_a_pod_that_says_it_as_a_whole():
    said = {"containers": [box("1"), box()], "resources": {"requests": {"cpu": "3"}, "limits": {"cpu": "4"}}}
    limited = said | {"resources": {"limits": {"cpu": "4"}}}

    assert cpu(said) == (3, 4)
    assert cpu(limited) == (1, 4)  # what its containers say goes before its own limit
    assert cpu(limited | {"containers": [box()]}) == (4, 4)
    assert pod_resources(said).unsaid == frozenset()


def test_limit_ranges_say_it_for_those_who_do_not():
    def ranged(**item):
        return {"spec": {"limits": [{"type": "Container", **{key: {"cpu": value} for key, value in item.items()}}]}}

    spec = {"containers": [box(), box("1")]}

    assert cpu(spec, ranged(default="4", defaultRequest="2")) == (3, 8)
    assert cpu(spec, ranged(max="4")) == (5, 8)
    assert cpu(spec, ranged(min="2")) == (3, None)
    # Of two the server takes either, so the least is what a pod asks for in any case.
    several = ranged(default="4"), ranged(default="9", defaultRequest="1")
    assert cpu(spec, *several) == cpu(spec, *reversed(several)) == (2, 8)
    assert cpu(spec, ranged(max="2"), ranged(min="10m")) == (Decimal("1.01"), 4)
    assert pod_resources(spec).unsaid == {"requests.cpu", "requests.memory", "limits.cpu", "limits.memory"}
    assert pod_resources(spec, defaults_of([ranged(default="4")])).unsaid == {"requests.memory", "limits.memory"}


@pytest.mark.parametrize(
    "key,value,said",
    [
        ("requests.cpu", "1.50", "1.5"),
        ("pods", "100", "100"),
        ("limits.memory", 3 * 2**29, "1.5Gi"),
        ("requests.storage", 2**40, "1Ti"),
        ("memory", 1000, "1000"),
        ("requests.hugepages-2Mi", 2**21, "2Mi"),
        ("cpu", 0, "0"),
    ],
)
def test_quantities_in_words(key, value, said):
    assert words(key, Decimal(value)) == said
