"""What the routes of a configuration serve now, looked at by hand: once, or again and again for what changes.

It only reads. A route that cannot be opened or read is a seen thing with its reason; it never hides the others, and
all are asked at the same time, so that one that hangs does not hold them up.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from bluegreen.config.models import Migration, Route
from bluegreen.config.suggestions import did_you_mean
from bluegreen.migration.connect import open_router
from bluegreen.model.errors import BluegreenError, InvalidInputError, clean_text
from bluegreen.model.ports import MarkedRouter, TrafficRouter, Weights


@dataclass(frozen=True, slots=True)
class Seen:
    """One route as it was found.

    Attributes:
        name: name of the route.
        router: adapter that reads it.
        weights: what is served, None when it could not be read.
        resolution: positions that the backend has between 0 and 100 %, 0 when not known.
        settle_seconds: shortest time after which a written weight has taken effect, None when not known.
        settled: whether what is written is what is served, None when that could not be found out.
        owner: whose mark it carries, empty for nobody's or where the backend has no marks.
        code: code of what went wrong, empty when nothing did.
        fault: what went wrong, in one line.
        next_step: what to type next.
    """

    name: str
    router: str
    weights: Weights | None = None
    resolution: int = 0
    settle_seconds: float | None = None
    settled: bool | None = None
    owner: str = ""
    code: str = ""
    fault: str = ""
    next_step: str = ""

    @property
    def essence(self) -> tuple[Any, ...]:
        """Return what must differ for a change; the words of a fault may differ from look to look."""
        return self.weights, self.settled, self.owner, self.code

    def to_json(self) -> dict[str, Any]:
        """Return the route as JSON data."""
        return {
            "name": self.name,
            "router": self.router,
            "blue": self.weights.blue if self.weights else None,
            "green": self.weights.green if self.weights else None,
            "resolution": self.resolution or None,
            "settleSeconds": self.settle_seconds,
            "settled": self.settled,
            "owner": self.owner,
            "error": {"code": self.code, "message": self.fault, "next": self.next_step} if self.code else None,
        }


def chosen(config: Migration, names: Sequence[str]) -> tuple[Route, ...]:
    """Return the routes of those names, all of them without a name.

    Raises:
        InvalidInputError: a name that no route has; suggests the nearest.
    """
    known = [route.name for route in config.routes]
    reasons = tuple(
        f"no route is named {name!r}{did_you_mean(name, known) or '; there are ' + ', '.join(known)}"
        for name in names
        if name not in known
    )
    if reasons:
        raise InvalidInputError("traffic.no-route", "choosing routes", reasons, "bluegreen traffic show")
    return tuple(route for route in config.routes if not names or route.name in names)


@dataclass(slots=True)
class Lookout:
    """Routes that are looked at; a router is opened once, and again when that failed.

    Attributes:
        config: the configuration.
        routes: what is looked at.
    """

    config: Migration
    routes: tuple[Route, ...]
    _open: dict[str, TrafficRouter] = field(default_factory=dict)

    def look(self) -> tuple[Seen, ...]:
        """Return every route as it is now, in the order of the configuration."""
        with ThreadPoolExecutor(max_workers=max(len(self.routes), 1)) as pool:
            return tuple(pool.map(self._look, self.routes))

    def _look(self, route: Route) -> Seen:
        seen = Seen(route.name, route.router)
        try:
            router = self._router(route)
            weights = router.read()
            seen = replace(seen, weights=weights, resolution=router.resolution)
            seen = replace(seen, settle_seconds=float(router.settle_seconds), owner=owner_of(router))
            return replace(seen, settled=router.settled(weights))
        except BluegreenError as error:
            return replace(seen, code=error.code, fault=str(error), next_step=error.next_step)
        except Exception as error:  # noqa: BLE001 - a fault of one adapter must not hide the other routes
            return replace(seen, code="adapter.fault", fault=clean_text(f"{type(error).__name__}: {error}"))

    def _router(self, route: Route) -> TrafficRouter:
        if route.name not in self._open:
            self._open[route.name] = open_router(route, self.config)
        return self._open[route.name]


def owner_of(router: TrafficRouter) -> str:
    """Return whose mark a route carries, empty where there is none or the backend has no marks."""
    return router.marked_by() if isinstance(router, MarkedRouter) else ""


@dataclass(frozen=True, slots=True)
class Glance:
    """One look at all routes.

    Attributes:
        at: UTC time of day.
        routes: every route.
        changed: those that are not as they were at the look before; all of them at the first.
    """

    at: str
    routes: tuple[Seen, ...]
    changed: tuple[Seen, ...]


def glances(
    lookout: Lookout, interval: float, sleep: Callable[[float], None], now: Callable[[], str]
) -> Iterator[Glance]:
    """Yield a look at all routes again and again, without an end.

    Args:
        lookout: what to look at.
        interval: seconds between the end of a look and the next.
        sleep: waits that many seconds.
        now: returns the UTC time of day.
    """
    before: dict[str, tuple[Any, ...]] = {}
    while True:
        routes = lookout.look()
        changed = tuple(seen for seen in routes if before.get(seen.name) != seen.essence)
        before = {seen.name: seen.essence for seen in routes}
        yield Glance(now(), routes, changed)
        sleep(interval)
