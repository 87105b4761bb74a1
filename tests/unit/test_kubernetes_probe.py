"""What a look at pods counts: troubles at once, unreadiness after its grace, restarts once, starting not at all."""

import pytest
from fake_cluster import FakeCluster

from bluegreen.model.errors import InvalidInputError, TransientError
from bluegreen.model.ports import CheckedProbe
from bluegreen.model.refs import ObjectRef, Side
from bluegreen.model.samples import Broken, Counts, NoData
from bluegreen_adapters.kubernetes_probe import PERMISSIONS, open_probe

G, B = Side.GREEN, Side.BLUE
READY, UNREADY = {"type": "Ready", "status": "True"}, {"type": "Ready", "status": "False", "message": "probe failed"}


def container(restarts=0, waiting=None, ended=None, last=None, name="web"):
    state = {"waiting": {"reason": waiting}} if waiting else {"running": {}}
    if ended:
        state = {"terminated": ended}
    return {
        "name": name,
        "restartCount": restarts,
        "state": state,
        "lastState": {"terminated": last} if last else {},
    }


OOM = {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-01-01T00:00:00Z"}


class Shop:
    """A side's pods, a probe of them, and a clock that only a test moves."""

    def __init__(self, **settings):
        self.clusters = {side: FakeCluster(str(side)) for side in Side}
        self.now = 100.0
        self.probe = open_probe("pods", {"namespaces": ["shop"], **settings}, clusters=self.clusters)
        self.probe.clock = lambda: self.now
        for cluster in self.clusters.values():
            cluster.seed({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})

    def pod(self, name="web-1", *, side=G, phase="Running", ready=True, containers=(), labels=None, **more):
        """Put a pod in, or change it; with its UID kept."""
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"namespace": "shop", "name": name, "labels": labels or {}, **more.pop("metadata", {})},
            "spec": {},
            "status": {
                "phase": phase,
                "conditions": [READY if ready else UNREADY, *more.pop("conditions", ())],
                "containerStatuses": list(containers) or [container()],
                **more,
            },
        }
        ref = ObjectRef("v1", "Pod", "shop", name)
        cluster = self.clusters[side]
        if ref in cluster.objects:
            pod["metadata"] = {**cluster.objects[ref]["metadata"], **pod["metadata"]}
            cluster.objects[ref] = pod
        else:
            cluster.seed(pod)

    def look(self, after=1.0, side=G):
        self.now += after
        return self.probe.sample(side)


@pytest.fixture
def shop():
    shop = Shop()
    for name in ("web-1", "web-2", "web-3"):
        shop.pod(name)
    assert shop.look() == Counts(good=3, bad=0, synthetic=False)
    return shop


# ---- states ----


@pytest.mark.parametrize(
    "reason",
    ["CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError", "InvalidImageName"],
)
def test_a_pod_that_cannot_run_is_bad_at_once_and_in_every_look(shop, reason):
    shop.pod("web-2", ready=False, containers=[container(waiting=reason)])
    for _ in range(2):
        sample = shop.look()
        assert (sample.good, sample.bad) == (2, 1)
        assert sample.example == f"shop/web-2: container web: {reason}"


def test_an_init_container_can_be_the_trouble(shop):
    init = [container(waiting="CrashLoopBackOff", name="schema")]
    waits = [container(waiting="PodInitializing")]
    shop.pod("web-2", phase="Pending", ready=False, containers=waits, initContainerStatuses=init)
    assert "schema: CrashLoopBackOff" in shop.look().example


def test_unreadiness_counts_after_its_grace_and_not_at_all_before(shop):
    shop.pod("web-2", ready=False)
    assert shop.look() == Counts(good=2, bad=0, synthetic=False)
    assert shop.look(29.5) == Counts(good=2, bad=0, synthetic=False)
    late = shop.look(0.5)
    assert (late.good, late.bad) == (2, 1)
    assert late.example == "shop/web-2: running, not ready probe failed"
    shop.pod("web-2")
    assert shop.look() == Counts(good=3, bad=0, synthetic=False)
    shop.pod("web-2", ready=False)
    assert shop.look(60.0).total == 2, "each time has its own grace"


def test_a_pending_pod_is_told_with_its_reason(shop):
    full = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes: no memory"}
    shop.pod("web-2", phase="Pending", ready=False, conditions=[full])
    assert shop.look().total == 2
    assert shop.look(30.0).example == "shop/web-2: pending, Unschedulable 0/1 nodes: no memory"


def test_what_is_unready_at_the_first_look_has_no_grace():
    shop = Shop()
    shop.pod("web-1", ready=False)
    assert (shop.look().bad, shop.look().bad) == (1, 1)


def test_a_pod_made_anew_under_its_name_starts_with_a_grace(shop):
    shop.pod("web-2", ready=False)
    assert shop.look(40.0).total == 2
    assert shop.look(40.0).bad == 1
    ref = ObjectRef("v1", "Pod", "shop", "web-2")
    del shop.clusters[G].objects[ref]
    shop.pod("web-2", ready=False)
    assert shop.look().total == 2


