"""The assessment of a namespace with known faults between the lab's two real clusters; own namespaces only."""

import uuid

import pytest

from bluegreen.kube import open_cluster
from bluegreen.migration.assessing import assess_scope
from bluegreen.migration.scope import Scope
from bluegreen.model.errors import NotFoundError
from bluegreen.model.refs import ObjectRef
from scenarios.lab.layout import kubeconfig

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

KUBECONFIG = str(kubeconfig())
ADMISSION = "admissionregistration.k8s.io/v1"


def quiet(name, /, **data):
    pass


def thing(kind, name, namespace="", version="v1", labels=None, **more):
    meta = {"name": name, "labels": labels or {}} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": version, "kind": kind, "metadata": meta, **more}


def faulty(name):
    """Return a namespace whose pods never run, with one fault of each kind that the lab can have."""
    image = {"name": "c", "image": "registry.tools.svc:5000/a:1", "imagePullPolicy": "IfNotPresent"}
    never = {"name": "d", "image": "bluegreen.example/none:1", "imagePullPolicy": "Never"}
    zone = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["nowhere"]}
    required = {"nodeSelectorTerms": [{"matchExpressions": [zone]}]}
    pod = {
        "containers": [image, never],
        "imagePullSecrets": [{"name": "absent"}],
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}},
    }
    template = {"metadata": {"labels": {"app": "a"}}, "spec": pod}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "a"}}, "template": template}
    return [thing("Namespace", name), thing("Deployment", "a", name, "apps/v1", spec=spec)]


def stricter(name):
    """Return what stands in the way on green: labels, a quota, a policy that warns and refuses nothing."""
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"], "operations": ["CREATE"]}
    where = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}, "resourceRules": [rule]}
    policy = {"matchConstraints": where, "validations": [{"expression": "true"}]}
    bound = {"policyName": name, "validationActions": ["Warn"]}
    return [
        thing("Namespace", name, labels={"pod-security.kubernetes.io/enforce": "restricted"}),
        thing("ResourceQuota", "own", name, spec={"hard": {"pods": "1"}}),
        thing("ValidatingAdmissionPolicy", name, version=ADMISSION, spec=policy),
        thing("ValidatingAdmissionPolicyBinding", name, version=ADMISSION, spec=bound),
    ]


@pytest.fixture
def place():
    """Make the namespaces and yield (blue, green, name)."""
    name = f"assess-{uuid.uuid4().hex[:8]}"
    blue, green = open_cluster("old", KUBECONFIG), open_cluster("new", KUBECONFIG)
    mine = [(blue, obj) for obj in faulty(name)] + [(green, obj) for obj in stricter(name)]
    try:
        for cluster, obj in mine:
            cluster.create(obj)
        yield blue, green, name
    finally:
        for cluster, obj in reversed(mine):
            if not obj["metadata"].get("namespace"):
                remove(cluster, ObjectRef(obj["apiVersion"], obj["kind"], "", obj["metadata"]["name"]))


def remove(cluster, ref):
    try:
        cluster.delete(ref, cluster.get(ref)["metadata"]["uid"])
    except NotFoundError:
        return


def test_known_faults_between_two_real_clusters_are_found(place):
    blue, green, name = place
    found = assess_scope(blue, green, Scope(namespaces=(name,)), quiet)
    about = {(one.rule, one.subject) for one in found.findings}

    workload = f"Deployment {name}/a"
    assert about >= {
        ("affinity-unmatched", workload),
        ("image-registry-local", workload),
        ("image-never-pulled", workload),
        ("pull-secret-missing", workload),
        ("images-looked-at", "2 images"),
        ("pod-security-stricter", f"Namespace {name}"),
        ("limits-on-target", f"ResourceQuota {name}/own"),
        ("admission-added", f"ValidatingAdmissionPolicy {name} (binding {name})"),
        # kube-controller-manager itself asks for Endpoints, which are deprecated since 1.33.
        ("requested-api-deprecated", "endpoints of v1"),
    }
    quiet_rules = {"not-read", "target-unreadable", "clock-skew", "right-missing"}
    assert not [one for one in found.findings if one.rule in quiet_rules]
