"""Plan, apply, verify and import as compositions, between two clusters in memory."""

import json

import pytest
from fake_api import FakeApi, quiet
from msgspec.structs import replace

from bluegreen.config.example import EXAMPLE
from bluegreen.config.export import Export
from bluegreen.config.loader import load
from bluegreen.exporter.choices import Choices
from bluegreen.exporter.read import read_bundle
from bluegreen.exporter.write import write_bundle
from bluegreen.importer.apply import ApplyFailedError
from bluegreen.importer.decide import Verdict
from bluegreen.importer.prune import prune
from bluegreen.importer.saved import read_saved
from bluegreen.importer.transform import TransformOptions
from bluegreen.importer.wait import NotReadyError
from bluegreen.migration import bundles, plans
from bluegreen.migration.bundles import Means
from bluegreen.migration.claims import claims_of
from bluegreen.migration.scope import Scope
from bluegreen.model.errors import InvalidInputError, RefusedError
from bluegreen.model.refs import ClusterId, ObjectRef

SCOPE = Scope("old", "new", namespaces=("shop",))
MEANS = Means(quiet, lambda: 0.0, lambda _: None)


class Named(FakeApi):
    """A cluster with an identity of its own."""

    def __init__(self, name, *objects):
        super().__init__(*objects)
        self.name = name

    @property
    def id(self):
        return ClusterId(self.name, f"uid-of-{self.name}", "v1.34.0", "https://fake")


