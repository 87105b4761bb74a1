"""Planning, applying and verifying against a cluster in memory."""

import json
import time

import pytest
from fake_api import VERBS, FakeApi, quiet

from bluegreen.importer.apply import ApplyFailedError, ApplyOptions, Outcome, apply_objects
from bluegreen.importer.decide import Verdict
from bluegreen.importer.idle import make_idle
from bluegreen.importer.order import Phase
from bluegreen.importer.plan import PlanOptions, plan_import
from bluegreen.importer.refusal import Cause, cause_of
from bluegreen.importer.relink import relink
from bluegreen.importer.verify import compare
from bluegreen.model.errors import ConflictError, RefusedError, TransientError
from bluegreen.model.marks import MIGRATION, OWNERS, VOLUME, VOLUME_MOVED, WAS_REPLICAS
from bluegreen.model.ports import ApiResource, RawAnswer
from bluegreen.model.refs import ObjectRef, ref_of


def obj(kind, name, version="v1", namespace="shop", **more):
    meta = {"name": name, **({"namespace": namespace} if namespace else {}), **more.pop("meta", {})}
    return {"apiVersion": version, "kind": kind, "metadata": meta, **more}


def shop():
    return [
        obj("Widget", "one", "shop.example/v1"),
        obj(
            "CustomResourceDefinition",
            "widgets.shop.example",
            "apiextensions.k8s.io/v1",
            "",
            spec={"group": "shop.example", "names": {"kind": "Widget", "plural": "widgets"}},
        ),
        obj("Namespace", "shop", namespace=""),
        *(obj("ConfigMap", f"c{i}", data={"a": "1"}) for i in range(6)),
        obj("Secret", "password", data={"p": "Y2FuYXJ5"}),
        obj("Deployment", "web", "apps/v1", spec={"replicas": 2}),
        obj("PersistentVolumeClaim", "data", spec={}, meta={"annotations": {VOLUME: VOLUME_MOVED}}),
    ]


def options(migration="m1", **more):
    return ApplyOptions(migration, time.monotonic, lambda _: None, prepare=make_idle, **more)


def run(green, objects=None, **more):
    return apply_objects(green, shop() if objects is None else objects, Phase.IMPORT, options(**more), quiet)


def outcomes(results):
    return {result.ref.name: result.outcome for result in results}


def plan(green, objects, **more):
    made = plan_import(objects, green, PlanOptions("m1", **more))
    return {entry.ref.name: entry for entry in made.entries}


def test_an_import_creates_in_order_and_marks_what_it_created():
    green = FakeApi()
    results = run(green)
    assert outcomes(results)["web"] is Outcome.CREATED
    assert outcomes(results)["data"] is Outcome.LEFT_OUT
    kinds = [ref.kind for _, ref in green.writes]
    assert (
        kinds.index("Namespace")
        < kinds.index("CustomResourceDefinition")
        < kinds.index("ConfigMap")
        < kinds.index("Widget")
    )
    assert all(o["metadata"]["annotations"][MIGRATION] == "m1" for o in green.objects.values())
    assert all(result.uid for result in results if result.outcome is Outcome.CREATED)


def test_a_second_import_writes_nothing():
    green = FakeApi()
    first = run(green)
    green.writes.clear()
    second = run(green)
    assert green.writes == []
    assert {r.ref: r.uid for r in second} == {r.ref: r.uid for r in first}
    assert set(outcomes(second).values()) == {Outcome.EQUAL, Outcome.LEFT_OUT}
    assert all(result.ours for result in second if result.outcome is Outcome.EQUAL)


def test_what_we_created_is_forced_and_what_others_made_is_not():
    green = FakeApi()
    run(green)
    green.patch(ObjectRef("v1", "ConfigMap", "shop", "c0"), {"data": {"a": "changed"}})
    assert outcomes(run(green))["c0"] is Outcome.CHANGED
    green.put(obj("ConfigMap", "theirs", data={"a": "theirs"}))
    with pytest.raises(ApplyFailedError) as caught:
        run(green, [*shop(), obj("ConfigMap", "theirs", data={"a": "1"})])
    assert "helm owns .data.a" in str(caught.value)
    failed = [r for r in caught.value.results if r.outcome is Outcome.FAILED]
    assert [(r.ref.name, r.cause) for r in failed] == [("theirs", Cause.CONFLICT)]


