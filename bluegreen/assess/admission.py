"""What stands between an apply and the store in one cluster and not in the other. Pure.

Webhooks and policies are compared by name and by what they match; how they would decide is for the server's dry run
(`bluegreen plan`), which asks them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bluegreen.assess.matching import selects
from bluegreen.assess.pods import pod_spec
from bluegreen.assess.surroundings import ADMISSION, Surroundings
from bluegreen.assess.wider import Wider
from bluegreen.model.findings import Finding, Severity
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ref_of

_LEVEL = "pod-security.kubernetes.io/enforce"
_LEVELS = ("privileged", "baseline", "restricted")
_NAME = "kubernetes.io/metadata.name"
# Plug-ins that are off by default and change what is allowed; others come and go with Kubernetes' versions.
_STRICT = frozenset(
    {
        "AlwaysPullImages",
        "DenyServiceExternalIPs",
        "EventRateLimit",
        "ExtendedResourceToleration",
        "ImagePolicyWebhook",
        "LimitPodHardAntiAffinityTopology",
        "NamespaceAutoProvision",
        "NamespaceExists",
        "OwnerReferencesPermissionEnforcement",
        "PodNodeSelector",
        "PodTolerationRestriction",
    }
)
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook, or a policy that is bound.

    Attributes:
        name: what it is, for people.
        key: what makes it the same in both clusters.
        changes: whether it can change objects.
        fails: whether objects are refused when it does not answer.
        rules: resource rules.
        selectors: namespace selectors that must all match.
    """

    name: str
    key: tuple[str, ...]
    changes: bool
    fails: bool
    rules: tuple[Mapping[str, Any], ...]
    selectors: tuple[Mapping[str, Any], ...]


def hooks(side: Surroundings) -> Iterator[Hook]:
    """Yield what judges or changes objects in a cluster."""
    for kind in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"):
        for given in side.objects.get(kind, ()):
            yield from (_webhook(kind, given, one) for one in given.get("webhooks") or ())
    for kind in ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"):
        bound: dict[str, list[Raw]] = {}
        for binding in side.objects.get(f"{kind}Binding", ()):
            bound.setdefault(str((binding.get("spec") or {}).get("policyName")), []).append(binding)
        for policy in side.objects.get(kind, ()):
            yield from (_policy(kind, policy, one) for one in bound.get(str(policy["metadata"]["name"]), ()))


def _webhook(kind: str, given: Raw, one: Mapping[str, Any]) -> Hook:
    name = str(given["metadata"]["name"])
    return Hook(
        name=f"{kind} {name} ({one.get('name')})",
        key=(kind, name, str(one.get("name"))),
        changes=kind.startswith("Mutating"),
        fails=one.get("failurePolicy") != "Ignore",
        rules=tuple(one.get("rules") or ()),
        selectors=(one.get("namespaceSelector") or {},),
    )


def _policy(kind: str, policy: Raw, binding: Raw) -> Hook:
    spec, name = policy.get("spec") or {}, str(policy["metadata"]["name"])
    constraints = spec.get("matchConstraints") or {}
    narrower = (binding.get("spec") or {}).get("matchResources") or {}
    return Hook(
        name=f"{kind} {name} (binding {binding['metadata']['name']})",
        key=(kind, name, str(binding["metadata"]["name"])),
        changes=kind.startswith("Mutating"),
        fails=spec.get("failurePolicy") != "Ignore",
        rules=tuple(narrower.get("resourceRules") or constraints.get("resourceRules") or ()),
        selectors=(constraints.get("namespaceSelector") or {}, narrower.get("namespaceSelector") or {}),
    )


def different_hooks(wider: Wider) -> Iterator[Finding]:
    """Find webhooks and policies of one side only that match what is moved."""
    if any(kind not in side.objects for side in (wider.blue, wider.green) for kind in ADMISSION):
        return  # what could not be read is a gap, and half a comparison would be wrong
    blue, green = ({hook.key: hook for hook in hooks(side)} for side in (wider.blue, wider.green))
    moved = {(str(obj["kind"]), str(obj["metadata"]["name"])) for obj in wider.moved}
    items = list(_asked(wider))
    labels = _labels(wider)
    for key in sorted(green.keys() ^ blue.keys()):
        added = key in green
        hook = green.get(key) or blue[key]
        caught = sorted({what for what, rule_key in items if _catches(hook, rule_key, labels)})
        if caught and (added or key[:2] not in moved):
            yield _difference(hook, caught, added=added)


def _asked(wider: Wider) -> Iterator[tuple[str, tuple[str, str, str]]]:
    """Yield (kind for people, (group, plural, namespace)) for what is created on green, pods of workloads included."""
    for obj in wider.moved:
        where = str(obj["metadata"].get("namespace") or "")
        plural = wider.plurals.get((obj["apiVersion"], obj["kind"]), "")
        yield str(obj["kind"]), (obj["apiVersion"].rpartition("/")[0], plural, where)
        if pod_spec(obj):
            yield "Pod", ("", "pods", where)


