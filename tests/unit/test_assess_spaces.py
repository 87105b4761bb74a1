"""Namespaces of green that take nothing new: being deleted, or with a quota that is too small for what is moved."""

import pytest
from test_assess_checks import deployment, obj
from test_assess_reading import NO_RIGHT, cluster, seen
from test_assess_sides import around, look, named

from bluegreen.assess import admission, spaces
from bluegreen.assess.assessment import assess
from bluegreen.model.findings import Severity

CONTENT = {"type": "NamespaceContentRemaining", "status": "True", "message": "persistentvolumeclaims. has 1 instances"}
DONE = {"type": "NamespaceDeletionContentFailure", "status": "False", "message": "All content deleted"}


def dying(name="n", **status):
    space = named("Namespace", name, status={"phase": "Terminating", **status})
    space["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:00Z"
    return space


def test_a_namespace_that_is_being_deleted_on_green_blocks():
    green = around("green", Namespace=[dying(conditions=[CONTENT, DONE])])
    (found,) = look(spaces.being_deleted, obj("ConfigMap"), obj("Service"), green=green)

    assert (found.rule, found.severity, found.subject) == ("namespace-terminating", Severity.BLOCKER, "Namespace n")
    assert "since 2026-01-01T12:00:00Z" in found.reason
    assert "nothing can be created in it" in found.reason
    assert CONTENT["message"] in found.reason
    assert DONE["message"] not in found.reason
    assert "finalizers" in found.action
    assert "kubectl --context green get namespace n" in found.action


def test_the_namespace_is_named_as_it_is_on_green():
    moved = [obj("ConfigMap") | {"metadata": {"name": "x", "namespace": "m"}}]

    def told(name):
        return look(spaces.being_deleted, obj("ConfigMap"), moved=moved, green=around("green", Namespace=[dying(name)]))

    assert [one.subject for one in told("m")] == ["Namespace m"]
    assert told("n") == []


@pytest.mark.parametrize("phase,deleted", [("Terminating", None), ("Active", "2026-01-01T12:00:00Z")])
def test_either_sign_of_a_deletion_is_enough(phase, deleted):
    space = named("Namespace", "n", status={"phase": phase})
    space["metadata"] |= {"deletionTimestamp": deleted} if deleted else {}

    assert look(spaces.being_deleted, named("Namespace", "n"), green=around("green", Namespace=[space]))


def test_a_namespace_that_is_there_or_not_yet_is_fine():
    there = around("green", Namespace=[named("Namespace", "n", status={"phase": "Active"})])

    assert look(spaces.being_deleted, obj("ConfigMap"), green=there) == []
    assert look(spaces.being_deleted, obj("ConfigMap"), green=around("green", Namespace=[])) == []


def test_a_deletion_is_read_and_found():
    found = assess(seen(cluster(), cluster(dying()), deployment(containers=[]))).findings

    assert [f.severity for f in found if f.rule == "namespace-terminating"] == [Severity.BLOCKER]


def quota(hard, used=None, name="q", **spec):
    status = {"hard": hard, "used": used or {}}
    meta = {"name": name, "namespace": "n"}
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": meta,
        "spec": {"hard": hard, **spec},
        "status": status,
    }


def short(given, *moved, **more):
    found = look(admission.limits_on_target, *moved, green=around("green", ResourceQuota=[given]), **more)
    return [(one.severity, one.reason) for one in found if one.rule == "quota-exceeded"]


def item(kind, name, version="v1", **spec):
    return {**obj(kind, version, **spec), "metadata": {"name": name, "namespace": "n"}}


def test_objects_beyond_the_count_of_a_quota_are_told_with_numbers():
    maps = [item("ConfigMap", name) for name in "abc"]
    ((severity, reason),) = short(quota({"configmaps": "10"}, {"configmaps": "8"}), *maps)

    assert (severity, reason) == (Severity.WARNING, "configmaps: 8 used and 3 more of 10")
    assert short(quota({"configmaps": "11"}, {"configmaps": "8"}), *maps) == []
    assert (
        short(quota({"configmaps": "1"}), *[one | {"metadata": {"name": "x", "namespace": "m"}} for one in maps]) == []
    )


def test_a_quota_that_moves_along_limits_by_what_it_brings():
    given, wide = quota({"configmaps": "0"}), quota({"configmaps": "1"})
    wide.pop("status")

    assert short(given, given, item("ConfigMap", "a"))
    assert short(given, wide, item("ConfigMap", "a")) == []