def obj(kind, name, api_version="v1", **more):
    meta = {"name": name, "namespace": "shop", **more.pop("meta", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, **more}


def namespace(name="shop"):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def ref(kind, name, namespace="shop", api_version="v1"):
    return ObjectRef(api_version, kind, namespace, name)


@pytest.fixture
def blue():
    return Named(
        "old",
        namespace(),
        obj("ConfigMap", "conf", data={"a": "1"}),
        obj("Secret", "password", data={"p": "Y2FuYXJ5"}),
        obj("PersistentVolumeClaim", "data", spec={"volumeName": "pv"}, status={"phase": "Bound"}),
    )


@pytest.fixture
def green():
    return Named("new")


def planned(blue, green, scope=SCOPE):
    return plans.make_plan(blue, green, scope, quiet, idle=False, server=False)


def applied(saved, blue, green, *forced):
    return plans.apply_plan(saved, (blue, green), plans.scope_of(saved, Scope()), frozenset(forced), MEANS)


def test_a_plan_is_applied_and_then_nothing_is_left_to_do(blue, green):
    saved = read_saved(json.dumps(planned(blue, green).to_json()).encode(), "p")
    results = applied(saved, blue, green)

    assert {str(result.outcome) for result in results} == {"created"}
    assert {entry.verdict for entry in planned(blue, green).plan.entries} == {Verdict.EQUAL, Verdict.LEFT_OUT}
    assert green.get(ref("Secret", "password"))["data"] == {"p": "Y2FuYXJ5"}


def test_the_plan_holds_no_value_of_a_secret_and_no_digest_of_one(blue, green):
    first = json.dumps(planned(blue, green).to_json())
    assert "Y2FuYXJ5" not in first
    blue.objects[ref("Secret", "password")]["data"] = {"p": "b3RoZXI="}

    assert json.dumps(planned(blue, green).to_json()) == first


def test_a_change_on_blue_makes_the_plan_stale_and_nothing_is_written(blue, green):
    saved = planned(blue, green)
    blue.put(obj("ConfigMap", "conf", data={"a": "2"}))
    blue.put(obj("Secret", "password", data={"p": "b3RoZXI="}))

    with pytest.raises(plans.PlanMovedError) as caught:
        applied(saved, blue, green)
    assert [line.partition(":")[0] for line in caught.value.moved] == ["ConfigMap shop/conf", "Secret shop/password"]
    assert green.writes == []


def test_a_change_on_green_makes_the_plan_stale(blue, green):
    saved = planned(blue, green)
    green.put(obj("ConfigMap", "conf", data={"a": "9"}))

    with pytest.raises(plans.PlanMovedError):
        applied(saved, blue, green)


def test_another_cluster_is_refused_with_both_reasons(blue, green):
    saved = planned(blue, green)

    with pytest.raises(InvalidInputError) as caught:
        applied(saved, green, blue)
    assert len(caught.value.reasons) == 2
    assert blue.writes == green.writes == []


def test_an_object_of_another_hand_needs_its_rule_named(blue, green):
    green.put(namespace())
    green.put(obj("ConfigMap", "conf", data={"b": "theirs"}))
    saved = planned(blue, green)

    with pytest.raises(InvalidInputError, match="--force another-manager"):
        applied(saved, blue, green)
    applied(saved, blue, green, "another-manager")
    assert green.get(ref("ConfigMap", "conf"))["data"] == {"a": "1", "b": "theirs"}


def test_namespaces_are_renamed_on_the_way_and_remembered_in_the_plan(blue, green):
    scope = replace(SCOPE, transform=TransformOptions(namespaces={"shop": "market"}))
    applied(planned(blue, green, scope), blue, green)

    assert green.get(ref("ConfigMap", "conf", "market"))["data"] == {"a": "1"}
    assert not any(r.namespace == "shop" for r in green.objects)


def test_drift_names_fields_missing_objects_and_leftovers(blue, green):
    applied(planned(blue, green), blue, green)
    green.objects[ref("ConfigMap", "conf")]["data"]["a"] = "9"
    mark = bundles.mark_of(blue.id.uid)
    green.put(obj("ConfigMap", "old", meta={"annotations": {"bluegreen.io/migration": mark}}))
    found, surplus = plans.drift(blue, green, SCOPE, quiet)

    assert [(str(d.ref), d.path) for d in found] == [
        ("ConfigMap shop/conf", "data.a"),
        ("PersistentVolumeClaim shop/data", ""),
    ]
    assert [str(s.ref) for s in surplus] == ["ConfigMap shop/old"]


def bundle_of(blue, tmp_path):
    write_bundle(bundles.read_source(blue, SCOPE, quiet), tmp_path / "b")
    return read_bundle(tmp_path / "b", b"key")


def test_a_bundle_is_imported_twice_and_written_once(blue, green, tmp_path):
    bundle = bundle_of(blue, tmp_path)
    objects = bundles.for_target(bundle, TransformOptions(), empty_claims=True).objects
    mark = bundles.mark_of(bundle.source)
    first = bundles.bring(green, objects, mark, MEANS, idle=False)
    before = len(green.writes)
    second = bundles.bring(green, objects, mark, MEANS, idle=False)

    assert bundle.withheld == ("shop/password",)
    assert {str(r.ref): str(r.outcome) for r in first}["PersistentVolumeClaim shop/data"] == "created"
    assert {str(r.outcome) for r in second} == {"equal"}
    assert len(green.writes) == before


def test_a_job_sleeps_unless_it_is_marked(green):
    once = obj("Job", "once", "batch/v1", spec={"template": {}})
    again = obj("Job", "again", "batch/v1", spec={}, meta={"annotations": {"bluegreen.io/run-again": "true"}})
    bundles.bring(green, (namespace(), once, again), "m", MEANS, idle=False)

    assert green.get(ref("Job", "once", api_version="batch/v1"))["spec"]["suspend"] is True
    assert "suspend" not in green.get(ref("Job", "again", api_version="batch/v1"))["spec"]


def test_prune_takes_only_what_is_ours_unowned_and_holds_no_data(blue, green, tmp_path):
    bundle = bundle_of(blue, tmp_path)
    mark = bundles.mark_of(bundle.source)
    ours = {"annotations": {"bluegreen.io/migration": mark}}
    green.put(obj("ConfigMap", "gone", meta=ours))
    green.put(obj("ConfigMap", "theirs"))
    green.put(obj("ConfigMap", "of-another-migration", meta={"annotations": {"bluegreen.io/migration": "x"}}))
    green.put(obj("PersistentVolumeClaim", "gone", meta=ours))
    green.put(obj("Secret", "gone", meta=ours))
    green.put(obj("ReplicaSet", "web-1", "apps/v1", meta={**ours, "ownerReferences": [{"kind": "Deployment"}]}))
    green.put(obj("ConfigMap", "elsewhere", meta={**ours, "namespace": "other"}))
    objects = bundles.for_target(bundle, TransformOptions(), empty_claims=False).objects
    surplus = bundles.surplus(green, bundle, objects, TransformOptions())

    assert [str(s.ref) for s in surplus] == ["ConfigMap shop/gone"]
    green.put(obj("ConfigMap", "gone", meta={**ours, "uid": "another-one"}))
    assert prune(green, surplus, mark, quiet) == ()


def test_a_selection_cannot_prune(blue, green):
    bundle = bundles.read_source(blue, replace(SCOPE, selector="app=none"), quiet)

    with pytest.raises(InvalidInputError, match="selector"):
        bundles.surplus(green, bundle, bundle.objects, TransformOptions())


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ({"shop": "one", "bank": "one"}, "bank and shop would both become one"),
        ({"shop": "bank"}, "bank and shop would both become bank"),
        ({"shopp": "one"}, "shopp is none of the namespaces bank, shop"),
    ],
)
def test_a_map_that_makes_one_namespace_of_two_or_names_none_is_refused(blue, names, why):
    blue.put(namespace("bank"))
    bundle = bundles.read_source(blue, replace(SCOPE, namespaces=("shop", "bank")), quiet)

    with pytest.raises(InvalidInputError, match=why):
        bundles.for_target(bundle, TransformOptions(namespaces=names), empty_claims=False)
    swapped = TransformOptions(namespaces={"shop": "bank", "bank": "shop"})
    assert len(bundles.for_target(bundle, swapped, empty_claims=False).objects) == len(bundle.items)


