"""Label selectors on this side answer as the API server's would, and keep what the selected objects need."""

import pytest

from bluegreen.exporter.closure import select_with_needs
from bluegreen.model.errors import InvalidInputError
from bluegreen.model.selectors import label_selector, parse_selector


@pytest.mark.parametrize(
    ("text", "labels", "answer"),
    [
        ("", {}, True),
        ("app=shop", {"app": "shop"}, True),
        ("app==shop", {"app": "other"}, False),
        ("app!=shop", {}, True),
        ("app in (a, b),tier", {"app": "b", "tier": ""}, True),
        ("app notin (a,b)", {"app": "a"}, False),
        ("app notin (a,b)", {}, True),
        ("!legacy", {"legacy": ""}, False),
        ("example.com/team=x", {"example.com/team": "x"}, True),
        ("app=", {"app": ""}, True),
    ],
)
def test_selectors(text, labels, answer):
    assert parse_selector(text)(labels) is answer


def expression(key, operator, *values):
    return {"matchExpressions": [{"key": key, "operator": operator, **({"values": list(values)} if values else {})}]}


@pytest.mark.parametrize(
    ("selector", "labels", "answer"),
    [
        ({}, {}, True),
        ({"matchLabels": {"a": "1"}}, {"a": "1", "b": "2"}, True),
        ({"matchLabels": {"a": "1"}}, {"a": "2"}, False),
        (expression("a", "In", "1", "2"), {"a": "2"}, True),
        (expression("a", "In", "1", "2"), {}, False),
        (expression("a", "NotIn", "1"), {}, True),
        (expression("a", "NotIn", "1"), {"a": "1"}, False),
        (expression("a", "Exists"), {"a": ""}, True),
        (expression("a", "Exists"), {}, False),
        (expression("a", "DoesNotExist"), {}, True),
        (expression("a", "DoesNotExist"), {"a": ""}, False),
        (expression("a", "Resembles", "1"), {"a": "1"}, False),
        ({"matchLabels": {"a": "1"}, **expression("b", "Exists")}, {"a": "1"}, False),
        ({"matchLabels": None, "matchExpressions": None}, {"a": "1"}, True),
    ],
)
def test_selectors_of_objects(selector, labels, answer):
    assert label_selector(selector)(labels) is answer


def test_all_bad_parts_are_named():
    with pytest.raises(InvalidInputError) as caught:
        parse_selector("app=shop,a b,c in d")
    assert len(caught.value.reasons) == 2


def thing(kind, name, api_version="v1", labels=None, **more):
    meta = {"name": name, "namespace": "shop", "labels": labels or {}}
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, **more}


def test_a_selector_keeps_what_the_selected_objects_need():
    rbac = "rbac.authorization.k8s.io/v1"
    pod = {
        "serviceAccountName": "web",
        "volumes": [
            {"configMap": {"name": "conf"}},
            {"projected": {"sources": [{"secret": {"name": "tls"}}]}},
            {"persistentVolumeClaim": {"claimName": "uploads"}},
        ],
        "initContainers": [{"envFrom": [{"secretRef": {"name": "init"}}]}],
        "containers": [{"env": [{"valueFrom": {"secretKeyRef": {"name": "key"}}}]}],
        "imagePullSecrets": [{"name": "registry"}],
    }
    needed = [
        thing(
            "StatefulSet",
            "db",
            "apps/v1",
            {"app": "shop"},
            spec={
                "serviceName": "db",
                "template": {"spec": pod},
                "volumeClaimTemplates": [{"metadata": {"name": "data"}}],
            },
        ),
        thing("Service", "db"),
        thing("ServiceAccount", "web", imagePullSecrets=[{"name": "registry-of-account"}]),
        *(thing("Secret", name) for name in ("tls", "init", "key", "registry", "registry-of-account")),
        thing("ConfigMap", "conf"),
        thing("PersistentVolumeClaim", "uploads"),
        thing("PersistentVolumeClaim", "data-db-0"),
        thing(
            "RoleBinding",
            "web",
            rbac,
            subjects=[{"kind": "ServiceAccount", "name": "web"}],
            roleRef={"kind": "Role", "name": "reader"},
        ),
        thing("Role", "reader", rbac),
    ]
    others = [thing("Secret", "other"), thing("PersistentVolumeClaim", "data-db-x"), thing("Role", "writer", rbac)]
    kept, rest = select_with_needs(needed + others, parse_selector("app=shop"))
    assert {o["metadata"]["name"] for o in rest} == {"other", "data-db-x", "writer"}
    assert len(kept) == len(needed)


@pytest.mark.parametrize(
    "source",
    [
        {"azureFile": {"secretName": "key", "shareName": "s"}},
        {"csi": {"driver": "d", "nodePublishSecretRef": {"name": "key"}}},
        *(
            {kind: {"secretRef": {"name": "key"}}}
            for kind in ("iscsi", "cephfs", "rbd", "scaleIO", "storageos", "flexVolume")
        ),
    ],
    ids=lambda source: next(iter(source)),
)
def test_secrets_that_volumes_are_mounted_with_are_needed(source):
    spec = {"template": {"spec": {"volumes": [{"name": "v", **source}]}}}
    objects = [thing("Deployment", "web", "apps/v1", {"app": "shop"}, spec=spec), thing("Secret", "key")]
    assert names_kept(*objects, thing("Secret", "other"), thing("ConfigMap", "key")) == ["key", "web"]


def test_secrets_that_an_account_lists_are_needed():
    account = thing("ServiceAccount", "web", labels={"app": "shop"}, secrets=[{"name": "key"}, {}])
    assert names_kept(account, thing("Secret", "key"), thing("Secret", "other")) == ["key", "web"]


def test_budgets_for_the_pods_of_what_is_selected_come_along():
    def budget(name, selector):
        return thing("PodDisruptionBudget", name, "policy/v1", spec={"selector": selector} if selector else {})

    elsewhere = budget("elsewhere", {"matchLabels": {"tier": "front"}})
    elsewhere["metadata"]["namespace"] = "other"
    template = {"metadata": {"labels": {"tier": "front"}}, "spec": {}}
    objects = [
        thing("Deployment", "web", "apps/v1", {"app": "shop"}, spec={"template": template}),
        thing("Deployment", "back", "apps/v1", spec={"template": {"metadata": {"labels": {"tier": "back"}}}}),
        budget("mine", {"matchExpressions": [{"key": "tier", "operator": "In", "values": ["front"]}]}),
        budget("everybodys", {"matchExpressions": []}),
        budget("theirs", {"matchLabels": {"tier": "back"}}),
        budget("nobodys", None),
        elsewhere,
    ]
    assert names_kept(*objects) == ["everybodys", "mine", "web"]


def names_kept(*objects):
    return sorted(o["metadata"]["name"] for o in select_with_needs(objects, parse_selector("app=shop"))[0])
