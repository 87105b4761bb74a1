"""Lists that are read ahead: used once, never instead of a fresh look, and never a reason to fail."""

import pytest
from fake_cluster import FakeCluster, resource

from bluegreen.importer.ahead import ListsAhead
from bluegreen.importer.live import read_live
from bluegreen.model.errors import RefusedError, TransientError
from bluegreen.model.refs import ref_of

MAPS, SECRETS = resource("v1", "ConfigMap"), resource("v1", "Secret")
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