class Refusing(Named):
    """A cluster that refuses one object."""

    def apply(self, obj, *, force=False, dry_run=False):
        if obj["metadata"]["name"] == "refused":
            raise RefusedError("kube.invalid", "applying", "a webhook says no")
        return super().apply(obj, force=force, dry_run=dry_run)


def owned_by(name):
    owner = [{"apiVersion": "v1", "kind": "ConfigMap", "name": name}]
    return obj("ConfigMap", f"of-{name}", meta={"annotations": {"bluegreen.io/owners": json.dumps(owner)}})


def test_owners_are_linked_even_where_another_object_is_refused():
    green, told = Refusing("new"), []
    means = Means(lambda name, **data: told.append(data) if name == "notice" else None, lambda: 0.0, lambda _: None)
    objects = (namespace(), obj("ConfigMap", "there"), owned_by("there"), owned_by("absent"), obj("Secret", "refused"))

    with pytest.raises(ApplyFailedError):
        bundles.bring(green, objects, "m", means, idle=False)
    linked = green.get(ref("ConfigMap", "of-there"))["metadata"]["ownerReferences"]
    assert linked[0]["uid"] == green.get(ref("ConfigMap", "there"))["metadata"]["uid"]
    assert [one["text"] for one in told] == [
        "ConfigMap shop/of-absent: its owner ConfigMap absent is not on green; it is left without that owner"
    ]


def test_a_plan_in_which_all_is_equal_links_owners_that_came_since():
    green = Named("new")
    objects = (namespace(), owned_by("late"))
    bundles.bring(green, objects, "m", MEANS, idle=False)
    green.put(obj("ConfigMap", "late"))

    bundles.bring(green, objects, "m", MEANS, idle=False, chosen=frozenset())
    assert green.get(ref("ConfigMap", "of-late"))["metadata"]["ownerReferences"][0]["name"] == "late"


def test_webhooks_that_wait_for_workloads_are_named_when_those_are_not_ready():
    hook = obj("ValidatingWebhookConfiguration", "guard", "admissionregistration.k8s.io/v1", meta={"namespace": ""})
    waits, paused = (obj("Deployment", name, "apps/v1", spec={"replicas": 1}) for name in ("waits", "paused"))
    paused["spec"]["paused"] = True
    means = replace(MEANS, ready_seconds=0.0)

    with pytest.raises(NotReadyError, match="not imported: ValidatingWebhookConfiguration guard") as caught:
        bundles.bring(Named("new"), (namespace(), waits, paused, hook), "m", means, idle=False)
    assert len(caught.value.reasons) == 1


def test_every_right_that_is_missing_is_named_before_the_first_write():
    green = Named("new")
    green.forbidden = {("create", "configmaps"), ("list", "secrets")}

    with pytest.raises(InvalidInputError) as caught:
        bundles.bring(green, (namespace(), obj("ConfigMap", "a"), obj("Secret", "b")), "m", MEANS, idle=False)
    assert caught.value.reasons == (
        "green: configmaps in shop: we may not create it; needed for moving the objects",
        "green: secrets in shop: we may not list it; needed for moving the objects",
    )
    assert "auth can-i create configmaps -n shop" in caught.value.next_step
    assert green.writes == []


