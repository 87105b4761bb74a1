"""What the controllers of an HTTPRoute's parents have said about it, as the route's status holds it.

Pure. A condition counts only for the generation that it was made for: a controller that has not looked at the newest
spec has said nothing about it. It must never take silence for consent.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bluegreen.model.ports import Raw
from bluegreen_adapters.gateway_route import UnfitRouteError

_GROUP = "gateway.networking.k8s.io"
_WANTED = ("Accepted", "ResolvedRefs")


def parents(route: Raw, named: Sequence[str] = ()) -> tuple[Mapping[str, Any], ...]:
    """Return the parentRefs that must take the route.

    Args:
        route: the HTTPRoute.
        named: name or namespace/name of each; empty for all.

    Raises:
        UnfitRouteError: it has no parent, or none of that name.
    """
    home = route["metadata"]["namespace"]
    refs = route["spec"].get("parentRefs") or []
    called = [{ref["name"], f"{ref.get('namespace') or home}/{ref['name']}"} for ref in refs]
    missing = [name for name in named if not any(name in names for names in called)]
    if missing or not refs:
        has = ", ".join(ref["name"] for ref in refs) or "none, so no Gateway serves it"
        wanted = f"no parent {', '.join(missing)}; " if missing else ""
        raise UnfitRouteError("gateway.no-parent", f"{wanted}spec.parentRefs has: {has}")
    return tuple(ref for ref, names in zip(refs, called, strict=True) if not named or names & set(named))


def doubts(route: Raw, wanted: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return every reason why the newest spec is not known to be taken by every parent; empty is good."""
    generation, home = int(route["metadata"].get("generation", 0)), route["metadata"]["namespace"]
    found = []
    for ref in wanted:
        statuses = list(_statuses(route, ref))
        if not statuses:
            found.append(f"{_told(ref, home)} has said nothing")
        found += [
            f"{_told(ref, home)}: {doubt}"
            for status in statuses
            for kind in _WANTED
            if (doubt := _doubt(_condition(status, kind), kind, generation))
        ]
    return tuple(found)


def unresolved(route: Raw, wanted: Sequence[Mapping[str, Any]]) -> str:
    """Return why a parent cannot find a backend of the newest spec, in its words; empty when none says so."""
    generation = int(route["metadata"].get("generation", 0))
    for ref in wanted:
        for status in _statuses(route, ref):
            condition = _condition(status, "ResolvedRefs")
            if condition.get("status") == "False" and _is_current(condition, generation):
                return f"{condition.get('reason', '')}: {condition.get('message', '')}"
    return ""


def _statuses(route: Raw, ref: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what each controller has said of a parent."""
    home = route["metadata"]["namespace"]
    for status in (route.get("status") or {}).get("parents") or []:
        if _identity(status.get("parentRef") or {}, home) == _identity(ref, home):
            yield status


def _identity(ref: Mapping[str, Any], home: str) -> tuple[Any, ...]:
    """Return what tells one parentRef from another, defaults filled in."""
    given = (ref.get("group", _GROUP), ref.get("kind", "Gateway"), ref.get("namespace") or home, ref.get("name"))
    return (*given, ref.get("sectionName"), ref.get("port"))


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    return next((found for found in status.get("conditions") or [] if found.get("type") == kind), {})


def _is_current(condition: Mapping[str, Any], generation: int) -> bool:
    return int(condition.get("observedGeneration", 0)) >= generation


def _doubt(condition: Mapping[str, Any], kind: str, generation: int) -> str:
    if not condition:
        return f"no condition {kind}"
    if not _is_current(condition, generation):
        return f"{kind} is about generation {condition.get('observedGeneration', 'none')}, and this is {generation}"
    if condition.get("status") != "True":
        return f"{kind} is {condition.get('status')}: {condition.get('reason', '')} {condition.get('message', '')}"
    return ""


def _told(ref: Mapping[str, Any], home: str) -> str:
    section = f" listener {ref['sectionName']}" if ref.get("sectionName") else ""
    return f"{ref.get('kind', 'Gateway')} {ref.get('namespace') or home}/{ref['name']}{section}"