def test_a_kind_of_any_group_is_counted_by_its_resource():
    plurals = {("v1", "ConfigMap"): "configmaps", ("apps/v1", "Deployment"): "deployments"}
    hard = {"count/configmaps": "0", "count/deployments.apps": "0", "cpu": "0"}
    ((_, reason),) = short(quota(hard), item("ConfigMap", "a"), deployment(containers=[]), plurals=plurals)

    assert reason == "count/configmaps: 0 used and 1 more of 0; count/deployments.apps: 0 used and 1 more of 0"


def test_services_count_their_ports_and_load_balancers():
    ports = [{"port": 80}, {"port": 443}]
    balanced = item("Service", "a", type="LoadBalancer", ports=ports)
    bare = item("Service", "b", type="LoadBalancer", ports=[*ports, {"nodePort": 30080}])
    bare["spec"]["allocateLoadBalancerNodePorts"] = False
    on_nodes, plain = item("Service", "c", type="NodePort", ports=ports), item("Service", "d", ports=ports)
    hard = {"services": "3", "services.loadbalancers": "1", "services.nodeports": "4"}
    ((_, reason),) = short(quota(hard), balanced, bare, on_nodes, plain)

    assert reason.split("; ") == [
        "services: 0 used and 4 more of 3",
        "services.loadbalancers: 0 used and 2 more of 1",
        "services.nodeports: 0 used and 5 more of 4",
    ]


def test_pods_and_claims_that_workloads_make_count():
    templates = [{"metadata": {"name": "data"}, "spec": {}}]
    stateful = item("StatefulSet", "db", "apps/v1", replicas=3, volumeClaimTemplates=templates)
    ((_, reason),) = short(
        quota({"pods": "3", "persistentvolumeclaims": "2"}),
        stateful,
        item("PersistentVolumeClaim", "data-db-0"),
        item("Deployment", "web", "apps/v1"),
        item("Deployment", "off", "apps/v1", replicas=0),
        item("CronJob", "often", "batch/v1"),
    )

    assert reason == "persistentvolumeclaims: 0 used and 3 more of 2; pods: 0 used and 4 more of 3"


def asks(requests=None, limits=None, **more):
    return {"name": "c", "resources": {"requests": requests or {}, "limits": limits or {}}, **more}


def test_what_pods_ask_for_is_added_up_over_all_workloads():
    pod = {"containers": [asks({"cpu": "500m"}, {"memory": "1Gi", "cpu": "1"}), asks({"cpu": "250m"})]}
    web = item("Deployment", "web", "apps/v1", replicas=2, template={"spec": pod})
    hard = {"requests.cpu": "1", "memory": "2Gi", "limits.cpu": "3", "requests.nvidia.com/gpu": "0"}
    ((_, reason),) = short(quota(hard, {"memory": "512Mi"}), web)

    assert reason.split("; ") == ["memory: 512Mi used and 2Gi more of 2Gi", "requests.cpu: 0 used and 1.5 more of 1"]


def test_what_claims_ask_for_is_added_up_by_class_too():
    spec = {"storageClassName": "fast", "resources": {"requests": {"storage": "1.5Gi"}}}
    stateful = item("StatefulSet", "db", "apps/v1", replicas=2, volumeClaimTemplates=[{"metadata": {"name": "d"}}])
    stateful["spec"]["volumeClaimTemplates"][0]["spec"] = spec
    slow = item("PersistentVolumeClaim", "a", resources=spec["resources"])
    fast = "fast.storageclass.storage.k8s.io"
    hard = {"requests.storage": "4Gi", f"{fast}/requests.storage": "3Gi", f"{fast}/persistentvolumeclaims": "1"}
    ((_, reason),) = short(quota(hard), stateful, slow)

    assert reason.split("; ") == [
        f"{fast}/persistentvolumeclaims: 0 used and 2 more of 1",
        "requests.storage: 0 used and 4.5Gi more of 4Gi",
    ]


def test_a_quota_that_wants_every_container_to_say_takes_no_other_pods():
    loud = {"containers": [asks({"cpu": "1m"}, {"memory": "1Mi"})]}
    silent = {"containers": [asks({"cpu": "1m"})], "initContainers": [asks(limits={"memory": "1Mi"})]}
    work = [item(kind, kind.lower(), "apps/v1", template={"spec": pod}) for kind, pod in [("Deployment", loud)]]
    work += [item("Deployment", name, "apps/v1", template={"spec": silent}) for name in "abcde"]
    given = quota({"memory": "9Gi", "cpu": "9", "pods": "99"})

    def said(*ranges):
        found = look(admission.limits_on_target, *work, green=around("green", ResourceQuota=[given], LimitRange=ranges))
        return [one.reason for one in found if one.rule == "quota-unsaid"]

    who = "Deployment n/a, Deployment n/b, Deployment n/c and 2 more"
    keys = ("requests.cpu", "requests.memory")
    assert said() == [f"not every container of {who} says {key}, and it takes no such pod" for key in keys]
    full = {"type": "Container", "max": {"memory": "1Gi"}, "defaultRequest": {"cpu": "1"}}
    assert said(item("LimitRange", "l", limits=[full])) == []
    assert said(item("LimitRange", "l", limits=[full | {"type": "Pod"}])) != []


