"""What an adapter must be allowed to do, asked of the module that its entry point names; third parties' the same way.

It loads the module and reads its PERMISSIONS. An adapter that has none, or does not load, is a state with a reason.
"""

import importlib
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points

from bluegreen.migration.plugins import GROUPS
from bluegreen.model.errors import RefusedError, clean_text
from bluegreen.model.permissions import Permissions

ATTRIBUTE = "PERMISSIONS"
PORTS = tuple(group.removeprefix("bluegreen.") for group in GROUPS)


@dataclass(frozen=True, slots=True)
class Needed:
    """What one adapter needs.

    Attributes:
        port: routers, probes, movers or notifiers.
        name: name in the config.
        source: distribution and version that registers it.
        permissions: None when the adapter does not say.
        loaded: whether its module could be loaded.
        reason: why there are no permissions, empty when there are.
    """

    port: str
    name: str
    source: str
    permissions: Permissions | None
    loaded: bool = True
    reason: str = ""


def permissions_of(name: str, port: str = "") -> tuple[Needed, ...]:
    """Return what the adapters of a name need, one for each port that has it.

    Args:
        name: name in the config.
        port: one of PORTS, empty for all.

    Raises:
        RefusedError: no adapter has that name there; suggests the nearest.
    """
    groups = [f"bluegreen.{one}" for one in PORTS if port in {"", one}]
    points = [point for group in groups for point in sorted(entry_points(group=group), key=lambda p: p.name)]
    found = tuple(_needed(point) for point in points if point.name == name)
    if found:
        return found
    known = sorted({point.name for point in points})
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known) or 'none'}"
    where = f" among the {port}" if port else ""
    raise RefusedError(
        "adapter.unknown",
        f"looking for the adapter {name!r}{where}",
        f"not installed; {hint}",
        "bluegreen adapters list",
    )


def _needed(point: EntryPoint) -> Needed:
    """Load the module of one adapter and read what it says."""
    source = f"{point.dist.name} {point.dist.version}" if point.dist else "unknown"
    port = point.group.removeprefix("bluegreen.")
    try:
        said = getattr(importlib.import_module(point.module), ATTRIBUTE, None)
    except Exception as error:  # noqa: BLE001 - whatever a third party's import raises is its state
        why = clean_text(f"{type(error).__name__}: {error}")
        return Needed(port, point.name, source, None, loaded=False, reason=f"it does not load: {why}")
    if isinstance(said, Permissions):
        return Needed(port, point.name, source, said)
    why = f"{point.module} has no {ATTRIBUTE}; ask who made it, {source}"
    if said is not None:
        why = f"{ATTRIBUTE} of {point.module} is a {type(said).__name__}, not bluegreen.model.permissions.Permissions"
    return Needed(port, point.name, source, None, reason=why)
