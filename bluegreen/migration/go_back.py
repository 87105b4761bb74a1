"""Traffic back to blue because a person says so: at once, step by step, or one route.

It needs the routes and the probes only, since the cluster that is left may be the one that broke; a route that is an
object of a cluster needs that one's API. Blue must be healthy (law 4). A run that is under way is told to go back
itself, for two writers are a defect.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bluegreen.config.models import Migration
from bluegreen.migration.command import is_running, order
from bluegreen.migration.connect_back import Back, connect_back
from bluegreen.migration.journal import Journal, Listener, utc_now
from bluegreen.migration.lock import MigrationLock
from bluegreen.migration.look import chosen
from bluegreen.migration.objectives import objectives_of
from bluegreen.migration.stages import steps_of
from bluegreen.migration.store import Store, stores
from bluegreen.migration.unfit import next_step, words
from bluegreen.model.errors import BluegreenError, LockedError, RefusedError, TransientError
from bluegreen.model.events import Emit, Event
from bluegreen.model.ports import TrafficRouter, Weights
from bluegreen.slo.health import BlueHealth, Health
from bluegreen.traffic import controller, weights
from bluegreen.traffic.feed import Watch
from bluegreen.traffic.pace import Pace

WITHIN_SECONDS = 60.0
_REASON = "a person asked for it"
_ENDED_SECONDS = 120.0
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Way:
    """How to go back.

    Attributes:
        gradual: take the steps backwards, each held while blue is looked at, instead of one jump.
        routes: names of the routes that go back; empty for all.
    """

    gradual: bool = False
    routes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Trip:
    """What one way back works with."""

    config: Migration
    routers: tuple[TrafficRouter, ...]
    watches: tuple[Watch, ...]
    pace: Pace
    emit: Emit

    def look(self) -> BlueHealth:
        """Look at blue."""
        return controller.check_blue(self.watches, objectives_of(self.config), pace=self.pace, emit=self.emit)


def go_back(
    config: Migration,
    root: Path,
    listener: Listener,
    way: Way = Way(),
    sleep: Callable[[float], None] = time.sleep,
) -> Store | None:
    """Send traffic to blue and note it in the migration it belongs to.

    Args:
        config: the configuration with routes and probes.
        root: directory of all migrations' state.
        listener: is told every event.
        way: how, and which routes.
        sleep: waits that many seconds.

    Returns:
        the migration that was ended by it, None when none is known here, or only some routes went back.

    Raises:
        InvalidInputError: no route could be opened, or a route is not known.
        LockedError: a process runs the migration and cannot do this for us.
        RefusedError: blue is not known to be healthy, and the weights stay; or a route could not be opened, and the
            others are back.
        TransientError: a route could not be reached in time; the others are back.
    """
    chosen(config, way.routes)
    store = _belongs_to(config, root)
    if store is not None and not store.outcome() and is_running(store, root):
        _order(store, root, way, sleep)
        if store.outcome() != "migrated":
            return store
    back = connect_back(config, way.routes)
    if store is not None:
        manifest = store.manifest()
        MigrationLock(root, (manifest.blue.uid, manifest.green.uid), utc_now()).hold()
    emit = _emitter(store, listener)
    for name, reason in back.left.items():
        emit("notice", text=f"route {name} cannot be opened and stays as it is: {reason}")
    watches = tuple(Watch(back.probes[probe.name], probe.interval) for probe in config.probes)
    _travel(_Trip(config, back.routers, watches, Pace(time.monotonic, sleep), emit), gradual=way.gradual)
    if back.left:
        raise _not_all(back)
    if len(back.routers) < len(config.routes):
        return None
    emit("run.finished", outcome="reverted", exit_code=0, reason=_REASON, next="")
    return store


def _travel(trip: _Trip, *, gradual: bool) -> None:
    """Send the way's routes to blue and take our marks off those that have arrived."""
    if gradual:
        _walk(trip)
    try:
        _jump(trip)
    except TransientError:  # a route is left, and its error goes on; the others have no more use for their marks
        weights.let_go([router for router in trip.routers if _on_blue(router)], trip.emit)
        raise
    weights.let_go(trip.routers, trip.emit)


