"""All traffic back to blue because a person says so: at once, and without needing either cluster's API.

It needs the routes and the probes only, since the cluster that is left may be the one that broke. Blue must be
healthy (law 4).
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from bluegreen.config.models import Migration
from bluegreen.migration.connect import Reasons, connect_traffic
from bluegreen.migration.journal import Journal, Listener, utc_now
from bluegreen.migration.lock import MigrationLock
from bluegreen.migration.store import Store, stores
from bluegreen.migration.traffic import objectives_of
from bluegreen.model.errors import RefusedError
from bluegreen.model.events import Emit, Event
from bluegreen.slo.health import BlueHealth
from bluegreen.traffic import controller, weights
from bluegreen.traffic.feed import Watch
from bluegreen.traffic.pace import Pace

WITHIN_SECONDS = 300.0
_REASON = "a person asked for it"


def go_back(
    config: Migration, root: Path, listener: Listener, sleep: Callable[[float], None] = time.sleep
) -> Store | None:
    """Send all traffic to blue and note it in the migration it belongs to.

    Args:
        config: the configuration with routes and probes.
        root: directory of all migrations' state.
        listener: is told every event.
        sleep: waits that many seconds.

    Returns:
        the migration that was ended by it, None when none is known here.

    Raises:
        InvalidInputError: a route or probe cannot be opened.
        LockedError: a process runs the migration; stop that first.
        RefusedError: blue is not healthy; the weights stay.
        TransientError: a route could not be reached in time.
    """
    reasons = Reasons()
    routers, probes = connect_traffic(config, reasons)
    reasons.raise_if_any("opening routes and probes")
    store = _belongs_to(config, root)
    if store is not None:
        manifest = store.manifest()
        MigrationLock(root, (manifest.blue.uid, manifest.green.uid), utc_now()).hold()
    emit = _emitter(store, listener)
    watches = tuple(Watch(probes[probe.name], probe.interval) for probe in config.probes)
    pace = Pace(time.monotonic, sleep)

    def check() -> BlueHealth:
        return controller.check_blue(watches, objectives_of(config), pace=pace, emit=emit)

    def told(name: str, /, **data: object) -> None:
        emit(name, **({"reason": _REASON} if name == "revert.started" else {}), **data)

    back = weights.revert(routers, check, pace=pace, within=WITHIN_SECONDS, emit=told)
    if not back.reverted:
        raise RefusedError(
            "revert.blue-unfit",
            "sending all traffic back to blue",
            f"blue is not fit to take it: {'; '.join(back.blue.reasons)}; the weights stay",
            "mend blue first; a route can be written by hand if you know better than the probes",
        )
    emit("run.finished", outcome="reverted", exit_code=0, reason=_REASON, next="")
    return store


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
