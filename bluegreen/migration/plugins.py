"""Adapters by entry point, so that the core never imports one.

One that fails to load is a state with a reason, not a crash of a command that does not need it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from bluegreen.model.errors import RefusedError

GROUPS = ("bluegreen.routers", "bluegreen.probes", "bluegreen.movers", "bluegreen.notifiers")


@dataclass(frozen=True, slots=True)
class AdapterState:
    """One registered adapter and whether it loads.

    Attributes:
        group: entry-point group.
        name: name in the config.
        source: distribution and version that registers it.
        state: ready, or unavailable.
        reason: why it does not load, empty when it does.
    """

    group: str
    name: str
    source: str
    state: str
    reason: str


def adapter_states() -> tuple[AdapterState, ...]:
    """Return every registered adapter with its state."""
    found = [point for group in GROUPS for point in entry_points(group=group)]
    return tuple(_state(point) for point in sorted(found, key=lambda p: (p.group, p.name)))


def _state(point: EntryPoint) -> AdapterState:
    """Try to load one adapter."""
    source = f"{point.dist.name} {point.dist.version}" if point.dist else "unknown"
    try:
        point.load()
    except Exception as error:  # noqa: BLE001 - whatever a third party's import raises is its state
        return AdapterState(point.group, point.name, source, "unavailable", f"{type(error).__name__}: {error}")
    return AdapterState(point.group, point.name, source, "ready", "")


def load_adapter(group: str, name: str) -> Any:
    """Return the factory of an adapter.

    Raises:
        RefusedError: no such adapter, or it fails to load.
    """
    known: Mapping[str, EntryPoint] = {point.name: point for point in entry_points(group=group)}
    kind = group.removeprefix("bluegreen.").removesuffix("s")
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(sorted(known)) or 'none'}"
        raise RefusedError(
            "adapter.unknown", f"loading the {kind} {name!r}", f"not installed; {hint}", "bluegreen adapters list"
        )
    try:
        return known[name].load()
    except Exception as error:
        raise RefusedError(
            "adapter.unavailable",
            f"loading the {kind} {name!r}",
            f"{type(error).__name__}: {error}",
            "bluegreen adapters list",
        ) from error
