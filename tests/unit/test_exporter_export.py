"""A whole export from a cluster in memory: what is followed, what is left out, and that it is the same every time."""

from dataclasses import replace
from typing import ClassVar

import pytest
from fake_api import VERBS, FakeApi, quiet

from bluegreen.exporter import collect
from bluegreen.exporter.bundle import digest_of
from bluegreen.exporter.export import ExportOptions, export
from bluegreen.exporter.rules import Action
from bluegreen.model.errors import InvalidInputError, NotFoundError, RefusedError
from bluegreen.model.ports import ApiResource

OPTIONS = ExportOptions(hmac_key=b"k")
RBAC = "rbac.authorization.k8s.io/v1"


def obj(kind, name, api_version="v1", namespace="shop", **more):
    meta = {"name": name, **({"namespace": namespace} if namespace else {}), **more.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, **more}


def shop():
    definition = obj(
        "CustomResourceDefinition",
        "widgets.shop.example",
        "apiextensions.k8s.io/v1",
        "",
        spec={"group": "shop.example", "names": {"kind": "Widget", "plural": "widgets"}},
    )
    account = {"kind": "ServiceAccount", "name": "web", "namespace": "shop"}
    return FakeApi(
        obj("Namespace", "shop", namespace="", spec={"finalizers": ["kubernetes"]}),
        obj("Namespace", "other", namespace=""),
        obj("ConfigMap", "kube-root-ca.crt"),
        obj("ConfigMap", "conf", data={"a": "1"}),
        obj("ConfigMap", "foreign", namespace="other"),
        obj("Secret", "password", data={"p": "Y2FuYXJ5"}),
        obj("Event", "e1"),
        obj("ServiceAccount", "web"),
        obj(
            "RoleBinding",
            "through-binding",
            RBAC,
            roleRef={"kind": "ClusterRole", "name": "reached-by-role-ref"},
            subjects=[{"kind": "ServiceAccount", "name": "web"}],
        ),
        obj("RoleBinding", "editors", RBAC, roleRef={"kind": "ClusterRole", "name": "edit"}, subjects=[account]),
        obj("ClusterRole", "reached-by-role-ref", RBAC, "", rules=[{"verbs": ["get"]}]),
        obj("ClusterRole", "edit", RBAC, "", rules=[]),
        obj("ClusterRole", "unrelated", RBAC, "", rules=[]),
        obj(
            "ClusterRole",
            "sum",
            RBAC,
            "",
            rules=[{"verbs": ["x"]}],
            aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"sum": "yes"}}]},
        ),
        obj("ClusterRole", "part", RBAC, "", rules=[{"verbs": ["get"]}], metadata={"labels": {"sum": "yes"}}),
        obj(
            "ClusterRoleBinding",
            "mine",
            RBAC,
            "",
            roleRef={"kind": "ClusterRole", "name": "sum"},
            subjects=[account, {"kind": "User", "name": "jane"}],
        ),
        obj(
            "ClusterRoleBinding",
            "others",
            RBAC,
            "",
            roleRef={"kind": "ClusterRole", "name": "unrelated"},
            subjects=[{"kind": "User", "name": "jane"}],
        ),
        obj("PriorityClass", "high", "scheduling.k8s.io/v1", "", value=10),
        obj("IngressClass", "outer", "networking.k8s.io/v1", ""),
        obj(
            "Ingress",
            "web",
            "networking.k8s.io/v1",
            spec={"ingressClassName": "outer"},
            metadata={"annotations": {"nginx.ingress.kubernetes.io/auth-secret": "other/basic"}},
        ),
        obj(
            "Deployment",
            "web",
            "apps/v1",
            metadata={"uid": "dep"},
            spec={"template": {"spec": {"priorityClassName": "high", "runtimeClassName": "nowhere"}}},
        ),
        obj(
            "ReplicaSet",
            "web-1",
            "apps/v1",
            metadata={
                "uid": "rs",
                "ownerReferences": [
                    {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "dep", "controller": True}
                ],
            },
        ),
        obj(
            "Pod",
            "web-1-x",
            metadata={
                "ownerReferences": [
                    {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": "rs", "controller": True}
                ]
            },
        ),
        obj("PersistentVolumeClaim", "data", spec={"volumeName": "pv", "storageClassName": "old-disk"}),
        obj("Widget", "one", "shop.example/v1"),
        definition,
        obj("Service", "hook"),
        obj(
            "ValidatingWebhookConfiguration",
            "hook",
            "admissionregistration.k8s.io/v1",
            "",
            webhooks=[
                {"name": "h", "sideEffects": "None", "clientConfig": {"service": {"namespace": "shop", "name": "hook"}}}
            ],
        ),
        obj(
            "ValidatingWebhookConfiguration",
            "foreign",
            "admissionregistration.k8s.io/v1",
            "",
            webhooks=[{"name": "h", "clientConfig": {"service": {"namespace": "other"}}}],
        ),
    )


