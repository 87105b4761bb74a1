"""Webhooks and bound policies as one thing: what it matches, on which conditions, and how it fails. Pure.

Rules and selectors are matched as the API server does; a condition in CEL is only compared, for only the server can
judge it. What a controller adds to a pod's labels is not known here, so a selector on such a label counts as met.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bluegreen.assess.matching import selects
from bluegreen.assess.pods import pod_labels, pod_spec
from bluegreen.assess.surroundings import Surroundings
from bluegreen.model.marks import MIGRATION, annotation
from bluegreen.model.ports import Raw

NAME_LABEL = "kubernetes.io/metadata.name"
_ADDED_BY_CONTROLLERS = frozenset(
    {"pod-template-hash", "pod-template-generation", "controller-revision-hash", "job-name", "controller-uid"}
    | {"batch.kubernetes.io/job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-completion-index"}
    | {"statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"}
)
Rules = tuple[Mapping[str, Any], ...]
Labels = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook, or a policy that is bound.

    Attributes:
        name: what it is, for people.
        key: what makes it the same in both clusters.
        changes: whether it can change objects.
        fails: whether objects are refused when it does not answer.
        rules: resource rules.
        excluded: resource rules of what is never asked about.
        spaces: namespace selectors that must all match.
        objects: object selectors that must all match.
        conditions: matchConditions, expression by name.
        actions: what a policy's failed validation does; a webhook's always denies.
        moved_before: an earlier migration made it, so it is brought to what blue has.
    """

    name: str
    key: tuple[str, ...]
    changes: bool
    fails: bool
    rules: Rules
    excluded: Rules
    spaces: tuple[Mapping[str, Any], ...]
    objects: tuple[Mapping[str, Any], ...]
    conditions: Mapping[str, str]
    actions: frozenset[str] = frozenset({"Deny"})
    moved_before: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """One creation that admission is asked about.

    Attributes:
        kind: kind for people.
        group: API group.
        plural: resource in URLs.
        namespace: its namespace; of a Namespace its own name, whose labels count there; empty for other wide ones.
        wide: whether it is cluster-wide.
        name: its name, empty where a controller chooses it.
        labels: its labels.
    """

    kind: str
    group: str
    plural: str
    namespace: str
    wide: bool
    name: str
    labels: Mapping[str, str]


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
        excluded=(),
        spaces=(one.get("namespaceSelector") or {},),
        objects=(one.get("objectSelector") or {},),
        conditions=_conditions(one),
        moved_before=annotation(given, MIGRATION) is not None,
    )


def _policy(kind: str, policy: Raw, binding: Raw) -> Hook:
    spec, bound, name = policy.get("spec") or {}, binding.get("spec") or {}, str(policy["metadata"]["name"])
    wide, narrow = spec.get("matchConstraints") or {}, bound.get("matchResources") or {}
    return Hook(
        name=f"{kind} {name} (binding {binding['metadata']['name']})",
        key=(kind, name, str(binding["metadata"]["name"])),
        changes=kind.startswith("Mutating"),
        fails=spec.get("failurePolicy") != "Ignore",
        rules=tuple(narrow.get("resourceRules") or wide.get("resourceRules") or ()),
        excluded=(*(wide.get("excludeResourceRules") or ()), *(narrow.get("excludeResourceRules") or ())),
        spaces=tuple(one.get("namespaceSelector") or {} for one in (wide, narrow)),
        objects=tuple(one.get("objectSelector") or {} for one in (wide, narrow)),
        conditions=_conditions(spec),
        actions=frozenset(bound.get("validationActions") or ("Deny",)),
        moved_before=annotation(policy, MIGRATION) is not None,
    )


def _conditions(given: Mapping[str, Any]) -> dict[str, str]:
    return {str(one.get("name")): str(one.get("expression")) for one in given.get("matchConditions") or ()}


