"""Checks that look at both clusters: volumes, placement, clocks, admission, deprecated calls; sound ones are quiet."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from test_assess_checks import deployment, obj
from test_assess_further import wider

from bluegreen.assess import admission, clocks, placement, requested, volumes
from bluegreen.assess.matching import selects, tolerates
from bluegreen.assess.surroundings import ADMISSION, Clock, Surroundings, labels_of
from bluegreen.model.findings import Severity

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NO_ADMISSION = dict.fromkeys(ADMISSION, ())


def named(kind, name, *, labels=None, annotations=None, **more):
    meta = {"name": name, "labels": labels or {}, "annotations": annotations or {}}
    return {"apiVersion": "v1", "kind": kind, "metadata": meta, **more}


def node(name="n1", *, labels=None, taints=(), held=(), address="10.0.0.1", **spec):
    status = {
        "images": [{"names": list(names)} for names in held],
        "addresses": [{"type": "InternalIP", "address": address}],
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    return named("Node", name, labels=labels, spec={"taints": list(taints), **spec}, status=status)


def around(side, **objects):
    return Surroundings(side=side, context=side, objects={kind: tuple(items) for kind, items in objects.items()})


def look(check, *objects, blue=None, green=None, moved=None, **more):
    seen = wider(*objects, **{k: v for k, v in more.items() if k in ("classes", "target")})
    rest = {k: v for k, v in more.items() if k not in ("classes", "target")}
    known = {"moved": objects if moved is None else moved, "blue": blue or Surroundings("blue")}
    return list(check(replace(seen, **known, green=green or Surroundings("green"), **rest)))


def rules(*args, **more):
    return [(one.rule, one.severity) for one in look(*args, **more)]


def volume(name="x", **spec):
    return named("PersistentVolume", "pv", spec={"claimRef": {"namespace": "n", "name": name}, **spec})


def lies_in(key, value):
    terms = [{"matchExpressions": [{"key": key, "operator": "In", "values": [value]}]}]
    return {"nodeAffinity": {"required": {"nodeSelectorTerms": terms}}}


ZONE = "topology.kubernetes.io/zone"
CLAIM = obj("PersistentVolumeClaim", storageClassName="fast")


def test_a_volume_of_a_zone_that_green_lacks_is_found_and_one_that_it_has_is_not():
    blue = around("blue", PersistentVolume=[volume(**lies_in(ZONE, "a"))])

    found = look(volumes.pinned_volumes, CLAIM, blue=blue, green=around("green", Node=[node(labels={ZONE: "b"})]))
    assert [(f.rule, f.severity, f.subject) for f in found] == [
        ("zone-pinned-volume", Severity.WARNING, "PersistentVolumeClaim n/x")
    ]
    assert f"{ZONE} In a" in found[0].reason
    assert rules(volumes.pinned_volumes, CLAIM, blue=blue, green=around("green", Node=[node(labels={ZONE: "a"})])) == []
    assert rules(volumes.pinned_volumes, CLAIM, blue=blue) == []


@pytest.mark.parametrize(
    "spec,rule",
    [
        ({"local": {"path": "/d"}, **lies_in("kubernetes.io/hostname", "old-1")}, "node-pinned-volume"),
        (lies_in("kubernetes.io/hostname", "old-1"), "node-pinned-volume"),
        ({"hostPath": {"path": "/d"}}, "host-path-volume"),
        ({"csi": {"driver": "x"}}, None),
    ],
)
def test_a_volume_that_is_tied_to_a_node_is_found(spec, rule):
    found = rules(volumes.pinned_volumes, CLAIM, blue=around("blue", PersistentVolume=[volume(**spec)]))

    assert [one for one, _ in found] == ([rule] if rule else [])


def test_the_volume_of_another_claim_is_nobody_s_concern():
    foreign = volume("other", hostPath={"path": "/d"})

    assert rules(volumes.pinned_volumes, CLAIM, blue=around("blue", PersistentVolume=[foreign])) == []


def storage(name, **more):
    return {**named("StorageClass", name, annotations=more.pop("annotations", {})), "provisioner": "p", **more}


def test_claims_for_which_nothing_makes_a_volume_are_found():
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    topology = [{"matchLabelExpressions": [{"key": ZONE, "values": ["a"]}]}]
    nothing, by_hand, fast = obj("PersistentVolumeClaim"), obj("PersistentVolumeClaim", storageClassName=""), CLAIM

    def made(claim, *classes, zone="a"):
        green = around("green", StorageClass=classes, Node=[node(labels={ZONE: zone})])
        return rules(volumes.volume_makers, claim, green=green, classes={"fast": "quick"}) == []

    assert not made(nothing, storage("quick"))
    assert made(nothing, storage("quick", annotations=default))
    assert not made(by_hand, storage("quick", annotations=default))
    assert made(fast, storage("quick"))
    assert not made(fast, storage("quick", provisioner="kubernetes.io/no-provisioner"))
    assert made(fast, storage("quick", allowedTopologies=topology))
    assert not made(fast, storage("quick", allowedTopologies=topology), zone="b")
    assert rules(volumes.volume_makers, nothing) == []


def test_an_affinity_that_no_node_meets_warns():
    def pods(operator, *values):
        expression = {"key": ZONE, "operator": operator, "values": list(values)}
        required = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
        return deployment(affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}})

    green = around("green", Node=[node(labels={ZONE: "a"}), node("off", labels={ZONE: "b"}, unschedulable=True)])

    assert rules(placement.affinity, pods("In", "b"), green=green) == [("affinity-unmatched", Severity.WARNING)]
    assert rules(placement.affinity, pods("NotIn", "a"), green=green) == [("affinity-unmatched", Severity.WARNING)]
    assert rules(placement.affinity, pods("In", "a", "c"), green=green) == []
    assert rules(placement.affinity, pods("Exists"), green=green) == []
    assert rules(placement.affinity, pods("In", "b")) == []


def test_taints_that_keep_every_pod_out_warn():
    taint = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
    green = around("green", Node=[node(taints=[taint])])
    soft = around("green", Node=[node(taints=[{**taint, "effect": "PreferNoSchedule"}])])
    tolerant = deployment(containers=[], tolerations=[{"key": "gpu", "operator": "Exists"}])

    assert rules(placement.taints, deployment(containers=[]), green=green) == [
        ("taints-not-tolerated", Severity.WARNING)
    ]
    assert rules(placement.taints, tolerant, green=green) == []
    assert rules(placement.taints, deployment(containers=[]), green=soft) == []
    assert rules(placement.taints, obj("ConfigMap"), green=green) == []


def test_tolerations_compare_key_value_and_effect():
    taint = {"key": "k", "value": "v", "effect": "NoSchedule"}

    assert tolerates({"tolerations": [{"operator": "Exists"}]}, taint)
    assert tolerates({"tolerations": [{"key": "k", "value": "v"}]}, taint)
    assert not tolerates({"tolerations": [{"key": "k", "value": "w"}]}, taint)
    assert not tolerates({"tolerations": [{"key": "k", "operator": "Exists", "effect": "NoExecute"}]}, taint)


def test_new_processors_warn_when_none_is_shared():
    def of(*kinds):
        return [node(f"n{i}", labels={"kubernetes.io/arch": kind}) for i, kind in enumerate(kinds)]

    def found(here, there):
        return rules(
            placement.architectures, blue=around("blue", Node=of(*here)), green=around("green", Node=of(*there))
        )

    assert found(["amd64"], ["arm64"]) == [("architecture-new", Severity.WARNING)]
    assert found(["amd64"], ["amd64", "arm64"]) == [("architecture-new", Severity.INFO)]
    assert found(["amd64", "arm64"], ["amd64"]) == []


def clocked(side, ahead, *, unsure=0.6, **objects):
    clock = Clock(ahead, unsure, NOON + timedelta(seconds=ahead))
    return replace(around(side, **objects), clock=clock)


def test_clocks_within_what_can_be_explained_are_quiet():
    assert rules(clocks.skewed_clocks, blue=clocked("blue", -4), green=clocked("green", 4)) == []
    assert rules(clocks.skewed_clocks, blue=clocked("blue", 12, unsure=5), green=clocked("green", 3)) == []
    assert rules(clocks.skewed_clocks) == []


def test_a_clock_that_is_off_is_found_against_ours_and_the_other_cluster_s():
    found = look(clocks.skewed_clocks, blue=clocked("blue", 0), green=clocked("green", -120))
    apart = look(clocks.skewed_clocks, blue=clocked("blue", 8), green=clocked("green", -8))

    assert [f.subject for f in found] == ["API server of green"] * 2
    assert "120 s behind this machine's" in found[0].reason
    assert "16 s behind blue's" in apart[0].reason
    assert len(apart) == 1


@pytest.mark.parametrize("seconds,off", [(-300, True), (-30, False), (0, False), (5, False), (60, True)])
def test_a_ready_node_with_a_lease_of_another_time_is_found(seconds, off):
    when = (NOON + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    lease = named("Lease", "n1", spec={"renewTime": when, "leaseDurationSeconds": 40})
    dead = node()
    dead["status"]["conditions"][0]["status"] = "Unknown"

    assert bool(rules(clocks.skewed_clocks, green=clocked("green", 0, Node=[node()], Lease=[lease]))) is off
    assert rules(clocks.skewed_clocks, green=clocked("green", 0, Node=[dead], Lease=[lease])) == []


RULE = {"apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"], "operations": ["CREATE"]}
PLURALS = {("apps/v1", "Deployment"): "deployments", ("v1", "ConfigMap"): "configmaps"}


def webhook(kind="ValidatingWebhookConfiguration", **more):
    one = {"name": "w.example", "rules": [RULE], "failurePolicy": "Fail", **more}
    return {kind: (named(kind, "guard", webhooks=[one]),)}


def admit(check, *objects, blue=None, green=None, **more):
    sides = {
        "blue": around("blue", **(NO_ADMISSION | (blue or {}))),
        "green": around("green", **(NO_ADMISSION | (green or {}))),
    }
    return rules(check, *objects, **sides, plurals=PLURALS, **more)


def test_a_webhook_of_one_side_only_is_found_when_it_matches_what_is_moved():
    hooks, pods, changing = admission.different_hooks, deployment(containers=[]), "MutatingWebhookConfiguration"

    assert admit(hooks, pods, green=webhook()) == [("admission-added", Severity.WARNING)]
    assert admit(hooks, pods, blue=webhook()) == [("admission-missing", Severity.INFO)]
    assert admit(hooks, pods, blue=webhook(changing)) == [("admission-missing", Severity.WARNING)]
    assert admit(hooks, pods, blue=webhook(), green=webhook()) == []
    assert admit(hooks, obj("ConfigMap"), green=webhook()) == []
    assert admit(hooks, pods, *webhook(changing)[changing], blue=webhook(changing)) == []


def test_a_webhook_on_pods_matches_the_pods_of_workloads():
    pods = {**RULE, "apiGroups": [""], "resources": ["pods"]}

    assert admit(admission.different_hooks, deployment(containers=[]), green=webhook(rules=[pods])) != []
    assert admit(admission.different_hooks, obj("ConfigMap"), green=webhook(rules=[pods])) == []
    update = {**RULE, "operations": ["UPDATE"]}
    assert admit(admission.different_hooks, deployment(containers=[]), green=webhook(rules=[update])) == []


def test_a_webhook_is_held_against_the_labels_that_the_namespace_will_have():
    selector = {"matchExpressions": [{"key": "team", "operator": "In", "values": ["a"]}]}
    space = named("Namespace", "n", labels={"team": "a"})
    pods = deployment(containers=[])

    def found(*objects):
        return admit(admission.different_hooks, *objects, green=webhook(namespaceSelector=selector))

    assert found(pods) == []
    assert found(pods, space) != []
    assert found(pods, named("Namespace", "n", labels={"team": "b"})) == []


def test_a_policy_counts_only_when_it_is_bound():
    policy = named("ValidatingAdmissionPolicy", "p", spec={"matchConstraints": {"resourceRules": [RULE]}})
    binding = named("ValidatingAdmissionPolicyBinding", "b", spec={"policyName": "p"})
    pods = deployment(containers=[])

    assert admit(admission.different_hooks, pods, green={"ValidatingAdmissionPolicy": [policy]}) == []
    bound = {"ValidatingAdmissionPolicy": [policy], "ValidatingAdmissionPolicyBinding": [binding]}
    assert admit(admission.different_hooks, pods, green=bound) == [("admission-added", Severity.WARNING)]


def differs(blue, green, *objects):
    """Compare one webhook as both sides have it."""
    sides = {"blue": around("blue", **(NO_ADMISSION | blue)), "green": around("green", **(NO_ADMISSION | green))}
    found = look(admission.different_hooks, *(objects or (deployment(containers=[]),)), plurals=PLURALS, **sides)
    return [(f.rule, f.severity, f.reason) for f in found]


def test_a_webhook_that_is_asked_about_more_or_less_on_green_is_found():
    label = {"matchLabels": {"tier": "web"}}
    update = {**RULE, "operations": ["UPDATE"]}
    changing = "MutatingWebhookConfiguration"

    ((rule, severity, reason),) = differs(webhook(objectSelector=label), webhook())
    assert (rule, severity) == ("admission-differs", Severity.WARNING)
    assert reason == "on the target only it is asked about Deployment (objectSelector)"
    ((_, severity, reason),) = differs(webhook(), webhook(objectSelector=label))
    assert (severity, reason) == (Severity.INFO, "on blue only it was asked about Deployment (objectSelector)")
    ((_, severity, reason),) = differs(webhook(changing), webhook(changing, rules=[update]))
    assert (severity, reason) == (Severity.WARNING, "on blue only it was asked about Deployment (rules)")
    ((_, severity, reason),) = differs(webhook(namespaceSelector=label), webhook())
    assert (severity, "namespaceSelector" in reason) == (Severity.WARNING, True)


def test_differences_that_touch_nothing_that_is_moved_are_quiet():
    wide = {**RULE, "resources": ["deployments", "statefulsets"], "scope": "*"}
    label = {"matchLabels": {"tier": "web"}}

    assert differs(webhook(), webhook(rules=[wide])) == []
    assert differs(webhook(), webhook(rules=[{**wide, "resources": ["statefulsets", "deployments"]}])) == []
    assert differs(webhook(failurePolicy="Ignore"), webhook(), obj("ConfigMap")) == []
    web = {**deployment(containers=[]), "metadata": {"name": "x", "namespace": "n", "labels": {"tier": "web"}}}
    assert differs(webhook(objectSelector=label), webhook(), web) == []
    assert differs(webhook(rules=[{**RULE, "scope": "Cluster"}]), webhook(rules=[{**RULE, "scope": "Cluster"}])) == []


def test_how_a_webhook_fails_and_its_conditions_are_compared():
    one, other = ({"name": "c", "expression": text} for text in ("true", "request.dryRun"))

    ((_, severity, reason),) = differs(webhook(failurePolicy="Ignore"), webhook())
    assert (severity, reason) == (Severity.WARNING, "failurePolicy is Fail on the target, Ignore on blue")
    assert differs(webhook(), webhook(failurePolicy="Ignore"))[0][1] is Severity.INFO
    ((_, severity, reason),) = differs(webhook(matchConditions=[one]), webhook(matchConditions=[other]))
    assert (severity, reason.partition(",")[0]) == (Severity.WARNING, "matchConditions differ (c)")
    assert differs(webhook(matchConditions=[one]), webhook(matchConditions=[one])) == []


def test_a_pod_s_labels_are_those_of_the_template_and_what_its_controller_adds_counts_as_met():
    pods = {**RULE, "apiGroups": [""], "resources": ["pods"]}
    made = deployment(containers=[])
    made["spec"]["template"]["metadata"] = {"labels": {"inject": "yes"}}

    def found(**labels):
        selector = {"matchLabels": labels}
        return admit(admission.different_hooks, made, green=webhook(rules=[pods], objectSelector=selector)) != []

    assert found(inject="yes")
    assert not found(inject="no")
    assert found(**{"pod-template-hash": "abc"})


def test_the_selectors_exclusions_and_actions_of_a_policy_are_compared():
    def bound(*, actions=("Deny",), objects=None, excluded=()):
        constraints = {"resourceRules": [RULE], "objectSelector": objects or {}, "excludeResourceRules": list(excluded)}
        policy = named("ValidatingAdmissionPolicy", "p", spec={"matchConstraints": constraints})
        spec = {"policyName": "p", "validationActions": list(actions)}
        binding = named("ValidatingAdmissionPolicyBinding", "b", spec=spec)
        return {"ValidatingAdmissionPolicy": [policy], "ValidatingAdmissionPolicyBinding": [binding]}

    ((_, severity, reason),) = differs(bound(actions=["Warn"]), bound())
    assert (severity, reason) == (Severity.WARNING, "validationActions are Deny on the target, Warn on blue")
    assert differs(bound(), bound(actions=["Warn"]))[0][1] is Severity.INFO
    assert "(objectSelector)" in differs(bound(objects={"matchLabels": {"a": "b"}}), bound())[0][2]
    assert "(excludeResourceRules)" in differs(bound(excluded=[RULE]), bound())[0][2]
    assert differs(bound(), bound()) == []


def test_a_namespace_is_matched_by_its_own_labels():
    spaces = {**RULE, "apiGroups": [""], "resources": ["namespaces"]}
    space = named("Namespace", "n", labels={"team": "a"})

    def found(team):
        hook = webhook(rules=[spaces], namespaceSelector={"matchLabels": {"team": team}})
        sides = {"blue": around("blue", **NO_ADMISSION), "green": around("green", **(NO_ADMISSION | hook))}
        return rules(admission.different_hooks, space, plurals={("v1", "Namespace"): "namespaces"}, **sides)

    assert found("a") == [("admission-added", Severity.WARNING)]
    assert found("b") == []


def test_half_a_comparison_of_admission_is_none():
    green = around("green", **(NO_ADMISSION | webhook()))

    assert rules(admission.different_hooks, deployment(containers=[]), green=green, plurals=PLURALS) == []


def test_a_namespace_that_is_stricter_on_green_is_found():
    key = "pod-security.kubernetes.io/enforce"

    def found(here, there):
        space = named("Namespace", "n", labels={key: here} if here else {})
        live = named("Namespace", "n", labels={key: there} if there else {})
        return rules(admission.pod_security, space, green=around("green", Namespace=[live]))

    assert found("baseline", "restricted") == [("pod-security-stricter", Severity.WARNING)]
    assert found("", "baseline") == [("pod-security-stricter", Severity.WARNING)]
    assert found("restricted", "baseline") == []
    assert found("", "") == [("pod-security-default", Severity.INFO)]


def test_a_plug_in_that_only_green_uses_is_found():
    def found(here, there):
        return rules(
            admission.different_plugins,
            blue=replace(around("blue"), plugins=here),
            green=replace(around("green"), plugins=there),
        )

    strict = frozenset({"AlwaysPullImages", "NewInThisVersion"})
    assert found(frozenset(), strict) == [("admission-plugin", Severity.WARNING)]
    assert found(strict, strict) == found(None, strict) == found(strict, frozenset()) == []


def test_quotas_and_limits_of_green_s_own_are_found():
    quota = obj("ResourceQuota", hard={"pods": "1"})
    green = around("green", ResourceQuota=[quota], LimitRange=[obj("LimitRange")])

    found = look(admission.limits_on_target, green=green)
    assert [f.subject for f in found] == ["ResourceQuota n/x", "LimitRange n/x"]
    assert "pods=1" in found[0].reason
    assert rules(admission.limits_on_target, quota, obj("LimitRange"), green=green) == []


METRICS = """# HELP apiserver_requested_deprecated_apis x
# TYPE apiserver_requested_deprecated_apis gauge
apiserver_requested_deprecated_apis{group="",removed_release="",resource="endpoints",subresource="",version="v1"} 1
apiserver_requested_deprecated_apis{group="policy",removed_release="1.25",resource="p",version="v1beta1"} 1
apiserver_requested_deprecated_apis_other{group="no"} 1
apiserver_other{group="no"} 1
"""


def test_deprecated_calls_are_read_and_judged_by_what_green_serves():
    labels = labels_of(METRICS, "apiserver_requested_deprecated_apis")
    blue = replace(around("blue"), requested=labels)
    found = look(requested.requested_apis, blue=blue, unserved=frozenset({("policy", "v1beta1", "p")}))

    assert [one["resource"] for one in labels] == ["endpoints", "p"]
    assert [(f.rule, f.severity, f.subject) for f in found] == [
        ("requested-api-deprecated", Severity.INFO, "endpoints of v1"),
        ("requested-api-not-served", Severity.WARNING, "p of policy/v1beta1"),
    ]
    assert look(requested.requested_apis) == []


def definition(*versions):
    served = [{"name": name, "served": on} for name, on in versions]
    names = {"kind": "Widget", "plural": "widgets"}
    return named("CustomResourceDefinition", "w", spec={"group": "e.com", "names": names, "versions": served})


def test_a_version_whose_definition_moves_along_is_served():
    key = {"group": "e.com", "version": "v1beta1", "resource": "widgets"}
    blue, unserved = replace(around("blue"), requested=(key,)), frozenset({tuple(key.values())})

    def told(*moved):
        return [rule for rule, _ in rules(requested.requested_apis, *moved, blue=blue, unserved=unserved)]

    assert told(definition(("v1beta1", True), ("v1", True))) == []
    assert told(definition(("v1beta1", False), ("v1", True))) == ["requested-api-not-served"]
    assert told(definition(("v1", True))) == ["requested-api-not-served"]


def test_selectors_match_as_the_api_server_does():
    expressions = [{"key": "b", "operator": "DoesNotExist"}, {"key": "n", "operator": "Gt", "values": ["3"]}]

    assert selects(None, {})
    assert selects({"matchLabels": {"a": "1"}, "matchExpressions": expressions}, {"a": "1", "n": "4"})
    assert not selects({"matchExpressions": expressions}, {"n": "3"})
    assert not selects({"matchExpressions": expressions}, {"n": "many"})
    assert not selects({"matchLabels": {"a": "1"}}, {})