@pytest.mark.parametrize(
    "gone",
    [
        {"phase": "Succeeded", "ready": False},
        {"ready": False, "metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}},
    ],
    ids=["ended well", "being deleted"],
)
def test_pods_that_end_by_design_do_not_count(shop, gone):
    shop.pod("web-2", **gone)
    assert shop.look(100.0) == Counts(good=2, bad=0, synthetic=False)


# ---- events ----


def test_a_restart_is_bad_once_though_the_pod_is_ready_again(shop):
    shop.pod("web-2", containers=[container(1, last=OOM)])
    sample = shop.look()
    assert (sample.good, sample.bad) == (2, 1)
    assert sample.example == "shop/web-2: container web ended with 137 OOMKilled, restarted 1 time(s)"
    assert shop.look() == Counts(good=3, bad=0, synthetic=False)


def test_restarts_before_the_first_look_are_history():
    shop = Shop()
    shop.pod("web-1", containers=[container(7, last=OOM)])
    assert shop.look() == Counts(good=1, bad=0, synthetic=False)


def test_a_new_pod_that_has_restarted_already_is_bad(shop):
    shop.pod("web-4", containers=[container(1, last=OOM)])
    sample = shop.look()
    assert (sample.good, sample.bad) == (3, 1)


def test_a_pod_that_failed_is_bad_once(shop):
    shop.pod("web-2", phase="Failed", ready=False, reason="Evicted")
    sample = shop.look()
    assert (sample.good, sample.bad, sample.example) == (2, 1, "shop/web-2: failed, Evicted")
    assert shop.look() == Counts(good=2, bad=0, synthetic=False)


def test_failed_pods_of_old_say_nothing():
    shop = Shop()
    shop.pod("web-1")
    shop.pod("job-1", phase="Failed", ready=False, reason="Evicted")
    assert shop.look() == Counts(good=1, bad=0, synthetic=False)


# ---- nothing, blind, apart ----


def test_no_pod_is_no_data_and_so_are_only_starting_ones(shop):
    assert "no pod that should serve in shop" in shop.look(side=B).reason
    shop.pod("web-1", side=B, phase="Pending", ready=False)
    starting = shop.look(side=B)
    assert isinstance(starting, NoData)
    assert "1 pods are not ready, for less than 30 s: shop/web-1" in starting.reason


def test_an_api_server_that_does_not_answer_is_a_broken_probe_and_forgets_nothing(shop):
    shop.pod("web-2", ready=False)
    shop.look()
    working, dead = shop.clusters[G], FakeCluster("green")

    def refuse(*_):
        raise TransientError("kube.unreachable", "listing pods", "connection refused")

    dead.list = refuse
    shop.clusters[G] = dead
    assert isinstance(shop.look(), Broken)
    shop.clusters[G] = working
    assert shop.look(30.0).bad == 1


def test_sides_are_apart_and_selectors_select():
    shop = Shop(selector="app=web")
    shop.pod("web-1", labels={"app": "web"})
    shop.pod("web-1", side=B, labels={"app": "web"}, ready=False)
    shop.pod("job-1", labels={"app": "job"}, ready=False)
    assert shop.look() == Counts(good=1, bad=0, synthetic=False)
    assert shop.look(side=B).bad == 1


# ---- at plan time ----


def test_what_cannot_be_seen_is_told_before(shop):
    assert isinstance(shop.probe, CheckedProbe)
    assert shop.probe.check() == ("there is no pod in namespace shop on blue; correct namespaces or selector",)
    shop.pod("web-1", side=B)
    assert shop.probe.check() == ()
    shop.clusters[G].forbidden.add(("list", "pods"))
    (told,) = shop.probe.check()
    assert "may not be listed on green" in told
    assert "bluegreen adapters permissions kubernetes" in told


def test_a_cluster_that_cannot_be_asked_is_told_before(shop):
    def refuse(*_):
        raise TransientError("kube.unreachable", "asking for rights", "connection refused")

    for cluster in shop.clusters.values():
        cluster.may = refuse
    assert [reason.partition(":")[0] for reason in shop.probe.check()] == ["blue", "green"]


def test_every_fault_of_the_settings_is_told_at_once():
    with pytest.raises(InvalidInputError) as caught:
        open_probe("pods", {"namespace": "shop", "grace": "soon", "selector": 7}, clusters={})
    text = " | ".join(caught.value.reasons)
    for part in (
        "namespaces must be a list",
        "grace must be a duration",
        "selector must be",
        "did you mean namespaces",
    ):
        assert part in text


def test_it_asks_for_nothing_but_lists_of_pods():
    assert PERMISSIONS.policy["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]


def test_pods_are_neither_our_requests_nor_users():
    probe = open_probe("pods", {"namespaces": ["shop"]}, clusters={})
    assert (probe.synthetic, probe.users) == (False, False)
