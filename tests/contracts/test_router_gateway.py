"""Traps of the Gateway API router's own, on the lab's real API server; where users matter, with Contour and Envoy."""

import time

import pytest
import yaml
from rig_gateway import CONTEXT, GatewayRig
from rig_http import plain_client, wait_until

from bluegreen.config.models import Migration
from bluegreen.kube.objects import Objects
from bluegreen.migration.connect import connect_traffic
from bluegreen.migration.reasons import Reasons
from bluegreen.model.errors import ConflictError, NotFoundError, RefusedError
from bluegreen.model.ports import Weights
from bluegreen.model.refs import ObjectRef
from bluegreen_adapters.gateway_router import MARK, PERMISSIONS
from scenarios.cluster import kubectl

pytestmark = [pytest.mark.lab]

ALL_BLUE, HALF, ALL_GREEN = Weights(100, 0), Weights(50, 50), Weights(0, 100)
RBAC = "rbac.authorization.k8s.io/v1"


@pytest.fixture
def rig(tmp_path):
    """Return a rig without a data plane, for what only the API server decides."""
    rig = GatewayRig(tmp_path, controlled=False)
    yield rig
    rig.close()


@pytest.fixture
def served(tmp_path):
    rig = GatewayRig(tmp_path)
    yield rig
    rig.close()


class _Between:
    """The objects, and somebody who writes just before the first patch."""

    def __init__(self, objects: Objects, act) -> None:
        self.get, self._objects, self._acts = objects.get, objects, [act]

    def patch(self, ref, patch):
        if self._acts:
            self._acts.pop()()
        return self._objects.patch(ref, patch)


def between(router, act):
    object.__setattr__(router, "objects", _Between(router.objects, act))
    return router


def test_the_server_itself_notices_a_writer_between_our_look_and_our_write(rig):
    router = between(rig.open_router(), lambda: rig.write_elsewhere(Weights(70, 30)))
    with pytest.raises(ConflictError, match="has 70/30") as caught:
        router.shift(HALF, expect=ALL_BLUE)
    assert caught.value.code == "gateway.conflict"
    assert rig.weights() == [70, 30]


def test_a_write_of_something_else_meanwhile_is_kept_and_no_conflict(rig):
    label = {"metadata": {"labels": {"team": "shop"}}}
    between(rig.open_router(), lambda: rig.cluster.patch(rig.ref, label)).shift(HALF, expect=ALL_BLUE)
    assert rig.weights() == [50, 50]
    meta = rig.route["metadata"]
    assert meta["labels"] == {"team": "shop"}
    assert meta["annotations"][MARK] == "bluegreen"
    between(rig.open_router(), lambda: rig.cluster.patch(rig.ref, {"metadata": {"labels": {"team": None}}})).finalize()
    assert MARK not in (rig.route["metadata"].get("annotations") or {})
    assert rig.weights() == [50, 50]


def test_while_no_controller_speaks_nothing_is_settled(rig):
    router = rig.open_router()
    router.shift(HALF, expect=ALL_BLUE)
    assert router.read() == HALF
    assert not router.settled(HALF)


def test_the_rights_that_it_asks_for_are_enough_and_no_more(rig):
    name = {"name": "bluegreen-traffic", "namespace": rig.namespace}
    (rule,) = PERMISSIONS.policy["rules"]
    role = {**PERMISSIONS.policy, "metadata": name, "rules": [{**rule, "resourceNames": ["shop"]}]}
    subject = {"kind": "ServiceAccount", **name}
    to = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "bluegreen-traffic"}
    rig.cluster.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": name})
    rig.cluster.create(role)
    binding = {"apiVersion": RBAC, "kind": "RoleBinding", "metadata": name, "subjects": [subject], "roleRef": to}
    rig.cluster.create(binding)
    other = {**rig.route, "metadata": {"name": "other", "namespace": rig.namespace}}
    rig.cluster.create(other)
    few = _as_account(rig)
    router = rig.open_router(kubeconfig=few)
    wait_until(lambda: _reads(router), 30)  # an authorizer learns of a binding a moment later
    router.shift(HALF, expect=ALL_BLUE)
    router.finalize()
    assert not router.settled(HALF)
    assert rig.weights() == [50, 50]
    with pytest.raises(RefusedError, match="forbidden") as caught:
        rig.open_router(kubeconfig=few, httproute="other").read()
    assert caught.value.code == "kube.forbidden"
    assert "grant the verb 'get'" in caught.value.next_step


