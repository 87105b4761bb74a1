"""Whether blue can take the users back: asked before every revert (law 4) and before green is blamed.

It never says healthy without data. Unlike the gate it looks at the last half minute first: who stands in the rain
does not ask for the year's average.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from bluegreen.model.refs import Side
from bluegreen.slo.objectives import Objective
from bluegreen.slo.window import SILENT_SECONDS, Window, Windows

_CLEARLY_BETTER = 0.5


class Health(enum.StrEnum):
    """What is known of a side."""

    HEALTHY = "healthy"
    SICK = "sick"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class BlueHealth:
    """The state of blue with its reasons.

    Attributes:
        health: HEALTHY, SICK or UNKNOWN.
        reasons: one line per objective that is not healthy.
    """

    health: Health
    reasons: tuple[str, ...] = ()


def violates(window: Window, side: Side) -> bool:
    """Return whether a side breaks the objective, lately or as far as it is judged; one bad request alone does not."""
    budget, judged, recent = window.objective.budget, window.judged(side), window.recent(side)
    return any(
        seen.bad_share > budget and (seen.bad > 1 or seen.bad == seen.total) for seen in (recent, judged) if seen.total
    )


def blue_health(objectives: Sequence[Objective], windows: Windows, now: float) -> BlueHealth:
    """Return whether blue is fit to serve everybody.

    One sick objective makes blue sick; without that, one healthy objective makes it healthy.

    Args:
        objectives: what is asked of a healthy side.
        windows: a window per objective name.
        now: monotonic seconds.
    """
    found = [_of(windows[objective.name], now) for objective in objectives]
    healths = {health for health, _ in found}
    reasons = tuple(reason for health, reason in found if health is not Health.HEALTHY)
    for health in (Health.SICK, Health.HEALTHY):
        if health in healths:
            return BlueHealth(health, reasons)
    return BlueHealth(Health.UNKNOWN, reasons or ("no objective looks at blue",))


def _of(window: Window, now: float) -> tuple[Health, str]:
    """Return blue's health by one objective, with the reason if it is not healthy."""
    name, blue, recent = window.objective.name, window.tallies[Side.BLUE], window.recent(Side.BLUE)
    if blue.broken:
        return Health.UNKNOWN, f"{name}: the probe cannot see blue: {blue.broken}"
    if not recent.total or now - blue.heard_at >= SILENT_SECONDS:
        return Health.UNKNOWN, f"{name}: no request has reached blue lately"
    if violates(window, Side.BLUE) and not _better_than_green(window):
        return Health.SICK, f"{name}: {recent.bad} of {recent.total} requests to blue were bad ({blue.example})"
    return Health.HEALTHY, ""


def _better_than_green(window: Window) -> bool:
    """Return whether going back helps although blue is not perfect: it fails less than half as often as green."""
    blue, green = window.recent(Side.BLUE), window.recent(Side.GREEN)
    return blue.bad_share < _CLEARLY_BETTER * green.bad_share
