"""Ordering a running migration about: who may be ordered, how an order reaches it, and what it answered."""

from pathlib import Path

from bluegreen.migration.journal import read_events, utc_now
from bluegreen.migration.lock import MigrationLock
from bluegreen.migration.orders import Order, give
from bluegreen.migration.store import Store
from bluegreen.model.errors import RefusedError
from bluegreen.model.events import Event
from bluegreen.traffic.states import Command


def order(store: Store, root: Path, command: str, by: str) -> Order:
    """Give an order to the process that runs a migration.

    Args:
        store: the migration.
        root: directory of all migrations' state.
        command: pause, resume, promote or abort.
        by: who gives it, as user@host.

    Raises:
        RefusedError: it has ended, or no process runs it.
    """
    what = f"ordering {command} for {store.path.name}"
    if outcome := store.outcome():
        raise RefusedError("order.ended", what, f"it has ended: {outcome}", "bluegreen status")
    if not is_running(store, root):
        raise RefusedError(
            "order.nobody",
            what,
            "no process on this machine runs it",
            "bluegreen revert" if command == Command.ABORT else "run the same bluegreen migrate again to go on",
        )
    return give(store.orders, Command(command), by, utc_now())


def is_running(store: Store, root: Path) -> bool:
    """Return whether a process on this machine holds the lock of a migration's two clusters."""
    manifest = store.manifest()
    return MigrationLock(root, (manifest.blue.uid, manifest.green.uid), utc_now()).taken()


def answer_to(store: Store, given: Order) -> Event | None:
    """Return the event by which the run has taken an order, None while it has not."""
    for event in reversed(read_events(store.events)):
        if event.name in ("order.followed", "order.ignored") and event.data.get("id") == given.id:
            return event
    return None