def test_an_object_of_others_gets_no_mark_and_another_mark_stays():
    green = FakeApi(
        obj("Namespace", "shop", namespace=""), obj("ConfigMap", "new", meta={"annotations": {MIGRATION: "m0"}})
    )
    run(
        green,
        [obj("Namespace", "shop", namespace="", meta={"labels": {"a": "1"}}), obj("ConfigMap", "new", data={"a": "1"})],
    )
    namespace = green.get(ObjectRef("v1", "Namespace", "", "shop"))
    assert namespace["metadata"]["labels"] == {"a": "1"}
    assert "annotations" not in namespace["metadata"]
    assert green.get(ObjectRef("v1", "ConfigMap", "shop", "new"))["metadata"]["annotations"] == {MIGRATION: "m0"}


def test_a_running_workload_of_others_is_never_put_to_sleep():
    # its replicas may be a default that no manager owns, so the server would not object
    green = FakeApi(obj("Deployment", "web", "apps/v1", spec={"replicas": 4}))
    with pytest.raises(ApplyFailedError):
        run(green, [obj("Deployment", "web", "apps/v1", spec={"replicas": 2})])
    assert green.writes == []
    assert green.get(ObjectRef("apps/v1", "Deployment", "shop", "web"))["spec"]["replicas"] == 4


def test_greens_own_definitions_and_classes_are_kept():
    green = FakeApi(obj("PriorityClass", "high", "scheduling.k8s.io/v1", "", value=5))
    wanted = [obj("PriorityClass", "high", "scheduling.k8s.io/v1", "", value=10)]
    assert outcomes(run(green, wanted)) == {"high": Outcome.LEFT_OUT}
    assert green.writes == []
    assert plan(green, wanted)["high"].changes[0].path == "value"


def test_all_failures_come_together_after_everything_else_was_tried():
    green = FakeApi()
    for name in ("c1", "c3"):
        green.refuse[ObjectRef("v1", "ConfigMap", "shop", name)] = RefusedError("x", "applying", "exceeded quota: q")
    with pytest.raises(ApplyFailedError) as caught:
        run(green)
    assert len(caught.value.reasons) == 2
    assert ObjectRef("shop.example/v1", "Widget", "shop", "one") in green.objects
    green.refuse.clear()
    assert outcomes(run(green))["c1"] is Outcome.CREATED


def test_nothing_follows_a_namespace_that_was_refused():
    green = FakeApi()
    green.refuse[ObjectRef("v1", "Namespace", "", "shop")] = RefusedError("x", "applying", "no")
    with pytest.raises(ApplyFailedError):
        run(green)
    assert green.objects == {}


def test_what_may_succeed_later_is_a_transient_error():
    green = FakeApi()
    green.refuse[ObjectRef("v1", "ConfigMap", "shop", "c1")] = TransientError("x", "applying", "timeout")
    with pytest.raises(TransientError):
        run(green)


def test_list_items_with_one_key_are_created_instead_of_applied():
    green = FakeApi()
    ref = ObjectRef("v1", "ConfigMap", "shop", "c1")
    green.refuse[ref] = RefusedError(
        "x", "applying", "failed to create typed patch object: duplicate entries for key [name=A]"
    )
    assert outcomes(run(green))["c1"] is Outcome.CREATED
    assert ("create", ref) in green.writes


def test_a_definition_that_is_never_established_stops_the_import():
    class Slow(FakeApi):
        def get(self, ref):
            found = super().get(ref)
            found.pop("status", None)
            return found

    ticks = iter(range(1000))
    slow = ApplyOptions("m1", lambda: float(next(ticks)), lambda _: None, definition_seconds=5)
    with pytest.raises(RefusedError, match="not established"):
        apply_objects(Slow(), shop(), Phase.IMPORT, slow, quiet)


def test_a_version_that_a_definition_has_got_anew_is_waited_for():
    """The server tells of the kind already, in the version that it had."""
    versions = [{"name": name, "served": name != "v0"} for name in ("v0", "v1", "v2")]
    crd = {**shop()[1], "spec": {**shop()[1]["spec"], "versions": versions}}
    green, slept = FakeApi(), []

    def sleep(_seconds):
        slept.append(len(green.writes))
        green.pages["/apis/shop.example/v2"] = RawAnswer(json.dumps({"resources": [{"kind": "Widget"}]}))

    slow = ApplyOptions("m1", time.monotonic, sleep)
    apply_objects(green, [crd, obj("Namespace", "shop", namespace="")], Phase.IMPORT, slow, quiet)
    assert len(slept) == 1

    del green.pages["/apis/shop.example/v2"]
    ticks = iter(range(1000))
    never = ApplyOptions("m1", lambda: float(next(ticks)), lambda _: None, definition_seconds=5)
    with pytest.raises(RefusedError, match=r"not in discovery: Widget of shop\.example/v2 "):
        apply_objects(green, [crd], Phase.IMPORT, never, quiet)