def names(bundle, kind):
    return [item.ref.name for item in bundle.items if item.ref.kind == kind]


def test_dependencies_are_followed():
    bundle = export(shop(), ("shop",), "", OPTIONS, quiet)
    # b5 defect 4: a ClusterRole that only a RoleBinding's roleRef names
    assert names(bundle, "ClusterRole") == ["part", "reached-by-role-ref", "sum"]
    assert names(bundle, "ClusterRoleBinding") == ["mine"]
    assert names(bundle, "PriorityClass") == ["high"]
    assert names(bundle, "IngressClass") == ["outer"]
    assert names(bundle, "CustomResourceDefinition") == ["widgets.shop.example"]
    assert names(bundle, "Widget") == ["one"]
    assert names(bundle, "ValidatingWebhookConfiguration") == ["hook"]
    assert names(bundle, "Namespace") == ["shop"]
    assert bundle.storage_classes == ("old-disk",)


@pytest.mark.parametrize(
    ("selector", "reached"),
    [
        ({}, []),
        ({"matchExpressions": [{"key": "sum", "operator": "In", "values": ["yes", "so"]}]}, ["part"]),
        ({"matchExpressions": [{"key": "sum", "operator": "Exists"}]}, ["part", "rest"]),
        ({"matchExpressions": [{"key": "sum", "operator": "NotIn", "values": ["yes"]}]}, ["no", "rest"]),
        ({"matchExpressions": [{"key": "sum", "operator": "DoesNotExist"}]}, ["no"]),
        ({"matchLabels": {"sum": "yes"}, "matchExpressions": [{"key": "no", "operator": "Exists"}]}, []),
    ],
)
def test_roles_are_aggregated_as_the_selectors_say(selector, reached):
    def role(name, **labels):
        return obj("ClusterRole", name, RBAC, "", metadata={"labels": labels})

    total = {**role("total", sum="total"), "aggregationRule": {"clusterRoleSelectors": [selector]}}
    binding = obj(
        "RoleBinding", "b", RBAC, roleRef={"kind": "ClusterRole", "name": "total"}, subjects=[{"kind": "User"}]
    )
    roles = (role("part", sum="yes"), role("rest", sum="rest"), role("no"))
    cluster = FakeApi(obj("Namespace", "shop", namespace=""), binding, total, *roles)
    bundle = export(cluster, ("shop",), "", OPTIONS, quiet)
    assert sorted(set(names(bundle, "ClusterRole")) - {"total"}) == reached


def test_what_green_makes_itself_is_left_out_and_reported():
    bundle = export(shop(), ("shop",), "", OPTIONS, quiet)
    assert names(bundle, "Pod") == names(bundle, "ReplicaSet") == names(bundle, "Event") == []
    assert names(bundle, "ConfigMap") == ["conf"]
    left = {(r.ref.kind, r.ref.name) for r in bundle.reports if r.removal.action is Action.LEAVE_OUT}
    assert {
        ("Pod", "web-1-x"),
        ("ReplicaSet", "web-1"),
        ("ConfigMap", "kube-root-ca.crt"),
        ("ClusterRole", "edit"),
    } <= left


class Typed(FakeApi):
    """Knows the subresources of its custom kinds by their plural."""

    below: ClassVar = {"plains": frozenset(), "scaleds": frozenset({"scale"}), "coupons": frozenset({"status"})}

    def resources(self):
        return tuple(replace(r, subresources=self.below.get(r.plural)) for r in super().resources())


def test_a_status_without_a_subresource_is_data_and_comes_along():
    def definition(kind, group="shop.example"):
        plural = kind.lower() + "s"
        spec = {"group": group, "names": {"kind": kind, "plural": plural}}
        return obj("CustomResourceDefinition", f"{plural}.{group}", "apiextensions.k8s.io/v1", "", spec=spec)

    kinds = ("Plain", "Scaled", "Coupon", "Unknown")
    widgets = [obj(kind, "x", "shop.example/v1", status={"id": 7}) for kind in kinds]
    cluster = Typed(
        obj("Namespace", "shop", namespace="", status={"phase": "Active"}),
        obj("Deployment", "web", "apps/v1", spec={}, status={"replicas": 1}),
        *widgets,
        *map(definition, kinds),
        obj("Plain", "x", "argoproj.io/v1", status={"phase": "Running"}),
        definition("Plain", "argoproj.io"),
        obj("Plain", "x", "view.example/v1", status={"phase": "Built"}),
        extra=(ApiResource("view.example/v1", "Plain", "plains", namespaced=True, verbs=VERBS),),
    )
    bundle = export(cluster, ("shop",), "", OPTIONS, quiet)
    kept = [(i.ref.api_version, i.ref.kind, i.obj["status"]) for i in bundle.items if "status" in i.obj]
    assert kept == [("shop.example/v1", "Plain", {"id": 7}), ("shop.example/v1", "Scaled", {"id": 7})]
    assert [r.ref.kind for r in bundle.reports if r.removal.rule == "status-kept"] == ["Plain", "Scaled"]


