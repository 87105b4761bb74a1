"""What stands between an apply and the store in one cluster and not in the other. Pure.

Webhooks and policies are compared by name, by what of the moved objects they are asked about (rules and selectors), by
matchConditions and failurePolicy. How they would decide is for the server's dry run to say (`bluegreen plan`).
"""

from collections.abc import Iterable, Iterator

from bluegreen.assess.hooks import NAME_LABEL, Hook, asked, catches, hooks, unlike, unlike_conditions
from bluegreen.assess.quotas import shortages, unsaid, unsaid_words
from bluegreen.assess.surroundings import ADMISSION
from bluegreen.assess.wider import Wider
from bluegreen.model.findings import Finding, Severity
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ref_of

_LEVEL = "pod-security.kubernetes.io/enforce"
_LEVELS = ("privileged", "baseline", "restricted")
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


def different_hooks(wider: Wider) -> Iterator[Finding]:
    """Find webhooks and policies that match what is moved and are not the same in both clusters."""
    if any(kind not in side.objects for side in (wider.blue, wider.green) for kind in ADMISSION):
        return  # what could not be read is a gap, and half a comparison would be wrong
    blue, green = ({hook.key: hook for hook in hooks(side)} for side in (wider.blue, wider.green))
    moved = {(str(obj["kind"]), str(obj["metadata"]["name"])) for obj in wider.moved}
    creations = _Creations(wider)
    for key in sorted(green.keys() | blue.keys()):
        travels = key[:2] in moved
        if key in green and key in blue:
            if not (travels and green[key].moved_before):
                yield from _unlike(blue[key], green[key], creations)
        elif key in green and (caught := creations.kinds(creations.on_green(green[key]))):
            yield _added(green[key], caught)
        elif key in blue and not travels and (caught := creations.kinds(creations.on_blue(blue[key]))):
            yield _missing(blue[key], caught)


class _Creations:
    """What is created on green, and was on blue, one beside the other."""

    def __init__(self, wider: Wider) -> None:
        self._moved = [one for obj in wider.moved for one in asked(obj, wider.plurals)]
        before = [one for obj in wider.subject.objects for one in asked(obj, wider.plurals)]
        self._before = before if len(before) == len(self._moved) else self._moved
        self._there, self._here = _labels(wider), _labels_on_blue(wider)

    def on_green(self, hook: Hook) -> frozenset[int]:
        """Return the numbers of those that a hook of green is asked about."""
        return frozenset(n for n, one in enumerate(self._moved) if catches(hook, one, self._there))

    def on_blue(self, hook: Hook) -> frozenset[int]:
        """Return the numbers of those that a hook of blue was asked about."""
        return frozenset(n for n, one in enumerate(self._before) if catches(hook, one, self._here))

    def kinds(self, numbers: Iterable[int]) -> str:
        """Return the kinds of some of them, empty without one."""
        found = sorted({self._moved[number].kind for number in numbers})
        more = f" and {len(found) - _SHOWN} more kinds" if len(found) > _SHOWN else ""
        return ", ".join(found[:_SHOWN]) + more


def _labels(wider: Wider) -> dict[str, dict[str, str]]:
    """Return the labels that each namespace will have on green."""
    moved = (obj for obj in wider.moved if obj["kind"] == "Namespace")
    return _by_namespace((*wider.green.objects.get("Namespace", ()), *moved))


def _labels_on_blue(wider: Wider) -> dict[str, dict[str, str]]:
    moved = (obj for obj in wider.subject.objects if obj["kind"] == "Namespace")
    return _by_namespace((*moved, *wider.blue.objects.get("Namespace", ())))


def _by_namespace(spaces: Iterable[Raw]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for obj in spaces:
        name = str(obj["metadata"]["name"])
        found.setdefault(name, {NAME_LABEL: name}).update(obj["metadata"].get("labels") or {})
    return found


def _unlike(blue: Hook, green: Hook, creations: _Creations) -> Iterator[Finding]:
    """Yield one finding when a hook of both sides does not do the same to what is moved."""
    here, there = creations.on_blue(blue), creations.on_green(green)
    more, less, both = there - here, here - there, here & there
    fields = ", ".join(unlike(blue, green)) or "labels"
    told = [
        f"on the target only it is asked about {creations.kinds(more)} ({fields})" if more else "",
        f"on blue only it was asked about {creations.kinds(less)} ({fields})" if less else "",
        *(_behaviour(blue, green) if both or more else ()),
    ]
    milder = not more and not _stricter(blue, green) and not (less and green.changes)
    if said := [one for one in told if one]:
        yield Finding(
            "admission-differs",
            Severity.INFO if milder else Severity.WARNING,
            green.name,
            "; ".join(said),
            "see what it says to each object: bluegreen plan; or make it the same in both clusters",
        )


def _behaviour(blue: Hook, green: Hook) -> Iterator[str]:
    """Yield what differs in how it answers for what it is asked about on both sides."""
    if blue.fails is not green.fails:
        policy = {True: "Fail", False: "Ignore"}
        yield f"failurePolicy is {policy[green.fails]} on the target, {policy[blue.fails]} on blue"
    if blue.actions != green.actions:
        here, there = (", ".join(sorted(hook.actions)) for hook in (blue, green))
        yield f"validationActions are {there} on the target, {here} on blue"
    if conditions := unlike_conditions(blue, green):
        yield f"matchConditions differ ({', '.join(conditions[:_SHOWN])}), which only the server can judge"


def _stricter(blue: Hook, green: Hook) -> bool:
    """Return whether green may refuse what blue let pass."""
    fails = green.fails and not blue.fails
    denies = "Deny" in green.actions - blue.actions
    return fails or denies or bool(unlike_conditions(blue, green))


def _added(hook: Hook, kinds: str) -> Finding:
    does = "changes" if hook.changes else "judges"
    refuses = "; objects are refused when it does not answer" if hook.fails else ""
    reason = f"blue does not have it; it {does} what is moved ({kinds}){refuses}"
    return Finding(
        "admission-added", Severity.WARNING, hook.name, reason, "see what it says to each object: bluegreen plan"
    )


def _missing(hook: Hook, kinds: str) -> Finding:
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
    """Find quotas and limits that the namespaces have on green only, and quotas of green that do not suffice."""
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
    yield from _exceeded_quotas(wider)


def _exceeded_quotas(wider: Wider) -> Iterator[Finding]:
    ranges = wider.green.objects.get("LimitRange", ())
    for quota in wider.green.objects.get("ResourceQuota", ()):
        for key, refs in unsaid(quota, wider.moved, ranges).items():
            yield Finding(
                "quota-unsaid",
                Severity.WARNING,
                str(ref_of(quota)),
                unsaid_words(key, refs),
                "let every container say it, or make a LimitRange with a default for it on the target",
            )
        if short := shortages(quota, wider.moved, wider.counted, wider.plurals, ranges):
            yield Finding(
                "quota-exceeded",
                Severity.WARNING,
                str(ref_of(quota)),
                "; ".join(short),
                "raise it on the target before the import, or leave objects out",
            )
