"""The `export` part of bluegreen.yaml: what stays on blue, from the file to every command and into a saved plan."""

import json

import pytest
from fake_api import FakeApi, quiet

from bluegreen.config.example import EXAMPLE
from bluegreen.config.loader import load
from bluegreen.exporter.choices import Choices
from bluegreen.exporter.export import ExportOptions, export
from bluegreen.importer.saved import read_saved
from bluegreen.migration import plans
from bluegreen.migration.choices import choices_from, choices_of, describe_choices
from bluegreen.migration.scope import Scope, read_scope
from bluegreen.model.errors import InvalidInputError

FILE = """\
export:
  exclude: [Secret, RoleBinding.rbac.authorization.k8s.io]
  nodePorts: all
  keepStatus: [Deployment.apps]
"""
CHOICES = Choices(
    frozenset({"Secret", "RoleBinding.rbac.authorization.k8s.io"}),
    "all",
    frozenset({"Deployment.apps"}),
)
RBAC = "rbac.authorization.k8s.io/v1"


def obj(kind, name, api_version="v1", namespace="shop", **more):
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, **more}


def blue():
    role = {"kind": "ClusterRole", "name": "reader"}
    return FakeApi(
        obj("Namespace", "shop", namespace=""),
        obj("Secret", "password"),
        obj("ConfigMap", "conf"),
        obj("ClusterRole", "reader", RBAC, "", rules=[]),
        obj("RoleBinding", "readers", RBAC, roleRef=role, subjects=[]),
    )


def exported(**choices):
    options = ExportOptions(b"k", Choices(**choices))
    bundle = export(blue(), ("shop",), "", options, quiet)
    return {item.ref.kind for item in bundle.items}, {
        r.ref.kind for r in bundle.reports if r.removal.rule == "excluded"
    }


def test_they_come_from_the_file_to_every_command_alike(tmp_path):
    begin, end = EXAMPLE.index("export:\n"), EXAMPLE.index("transform:\n")
    (tmp_path / "bluegreen.yaml").write_text(EXAMPLE[:begin] + FILE + EXAMPLE[end:])

    assert read_scope(None, {}, {}, tmp_path).choices == CHOICES
    assert choices_of(load(None, {}, {}, tmp_path).config.export) == CHOICES


def test_what_is_wrong_in_the_file_is_said(tmp_path):
    (tmp_path / "bluegreen.yaml").write_text(
        FILE.replace("nodePorts: all", "nodePorts: some").replace("Secret", "secrets")
    )

    with pytest.raises(InvalidInputError) as caught:
        read_scope(None, {}, {}, tmp_path)
    assert "export.nodePorts: must be `explicit`, `all` or `none`" in " ".join(caught.value.reasons)
    assert "export.exclude[0]: must be a kind as kubectl writes it" in " ".join(caught.value.reasons)


def test_what_is_excluded_stays_on_blue_and_is_told():
    assert exported() == ({"Namespace", "Secret", "ConfigMap", "ClusterRole", "RoleBinding"}, set())
    kinds, told = exported(exclude=frozenset({"Secret", "Namespace", "ClusterRole.rbac.authorization.k8s.io"}))

    assert kinds == {"ConfigMap", "RoleBinding"}
    assert told == {"Namespace", "ClusterRole", "Secret"}


def test_what_an_excluded_owner_makes_stays_with_it():
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "uid-web", "controller": True}
    api = blue()
    api.put({**obj("Deployment", "web", "apps/v1"), "metadata": {"name": "web", "namespace": "shop", "uid": "uid-web"}})
    made = obj("ReplicaSet", "web-1", "apps/v1", spec={"replicas": 2})
    api.put({**made, "metadata": {**made["metadata"], "uid": "uid-web-1", "ownerReferences": [owner]}})
    options = ExportOptions(b"k", Choices(exclude=frozenset({"Deployment.apps"})))

    kinds = {item.ref.kind for item in export(api, ("shop",), "", options, quiet).items}

    assert not kinds & {"Deployment", "ReplicaSet"}


def test_a_kind_that_blue_does_not_serve_is_a_typing_error():
    with pytest.raises(InvalidInputError) as caught:
        exported(exclude=frozenset({"ClusterRole", "Secret"}), keep_status=frozenset({"Widget.shop.example"}))

    assert caught.value.reasons == (
        "export.exclude: fake serves no ClusterRole; did you mean ClusterRole.rbac.authorization.k8s.io?",
        "export.keepStatus: fake serves no Widget.shop.example",
    )


def test_a_saved_plan_holds_them(tmp_path):
    scope = Scope("old", "new", namespaces=("shop",), choices=CHOICES)
    plan = plans.make_plan(blue(), FakeApi(), scope, quiet, idle=False, server=False)

    saved = read_saved(json.dumps(plan.to_json()).encode(), "p")

    assert {entry.ref.kind for entry in saved.plan.entries} == {"Namespace", "ConfigMap"}
    assert plans.scope_of(saved, Scope()).choices == CHOICES
    assert choices_from(describe_choices(CHOICES)) == CHOICES
    assert choices_from({}) == Choices()
