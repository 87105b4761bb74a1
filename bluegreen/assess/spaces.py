"""Target namespaces that green is deleting: the API server creates nothing in them, so an import would stop. Pure."""

from collections.abc import Iterator

from bluegreen.assess.wider import Wider, namespaces
from bluegreen.model.findings import Finding, Severity
from bluegreen.model.ports import Raw

_LONGEST = 256


def being_deleted(wider: Wider) -> Iterator[Finding]:
    """Find target namespaces that are being deleted on green, by their names there."""
    wanted = namespaces(wider.moved)
    for space in wider.green.objects.get("Namespace", ()):
        name = str(space["metadata"]["name"])
        if name in wanted and _is_going(space):
            yield _going(name, space, wider.green.context)


def _is_going(space: Raw) -> bool:
    phase = (space.get("status") or {}).get("phase")
    return bool(space["metadata"].get("deletionTimestamp")) or phase == "Terminating"


def _going(name: str, space: Raw, context: str) -> Finding:
    since = space["metadata"].get("deletionTimestamp")
    held = "; ".join(_what_holds(space))[:_LONGEST]
    ask = f"kubectl --context {context} get namespace {name}"
    return Finding(
        "namespace-terminating",
        Severity.BLOCKER,
        f"Namespace {name}",
        f"the target is deleting it{f' since {since}' if since else ''}, so nothing can be created in it"
        + (f"; what is left: {held}" if held else ""),
        f"wait until it is gone ({ask}); if it stays, see what keeps it, such as finalizers: {ask} -o yaml",
    )


def _what_holds(space: Raw) -> Iterator[str]:
    """Yield what the namespace controller still waits for, and finalizers of others on the namespace itself."""
    for one in (space.get("status") or {}).get("conditions") or ():
        if one.get("status") == "True" and one.get("message"):
            yield str(one["message"])
    for name in space["metadata"].get("finalizers") or ():
        yield f"finalizer {name}"
