"""Maps first, patches last, and everything a person should know about it in one answer."""

import pytest
from fake_api import FakeApi

from bluegreen.importer.diff import ABSENT, WITHHELD, Change, all_differences
from bluegreen.importer.patches import Match, Patch
from bluegreen.importer.plan import PlanOptions, plan_import
from bluegreen.importer.rewrite import Effect, rewrite
from bluegreen.importer.transform import TransformOptions
from bluegreen.model.errors import InvalidInputError
from bluegreen.model.refs import ObjectRef, ref_of


def obj(kind, name, version="v1", **more):
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "shop"}, **more}


def replicas(name, number, match=None, **more):
    operation = {"op": "replace", "path": "/spec/replicas", "value": number}
    return Patch(name, match or Match(kind="Deployment"), (operation,), **more)


def test_patches_come_after_all_maps_and_one_after_the_other():
    web = obj("Deployment", "web", "apps/v1", spec={"replicas": 1, "template": {"spec": {"containers": []}}})
    how = TransformOptions(
        namespaces={"shop": "store"},
        labels={"team": "a"},
        patches=(
            replicas("first", 2, Match(namespace="store", labels="team=a")),
            Patch("second", Match(), ({"op": "test", "path": "/spec/replicas", "value": 2},)),
            Patch("third", Match(name="web"), merge={"metadata": {"labels": {"team": None}}, "spec": {"replicas": 3}}),
        ),
    )
    done = rewrite([web], how)
    assert done.objects[0]["spec"]["replicas"] == 3
    assert done.objects[0]["metadata"] == {"name": "web", "namespace": "store", "labels": {}}
    assert done.effects[ref_of(done.objects[0])] == (
        Effect("first", (Change("spec.replicas", "2", "1"),)),
        Effect("second", ()),
        Effect("third", (Change("spec.replicas", "3", "2"), Change("metadata.labels.team", ABSENT, '"a"'))),
    )


def test_a_patch_without_an_object_is_a_remark_or_a_fault():
    unused = replicas("unused", 1, Match(name="nowhere"))
    remarks = rewrite([obj("Deployment", "web", "apps/v1")], TransformOptions(patches=(unused,))).remarks
    assert [str(remark) for remark in remarks] == ["patch unused: it matches no object; look at its match"]
    required = replicas("required", 1, Match(name="nowhere"), required=True)
    with pytest.raises(InvalidInputError, match="patch required: it matches no object and is required"):
        rewrite([obj("Deployment", "web", "apps/v1")], TransformOptions(patches=(required,)))


def test_all_faults_are_told_at_once_with_patch_object_and_pointer():
    objects = [obj("Deployment", name, "apps/v1", spec={}) for name in ("a", "b")]
    how = TransformOptions(patches=(replicas("one", 1), replicas("two", 2, Match(name="b"))))
    with pytest.raises(InvalidInputError) as caught:
        rewrite(objects, how)
    assert [reason.partition(": ")[0] for reason in caught.value.reasons] == [
        "patch one, Deployment shop/a",
        "patch one, Deployment shop/b",
        "patch two, Deployment shop/b",
    ]
    assert all("/spec/replicas" in reason for reason in caught.value.reasons)
    assert "bluegreen.yaml" in caught.value.next_step


def test_hosts_of_renamed_namespaces_are_remarked():
    config = obj("ConfigMap", "conf", data={"url": "http://db.shop.svc/"})
    (remark,) = rewrite([config], TransformOptions(namespaces={"shop": "store"})).remarks
    assert (remark.subject, remark.field) == ("ConfigMap store/conf", "data[url]")


def test_differences_go_both_ways_and_hide_a_secrets_values():
    one = obj("Secret", "s", data={"a": "YQ==", "b": "Yg=="}, type="x")
    other = obj("Secret", "s", data={"a": "Yw==", "c": "Yg=="})
    assert all_differences(one, other) == (
        Change("data.a", WITHHELD, WITHHELD),
        Change("data.b", WITHHELD, WITHHELD),
        Change("type", '"x"', ABSENT),
        Change("data.c", WITHHELD, WITHHELD),
    )
    assert all_differences(one, one) == ()


def test_the_plan_tells_what_patches_did():
    web = obj("Deployment", "web", "apps/v1", spec={"replicas": 1})
    done = rewrite([web], TransformOptions(patches=(replicas("more", 5),)))
    plan = plan_import(done.objects, FakeApi(), PlanOptions("m")).with_effects(done.effects)
    (entry,) = plan.entries
    assert entry.ref == ObjectRef("apps/v1", "Deployment", "shop", "web")
    assert entry.to_json()["patches"] == [
        {"patch": "more", "changes": [{"path": "spec.replicas", "expected": "5", "actual": "1"}]}
    ]