def _labels(wider: Wider) -> dict[str, dict[str, str]]:
    """Return the labels that each namespace will have on green."""
    found: dict[str, dict[str, str]] = {}
    for obj in (*wider.green.objects.get("Namespace", ()), *(o for o in wider.moved if o["kind"] == "Namespace")):
        name = str(obj["metadata"]["name"])
        found.setdefault(name, {_NAME: name}).update(obj["metadata"].get("labels") or {})
    return found


def _catches(hook: Hook, key: tuple[str, str, str], labels: Mapping[str, Mapping[str, str]]) -> bool:
    group, plural, where = key
    of_namespace = labels.get(where, {_NAME: where})
    return any(_rule_fits(rule, group, plural) for rule in hook.rules) and (
        not where or all(selects(selector, of_namespace) for selector in hook.selectors)
    )


def _rule_fits(rule: Mapping[str, Any], group: str, plural: str) -> bool:
    """Return whether a rule is about creating a resource; versions do not matter, for matchPolicy is Equivalent."""
    return (
        bool({"*", group} & set(rule.get("apiGroups") or ()))
        and bool({"*", "*/*", plural} & set(rule.get("resources") or ()))
        and bool({"*", "CREATE"} & set(rule.get("operations") or ()))
    )


def _difference(hook: Hook, caught: list[str], *, added: bool) -> Finding:
    kinds = ", ".join(caught[:_SHOWN]) + (f" and {len(caught) - _SHOWN} more kinds" if len(caught) > _SHOWN else "")
    if added:
        does = "changes" if hook.changes else "judges"
        refuses = "; objects are refused when it does not answer" if hook.fails else ""
        reason = f"blue does not have it; it {does} what is moved ({kinds}){refuses}"
        return Finding(
            "admission-added", Severity.WARNING, hook.name, reason, "see what it says to each object: bluegreen plan"
        )
    return Finding(
        "admission-missing",
        Severity.WARNING if hook.changes else Severity.INFO,
        hook.name,
        f"the target does not have it; on blue it {'changed' if hook.changes else 'judged'} {kinds}",
        "install it on the target, if what it does is needed there",
    )


def pod_security(wider: Wider) -> Iterator[Finding]:
    """Find namespaces that are stricter on green, and say where each cluster's own default applies."""
    there = {str(o["metadata"]["name"]): o for o in wider.green.objects.get("Namespace", ())}
    labels, unlabelled = _labels(wider), []
    for namespace in (obj for obj in wider.moved if obj["kind"] == "Namespace"):
        name = str(namespace["metadata"]["name"])
        here = str((namespace["metadata"].get("labels") or {}).get(_LEVEL, ""))
        live = str((there.get(name, {}).get("metadata", {}).get("labels") or {}).get(_LEVEL, ""))
        if _rank(live) > _rank(here):
            yield Finding(
                "pod-security-stricter",
                Severity.WARNING,
                str(ref_of(namespace)),
                f"on the target it enforces the Pod Security level {live}, on blue {here or 'none by label'}",
                "see which pods it refuses: kubectl label --dry-run=server --overwrite ns "
                f"{name} {_LEVEL}={live} (on blue)",
            )
        if not labels[name].get(_LEVEL):
            unlabelled.append(name)
    if unlabelled and there:
        yield Finding(
            "pod-security-default",
            Severity.INFO,
            ", ".join(sorted(unlabelled)),
            "no Pod Security level is set by label, so each API server's own default applies, which it tells nobody",
            f"set {_LEVEL} on the namespaces, or compare the API servers' admission configuration",
        )


def _rank(level: str) -> int:
    return _LEVELS.index(level) if level in _LEVELS else 0


def different_plugins(wider: Wider) -> Iterator[Finding]:
    """Find admission plug-ins that worked on green only, as far as its metrics tell."""
    if wider.blue.plugins is None or wider.green.plugins is None:
        return
    for name in sorted((wider.green.plugins - wider.blue.plugins) & _STRICT):
        yield Finding(
            "admission-plugin",
            Severity.WARNING,
            f"admission plug-in {name} of the target",
            "the target's API server uses it and blue's does not (as their metrics since their start tell)",
            "look up what it refuses or changes; bluegreen plan shows what it says to each object",
        )


def limits_on_target(wider: Wider) -> Iterator[Finding]:
    """Find quotas and limits that the namespaces have on green only."""
    moved = {(o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]) for o in wider.moved}
    for kind in ("ResourceQuota", "LimitRange"):
        for obj in wider.green.objects.get(kind, ()):
            meta, spec = obj["metadata"], obj.get("spec") or {}
            if (kind, meta.get("namespace"), meta["name"]) not in moved:
                hard = ", ".join(f"{k}={v}" for k, v in sorted((spec.get("hard") or {}).items()))
                yield Finding(
                    "limits-on-target",
                    Severity.WARNING,
                    str(ref_of(obj)),
                    f"the target has it in a namespace that is moved, blue does not{': ' + hard if hard else ''}",
                    "make sure that the workloads fit, or remove it",
                )
