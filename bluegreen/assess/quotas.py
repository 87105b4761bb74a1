"""How much the quotas of green still take, against how much more is brought.

It only reads, and keeps numbers, no values.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from bluegreen.assess.amounts import amount, words
from bluegreen.assess.gaps import attempt
from bluegreen.assess.pod_resources import Amounts, Defaults, defaults_of, pod_resources
from bluegreen.assess.pods import pod_spec
from bluegreen.assess.quota_scopes import scopes, takes
from bluegreen.assess.usage import Plurals, made_claims, usage, usage_by_pods
from bluegreen.model.ports import ApiResource, Cluster, Raw
from bluegreen.model.refs import ObjectRef, in_words, ref_of

_NONE = Decimal(0)
_MUST_SAY = {f"requests.{name}": {f"requests.{name}", name} for name in ("cpu", "memory")}
_MUST_SAY |= {key: {key} for key in ("limits.cpu", "limits.memory")}


def shortages(
    quota: Raw,
    objects: Iterable[Raw],
    already: Mapping[ObjectRef, Amounts],
    plurals: Plurals,
    ranges: Iterable[Raw] = (),
) -> list[str]:
    """Return each part of a quota that does not suffice, with the numbers.

    Args:
        quota: a ResourceQuota of green, with its status; where it moves along, the limits are those that come.
        objects: the objects as green will have them.
        already: what the same objects on green use by now, for that is within what is used.
        plurals: resource name in URLs by (apiVersion, kind).
        ranges: LimitRanges of green.
    """
    given = _with_claims(_in_namespace(objects, quota))
    defaults = _defaults(quota, given, ranges)
    more: dict[str, Decimal] = {}
    for obj in given:
        by_now = already.get(ref_of(obj), {})
        for key, value in _use(quota, obj, plurals, defaults).items():
            more[key] = more.get(key, _NONE) + max(value - by_now.get(key, _NONE), _NONE)
    used = (quota.get("status") or {}).get("used") or {}
    return [
        f"{key}: {words(key, amount(used.get(key)))} used and {words(key, more[key])} more of {hard}"
        for key, hard in sorted(_limits(_coming(quota, given)).items())
        if more.get(key) and amount(used.get(key)) + more[key] > amount(hard)
    ]


def unsaid(quota: Raw, objects: Iterable[Raw], ranges: Iterable[Raw] = ()) -> dict[str, list[ObjectRef]]:
    """Return what a quota wants every container to say, such as `limits.memory`, and the workloads that do not.

    No pod of those is taken, whatever the numbers, and the server refuses the pods alone, not the workloads.

    Args:
        quota: a ResourceQuota of green; where it moves along, what comes decides.
        objects: the objects as green will have them.
        ranges: LimitRanges of green.
    """
    given = list(_in_namespace(objects, quota))
    limits = _limits(_coming(quota, given)).keys()
    wanted = {key for key, names in _MUST_SAY.items() if names & limits}
    defaults = _defaults(quota, given, ranges)
    required, found = scopes(quota), dict[str, list[ObjectRef]]()
    for obj in given if wanted else ():
        spec = pod_spec(obj)
        silent = pod_resources(spec, defaults).unsaid & wanted
        for key in sorted(silent) if takes(required, spec, defaults) else ():
            found.setdefault(key, []).append(ref_of(obj))
    return found


def unsaid_words(key: str, refs: Sequence[ObjectRef]) -> str:
    """Return in words what a quota wants to be said and who does not."""
    return f"not every container of {in_words(refs)} says {key}, and it takes no such pod"


def count_already(
    green: Cluster,
    resources: Iterable[ApiResource],
    quotas: Iterable[Raw],
    objects: Sequence[Raw],
    gaps: dict[str, str],
    *,
    ranges: Sequence[Raw] = (),
) -> dict[ObjectRef, Amounts]:
    """Return what objects that are to be moved use on green by now, where a quota limits it.

    Args:
        green: where they go.
        resources: what it serves.
        quotas: its ResourceQuotas.
        objects: the objects as green will have them.
        gaps: told what could not be read.
        ranges: its LimitRanges.
    """
    served = {(r.api_version, r.kind): r for r in resources}
    plurals = {key: resource.plural for key, resource in served.items()}
    wanted: dict[tuple[str, str, str], dict[ObjectRef, Defaults]] = {}
    for quota in quotas:
        given = _with_claims(_in_namespace(objects, quota))
        limited = _limits(_coming(quota, given)).keys()
        defaults = _defaults(quota, given, ranges)
        for obj in given if limited else ():
            ref = ref_of(obj)
            if (ref.api_version, ref.kind) in served and limited & _use(quota, obj, plurals, defaults).keys():
                wanted.setdefault((ref.api_version, ref.kind, ref.namespace), {})[ref] = defaults

    def read(resource: ApiResource, namespace: str, refs: Mapping[ObjectRef, Defaults]) -> dict[ObjectRef, Amounts]:
        there = ((ref_of(obj), obj) for obj in green.list(resource, namespace))
        return {ref: usage(obj, plurals, refs[ref]) for ref, obj in there if ref in refs}

    found: dict[ObjectRef, Amounts] = {}
    for (version, kind, namespace), refs in wanted.items():
        one = functools.partial(read, served[version, kind], namespace, refs)
        found |= attempt(one, f"{kind} in {namespace} of green", gaps) or {}
    return found


def _coming(quota: Raw, objects: Iterable[Raw]) -> Raw:
    """Return a quota as the import makes it: quotas are applied before what they count (decision 0002)."""
    return next((obj for obj in objects if ref_of(obj) == ref_of(quota)), quota)


def _limits(quota: Raw) -> dict[str, Any]:
    """Return what a quota limits."""
    spec, status = quota.get("spec") or {}, quota.get("status") or {}
    return dict(status.get("hard") or spec.get("hard") or {})


def _use(quota: Raw, obj: Raw, plurals: Plurals, defaults: Defaults) -> Amounts:
    """Return what an object uses of a quota: of one with scopes only its pods do, and only some."""
    if not (required := scopes(quota)):
        return usage(obj, plurals, defaults)
    return usage_by_pods(obj, defaults) if takes(required, pod_spec(obj), defaults) else {}


def _defaults(quota: Raw, objects: Iterable[Raw], ranges: Iterable[Raw]) -> Defaults:
    """Return the defaults of the quota's namespace as they will be: LimitRanges come before workloads, too."""
    coming = [obj for obj in objects if (obj["apiVersion"], obj["kind"]) == ("v1", "LimitRange")]
    there = {ref_of(one): one for one in (*_in_namespace(ranges, quota), *coming)}
    return defaults_of(there.values())


def _in_namespace(objects: Iterable[Raw], quota: Raw) -> Iterator[Raw]:
    return (obj for obj in objects if obj["metadata"].get("namespace") == quota["metadata"].get("namespace"))


def _with_claims(objects: Iterable[Raw]) -> list[Raw]:
    """Return objects with the claims that StatefulSets make, each once: most are among the objects already."""
    given = list(objects)
    known = {ref_of(obj): obj for obj in given}
    for obj in given:
        if obj["kind"] == "StatefulSet":
            for claim in made_claims(obj):
                known.setdefault(ref_of(claim), claim)
    return list(known.values())
