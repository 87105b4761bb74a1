"""Lists that are read ahead: used once, never instead of a fresh look, and never a reason to fail."""

import threading
import time
from concurrent.futures import wait

import pytest
from fake_api import quiet
from fake_cluster import FakeCluster, resource
from msgspec.structs import replace

from bluegreen.importer.ahead import ListsAhead
from bluegreen.importer.apply import ApplyOptions, Outcome, apply_objects
from bluegreen.importer.live import read_live
from bluegreen.importer.order import Phase
from bluegreen.migration.bundles import Means, bring
from bluegreen.model.errors import RefusedError, TransientError
from bluegreen.model.refs import ref_of

MAPS, SECRETS, SERVICES = (resource("v1", kind) for kind in ("ConfigMap", "Secret", "Service"))
ACCOUNTS = resource("v1", "ServiceAccount")
NAMES = ("a", "b", "c", "d", "e")


def config_map(name):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, "data": {}}


class Counting(FakeCluster):
    """A cluster that counts lists, and fails some of them."""

    def __init__(self, fails=()):
        super().__init__("new")
        self.lists, self.fails = [], fails
        self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        for name in NAMES:
            self.create(config_map(name))

    def list(self, resource, namespace="", selector=""):
        self.lists.append((resource.kind, namespace))
        if self.fails:
            raise self.fails
        return super().list(resource, namespace, selector)


def test_what_was_read_ahead_is_not_read_again_and_is_handed_out_once():
    green = Counting()
    refs = [ref_of(config_map(name)) for name in NAMES]
    with ListsAhead(green, [(MAPS, "shop"), (SECRETS, "shop")]) as ahead:
        found = read_live(green, refs, [MAPS], ahead=ahead)
        assert sorted(ref.name for ref in found) == list(NAMES)
        assert green.lists.count(("ConfigMap", "shop")) == 1
        green.create(config_map("f"))
        assert len(read_live(green, [*refs, ref_of(config_map("f"))], [MAPS], ahead=ahead)) == len(NAMES) + 1


@pytest.mark.parametrize(
    "error", [RefusedError("kube.denied", "listing"), TransientError("kube.connection", "listing")]
)
def test_a_list_that_fails_ahead_is_read_again_by_who_needs_it(error):
    green = Counting(fails=error)
    with ListsAhead(green, [(MAPS, "shop")]) as ahead:
        assert ahead.take(MAPS, "shop") is None
        with pytest.raises(type(error)):
            read_live(green, [ref_of(config_map(name)) for name in NAMES], [MAPS], ahead=ahead)


def test_a_place_that_nobody_asked_for_is_none():
    with ListsAhead(Counting(), [(MAPS, "shop")]) as ahead:
        assert ahead.take(SECRETS, "shop") is None
        assert ahead.take(MAPS, "other") is None


def of_kind(kind, name):
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "shop"}}


KINDS = ("ServiceAccount", "ConfigMap", "Service")
"""In the order of their waves."""
OBJECTS = [of_kind(kind, name) for kind in KINDS for name in NAMES]
PLACES = [(ACCOUNTS, "shop"), (MAPS, "shop"), (SERVICES, "shop")]


def imported(green, objects=OBJECTS, ahead=None):
    options = ApplyOptions("m", time.monotonic, lambda _: None, ahead=ahead)
    return apply_objects(green, objects, Phase.IMPORT, options, lambda *_, **__: None)


def second_import():
    """Return a green that has everything, and lists of it that are all read, by the import that comes next."""
    green = Counting()
    imported(green)
    green.writes.clear()
    ahead = ListsAhead(green, PLACES)
    wait(ahead._lists.values())
    green.lists.clear()
    return green, ahead


def test_as_long_as_all_is_equal_every_wave_takes_what_was_read_ahead():
    green, ahead = second_import()
    with ahead:
        results = imported(green, ahead=ahead)
    assert {result.outcome for result in results} == {Outcome.EQUAL}
    assert len(results) == len(OBJECTS)
    assert (green.lists, green.writes) == ([], [])


@pytest.mark.parametrize(("kind", "read_again"), [("ServiceAccount", KINDS[1:]), ("ConfigMap", KINDS[2:])])
def test_after_a_wave_that_wrote_the_next_ones_look_for_themselves(kind, read_again):
    green, ahead = second_import()
    changed, gone = ref_of(of_kind(kind, "a")), ref_of(of_kind("Service", "b"))
    asked = [obj | {"data": {"a": "1"}} if ref_of(obj) == changed else obj for obj in OBJECTS]
    green.after = lambda _verb, ref: green.objects.pop(gone) if ref == changed else None
    with ahead:
        results = imported(green, asked, ahead)
    assert green.lists == [(kind, "shop") for kind in read_again]
    unequal = {result.ref: result.outcome for result in results if result.outcome is not Outcome.EQUAL}
    assert unequal == {changed: Outcome.CHANGED, gone: Outcome.CREATED}


def test_a_place_that_is_named_twice_is_listed_once():
    green = Counting()
    with ListsAhead(green, [(MAPS, "shop"), (MAPS, "shop")]) as ahead:
        assert len(ahead.take(MAPS, "shop")) == len(NAMES)
    assert green.lists == [("ConfigMap", "shop")]


def test_a_process_that_ends_waits_for_no_list():
    go_on = threading.Event()

    class Slow(Counting):
        def list(self, resource, namespace="", selector=""):
            go_on.wait()
            return super().list(resource, namespace, selector)

    try:
        with ListsAhead(Slow(), [(MAPS, "shop")]):
            (thread,) = (one for one in threading.enumerate() if one.name == "ahead")
            assert thread.daemon
            go_on.set()
    finally:
        go_on.set()


def test_pods_are_looked_for_again_when_the_rest_was_written():
    pods = [{**config_map(f"p{number}"), "kind": "Pod", "spec": {"containers": []}} for number in range(5)]
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    green, kind = FakeCluster("new"), resource("v1", "Pod")
    means = Means(quiet, time.monotonic, time.sleep)
    bring(green, (space, config_map("c"), *pods), "m", means, idle=False)
    ahead = ListsAhead(green, [(kind, "shop")])
    wait(ahead._lists.values())
    gone = ref_of(pods[2])
    green.after = lambda _verb, ref: green.objects.pop(gone, None) if ref.kind == "ConfigMap" else None
    changed = {**config_map("c"), "data": {"a": "2"}}
    bring(green, (space, changed, *pods), "m", replace(means, ahead=ahead), idle=False)
    assert gone in green.objects