def asked(obj: Raw, plurals: Mapping[tuple[str, str], str]) -> Iterator[Asked]:
    """Yield what admission is asked about when an object is created: itself, and the pods that it makes.

    Args:
        obj: the object.
        plurals: resource name in URLs by (apiVersion, kind).
    """
    meta, group = obj["metadata"], obj["apiVersion"].rpartition("/")[0]
    name, where = str(meta["name"]), str(meta.get("namespace") or "")
    space = name if (group, obj["kind"]) == ("", "Namespace") else where
    plural = plurals.get((obj["apiVersion"], obj["kind"]), "")
    yield Asked(str(obj["kind"]), group, plural, space, not where, name, meta.get("labels") or {})
    if pod_spec(obj) and obj["kind"] != "Pod":
        yield Asked("Pod", "", "pods", where, wide=False, name="", labels=pod_labels(obj))


def catches(hook: Hook, one: Asked, labels: Labels) -> bool:
    """Return whether a hook is asked about a creation, its conditions apart.

    Args:
        hook: webhook or policy.
        one: what is created.
        labels: the labels of each namespace.
    """
    if not _any_rule(hook.rules, one) or _any_rule(hook.excluded, one):
        return False
    of_space = labels.get(one.namespace, {NAME_LABEL: one.namespace})
    in_space = not one.namespace or all(selects(selector, of_space) for selector in hook.spaces)
    return in_space and all(selects(_knowable(selector, one), one.labels) for selector in hook.objects)


def _knowable(selector: Mapping[str, Any], one: Asked) -> Mapping[str, Any]:
    """Return a selector without the labels that a controller gives its pods."""
    if one.name:
        return selector
    labels = (selector.get("matchLabels") or {}).items()
    expressions = selector.get("matchExpressions") or ()
    return {
        "matchLabels": {key: value for key, value in labels if key not in _ADDED_BY_CONTROLLERS},
        "matchExpressions": [e for e in expressions if e.get("key") not in _ADDED_BY_CONTROLLERS],
    }


def _any_rule(rules: Rules, one: Asked) -> bool:
    """Return whether a rule is about creating this; versions do not matter, for matchPolicy is Equivalent."""
    return any(
        bool({"*", one.group} & set(rule.get("apiGroups") or ()))
        and bool({"*", "*/*", one.plural} & set(rule.get("resources") or ()))
        and bool({"*", "CREATE"} & set(rule.get("operations") or ()))
        and rule.get("scope") in (None, "*", "Cluster" if one.wide else "Namespaced")
        and (not rule.get("resourceNames") or one.name in rule["resourceNames"])
        for rule in rules
    )


def unlike(blue: Hook, green: Hook) -> tuple[str, ...]:
    """Return the names of the fields that decide what is asked about and differ, in the API's words."""
    pairs = (
        ("rules", _rules(blue.rules), _rules(green.rules)),
        ("excludeResourceRules", _rules(blue.excluded), _rules(green.excluded)),
        ("namespaceSelector", _selectors(blue.spaces), _selectors(green.spaces)),
        ("objectSelector", _selectors(blue.objects), _selectors(green.objects)),
    )
    return tuple(name for name, here, there in pairs if here != there)


def unlike_conditions(blue: Hook, green: Hook) -> tuple[str, ...]:
    """Return the names of the matchConditions that one side has and the other has not, or has otherwise."""
    names = sorted(blue.conditions.keys() | green.conditions.keys())
    return tuple(name for name in names if blue.conditions.get(name) != green.conditions.get(name))


def _rules(rules: Rules) -> frozenset[str]:
    """Return rules in a form in which order and defaults do not matter."""
    return frozenset(_text({"scope": "*", **{key: _sorted(value) for key, value in rule.items()}}) for rule in rules)


def _selectors(selectors: Sequence[Mapping[str, Any]]) -> list[str]:
    return [_text({**_labels(one), "e": sorted(map(_text, _expressions(one)))}) for one in selectors]


def _labels(selector: Mapping[str, Any]) -> dict[str, Any]:
    return {"l": selector.get("matchLabels") or {}}


def _expressions(selector: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    return ({key: _sorted(value) for key, value in one.items()} for one in selector.get("matchExpressions") or ())


def _sorted(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
