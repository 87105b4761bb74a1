"""Who may patch but not create is told that create is missing, by the two real API servers' own denials.

It works in a namespace of its own and removes it. Without the lab it fails.
"""

import json
import time
import uuid

import pytest

from bluegreen.importer.apply import ApplyFailedError, ApplyOptions, apply_objects
from bluegreen.importer.order import Phase
from bluegreen.importer.plan import PlanOptions, plan_import
from bluegreen.importer.refusal import Cause
from bluegreen.kube.session import open_cluster
from bluegreen.model.errors import RefusedError
from scenarios.cluster import kubectl
from scenarios.lab.layout import kubeconfig

pytestmark = [pytest.mark.lab]

KUBECONFIG = str(kubeconfig())
RBAC = "rbac.authorization.k8s.io/v1"


def account(cluster, namespace, name, verbs):
    """Make a service account that may do that much with ConfigMaps."""
    meta = {"name": name, "namespace": namespace}
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": verbs}
    to = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    cluster.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
    cluster.apply({"apiVersion": RBAC, "kind": "Role", "metadata": meta, "rules": [rule]})
    subject = {"kind": "ServiceAccount", **meta}
    cluster.apply({"apiVersion": RBAC, "kind": "RoleBinding", "metadata": meta, "subjects": [subject], "roleRef": to})


def opened(path, context, namespace, name):
    """Open a cluster as a service account; who it is, which needs kube-system, is read by the administrator."""
    token = kubectl(context, "-n", namespace, "create", "token", name).strip()
    config = json.loads(kubectl(context, "config", "view", "--raw", "-o", "json", "--minify"))
    config["users"][0]["user"] = {"token": token}
    path.write_text(json.dumps(config))
    end = time.monotonic() + 60
    while True:  # an authorizer learns of a binding a moment later
        try:
            cluster = open_cluster(context, str(path))
            if cluster.may("get", "", "configmaps", namespace):
                return cluster
        except RefusedError:
            if time.monotonic() > end:
                raise
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.fixture(params=["old", "new"])
def place(request):
    namespace, cluster = f"gaps-{uuid.uuid4().hex[:8]}", open_cluster(request.param, KUBECONFIG)
    binding = {
        "apiVersion": RBAC,
        "kind": "ClusterRoleBinding",
        "metadata": {"name": namespace},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace} for name in ("half", "none")],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": namespace},
    }
    names = {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"], "resourceNames": ["kube-system"]}
    try:
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        cluster.apply({"apiVersion": RBAC, "kind": "ClusterRole", "metadata": {"name": namespace}, "rules": [names]})
        cluster.apply(binding)
        account(cluster, namespace, "half", ["get", "list", "patch"])
        account(cluster, namespace, "none", ["get", "list"])
        yield request.param, namespace
    finally:
        delete = (request.param, "delete", "--ignore-not-found", "--wait=false")
        kubectl(*delete, "namespace", namespace)
        kubectl(*delete, "clusterrole,clusterrolebinding", namespace)


@pytest.mark.parametrize(("name", "missing"), [("half", "create"), ("none", "create, patch")])
def test_the_missing_right_is_named_exactly(place, tmp_path, name, missing):
    context, namespace = place
    cluster = opened(tmp_path / "kubeconfig", context, namespace, name)
    wanted = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": namespace}, "data": {}}
    expected = f"missing right: {missing} on configmaps in {namespace}; "
    with pytest.raises(ApplyFailedError) as failed:
        apply_objects(
            cluster, [wanted], Phase.IMPORT, ApplyOptions("gaps", time.monotonic, time.sleep), lambda *_, **__: None
        )
    (result,) = failed.value.results
    assert result.cause is Cause.RIGHTS
    assert result.error.startswith(expected)
    (entry,) = plan_import([wanted], cluster, PlanOptions("gaps", dry_run=True)).entries
    assert entry.reason.startswith(expected)
    with pytest.raises(RefusedError) as refused:
        cluster.apply(wanted)
    verb = missing.split(", ")[-1]  # the server asks for patch first
    assert f"grant the verb {verb!r}" in refused.value.next_step
