"""The Gateway API router against an API in memory: what it writes, what it refuses, and what it asks of a status."""

import copy
import shlex

import pytest
from fake_cluster import FakeCluster, resource

from bluegreen.model.errors import ConflictError, InvalidInputError, NotFoundError, RefusedError, TransientError
from bluegreen.model.ports import Weights
from bluegreen.model.refs import ObjectRef
from bluegreen_adapters.gateway_router import MARK, PERMISSIONS, open_router

API = "gateway.networking.k8s.io/v1"
REF = ObjectRef(API, "HTTPRoute", "shop", "shop")
ALL_BLUE, HALF, ALL_GREEN = Weights(100, 0), Weights(50, 50), Weights(0, 100)
SETTINGS = {"context": "third", "namespace": "shop", "httproute": "shop", "blue": "shop-blue", "green": "shop-green"}


def ref(name, weight=None, **more):
    given = {"name": name, "port": 80, "group": "", "kind": "Service"} | more
    return given if weight is None else given | {"weight": weight}


def rule(*refs, **more):
    return {"backendRefs": list(refs), "matches": [{"path": {"value": "/"}}]} | more


def both(blue=100, green=0, **more):
    return rule(ref("shop-blue", blue), ref("shop-green", green), **more)


class Api(FakeCluster):
    """A server that counts generations as a real one does, and lets others write when told to."""

    def __init__(self, *rules, parents=({"name": "edge"},)):
        super().__init__("third", served=[resource(API, "HTTPRoute")])
        self.seed({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        spec = {"parentRefs": list(parents), "rules": list(rules)}
        meta = {"name": "shop", "namespace": "shop", "generation": 1}
        self.seed({"apiVersion": API, "kind": "HTTPRoute", "metadata": meta, "spec": spec})

    def patch(self, ref, patch):
        before = copy.deepcopy(self.objects[ref]["spec"])
        super().patch(ref, patch)
        if self.objects[ref]["spec"] != before:
            self.objects[ref]["metadata"]["generation"] += 1
        return self.get(ref)

    @property
    def route(self):
        return self.objects[REF]

    def weights(self, number=0):
        return [ref.get("weight") for ref in self.route["spec"]["rules"][number]["backendRefs"]]

    def say(self, status="True", *, parent="edge", behind=0, kinds=("Accepted", "ResolvedRefs"), **more):
        """Write what a controller says of a parent; the resourceVersion moves, as it does on a real server."""
        seen = self.route["metadata"]["generation"] - behind
        conditions = [{"type": k, "status": status, "observedGeneration": seen, **more} for k in kinds]
        word = {"parentRef": {"name": parent}, "controllerName": "x/y", "conditions": conditions}
        others = [p for p in self.route.get("status", {}).get("parents", []) if p["parentRef"]["name"] != parent]
        super().patch(REF, {"status": {"parents": [*others, word]}})

    def router(self, **more):
        return open_router("shop", {**SETTINGS, **more}, lambda *_: self)


def test_rules_and_mark_go_in_one_patch_and_all_else_stays():
    api = Api(both(timeouts={"request": "5s"}), rule(ref("search", 7)))
    before = copy.deepcopy(api.route["spec"])
    api.router().shift(Weights(90, 10), expect=ALL_BLUE)
    assert api.weights() == [90, 10]
    assert api.route["metadata"]["annotations"] == {MARK: "bluegreen"}
    assert [verb for verb, ref in api.writes if ref == REF] == ["patch"]
    for one in before["rules"][0]["backendRefs"], api.route["spec"]["rules"][0]["backendRefs"]:
        for entry in one:
            del entry["weight"]
    assert api.route["spec"] == before


def test_a_weight_that_is_not_written_counts_one():
    api = Api(rule(ref("shop-blue"), ref("shop-green", 3)))
    assert api.router().read() == Weights(25, 75)


def test_any_scale_is_read_as_shares_and_a_sliver_is_never_nothing():
    assert Api(both(999_999, 1)).router().read() == Weights(99, 1)
    assert Api(both(1_000_000, 0)).router().read() == ALL_BLUE
    api = Api(both(1, 1))
    api.router().shift(HALF, expect=ALL_BLUE)
    assert api.weights() == [1, 1]


def test_nobody_served_is_refused_with_the_command_that_mends_it():
    api = Api(both(0, 0))
    with pytest.raises(RefusedError, match="rule 0 has 0/0: nobody is served") as caught:
        api.router().read()
    assert caught.value.code == "gateway.serves-nothing"
    words = shlex.split(caught.value.next_step)
    assert words[:7] == ["kubectl", "--context", "third", "-n", "shop", "patch", "httproute"]
    assert '"path": "/spec/rules/0/backendRefs/0/weight", "value": 100' in words[-1]
    with pytest.raises(RefusedError):
        api.router().shift(HALF, expect=ALL_BLUE)
    assert api.weights() == [0, 0]


def test_a_write_between_look_and_write_is_seen_by_the_server_and_told():
    api = Api(both())

    def other(verb, ref):
        api.before = lambda *_: None
        FakeCluster.patch(api, REF, {"spec": {"rules": [both(70, 30)]}})

    api.before = other
    with pytest.raises(ConflictError, match=r"expected 100/0, but it has 70/30") as caught:
        api.router().shift(Weights(90, 10), expect=ALL_BLUE)
    assert caught.value.code == "gateway.conflict"
    assert api.weights() == [70, 30]


def test_a_controller_that_writes_the_status_meanwhile_is_no_conflict():
    api, times = Api(both()), iter(range(3))

    def other(verb, ref):
        act, api.before = api.before, lambda *_: None
        if next(times, None) is not None:
            api.say()
            api.before = act

    api.before = other
    api.router().shift(HALF, expect=ALL_BLUE)
    assert api.weights() == [50, 50]


def test_a_route_that_never_rests_is_given_up_without_a_write():
    api = Api(both())

    def other(verb, ref):
        act, api.before = api.before, lambda *_: None
        api.say()
        api.before = act

    api.before = other
    with pytest.raises(TransientError, match="changed 5 times"):
        api.router().shift(HALF, expect=ALL_BLUE)
    assert api.weights() == [100, 0]


def test_a_write_whose_answer_was_lost_is_done_when_it_is_done_again():
    api = Api(both())
    late = [api.patch]

    def patch(ref, change):
        late.pop()(ref, change)
        api.patch = type(api).patch.__get__(api)
        return api.patch(ref, change)  # the repeat meets its own write and is a conflict

    api.patch = patch
    api.router().shift(HALF, expect=ALL_BLUE)
    assert api.weights() == [50, 50]


def test_the_last_writer_is_named():
    api = Api(both(60, 40))
    api.route["metadata"]["managedFields"] = [
        {"manager": "argocd", "time": "2026-11-25T10:00:00Z", "fieldsV1": {"f:spec": {}}},
        {"manager": "helm", "time": "2026-11-24T10:00:00Z", "fieldsV1": {"f:spec": {}}},
        {"manager": "contour", "time": "2026-11-26T10:00:00Z", "fieldsV1": {"f:status": {}}, "subresource": "status"},
        {"manager": "bluegreen", "time": "2026-11-26T10:00:00Z", "fieldsV1": {"f:spec": {}}},
    ]
    with pytest.raises(ConflictError, match="last writer of its spec: argocd"):
        api.router().shift(HALF, expect=ALL_BLUE)


def test_another_s_mark_is_respected_by_shift_and_finalize():
    api = Api(both())
    api.router(owner="night-shift").shift(HALF, expect=ALL_BLUE)
    for act in (lambda r: r.shift(ALL_GREEN, expect=HALF), lambda r: r.finalize()):
        with pytest.raises(ConflictError, match="mark of 'night-shift', and we are 'bluegreen'") as caught:
            act(api.router())
        assert caught.value.next_step.endswith(f"annotate httproute shop {MARK}-")
    assert api.weights() == [50, 50]


def test_finalize_takes_the_mark_only_and_does_so_past_a_busy_controller():
    api = Api(both())
    api.router().shift(ALL_GREEN, expect=ALL_BLUE)
    generation = api.route["metadata"]["generation"]

    def other(verb, ref):
        api.before = lambda *_: None
        api.say()

    api.before = other
    api.router().finalize()
    api.router().finalize()
    assert MARK not in api.route["metadata"]["annotations"]
    assert (api.weights(), api.route["metadata"]["generation"]) == ([0, 100], generation)


# ---- which rules ----


def test_every_rule_with_both_sides_is_moved_and_others_are_left():
    preview = rule(ref("shop-green", 1), name="preview")
    api = Api(both(), preview, rule(name="redirect"), both(1, 0), rule(ref("search", 1)))
    api.router().shift(Weights(80, 20), expect=ALL_BLUE)
    assert (api.weights(0), api.weights(3)) == ([80, 20], [80, 20])
    assert (api.weights(1), api.weights(4)) == ([1], [1])


def test_a_rule_that_would_stay_on_blue_is_refused_with_what_to_add():
    api = Api(both(), rule(ref("shop-blue"), name="cart"))
    with pytest.raises(RefusedError, match=r"rule 1 sends to blue .* has no backendRef for green") as caught:
        api.router().read()
    added = '"path": "/spec/rules/1/backendRefs/-", "value": {"kind": "Service", "name": "shop-green", "port": 80'
    assert added in caught.value.next_step
    assert '"weight": 0' in caught.value.next_step
    assert api.router(rules=0).read() == ALL_BLUE
    with pytest.raises(RefusedError, match="rule 1 sends to blue"):
        api.router(rules=["cart"]).read()


def test_chosen_rules_alone_are_moved():
    api = Api(both(), both(name="cart"), both(name="pay"))
    api.router(rules=["pay", 0]).shift(HALF, expect=ALL_BLUE)
    assert [api.weights(n) for n in range(3)] == [[50, 50], [100, 0], [50, 50]]
    with pytest.raises(RefusedError, match=r"no rule basket, 7; the route has rules 0 to 2, named cart, pay"):
        api.router(rules=["basket", 7]).read()


def test_rules_that_differ_are_refused_and_a_third_backend_with_weight_too():
    with pytest.raises(RefusedError, match="rule 0 has 100/0; rule 1 has 90/10") as caught:
        Api(both(), both(90, 10)).router().read()
    assert caught.value.code == "gateway.rules-differ"
    assert Api(both(90, 10), both(9, 1)).router().read() == Weights(90, 10)
    third = rule(ref("shop-blue", 1), ref("shop-old"), ref("shop-green", 0))
    with pytest.raises(RefusedError, match=r"rule 0 also sends to Service shop-old \(1\)") as caught:
        Api(third).router().read()
    assert '"path": "/spec/rules/0/backendRefs/1/weight", "value": 0' in caught.value.next_step
    third["backendRefs"][1]["weight"] = 0
    api = Api(third)
    api.router().shift(HALF, expect=ALL_BLUE)
    assert api.weights() == [50, 0, 50]


def test_backends_are_told_apart_by_namespace_kind_group_and_port():
    imported = {"kind": "ServiceImport", "group": "multicluster.x-k8s.io"}
    api = Api(rule(ref("shop", 1, namespace="shop"), ref("shop", 0, **imported), ref("shop", 0, namespace="other")))
    api.router(blue="shop", green={"name": "shop", **imported}).shift(HALF, expect=ALL_BLUE)
    assert api.weights() == [50, 50, 0]
    ports = Api(rule(ref("shop", 1), ref("shop", 0, port=81)))
    with pytest.raises(RefusedError, match="rule 0 has Service shop 2 times; set the port of blue"):
        ports.router(blue="shop").read()
    green = {"name": "shop", "port": 81}
    assert ports.router(blue={"name": "shop", "port": 80}, green=green).read() == ALL_BLUE
    with pytest.raises(RefusedError, match=r"no rule has both .*; there are: rule 0: Service shop:80, Service shop:81"):
        ports.router().read()


# ---- the status ----


def test_settled_is_what_every_parent_has_said_of_this_generation():
    api = Api(both(), parents=({"name": "edge"}, {"name": "inner", "sectionName": "web"}))
    router = api.router()
    router.shift(HALF, expect=ALL_BLUE)
    assert not router.settled(HALF)
    api.say(parent="edge")
    assert not router.settled(HALF)
    assert api.router(parents=["edge"]).settled(HALF)
    api.say(parent="inner")  # the whole Gateway, and not the listener that we attach to
    assert not router.settled(HALF)
    inner = api.route["status"]["parents"][1]
    inner["parentRef"]["sectionName"] = "web"
    assert router.settled(HALF)
    assert not router.settled(ALL_GREEN)
    router.shift(ALL_GREEN, expect=HALF)
    assert not router.settled(ALL_GREEN)


@pytest.mark.parametrize(
    "word",
    [
        {"behind": 1},
        {"status": "False"},
        {"status": "Unknown"},
        {"kinds": ("Accepted",)},
        {"kinds": ("ResolvedRefs",)},
        {"parent": "elsewhere"},
    ],
    ids=str,
)
def test_silence_and_old_words_are_no_consent(word):
    api = Api(both())
    api.router().shift(HALF, expect=ALL_BLUE)
    api.say(**word)
    assert not api.router().settled(HALF)
    api.say()
    assert api.router().settled(HALF)


def test_of_two_controllers_of_one_parent_both_must_agree():
    api = Api(both())
    api.router().shift(HALF, expect=ALL_BLUE)
    api.say()
    second = copy.deepcopy(api.route["status"]["parents"][0])
    second["conditions"][0]["status"] = "False"
    api.route["status"]["parents"].append(second)
    assert not api.router().settled(HALF)


def test_green_is_not_raised_while_a_backend_cannot_be_found_but_the_way_back_is_open():
    api = Api(both())
    api.say("False", kinds=("ResolvedRefs",), reason="BackendNotFound", message="Service shop-green not found")
    with pytest.raises(RefusedError, match="BackendNotFound: Service shop-green not found") as caught:
        api.router().shift(HALF, expect=ALL_BLUE)
    assert caught.value.code == "gateway.unresolved"
    assert api.weights() == [100, 0]
    api.say()
    api.router().shift(HALF, expect=ALL_BLUE)
    api.say("False", kinds=("ResolvedRefs",), reason="BackendNotFound")
    api.router().shift(ALL_BLUE, expect=HALF)
    assert api.weights() == [100, 0]


def test_a_route_without_a_parent_is_refused():
    with pytest.raises(RefusedError, match="no Gateway serves it"):
        Api(both(), parents=()).router().read()
    with pytest.raises(RefusedError, match=r"no parent egde; spec\.parentRefs has: edge"):
        Api(both()).router(parents=["egde"]).read()
    assert Api(both()).router(parents=["shop/edge"]).read() == ALL_BLUE


# ---- settings ----


def test_what_is_not_there_is_named_with_the_command_that_looks():
    with pytest.raises(NotFoundError, match="none of that name in namespace shop") as caught:
        Api(both()).router(httproute="shoop").read()
    assert caught.value.next_step == "kubectl --context third -n shop get httproutes -A"
    api = Api(both())
    del api.served[API, "HTTPRoute"]
    with pytest.raises(NotFoundError, match="does not serve HTTPRoute") as caught:
        api.router(kubeconfig="/a b").read()
    assert caught.value.next_step == "kubectl --kubeconfig '/a b' --context third -n shop api-resources"


def test_weights_that_the_server_changes_are_told():
    api = Api(both())
    api.patch = lambda ref, change: api.get(ref)
    with pytest.raises(RefusedError, match="the server stored 100/0"):
        api.router().shift(HALF, expect=ALL_BLUE)


def test_every_fault_of_the_settings_is_told_at_once():
    bad = {
        "contexxt": "x",
        "namespace": "Shop",
        "httproute": "../secrets/x",
        "blue": {"name": "b", "port": True, "weight": 3},
        "green": 7,
        "rules": [-1],
        "parents": "edge",
        "owner": "a b",
        "timeout": "soon",
    }
    with pytest.raises(InvalidInputError) as caught:
        open_router("shop", bad, lambda *_: None)
    text = " | ".join(caught.value.reasons)
    for part in (
        "context is missing",
        "contexxt is not known; did you mean context?",
        "namespace is no name",
        "httproute is no name",
        "blue must have a port from 1 to 65535",
        "blue has no setting weight",
        "green must be the name of a Service",
        "rules must be the index (from 0) or name",
        "parents must be a list of names",
        "owner may hold letters",
        "timeout must be a duration",
    ):
        assert part in text
    with pytest.raises(InvalidInputError, match="green is the same backend as blue"):
        open_router("shop", {**SETTINGS, "green": {"name": "shop-blue"}}, lambda *_: None)


def test_it_asks_for_its_own_context_and_time():
    asked = []
    open_router("shop", {**SETTINGS, "timeout": "800ms"}, lambda *args: asked.append(args))
    open_router("shop", {**SETTINGS, "kubeconfig": "/k"}, lambda *args: asked.append(args))
    assert asked == [("third", None, 0.8), ("third", "/k", 5.0)]


def test_the_rights_it_asks_for_are_two_verbs_on_one_object():
    (only,) = PERMISSIONS.policy["rules"]
    assert (only["verbs"], only["resources"]) == (["get", "patch"], ["httproutes"])
    assert only["resourceNames"] == ["HTTPROUTE"]
