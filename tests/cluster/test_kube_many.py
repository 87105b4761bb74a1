"""Many applies at a time on the lab's real servers, over a network that fails in the middle."""

import itertools
import threading
import time
import uuid

import pytest
import yaml

from bluegreen.kube import open_cluster
from bluegreen.kube.retry import Patience
from bluegreen.model.ports import Application
from bluegreen.model.refs import ObjectRef
from scenarios.lab.layout import kubeconfig
from tests.contracts.rig_forwarder import Forwarder

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

KUBECONFIG = kubeconfig()
OBJECTS, FAILS_AT = 1500, 400


@pytest.fixture
def network(tmp_path):
    """Yield a forwarder to the new cluster's server, which the kubeconfig of this test names."""
    config = yaml.safe_load(KUBECONFIG.read_text())
    entry = next(c["cluster"] for c in config["clusters"] if c["name"] == "new")
    host, _, port = entry["server"].removeprefix("https://").rpartition(":")
    forwarder = Forwarder("127.0.0.1", (host, int(port)))
    entry |= {"server": f"https://127.0.0.1:{forwarder.port}", "tls-server-name": "kubernetes"}
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    yield forwarder
    forwarder.cut()


@pytest.fixture
def namespace():
    direct = open_cluster("new", str(KUBECONFIG))
    name = f"many-{uuid.uuid4().hex[:8]}"
    made = direct.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    direct.delete(ObjectRef("v1", "Namespace", "", name), made["metadata"]["uid"])


def break_off(network):
    network.cut()
    threading.Timer(1.0, network.mend).start()


@pytest.mark.parametrize("fail", [break_off, Forwarder.freeze], ids=["broken off", "silent"])
def test_every_object_comes_through_a_connection_that_fails(network, namespace, tmp_path, fail):
    cluster = open_cluster("new", str(tmp_path / "config"), Patience(total=120, one=5))
    begun = itertools.count()

    def wanted():
        for number in range(OBJECTS):
            if next(begun) == FAILS_AT:
                fail(network)
            meta = {"name": f"c{number}", "namespace": namespace}
            yield Application({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"k": f"v{number}"}})

    began = time.monotonic()
    found = dict(cluster.apply_each(wanted()))

    assert {n: answer["data"]["k"] for n, answer in found.items()} == {n: f"v{n}" for n in range(OBJECTS)}
    # The silent connection is given up once, by what was under way on it, and not again by each that follows.
    assert time.monotonic() - began < 75