def test_a_plan_says_what_an_import_does_and_reads_only():
    green = FakeApi()
    entries = plan(green, shop(), prepare=make_idle)
    assert entries["web"].verdict is Verdict.CREATE
    assert entries["data"].verdict is Verdict.LEFT_OUT
    assert green.writes == []
    run(green)
    assert {e.verdict for e in plan(green, shop(), prepare=make_idle).values()} == {Verdict.EQUAL, Verdict.LEFT_OUT}
    changed = [obj("ConfigMap", "c0", data={"a": "2"})]
    assert [(c.path, c.expected, c.actual) for c in plan(green, changed)["c0"].changes] == [("data.a", '"2"', '"1"')]


def test_a_plan_is_the_same_twice_and_shows_no_secret():
    green = FakeApi()
    run(green)
    changed = [obj("Secret", "password", data={"p": "Y2hhbmdlZA=="})]
    one, two = (plan_import(changed, green, PlanOptions("m1")) for _ in range(2))
    assert one == two
    text = json.dumps([entry.to_json() for entry in one.entries])
    assert "Y2FuYXJ5" not in text
    assert "Y2hhbmdlZA" not in text
    assert one.count(Verdict.CHANGE) == 1


def test_a_dry_run_asks_the_server_where_it_can():
    green = FakeApi(obj("Namespace", "shop", namespace=""), obj("ConfigMap", "theirs", data={"a": "theirs"}))
    green.refuse[ObjectRef("v1", "ConfigMap", "shop", "big")] = RefusedError("x", "checking", "exceeded quota: q")
    objects = [
        obj("ConfigMap", "big"),
        obj("ConfigMap", "theirs", data={"a": "1"}),
        obj("ConfigMap", "c", namespace="new"),
        obj("Namespace", "new", namespace=""),
        obj("ConfigMap", "fine"),
    ]
    entries = plan(green, objects, dry_run=True)
    assert (entries["big"].verdict, entries["big"].cause) == (Verdict.REFUSED, Cause.QUOTA)
    assert (entries["theirs"].verdict, entries["theirs"].reason) == (Verdict.CONFLICT, "helm owns .data.a")
    assert "no dry run: Namespace new" in entries["c"].reason
    assert entries["fine"].verdict is Verdict.CREATE
    assert green.writes == []


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ('admission webhook "x.y" denied the request: no', Cause.WEBHOOK),
        ('pods "a" is forbidden: violates PodSecurity "restricted:latest"', Cause.POD_SECURITY),
        ('pods "a" is forbidden: exceeded quota: q, requested: pods=1', Cause.QUOTA),
        ("spec.selector: Invalid value: {}: field is immutable", Cause.IMMUTABLE),
        ("updates to statefulset spec for fields other than 'replicas' are forbidden", Cause.IMMUTABLE),
        ('namespaces "new" not found', Cause.MISSING_NAMESPACE),
        ("the cluster does not serve it", Cause.MISSING_KIND),
        ('configmaps is forbidden: User "x" cannot patch resource "configmaps"', Cause.RIGHTS),
        ("field not declared in schema", Cause.SCHEMA),
        ("spec.ports: Required value", Cause.INVALID),
    ],
)
def test_refusals_are_told_apart(text, cause):
    assert cause_of(RefusedError("x", "applying", text)) is cause


def test_conflicts_and_transient_errors_are_told_apart():
    assert cause_of(ConflictError("x", "a")) is Cause.CONFLICT
    assert cause_of(TransientError("x", "a")) is Cause.TRANSIENT


def test_verify_finds_what_is_missing_and_what_differs():
    green = FakeApi()
    run(green)
    wanted = [
        obj("ConfigMap", "c0", data={"a": "2"}),
        obj("ConfigMap", "gone"),
        obj("ConfigMap", "c1", data={"a": "1"}),
    ]
    assert [(d.ref.name, d.path) for d in compare(wanted, green)] == [("c0", "data.a"), ("gone", "")]


