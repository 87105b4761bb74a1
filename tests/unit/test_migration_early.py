"""Green that is opened early: nobody waits for it, or hears that it failed, before it is asked for."""

import threading
from contextlib import contextmanager

import pytest
from fake_cluster import FakeCluster, resource

from bluegreen.migration.early import EarlyTarget
from bluegreen.migration.lacking import lacking
from bluegreen.model.errors import InvalidInputError, RefusedError, TransientError

MAPS, SECRETS, NAMESPACES = resource("v1", "ConfigMap"), resource("v1", "Secret"), resource("v1", "Namespace")
COUNTS = {("configmap", "shop"): 5, ("secret", "shop"): 1}
LONG = 10
"""Seconds that nothing here takes, so that a test that fails does not hang."""


def known(counts=COUNTS):
    return lambda: counts


def never_asked():
    raise AssertionError("nobody needs it")


class Counting(FakeCluster):
    """A cluster with ConfigMaps and Secrets in two namespaces that remembers what was listed."""

    def __init__(self, served=()):
        super().__init__("new", served)
        self.lists = []
        for space in ("shop", "store"):
            self.seed({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}})
            for name in ("a", "b", "c", "d", "e"):
                meta = {"name": f"{space}-{name}", "namespace": space}
                self.seed(*({"apiVersion": "v1", "kind": kind, "metadata": meta} for kind in ("ConfigMap", "Secret")))

    def list(self, resource, namespace="", selector=""):
        self.lists.append((resource.api_version, resource.kind, namespace))
        return super().list(resource, namespace, selector)


def names(objects):
    return [obj["metadata"]["name"] for obj in objects]


def test_that_it_cannot_be_opened_is_told_to_who_asks_for_it_only():
    error = InvalidInputError("cluster.unreachable", "opening the target cluster", ("no context new",))
    tried = threading.Event()

    def opening():
        tried.set()
        raise error

    early = EarlyTarget(opening, {}, known(), at_once=True)
    assert tried.wait(LONG)
    for _ in range(2):
        with pytest.raises(InvalidInputError) as caught:
            early.green()
        assert caught.value is error


def test_what_is_worth_a_list_is_listed_where_it_will_go():
    green = Counting()
    early = EarlyTarget(lambda: green, {"shop": "store"}, known(), at_once=True)
    assert early.green() is green
    with early.lists() as ahead:
        assert names(ahead.take(MAPS, "store")) == ["store-a", "store-b", "store-c", "store-d", "store-e"]
        assert ahead.take(MAPS, "shop") is None
        assert ahead.take(SECRETS, "store") is None
        assert ahead.take(SECRETS, "shop") is None
    assert green.lists == [("v1", "ConfigMap", "store")]


def test_a_namespace_that_is_not_renamed_is_listed_as_it_is():
    early = EarlyTarget(
        Counting, {"other": "store"}, known({("configmap", "shop"): 4, ("secret", "shop"): 3}), at_once=True
    )
    with early.lists() as ahead:
        assert len(ahead.take(MAPS, "shop")) == 5
        assert ahead.take(SECRETS, "shop") is None


def test_a_kind_of_two_groups_is_listed_in_both_and_one_without_namespaces_in_none():
    twice = (resource("apps/v1", "Widget"), resource("shop.example/v1", "Widget"))
    green = Counting(twice)
    early = EarlyTarget(
        lambda: green,
        {},
        known({("widget", "shop"): 4, ("namespace", "shop"): 4, ("unheard", "shop"): 4}),
        at_once=True,
    )
    with early.lists() as ahead:
        assert [ahead.take(one, "shop") for one in twice] == [[], []]
        assert ahead.take(NAMESPACES, "shop") is None
    assert sorted(green.lists) == [("apps/v1", "Widget", "shop"), ("shop.example/v1", "Widget", "shop")]


def test_quotas_of_all_its_namespaces_are_listed_for_who_looks_whether_they_suffice():
    quotas = resource("v1", "ResourceQuota")
    green = Counting((quotas,))
    green.seed({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "store"}})
    early = EarlyTarget(
        lambda: green, {"shop": "store"}, known({("secret", "shop"): 1, ("secret", "other"): 1}), at_once=True
    )
    green = early.green()
    objects = [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "store"}}]
    with early.lists() as ahead:
        lacking(green, objects, early.resources(), ahead)
        assert ahead.take(quotas, "other") == []
    assert sorted(green.lists) == [("v1", "ResourceQuota", "other"), ("v1", "ResourceQuota", "store")]


def test_that_green_does_not_say_what_it_serves_costs_the_lists_only(monkeypatch):
    class Silent(FakeCluster):
        def resources(self):
            raise TransientError("kube.connection", "asking what it serves")

    unheard = []
    monkeypatch.setattr(threading, "excepthook", unheard.append)
    green = Silent("new")
    early = EarlyTarget(lambda: green, {}, known(), at_once=True)
    assert early.lists() is None
    assert early.green() is green
    for thread in threading.enumerate():
        if thread.name == "early":
            thread.join(LONG)
    assert unheard == []


@contextmanager
def held():
    """Give an event that is set at the end in any case: no thread may wait for it longer than the test lasts."""
    event = threading.Event()
    try:
        yield event
    finally:
        event.set()


def test_nobody_waits_until_it_is_open():
    green = Counting()
    begun = threading.Event()
    with held() as may_open:

        def opening():
            begun.set()
            assert may_open.wait(LONG)
            return green

        early = EarlyTarget(opening, {}, known(), at_once=True)
        assert begun.wait(LONG), "it is opened before anybody asks for it"
        assert green.lists == []
        may_open.set()
        assert early.green() is green
        with early.lists() as ahead:
            assert len(ahead.take(MAPS, "shop")) == 5


def test_it_is_given_before_the_counts_are_known():
    green = Counting()
    with held() as counted:
        early = EarlyTarget(lambda: green, {}, lambda: {} if counted.wait(LONG) else None, at_once=True)
        assert early.green() is green
        assert green.lists == []
        counted.set()
        with early.lists() as ahead:
            assert ahead.take(MAPS, "shop") is None


def test_what_must_not_be_opened_early_is_opened_once_when_it_is_asked_for():
    opened = []

    def opening():
        opened.append("new")
        return Counting()

    early = EarlyTarget(opening, {}, never_asked, at_once=False)
    assert opened == []
    assert early.green() is early.green()
    assert early.lists() is None
    assert early.resources() == tuple(early.green().resources())
    assert opened == ["new"]


def test_a_green_that_cannot_be_opened_is_told_each_time_it_is_asked_for():
    def opening():
        raise RefusedError("kube.context", "looking for a context")

    early = EarlyTarget(opening, {}, never_asked, at_once=False)
    for _ in range(2):
        with pytest.raises(RefusedError):
            early.green()
