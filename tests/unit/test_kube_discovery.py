"""Discovery on canned answers: aggregated and plain servers give the same, each resource once and preferred."""

from typing import Any

import pytest

from bluegreen.kube.calls import Call
from bluegreen.kube.discovery import discover
from bluegreen.model.errors import TransientError

VERBS = ["create", "delete", "get", "list", "watch"]


def entry(
    plural: str, kind: str, verbs: list[str] | None = None, scope: str = "Namespaced", below: tuple[str, ...] = ()
) -> dict[str, Any]:
    subresources = {"subresources": [{"subresource": name} for name in below]} if below else {}
    return {"resource": plural, "responseKind": {"kind": kind}, "scope": scope, "verbs": verbs or VERBS, **subresources}


def group(name: str, *versions: tuple[str, list[dict[str, Any]]]) -> dict[str, Any]:
    return {"metadata": {"name": name}, "versions": [{"version": v, "resources": r} for v, r in versions]}


CORE = [
    group("", ("v1", [entry("pods", "Pod"), entry("events", "Event"), entry("nodes", "Node", scope="Cluster")])),
]
GROUPS = [
    group("apps", ("v1", [entry("deployments", "Deployment", below=("status", "scale"))])),
    group("events.k8s.io", ("v1", [entry("events", "Event")])),
    group("autoscaling", ("v2", [entry("hpas", "HPA")]), ("v1", [entry("hpas", "HPA"), entry("olds", "Old")])),
    group("metrics.k8s.io", ("v1", [entry("pods", "PodMetrics", ["get", "list"])])),
]


class Transport:
    """Answers discovery from tables, in either form."""

    where = "cluster here"

    def __init__(self, *, aggregated: bool) -> None:
        self.aggregated = aggregated
        self.broken = ""

    def send(self, call: Call, patience: Any = None) -> Any:
        groups = CORE if call.path.startswith("/api/") or call.path == "/api" else GROUPS
        if call.path in {"/api", "/apis"}:
            return self._root(call.path, groups)
        if self.broken and self.broken in call.path:
            raise TransientError("kube.server-error", "x")
        return self._listing(call.path, groups)

    def _root(self, path: str, groups: list[dict[str, Any]]) -> Any:
        if self.aggregated:
            return {"kind": "APIGroupDiscoveryList", "items": groups}
        if path == "/api":
            return {"kind": "APIVersions", "versions": ["v1"]}
        listed = []
        for one in groups:
            names = [f"{one['metadata']['name']}/{v['version']}" for v in one["versions"]]
            versions = [{"groupVersion": n} for n in sorted(names)]
            listed.append({"versions": versions, "preferredVersion": {"groupVersion": names[0]}})
        return {"kind": "APIGroupList", "groups": listed}

    def _listing(self, path: str, groups: list[dict[str, Any]]) -> Any:
        for one in groups:
            for version in one["versions"]:
                if path.endswith(f"/{version['version']}") and (one["metadata"]["name"] or "/api/") in path:
                    return {"resources": [plain for r in version["resources"] for plain in self._plain(r)]}
        raise AssertionError(path)

    def _plain(self, resource: dict[str, Any]) -> list[dict[str, Any]]:
        names = [resource["resource"]]
        names += [f"{names[0]}/{below['subresource']}" for below in resource.get("subresources") or ()]
        same = {
            "kind": resource["responseKind"]["kind"],
            "namespaced": resource["scope"] == "Namespaced",
            "verbs": resource["verbs"],
        }
        return [{"name": name, **same} for name in names]


@pytest.mark.parametrize("aggregated", [True, False])
def test_each_resource_once_in_its_preferred_version(aggregated):
    found = discover(Transport(aggregated=aggregated))

    assert [(r.api_version, r.plural, r.namespaced) for r in found] == [
        ("v1", "nodes", False),
        ("v1", "pods", True),
        ("apps/v1", "deployments", True),
        ("autoscaling/v2", "hpas", True),
        ("autoscaling/v1", "olds", True),
        ("events.k8s.io/v1", "events", True),
    ]
    assert found[0].verbs >= {"list", "get", "create", "delete"}


@pytest.mark.parametrize("aggregated", [True, False])
def test_subresources_are_known_by_name(aggregated):
    found = {(r.api_version, r.plural): r.subresources for r in discover(Transport(aggregated=aggregated))}

    assert found["apps/v1", "deployments"] == {"status", "scale"}
    assert found["v1", "pods"] == frozenset()


def test_a_dead_api_service_is_named_and_not_left_out():
    transport = Transport(aggregated=False)
    transport.broken = "/apis/apps"

    with pytest.raises(TransientError) as caught:
        discover(transport)

    assert "apps/v1" in caught.value.next_step