def test_verify_knows_autoscalers_and_sleeping_cron_jobs():
    cron = obj("CronJob", "nightly", "batch/v1", spec={"suspend": False})
    scaler = obj(
        "HorizontalPodAutoscaler",
        "web",
        "autoscaling/v2",
        spec={"scaleTargetRef": {"kind": "Deployment", "name": "web"}},
    )
    web = obj("Deployment", "web", "apps/v1", spec={"replicas": 2})
    green = FakeApi()
    run(green, [cron, scaler, web])
    assert [d.path for d in compare([cron, scaler, web], green)] == ["spec.replicas"], "it sleeps"
    green.patch(
        ObjectRef("apps/v1", "Deployment", "shop", "web"),
        {"spec": {"replicas": 7}, "metadata": {"annotations": {WAS_REPLICAS: None}}},
    )
    assert [d.path for d in compare([cron, web], green)] == ["spec.replicas"]
    assert compare([cron, scaler, web], green) == ()


def test_verify_sees_a_schedule_that_blue_woke_since():
    nightly = obj("CronJob", "nightly", "batch/v1", spec={"suspend": True})
    green = FakeApi()
    run(green, [nightly])
    assert compare([nightly], green) == ()

    awake = {**nightly, "spec": {"suspend": False}}
    assert [(d.path, d.expected, d.actual) for d in compare([awake], green)] == [("spec.suspend", "false", "true")]


def test_owners_are_linked_by_their_new_uid():
    owner = [{"apiVersion": "shop.example/v1", "kind": "Widget", "name": "one", "controller": True}]
    absent = [{"apiVersion": "shop.example/v1", "kind": "Widget", "name": "two"}]
    objects = [
        *shop(),
        obj("Secret", "made", meta={"annotations": {OWNERS: json.dumps(owner)}}),
        obj("Secret", "orphan", meta={"annotations": {OWNERS: json.dumps(absent)}}),
    ]
    green = FakeApi()
    run(green, objects)
    assert relink(green, objects, "m1", quiet) == ("Secret shop/orphan: its owner Widget two is not on green",)
    uid = green.get(ObjectRef("shop.example/v1", "Widget", "shop", "one"))["metadata"]["uid"]
    made = ObjectRef("v1", "Secret", "shop", "made")
    assert green.get(made)["metadata"]["ownerReferences"] == [{**owner[0], "uid": uid}]
    green.writes.clear()
    relink(green, objects, "m1", quiet)
    assert green.writes == []


def with_status(kind, name):
    return {**obj(kind, name, "shop.example/v1"), "status": {"done": 3}}


def served(kind, *subresources):
    plural = f"{kind.lower()}s"
    return ApiResource("shop.example/v1", kind, plural, namespaced=True, verbs=VERBS, subresources={*subresources})


def test_a_kept_status_is_written_once_where_it_is_a_subresource():
    green = FakeApi(extra=(served("Run", "status"), served("Note")))
    objects = with_status("Run", "a"), with_status("Note", "b")

    run(green, objects)
    green.objects[ref_of(objects[0])]["status"] = {"done": 4}
    run(green, objects)

    assert [ref.kind for verb, ref in green.writes if verb == "status"] == ["Run"]
    assert green.get(ref_of(objects[0]))["status"] == {"done": 4}


def test_a_status_that_cannot_be_written_is_told():
    green = FakeApi(extra=(served("Run", "status"),))

    def refuse(_obj):
        raise RefusedError("kube.forbidden", "writing the status", "no right")

    green.apply_status = refuse

    with pytest.raises(ApplyFailedError) as caught:
        run(green, [with_status("Run", "a")])
    assert "it is there, but its status could not be written (no right)" in caught.value.reasons[0]


def test_a_status_that_could_not_be_written_is_written_by_the_next_import():
    green = FakeApi(extra=(served("Run", "status"),))
    write, objects = green.apply_status, [with_status("Run", "a"), obj("Namespace", "shop", namespace="")]

    def break_off(_obj):
        raise TransientError("kube.connection", "writing the status", "broken off")

    green.apply_status = break_off
    with pytest.raises(TransientError):
        run(green, objects)
    green.apply_status = write

    assert outcomes(run(green, objects)) == {"a": Outcome.CHANGED, "shop": Outcome.EQUAL}
    assert green.get(ref_of(objects[0]))["status"] == {"done": 3}
    assert outcomes(run(green, objects)) == {"a": Outcome.EQUAL, "shop": Outcome.EQUAL}


def test_a_status_of_somebody_else_s_object_is_not_written():
    green = FakeApi(extra=(served("Run", "status"),))
    green.put(obj("Run", "a", "shop.example/v1"))

    assert outcomes(run(green, [with_status("Run", "a")])) == {"a": Outcome.EQUAL}
    assert green.writes == []