def _as_account(rig) -> str:
    """Write a kubeconfig with a token of the service account."""
    token = kubectl(CONTEXT, "-n", rig.namespace, "create", "token", "bluegreen-traffic").strip()
    whole = yaml.safe_load(rig.kubeconfig.read_text())
    for entry in whole["users"]:
        entry["user"] = {"token": token}
    path = rig.dir / "few.kubeconfig"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(whole))
    return str(path)


def _reads(router) -> bool:
    try:
        return router.read() == ALL_BLUE
    except RefusedError:
        return False


def test_what_is_not_there_is_named(rig):
    with pytest.raises(NotFoundError, match=f"none of that name in namespace {rig.namespace}"):
        rig.open_router(httproute="shoop").read()
    with pytest.raises(RefusedError, match="known contexts: old, new"):
        rig.open_router(context="nowhere")


def test_a_configuration_opens_it_with_its_own_kubeconfig_and_tells_what_is_wrong(rig):
    settings = {key: value for key, value in rig.settings().items() if key != "kubeconfig"}
    reasons = Reasons()
    routers, _ = connect_traffic(_config(rig, settings), reasons)
    assert reasons.found == []
    assert routers[0].read() == ALL_BLUE
    connect_traffic(_config(rig, {**settings, "green": "shop-greeen"}), reasons)
    assert "has no backendRef for green" in reasons.found[0]
    assert "next: kubectl --context new" in reasons.found[0]


def _config(rig, settings) -> Migration:
    """Return a configuration whose own clusters are not there: a way back must not need them."""
    probe = {"name": "shop", "probe": "tcp", "with": {"blue": "127.0.0.1:1", "green": "127.0.0.1:1"}}
    given = {
        "from": "nowhere",
        "to": "elsewhere",
        "kubeconfig": str(rig.kubeconfig),
        "namespaces": ["shop"],
        "routes": [{"name": "shop", "router": "gateway-api", "with": settings}],
        "probes": [probe],
        "objectives": [{"name": "up", "probe": "shop", "good": "99%"}],
    }
    return Migration.model_validate(given)


def test_every_rule_moves_in_one_write(rig):
    path = {"matches": [{"path": {"type": "PathPrefix", "value": "/cart"}}]}
    rig.cluster.patch(rig.ref, {"spec": {"rules": [rig.split(100, 0), rig.split(1, 0, name="cart", **path)]}})
    before = rig.route["metadata"]["generation"]
    rig.open_router().shift(Weights(90, 10), expect=ALL_BLUE)
    assert (rig.weights(0), rig.weights(1)) == ([90, 10], [90, 10])
    assert rig.route["metadata"]["generation"] == before + 1
    assert rig.route["spec"]["rules"][1]["matches"][0]["path"]["value"] == "/cart"


# ---- with users ----


def test_a_backend_that_is_gone_stops_the_way_out_and_not_the_way_back(served):
    router = served.open_router()
    router.shift(HALF, expect=ALL_BLUE)
    wait_until(lambda: router.settled(HALF), 30)
    service = ObjectRef("v1", "Service", served.namespace, "shop-green")
    served.cluster.delete(service, served.cluster.get(service)["metadata"]["uid"])
    wait_until(lambda: not router.settled(HALF), 30)
    with pytest.raises(RefusedError, match="cannot find a backend") as caught:
        router.shift(ALL_GREEN, expect=HALF)
    assert caught.value.code == "gateway.unresolved"
    assert served.weights() == [50, 50]
    router.shift(ALL_BLUE, expect=HALF)
    with plain_client() as client:
        wait_until(lambda: all(served.answer(client) == "blue" for _ in range(20)), 30)


def test_a_controller_that_is_away_leaves_the_write_unsettled_and_users_where_they_were(served):
    router = served.open_router()
    served.processes[0].terminate()
    served.processes[0].wait(10)
    router.shift(ALL_GREEN, expect=ALL_BLUE)
    assert router.read() == ALL_GREEN
    assert not router.settled(ALL_GREEN)
    assert served.visit(20) == {"blue": 20, "green": 0, "failed": 0}


def test_a_write_reaches_users_within_seconds(served):
    router, now, took = served.open_router(), ALL_BLUE, []
    with plain_client() as user:
        for to, side in [(ALL_GREEN, "green"), (ALL_BLUE, "blue")] * 5:
            began = time.monotonic()
            router.shift(to, expect=now)
            written = time.monotonic() - began
            wait_until(lambda side=side: served.answer(user) == side, 30)
            took.append((time.monotonic() - began, written))
            now = to
    reached, written = (sorted(part)[len(took) // 2] * 1000 for part in zip(*took, strict=True))
    print(f"median: write {written:.1f} ms, first answer of the other side {reached:.1f} ms")  # noqa: T201 - measured
    assert reached < 5000