def selector(name, operator, *values):
    return {"scopeSelector": {"matchExpressions": [{"scopeName": name, "operator": operator, "values": [*values]}]}}


BUSY = {"containers": [asks({"cpu": "1m"})]}
NEIGHBOUR = {"namespaceSelector": {}, "topologyKey": "zone"}


@pytest.mark.parametrize(
    "scope,pod,counts",
    [
        ({"scopes": ["BestEffort"]}, {}, True),
        ({"scopes": ["BestEffort"]}, BUSY, False),
        ({"scopes": ["BestEffort"]}, {"containers": [asks({"example.com/gpu": "1"}, {"example.com/gpu": "1"})]}, True),
        ({"scopes": ["BestEffort"]}, {**BUSY, "resources": {"requests": {"hugepages-2Mi": "2Mi"}}}, True),
        ({"scopes": ["NotBestEffort", "NotTerminating"]}, BUSY, True),
        ({"scopes": ["NotBestEffort", "Terminating"]}, BUSY, False),
        ({"scopes": ["Terminating"]}, {"activeDeadlineSeconds": 9}, True),
        (selector("PriorityClass", "In", "high", "low"), {"priorityClassName": "low"}, True),
        (selector("PriorityClass", "In", "high"), {"priorityClassName": "low"}, False),
        (selector("PriorityClass", "NotIn", "high"), {"priorityClassName": "low"}, True),
        (selector("PriorityClass", "NotIn", "high"), {}, False),  # it may get a default one
        (selector("PriorityClass", "Exists"), {"priorityClassName": "low"}, True),
        (selector("PriorityClass", "DoesNotExist"), {"priorityClassName": "low"}, False),
        ({"scopes": ["CrossNamespacePodAffinity"]}, BUSY, False),
        (
            {"scopes": ["CrossNamespacePodAffinity"]},
            {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [NEIGHBOUR]}}},
            True,
        ),
        ({"scopes": ["VolumeAttributesClass"]}, {}, False),  # it is for claims
    ],
)
def test_a_quota_with_scopes_is_for_some_pods_only(scope, pod, counts):
    web = item("Deployment", "web", "apps/v1", template={"spec": pod}, replicas=2)
    hard = {"pods": "1", "count/deployments.apps": "0"}

    found = [reason for _, reason in short(quota(hard, **scope), web, item("ConfigMap", "a"))]

    assert found == (["pods: 0 used and 2 more of 1"] if counts else [])


def test_a_quota_with_scopes_wants_only_its_pods_to_say():
    web, other = (
        item("Deployment", name, "apps/v1", template={"spec": {**BUSY, "priorityClassName": name}})
        for name in ("high", "low")
    )
    given = quota({"limits.cpu": "9"}, **selector("PriorityClass", "In", "high"))
    found = look(admission.limits_on_target, web, other, green=around("green", ResourceQuota=[given]))

    assert [one.reason for one in found if one.rule == "quota-unsaid"] == [
        "not every container of Deployment n/high says limits.cpu, and it takes no such pod"
    ]


def told(green, *objects):
    wider = seen(cluster(), green, *objects)
    reasons = [one.reason for one in admission.limits_on_target(wider) if one.rule == "quota-exceeded"]
    return reasons, wider


def test_what_green_has_already_is_not_counted_twice():
    secret = {**item("Secret", "s"), "data": {"a": "canary"}}
    web, idle = (item("Deployment", "web", "apps/v1", replicas=number) for number in (3, 1))
    given = quota({"secrets": "1", "pods": "2"}, {"secrets": "1", "pods": "1"})
    reasons, wider = told(cluster(given, secret, idle), secret, web)

    assert reasons == ["pods: 1 used and 2 more of 2"]
    assert "canary" not in repr(wider.counted)
    assert told(cluster(given), secret, web)[0] == ["pods: 1 used and 3 more of 2; secrets: 1 used and 1 more of 1"]


def test_without_a_quota_nothing_is_listed_and_what_may_not_be_listed_is_a_gap():
    free, limited = cluster(), cluster(quota({"secrets": "1"}))
    free.unlistable = limited.unlistable = {"Secret": NO_RIGHT}

    assert told(free, item("Secret", "s"))[1].gaps == {}
    assert "Secret in n of green" in told(limited, item("Secret", "s"))[1].gaps
