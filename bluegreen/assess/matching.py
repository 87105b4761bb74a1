"""Label selectors and node terms, as the API server and the scheduler match them. Pure.

An expression that we do not know matches: a check shall not warn because of its own ignorance.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bluegreen.model.ports import Raw


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Return whether a label selector (matchLabels, matchExpressions) matches; none or an empty one matches all."""
    wanted = (selector or {}).get("matchLabels") or {}
    return wanted.items() <= labels.items() and _all(labels, (selector or {}).get("matchExpressions") or ())


def any_term(terms: Iterable[Mapping[str, Any]], node: Raw) -> bool:
    """Return whether one of the nodeSelectorTerms matches a node; a term without expressions matches none."""
    labels = node["metadata"].get("labels") or {}
    fields = {"metadata.name": str(node["metadata"].get("name", ""))}
    return any(
        bool(term.get("matchExpressions") or term.get("matchFields"))
        and _all(labels, term.get("matchExpressions") or ())
        and _all(fields, term.get("matchFields") or ())
        for term in terms
    )


def tolerates(spec: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    """Return whether a pod specification tolerates a taint of a node."""
    return any(
        one.get("effect") in (None, "", taint.get("effect"))
        and one.get("key") in (None, "", taint.get("key"))
        and (one.get("operator") == "Exists" or str(one.get("value") or "") == str(taint.get("value") or ""))
        for one in spec.get("tolerations") or ()
    )


def expressions_words(terms: Iterable[Mapping[str, Any]]) -> str:
    """Return nodeSelectorTerms for people."""
    told = [
        " and ".join(
            f"{e.get('key')} {e.get('operator')} {','.join(map(str, e.get('values') or ()))}".strip()
            for e in (*(term.get("matchExpressions") or ()), *(term.get("matchFields") or ()))
        )
        for term in terms
    ]
    return " or ".join(told)


def _all(labels: Mapping[str, str], expressions: Iterable[Mapping[str, Any]]) -> bool:
    return all(_holds(labels, one) for one in expressions)


def _holds(labels: Mapping[str, str], one: Mapping[str, Any]) -> bool:
    key, values = str(one.get("key", "")), [str(v) for v in one.get("values") or ()]
    match one.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case "Gt" | "Lt" as operator:
            return _compares(labels.get(key, ""), values[0] if values else "", more=operator == "Gt")
        case _:
            return True


def _compares(there: str, wanted: str, *, more: bool) -> bool:
    try:
        return int(there) > int(wanted) if more else int(there) < int(wanted)
    except ValueError:
        return False
