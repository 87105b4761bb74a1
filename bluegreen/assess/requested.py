"""Deprecated APIs that clients ask blue for, as its API server counts them, and what green makes of them. Pure.

The objects move in one version whatever clients speak; it is the clients that break, so nothing here is a blocker.
"""

from collections.abc import Iterator

from bluegreen.assess.checks import definitions_served
from bluegreen.assess.wider import Wider
from bluegreen.model.findings import Finding, Severity


def requested_apis(wider: Wider) -> Iterator[Finding]:
    """Find APIs that somebody asked blue for and green does not serve, or will not for long.

    What green lacks and a definition that moves along serves is no finding: the import brings it.
    """
    brought = {(one.group, one.version, one.plural) for one in definitions_served(wider.moved)} & wider.unserved
    seen: set[tuple[str, str, str]] = set(brought)
    for labels in wider.blue.requested or ():
        key = (labels.get("group", ""), labels.get("version", ""), labels.get("resource", ""))
        if key not in seen:
            seen.add(key)
            yield _finding(key, labels.get("removed_release", ""), unserved=key in wider.unserved)


def _finding(key: tuple[str, str, str], removed: str, *, unserved: bool) -> Finding:
    group, version, resource = key
    name = f"{resource} of {group + '/' if group else ''}{version}"
    asked = "clients asked blue for it since its API server started (one server's count; the clients are not named)"
    gone = f"; Kubernetes removes it in {removed}" if removed else ""
    if unserved:
        return Finding(
            "requested-api-not-served",
            Severity.WARNING,
            name,
            f"{asked}, and the target does not serve it",
            "find them by the audit annotation k8s.io/deprecated on blue, and let them use a version of the target",
        )
    return Finding(
        "requested-api-deprecated",
        Severity.INFO,
        name,
        f"{asked}; the target still serves it{gone}",
        "find them by the audit annotation k8s.io/deprecated on blue, before the target is upgraded",
    )
