"""What a quota uses: our numbers against those of the API server, which counts an object as it takes it."""

import json
import re
import time
import uuid
from decimal import Decimal

import pytest

from bluegreen.assess.amounts import amount
from bluegreen.assess.pod_resources import Defaults, defaults_of
from bluegreen.assess.quota_scopes import scopes, takes
from bluegreen.assess.quotas import unsaid
from bluegreen.assess.usage import usage
from scenarios.cluster import kubectl
from scenarios.lab.console import LabError

pytestmark = pytest.mark.lab

FAST = "fast.storageclass.storage.k8s.io"
KEYS = [
    *("pods", "count/pods", "services", "services.loadbalancers", "services.nodeports", "requests.storage"),
    *("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"),
    *("requests.ephemeral-storage", "limits.ephemeral-storage", "ephemeral-storage"),
    *("hugepages-2Mi", "requests.hugepages-2Mi", "requests.example.com/gpu"),
    *("persistentvolumeclaims", f"{FAST}/requests.storage", f"{FAST}/persistentvolumeclaims"),
]
PLURALS = {("v1", kind): f"{kind.lower()}s" for kind in ("Pod", "Service", "PersistentVolumeClaim")}
RANGES = {
    "usual": {"default": {"memory": "4Gi"}, "defaultRequest": {"memory": "32Mi"}, "max": {"cpu": "2"}},
    "disk": {"min": {"ephemeral-storage": "1Gi"}},
}


def box(requests=None, limits=None, **more):
    return {"image": "x", "resources": {"requests": requests or {}, "limits": limits or {}}, **more}


def pod(*main, first=(), **more):
    boxes = {"containers": main, "initContainers": first}
    named = {key: [{"name": f"{key[0]}{n}", **one} for n, one in enumerate(of)] for key, of in boxes.items()}
    return "Pod", {**named, "nodeSelector": {"nobody": "has-it"}, **more}


def claim(storage, storage_class):
    asked = {"resources": {"requests": {"storage": storage}}}
    return "PersistentVolumeClaim", {"accessModes": ["ReadWriteOnce"], "storageClassName": storage_class, **asked}