def test_missing_classes_and_foreign_secrets_are_reported():
    reports = {(r.removal.rule, r.ref.name) for r in export(shop(), ("shop",), "", OPTIONS, quiet).reports}
    assert ("missing", "nowhere") in reports
    assert ("other-namespace", "web") in reports


def test_the_same_cluster_gives_the_same_bundle():
    one, two = (export(shop(), ("shop",), "", OPTIONS, quiet) for _ in range(2))
    assert one == two
    assert list(one.items) == sorted(one.items, key=lambda item: item.ref)


def test_a_secrets_digest_needs_the_key_and_its_value_is_not_shown():
    one = export(shop(), ("shop",), "", OPTIONS, quiet)
    two = export(shop(), ("shop",), "", ExportOptions(hmac_key=b"other"), quiet)
    changed = {
        a.ref.kind
        for a, b in zip(one.items, two.items, strict=True)
        if digest_of(a.obj, one.key) != digest_of(b.obj, two.key)
    }
    assert changed == {"Secret"}
    assert "Y2FuYXJ5" not in repr(one)


def test_blues_versions_are_kept():
    bundle = export(shop(), ("shop",), "", OPTIONS, quiet)
    assert all(item.resource_version for item in bundle.items)
    assert all("resourceVersion" not in item.obj["metadata"] for item in bundle.items)


def test_unknown_and_ending_namespaces_are_all_named():
    cluster = shop()
    cluster.put(obj("Namespace", "ending", namespace="", metadata={"deletionTimestamp": "t"}))
    with pytest.raises(InvalidInputError) as caught:
        export(cluster, ("shop", "nope", "ending", "kube-system"), "", OPTIONS, quiet)
    assert len(caught.value.reasons) == 4


def test_unreadable_lists_stop_the_export_and_are_all_named():
    class Forbidding(FakeApi):
        def list(self, resource, namespace="", selector=""):
            if resource.kind in ("Secret", "Role"):
                raise RefusedError("kube.forbidden", "listing", "forbidden")
            return super().list(resource, namespace, selector)

    with pytest.raises(InvalidInputError) as caught:
        export(Forbidding(obj("Namespace", "shop", namespace="")), ("shop",), "", OPTIONS, quiet)
    assert len(caught.value.reasons) == 2


class Vanishing(FakeApi):
    """A kind answers 404, and is no longer served after so many looks."""

    looks = 2

    def resources(self):
        self.looks -= 1
        return tuple(r for r in super().resources() if r.kind != "Role" or self.looks >= 0)

    def list(self, resource, namespace="", selector=""):
        if resource.kind == "Role":
            raise NotFoundError("kube.not-found", "listing roles", "HTTP 404 without a Kubernetes status")
        return super().list(resource, namespace, selector)


def test_a_kind_that_vanishes_during_the_export_has_no_objects(monkeypatch):
    monkeypatch.setattr(collect, "PAUSE_SECONDS", 0.0)
    cluster = Vanishing(obj("Namespace", "shop", namespace=""), obj("ConfigMap", "a"), obj("Role", "b"))

    bundle = export(cluster, ("shop",), "", OPTIONS, quiet)

    assert [item.ref.kind for item in bundle.items] == ["ConfigMap", "Namespace"]


def test_a_kind_that_is_served_but_never_found_stops_the_export(monkeypatch):
    monkeypatch.setattr(collect, "PAUSE_SECONDS", 0.0)
    cluster = Vanishing(obj("Namespace", "shop", namespace=""))
    cluster.looks = 1000

    with pytest.raises(InvalidInputError, match="404"):
        export(cluster, ("shop",), "", OPTIONS, quiet)


def test_an_object_served_twice_is_exported_once():
    extra = ApiResource("extensions/v1beta1", "Ingress", "ingresses", namespaced=True, verbs=VERBS)
    cluster = FakeApi(
        obj("Namespace", "shop", namespace=""),
        obj("Ingress", "a", "extensions/v1beta1", metadata={"uid": "same"}),
        obj("Ingress", "a", "networking.k8s.io/v1", metadata={"uid": "same"}),
        extra=(extra,),
    )
    bundle = export(cluster, ("shop",), "", OPTIONS, quiet)
    assert [i.ref.api_version for i in bundle.items if i.ref.kind == "Ingress"] == ["networking.k8s.io/v1"]


def test_nothing_is_written_to_blue():
    cluster = shop()
    export(cluster, ("shop",), "app=x", OPTIONS, quiet)
    assert cluster.writes == []
