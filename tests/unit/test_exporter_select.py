"""Label selectors on this side answer as the API server's would, and keep what the selected objects need."""

import pytest

from bluegreen.exporter.closure import select_with_needs
from bluegreen.model.errors import InvalidInputError
from bluegreen.model.selectors import parse_selector


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
