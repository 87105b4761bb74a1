"""What follows from outside the namespaces comes along only where this export holds what it calls, names or serves."""

import pytest
from fake_api import VERBS, FakeApi, quiet

from bluegreen.exporter.choices import Choices
from bluegreen.exporter.export import ExportOptions, export
from bluegreen.exporter.rules import Action
from bluegreen.model.ports import ApiResource

OPTIONS = ExportOptions(hmac_key=b"k")
ADMISSION = "admissionregistration.k8s.io/v1"
RBAC = "rbac.authorization.k8s.io/v1"
WEB = {"app": "web"}
VALIDATING, MUTATING = "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"


def obj(kind, name, version="v1", namespace="shop", **more):
    meta = {"name": name, "labels": more.pop("labels", {}), **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version, "kind": kind, "metadata": meta | more.pop("meta", {}), **more}


def extra(kind):
    return ApiResource(ADMISSION, kind, kind.lower() + "s", namespaced=False, verbs=VERBS)


def shop(*objects):
    kinds = (MUTATING, "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
    return FakeApi(obj("Namespace", "shop", namespace=""), *objects, extra=tuple(map(extra, kinds)))


def names(bundle, kind):
    return [item.ref.name for item in bundle.items if item.ref.kind == kind]


def told(bundle, rule):
    reports = [report for report in bundle.reports if report.removal.rule == rule]
    assert all(report.removal.action is Action.LEAVE_OUT for report in reports)
    return {report.ref.name: report.removal.why for report in reports}


def hook(name, *services, kind=VALIDATING):
    where = [dict(zip(("namespace", "name"), service.split("/"), strict=True)) for service in services]
    return obj(kind, name, ADMISSION, "", webhooks=[{"name": "h", "clientConfig": {"service": one}} for one in where])


@pytest.mark.parametrize("kind", [VALIDATING, MUTATING])
def test_a_webhook_comes_along_with_a_selection_only_if_all_its_services_do(kind):
    blue = shop(
        obj("Service", "mine", labels=WEB),
        obj("Service", "theirs"),
        hook("one", "shop/mine", kind=kind),
        hook("half", "shop/mine", "shop/theirs", kind=kind),
        hook("outside-too", "shop/mine", "infra/gate", kind=kind),
        hook("outside", "infra/gate", kind=kind),
        obj(kind, "by-url", ADMISSION, "", webhooks=[{"name": "h", "clientConfig": {"url": "https://x"}}]),
    )
    bundle = export(blue, ("shop",), "app=web", OPTIONS, quiet)
    assert names(bundle, kind) == ["one", "outside-too"]
    why = "calls the Service shop/theirs, which is not exported: its calls would fail"
    assert told(bundle, "webhook-service") == {"half": why}


def test_without_a_selection_a_webhook_needs_a_service_that_blue_has():
    owner = {"apiVersion": "shop.example/v1", "kind": "Widget", "name": "w", "uid": "u-w", "controller": True}
    blue = shop(
        obj("Service", "mine"),
        obj("Service", "remade", meta={"ownerReferences": [owner]}),
        obj("ConfigMap", "w", meta={"uid": "u-w"}),
        hook("one", "shop/mine"),
        hook("operators", "shop/remade"),
        hook("dead", "shop/gone"),
    )
    bundle = export(blue, ("shop",), "", OPTIONS, quiet)
    assert names(bundle, "Service") == ["mine"]
    assert names(bundle, VALIDATING) == ["one", "operators"]
    assert list(told(bundle, "webhook-service")) == ["dead"]


def test_without_a_selection_services_that_are_not_wanted_still_answer():
    blue = shop(obj("Service", "mine"), hook("one", "shop/mine"))
    options = ExportOptions(hmac_key=b"k", choices=Choices(exclude=frozenset({"Service"})))
    assert names(export(blue, ("shop",), "", options, quiet), VALIDATING) == ["one"]


def binding(name, *subjects, role="reader"):
    return obj(
        "ClusterRoleBinding", name, RBAC, "", roleRef={"kind": "ClusterRole", "name": role}, subjects=list(subjects)
    )


def account(name, namespace="shop"):
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def rights():
    spec = {"template": {"spec": {"serviceAccountName": "web"}}}
    return shop(
        obj("Deployment", "web", "apps/v1", labels=WEB, spec=spec),
        obj("CronJob", "nightly", "batch/v1", labels=WEB, spec={"jobTemplate": {"spec": {"template": {"spec": {}}}}}),
        *(obj("ServiceAccount", name) for name in ("web", "other", "default")),
        obj("RoleBinding", "of-default", RBAC, subjects=[account("default")], roleRef={"kind": "Role", "name": "r"}),
        obj("Role", "r", RBAC),
        *(obj("ClusterRole", name, RBAC, "") for name in ("reader", "writer")),
        binding("web", account("web"), account("other")),
        binding("default", account("default")),
        binding("by-user", {"kind": "User", "name": "system:serviceaccount:shop:web"}),
        binding("all", {"kind": "Group", "name": "system:serviceaccounts:shop"}),
        binding("other", account("other"), account("web", "else"), role="writer"),
        binding("foreign", account("web", "else")),
    )


def test_rights_come_along_for_the_accounts_that_the_selected_run_as():
    bundle = export(rights(), ("shop",), "app=web", OPTIONS, quiet)
    assert names(bundle, "ClusterRoleBinding") == ["all", "by-user", "default", "web"]
    assert names(bundle, "ClusterRole") == ["reader"]
    assert names(bundle, "ServiceAccount") == ["web"], "green has its own default"
    assert names(bundle, "RoleBinding") == ["of-default"]
    assert told(bundle, "binding-account") == {"other": "gives rights to shop/other, which is not exported"}


def test_without_a_selection_all_accounts_of_the_namespaces_count():
    bundle = export(rights(), ("shop",), "", OPTIONS, quiet)
    assert names(bundle, "ClusterRoleBinding") == ["all", "by-user", "default", "other", "web"]
    assert told(bundle, "binding-account") == {}


def policies():
    kind = "ValidatingAdmissionPolicy"

    def bound(name, policy, parameter, namespace="shop"):
        reference = {"name": parameter, "namespace": namespace}
        return obj(f"{kind}Binding", name, ADMISSION, "", spec={"policyName": policy, "paramRef": reference})

    return shop(
        obj("ConfigMap", "mine", labels=WEB),
        obj("ConfigMap", "theirs"),
        *(
            obj(kind, name, ADMISSION, "", spec={"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}})
            for name in ("both", "lacking")
        ),
        bound("b-mine", "both", "mine"),
        bound("b-theirs", "both", "theirs"),
        bound("b-lacking", "lacking", "theirs"),
        bound("b-outside", "lacking", "theirs", "else"),
    )


def test_a_policy_comes_along_with_a_selection_only_if_its_parameters_do():
    bundle = export(policies(), ("shop",), "app=web", OPTIONS, quiet)
    assert names(bundle, "ValidatingAdmissionPolicy") == ["both"]
    assert names(bundle, "ValidatingAdmissionPolicyBinding") == ["b-mine"]
    left = told(bundle, "policy-parameters")
    assert sorted(left) == ["b-lacking", "b-theirs", "lacking"]
    assert left["lacking"].startswith("its parameters, ConfigMap shop/theirs, are not exported")


def test_without_a_selection_a_policy_comes_along_whatever_its_parameters_are():
    bundle = export(policies(), ("shop",), "", OPTIONS, quiet)
    assert names(bundle, "ValidatingAdmissionPolicy") == ["both", "lacking"]
    assert told(bundle, "policy-parameters") == {}
