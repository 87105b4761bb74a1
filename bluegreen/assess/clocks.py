"""Clocks of both clusters against ours and each other, and of the nodes against their own cluster. Pure.

Certificates, tokens, leases and Velero's stamps of time all go wrong by a skewed clock, and none of them says so.
"""

from collections.abc import Iterator
from datetime import datetime

from bluegreen.assess.surroundings import Surroundings
from bluegreen.assess.wider import Wider
from bluegreen.model.findings import Finding, Severity

TOLERATED_SECONDS = 10.0
_LEASE_SECONDS = 40


def skewed_clocks(wider: Wider) -> Iterator[Finding]:
    """Find clocks that are further off than can be explained."""
    sides = [side for side in (wider.blue, wider.green) if side.clock is not None]
    for side in sides:
        if side.clock and abs(side.clock.ahead) - side.clock.unsure > TOLERATED_SECONDS:
            yield _skew(f"API server of {side.side}", side.clock.ahead, "this machine's clock")
    yield from _between(wider.blue, wider.green)
    for side in sides:
        yield from _nodes(side)


def _between(blue: Surroundings, green: Surroundings) -> Iterator[Finding]:
    if blue.clock is None or green.clock is None:
        return
    apart = green.clock.ahead - blue.clock.ahead
    if abs(apart) - blue.clock.unsure - green.clock.unsure > TOLERATED_SECONDS:
        yield _skew("API server of green", apart, "blue's")


def _nodes(side: Surroundings) -> Iterator[Finding]:
    """Find ready nodes whose lease was renewed in the future, or long ago: their clock is off, for they do renew it."""
    ready = {str(node["metadata"]["name"]) for node in side.objects.get("Node", ()) if _is_ready(node)}
    for lease in side.objects.get("Lease", ()):
        name, spec = str(lease["metadata"]["name"]), lease.get("spec") or {}
        renewed = _time(spec.get("renewTime"))
        if name not in ready or renewed is None or side.clock is None:
            continue
        ahead = (renewed - side.clock.at).total_seconds()
        lag = int(spec.get("leaseDurationSeconds") or _LEASE_SECONDS)
        if not -lag - TOLERATED_SECONDS <= ahead <= TOLERATED_SECONDS:
            yield _skew(f"node {name} of {side.side}", ahead, "its API server's, as its lease says")


def _is_ready(node: dict[str, object]) -> bool:
    status = node.get("status")
    conditions = status.get("conditions") if isinstance(status, dict) else None
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions or ())


def _time(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def _skew(what: str, ahead: float, of: str) -> Finding:
    way = "ahead of" if ahead > 0 else "behind"
    return Finding(
        "clock-skew",
        Severity.WARNING,
        what,
        f"its clock is {abs(ahead):.0f} s {way} {of}",
        "let all clocks follow the same time servers (chronyc tracking, timedatectl)",
    )