def _not_all(back: Back) -> RefusedError:
    there, reasons = ", ".join(router.name for router in back.routers), "; ".join(back.left.values())
    return RefusedError(
        "revert.left",
        "sending everybody back to blue",
        f"not back: {', '.join(back.left)}; back are: {there}; {reasons}",
        "mend the settings of the route, then: bluegreen revert",
    )


def _order(store: Store, root: Path, way: Way, sleep: Callable[[float], None]) -> None:
    """Let the process that runs the migration go back, and wait until it has ended; it may have arrived just before."""
    if way != Way():
        raise LockedError(
            "revert.running",
            f"sending traffic back in {store.path.name}",
            "a process runs it, and goes back at once and with all routes only",
            "bluegreen abort; or stop that process with Ctrl-C first",
        )
    order(store, root, "abort", "bluegreen revert")
    for _ in range(round(_ENDED_SECONDS / _POLL_SECONDS)):
        if store.outcome() and not is_running(store, root):
            return
        sleep(_POLL_SECONDS)
    raise LockedError(
        "revert.not-heard",
        f"waiting for the process that runs {store.path.name}",
        f"it has not gone back within {_ENDED_SECONDS:.0f} s",
        "bluegreen status; end that process, then: bluegreen revert",
    )


def _jump(trip: _Trip) -> None:
    """Send all the way's routes to blue in one jump."""

    def told(name: str, /, **data: object) -> None:
        trip.emit(name, **({"reason": _REASON} if name == "revert.started" else {}), **data)

    back = weights.revert(trip.routers, trip.look, pace=trip.pace, within=WITHIN_SECONDS, emit=told)
    if not back.reverted:
        raise _unfit(back.blue)


def _walk(trip: _Trip) -> None:
    """Take the steps backwards, as long as blue bears it; the last one is left for the jump."""
    for green in sorted({step.weight for step in steps_of(trip.config)}, reverse=True):
        now = [router for router in trip.routers if _green(router) > green]
        if not now:
            continue
        blue = trip.look()
        if blue.health is not Health.HEALTHY:
            raise _unfit(blue)
        for router in now:
            weights.shift((router,), Weights.for_green(green), router.read(), trip.emit)
        weights.settle(now, Weights.for_green(green), trip.config.timeouts.settle, trip.pace, trip.emit)
        _hold(trip)


def _green(router: TrafficRouter) -> int:
    """Return green's share; none where nobody can tell it: there are no steps to take, and the jump comes next."""
    try:
        return router.read().green
    except BluegreenError:
        return 0


def _on_blue(router: TrafficRouter) -> bool:
    """Return whether a route is seen to serve blue alone."""
    try:
        return router.read() == weights.ALL_BLUE
    except BluegreenError:
        return False


def _hold(trip: _Trip) -> None:
    """Stay for the hold of a step, and look at blue again and again."""
    end = trip.pace.clock() + trip.config.hold
    while trip.pace.clock() < end:
        blue = trip.look()
        if blue.health is Health.SICK:
            raise _unfit(blue)
        trip.pace.sleep(min(1.0, max(0.0, end - trip.pace.clock())))


def _unfit(blue: BlueHealth) -> RefusedError:
    return RefusedError(
        "revert.blue-unfit",
        "sending traffic back to blue, the weights stay",
        words(blue),
        next_step(blue),
    )


def _belongs_to(config: Migration, root: Path) -> Store | None:
    """Return the newest migration between these contexts that is known here."""
    for store in stores(root):
        try:
            manifest = store.manifest()
        except RefusedError:
            continue
        if (manifest.blue.context, manifest.green.context) == (config.from_context, config.to_context):
            return store
    return None


def _emitter(store: Store | None, listener: Listener) -> Emit:
    """Return where events go: the migration's journal, or the listener alone."""
    if store is not None:
        journal = Journal(store.events)
        journal.listen(listener)
        return journal
    lock = threading.Lock()

    def emit(name: str, /, **data: object) -> None:
        with lock:
            listener(Event(name, utc_now(), dict(data)))

    return emit
