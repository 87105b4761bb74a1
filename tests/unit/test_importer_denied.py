"""Who may not write is told every right that is missing, and nothing else that refuses is taken for a missing right."""

import json

import pytest
from fake_api import FakeApi
from test_importer_apply import obj, options

from bluegreen.importer.apply import ApplyFailedError, apply_objects
from bluegreen.importer.order import Phase
from bluegreen.importer.plan import PlanOptions, plan_import
from bluegreen.importer.refusal import Cause
from bluegreen.kube.answers import error_of
from bluegreen.kube.calls import APPLY_PATCH, Call
from bluegreen.model.errors import RefusedError
from bluegreen.model.refs import ObjectRef

REF = ObjectRef("v1", "ConfigMap", "shop", "c")
LONG = "system:serviceaccount:a-very-long-namespace:" + "a-very-long-name" * 12


def denial(verb, user="ann"):
    text = f'configmaps "c" is forbidden: User "{user}" cannot {verb} resource "configmaps" in API group ""'
    return RefusedError("kube.forbidden", f"applying {REF}", text)


def green(said, *forbidden, there=False):
    api = FakeApi(obj("Namespace", "shop", namespace=""), *([obj("ConfigMap", "c", data={"a": "0"})] if there else []))
    api.refuse[REF] = said
    api.forbidden = {(verb, "configmaps") for verb in forbidden}
    return api


def applied(api):
    with pytest.raises(ApplyFailedError) as failed:
        apply_objects(api, [obj("ConfigMap", "c", data={"a": "1"})], Phase.IMPORT, options(), lambda *_, **__: None)
    (result,) = failed.value.results
    assert result.cause is Cause.RIGHTS
    return result.error


@pytest.mark.parametrize(
    ("verb", "forbidden", "there", "named"),
    [
        ("create", ("create",), False, "missing right: create on configmaps in shop; "),
        ("patch", ("create", "patch"), False, "missing right: create, patch on configmaps in shop; "),
        ("patch", ("create", "patch"), True, "missing right: patch on configmaps in shop; "),
        ("patch", (), False, ""),  # granted meanwhile: only the server's words are left
    ],
)
def test_every_missing_right_is_named_and_the_server_s_words_stay(verb, forbidden, there, named):
    said = denial(verb)
    assert applied(green(said, *forbidden, there=there)) == named + said.why


def test_a_plan_names_them_too_and_asks_once_for_many_objects():
    api = green(denial("patch", LONG), "create", "patch")
    asked, may = [], api.may
    api.may = lambda *right: asked.append(right) or may(*right)
    many = [obj("ConfigMap", f"c{n}") for n in range(20)]
    api.refuse |= {ObjectRef("v1", "ConfigMap", "shop", f"c{n}"): denial("patch", LONG) for n in range(20)}
    entries = plan_import(many, api, PlanOptions("m1", dry_run=True)).entries
    assert {entry.cause for entry in entries} == {Cause.RIGHTS}
    assert all(entry.reason.startswith("missing right: create, patch on configmaps in shop; ") for entry in entries)
    assert sorted(asked) == [("create", "", "configmaps", "shop"), ("patch", "", "configmaps", "shop")]


def test_what_cannot_be_asked_is_left_to_the_server_s_words():
    api = green(denial("create"))

    def refuse(*_):
        raise RefusedError("kube.forbidden", "asking", "no")

    api.may = refuse
    assert applied(api) == denial("create").why


def hint(message, content_type=APPLY_PATCH, verb="patch"):
    call = Call("PATCH", "/x", "applying", verb, content_type=content_type)
    body = json.dumps({"kind": "Status", "reason": "Forbidden", "message": message}).encode()
    return error_of(call, "cluster here", 403, {}, body).next_step


def test_the_verb_that_was_denied_is_the_one_to_grant():
    assert "grant the verb 'create'" in hint(denial("create").why)
    assert "'patch', and 'create' where" in hint(denial("patch").why)
    assert "(an apply" not in hint(denial("delete").why, "application/json", "delete")


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ('pods "a" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1', "admission"),
        ('pods "a" is forbidden: violates PodSecurity "restricted:latest": privileged', "admission"),
        ('roles "r" is forbidden: user "a" is attempting to grant RBAC permissions not currently held', "escalate"),
        ("", "grant the verb 'patch'"),
        ('forbidden: User "ann" cannot get path "/metrics"', "grant the verb 'patch'"),
    ],
)
def test_a_403_that_is_no_missing_right_is_not_told_as_one(message, words):
    assert words in hint(message)