def test_namespaces_are_made_first_where_the_server_shall_judge_what_goes_into_them(blue, green):
    taken = ref("ConfigMap", "conf")
    green.refuse[taken] = RefusedError("kube.refused", f"applying {taken}", "exceeded quota: objects")

    def judged(making):
        plan = plans.make_plan(blue, green, SCOPE, quiet, idle=False, server=True, making=making).plan
        return next(entry for entry in plan.entries if entry.ref == taken)

    assert judged(None).unjudged == "Namespace shop"
    assert green.writes == []
    assert judged(MEANS).verdict is Verdict.REFUSED
    assert green.writes == [("apply", ref("Namespace", "shop", ""))]
    assert judged(MEANS).unjudged == ""
    assert len(green.writes) == 1


def test_what_was_left_on_blue_by_choice_is_not_pruned(blue, green, tmp_path):
    write_bundle(
        bundles.read_source(blue, replace(SCOPE, choices=Choices(frozenset({"ConfigMap", "Secret"}))), quiet),
        tmp_path / "b",
    )
    bundle = read_bundle(tmp_path / "b", b"key")
    ours = {"annotations": {"bluegreen.io/migration": bundles.mark_of(bundle.source)}}
    for kind in ("ConfigMap", "Secret", "Service"):
        green.put(obj(kind, "from-before", meta=ours))

    assert bundle.excluded == ("ConfigMap", "Secret")
    surplus = bundles.surplus(green, bundle, bundle.objects, TransformOptions())
    assert [str(one.ref) for one in surplus] == ["Service shop/from-before"]


class WithAccounts(Named):
    """A cluster whose control plane puts an account into each new namespace."""

    def apply(self, obj, *, force=False, dry_run=False):
        made = super().apply(obj, force=force, dry_run=dry_run)
        if obj["kind"] == "Namespace" and not dry_run:
            name = obj["metadata"]["name"]
            self.put({**account("default"), "metadata": {"name": "default", "namespace": name}})
        return made


def account(name):
    return obj("ServiceAccount", name, imagePullSecrets=[{"name": "registry"}])


def test_what_comes_with_a_namespace_that_was_made_is_neither_overlooked_nor_another_hand_s(blue):
    for name in ("default", "a", "b", "c", "d"):
        blue.put(account(name))
    green = WithAccounts("new")
    saved = plans.make_plan(blue, green, SCOPE, quiet, idle=False, server=True, making=MEANS)

    found = {e.ref.name: e.verdict for e in saved.plan.entries if e.ref.kind == "ServiceAccount"}
    assert found["default"] in (Verdict.EQUAL, Verdict.CHANGE)
    assert found["a"] is Verdict.CREATE
    assert {str(result.outcome) for result in applied(saved, blue, green)} <= {"created", "changed", "equal"}


def test_namespaces_that_stay_on_blue_are_not_made(blue, green):
    scope = replace(SCOPE, choices=Choices(frozenset({"Namespace"})))

    with pytest.raises(InvalidInputError, match=r"export\.exclude leaves them on blue"):
        plans.make_plan(blue, green, scope, quiet, idle=False, server=True, making=MEANS)
    assert green.writes == []


def test_claims_that_stay_on_blue_are_no_data_of_a_migration(blue, tmp_path):
    (tmp_path / "bluegreen.yaml").write_text(EXAMPLE)
    config = load(None, {}, {}, tmp_path).config
    without = config.model_copy(update={"export": Export(exclude=("PersistentVolumeClaim",))})

    assert claims_of(blue, config) == ("shop/data",)
    assert claims_of(blue, without) == ()


def test_who_may_not_read_accounts_makes_namespaces_all_the_same(blue, green):
    class Closed(Named):
        def get(self, ref):
            if ref.kind == "ServiceAccount":
                raise RefusedError("kube.forbidden", f"reading {ref}", "no right")
            return super().get(ref)

    shut = Closed("new")
    plans.make_plan(blue, shut, SCOPE, quiet, idle=False, server=True, making=MEANS)

    assert shut.writes == [("apply", ref("Namespace", "shop", ""))]