SIDECAR = box({"cpu": "30m"}, {"memory": "96Mi"}, restartPolicy="Always")
HUGE = {"hugepages-2Mi": "4Mi", "cpu": "1", "memory": "1Gi"}
OBJECTS = {
    "plain": pod(box({"cpu": "100m", "memory": "1Gi"}), box({"cpu": "0.25"}, {"cpu": "500m"})),
    "first": pod(box({"cpu": "100m"}), first=[box({"cpu": "1"}), box({"cpu": "300m"}, {"memory": "2Gi"})]),
    "sidecar": pod(box({"cpu": "100m"}), first=[box({"cpu": "250m"}), SIDECAR, box({"cpu": "200m"})]),
    "disk": pod(box({"ephemeral-storage": "1Gi"}, {"ephemeral-storage": "2Gi"})),
    "devices": pod(box({}, {"example.com/gpu": "2"}), box({}, HUGE)),
    "whole": pod(box({"cpu": "100m"}), resources={"requests": {"memory": "1Gi"}, "limits": {"cpu": "1"}}),
    "silent": pod(box(), box()),
    "balanced": ("Service", {"type": "LoadBalancer", "ports": [{"port": 80}]}),
    "on-nodes": ("Service", {"type": "NodePort", "ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]}),
    "inside": ("Service", {"ports": [{"port": 80}]}),
    "volume": claim("1.5Gi", "fast"),
    "by-hand": claim("1Gi", ""),
}


@pytest.fixture
def namespace():
    name = f"bg-quota-{uuid.uuid4().hex[:8]}"
    kubectl("new", "create", "namespace", name)
    try:
        yield name
    finally:
        kubectl("new", "delete", "namespace", name, "--ignore-not-found", "--wait=false")


def make(namespace, kind, name, **parts):
    obj = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, **parts}
    kubectl("new", "create", "-f", "-", stdin=json.dumps(obj))
    return obj


def limit(namespace, keys):
    """Make a quota and wait until it is enforced."""
    make(namespace, "ResourceQuota", "q", spec={"hard": dict.fromkeys(keys, "1000Gi")})
    wait_until_enforced(namespace, {"q": set(keys)})


def wait_until_enforced(namespace, keys):
    end = time.monotonic() + 90
    while {name: used.keys() for name, used in all_used(namespace).items()} != keys:
        assert time.monotonic() < end
        time.sleep(0.2)


def all_used(namespace):
    """Return what each quota says is used; the API server writes that down before it takes an object."""
    given = json.loads(kubectl("new", "-n", namespace, "get", "quota", "-o", "json"))["items"]
    numbers = {one["metadata"]["name"]: (one.get("status") or {}).get("used", {}) for one in given}
    return {name: {key: amount(value) for key, value in used.items()} for name, used in numbers.items()}


def used(namespace):
    return all_used(namespace)["q"]


@pytest.mark.parametrize("with_ranges", [False, True], ids=["by itself", "with LimitRanges"])
def test_the_server_counts_what_we_count(namespace, with_ranges):
    limits = {name: {"limits": [{"type": "Container", **item}]} for name, item in RANGES.items()}
    ranges = [make(namespace, "LimitRange", name, spec=spec) for name, spec in limits.items() if with_ranges]
    limit(namespace, KEYS)

    # A pod that says it as a whole is taken without the defaults, and its own limits do not go with them.
    alone = {"whole", "volume", "by-hand", "balanced", "on-nodes", "inside"}
    chosen = OBJECTS.keys() - {"whole"} if with_ranges else alone
    for name in sorted(chosen):
        theirs, ours = both(namespace, name, OBJECTS[name], ranges)
        assert theirs == ours, name


def both(namespace, name, parts, ranges):
    """Make an object and return what it uses, as the server and as we count it."""
    kind, spec = parts
    before = used(namespace)
    obj = make(namespace, kind, name, spec=spec)
    theirs = {key: value - before[key] for key, value in used(namespace).items()}
    ours = usage(obj, PLURALS, defaults_of(ranges))
    return {key: value for key, value in theirs.items() if value}, {k: v for k, v in ours.items() if k in KEYS}


def test_of_two_defaults_we_count_the_least_that_the_server_may_take(namespace):
    items = {"most": {"max": {"cpu": "2"}}, "least": {"min": {"cpu": "10m"}}}
    specs = {name: {"limits": [{"type": "Container", **item}]} for name, item in items.items()}
    ranges = [make(namespace, "LimitRange", name, spec=spec) for name, spec in specs.items()]
    limit(namespace, ["requests.cpu", "limits.cpu"])

    for n in range(8):
        theirs, ours = both(namespace, f"silent-{n}", pod(box()), ranges)
        assert (ours["requests.cpu"], ours["limits.cpu"]) == (Decimal("0.01"), 2)
        assert theirs["requests.cpu"] in (Decimal("0.01"), 2)
        assert theirs["limits.cpu"] == 2


def by_class(operator, *values):
    chosen = {"scopeName": "PriorityClass", "operator": operator, **({"values": list(values)} if values else {})}
    return {"scopeSelector": {"matchExpressions": [chosen]}}


CRITICAL = "system-cluster-critical"
SCOPES = {
    **{name.lower(): {"scopes": [name]} for name in ("BestEffort", "NotBestEffort", "Terminating", "NotTerminating")},
    "affine": {"scopes": ["CrossNamespacePodAffinity"]},
    "both": {"scopes": ["NotTerminating", "NotBestEffort"]},
    "classed": by_class("Exists"),
    "critical": by_class("In", CRITICAL),
    "not-critical": by_class("NotIn", CRITICAL),
}
TERM = {"labelSelector": {}, "namespaceSelector": {}, "topologyKey": "zone"}
SCOPED = {
    "busy": pod(box({"cpu": "1m"})),
    "silent": pod(box()),
    "device": pod(box({}, {"example.com/gpu": "2"})),
    "first": pod(box(), first=[box({"memory": "1Mi"})]),
    "whole": pod(box(), resources={"limits": {"memory": "1Gi"}}),
    "ends": pod(box(), activeDeadlineSeconds=600),
    "critical": pod(box(), priorityClassName=CRITICAL),
    "affine": pod(
        box(),
        affinity={"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [TERM]}},
    ),
}


def test_the_server_counts_for_a_quota_with_scopes_the_pods_that_we_count(namespace):
    quotas = [
        make(namespace, "ResourceQuota", name, spec={"hard": {"pods": "99"}, **of}) for name, of in SCOPES.items()
    ]
    wait_until_enforced(namespace, {name: {"pods"} for name in SCOPES})

    for name, (kind, spec) in SCOPED.items():
        before = all_used(namespace)
        make(namespace, kind, name, spec=spec)
        theirs = {quota for quota, used in all_used(namespace).items() if used != before[quota]}
        ours = {q["metadata"]["name"] for q in quotas if takes(scopes(q), spec, Defaults())}
        # A pod without a class could get a default one elsewhere.
        assert theirs - ours == (set() if "priorityClassName" in spec else {"not-critical"}), name
        assert ours <= theirs, name


def test_the_server_wants_said_what_we_want_said(namespace):
    limit(namespace, KEYS)
    quota = json.loads(kubectl("new", "-n", namespace, "get", "quota", "q", "-o", "json"))
    kind, spec = OBJECTS["plain"]
    with pytest.raises(LabError) as refused:
        make(namespace, kind, "plain", spec=spec)

    ours = unsaid(
        quota, [{"apiVersion": "v1", "kind": kind, "metadata": {"name": "p", "namespace": namespace}, "spec": spec}]
    )
    theirs = re.findall(r"(\S+) for: ", str(refused.value))
    assert sorted(ours) == sorted(key for key in theirs if "." in key)
