"""Orders to a running migration from another terminal: pause, resume, promote, abort.

They are lines of a file beside the events, because the run must hear one while it judges, several times a second, and
a durable message is only received between two steps. An order is done when the step that followed it is recorded, so a
crash neither loses nor repeats one. Nothing here decides what an order means; the state machine does.
"""

import json
import os
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bluegreen.traffic.states import Command


@dataclass(frozen=True, slots=True)
class Order:
    """One order.

    Attributes:
        id: unique.
        command: what is wanted.
        by: who gave it, as user@host.
        at: UTC time stamp.
    """

    id: str
    command: Command
    by: str
    at: str


@dataclass(slots=True)
class Orders:
    """The orders of one migration, as the running process sees them.

    Attributes:
        path: their file.
        done: ids of those that were followed or had nothing to change.
    """

    path: Path
    done: set[str] = field(default_factory=set)
    _seen: int = field(default=-1, init=False)
    _known: tuple[Order, ...] = field(default=(), init=False)

    def pending(self) -> tuple[Order, ...]:
        """Return the orders that were not followed yet, oldest first."""
        size = self.path.stat().st_size if self.path.exists() else 0
        if size != self._seen:
            self._known, self._seen = read_orders(self.path), size
        return tuple(order for order in self._known if order.id not in self.done)


def give(path: Path, command: Command, by: str, at: str) -> Order:
    """Append an order, durable before this returns.

    Args:
        path: the file of orders.
        command: what is wanted.
        by: who gives it.
        at: UTC time stamp.
    """
    order = Order(uuid.uuid4().hex, command, by, at)
    line = json.dumps(asdict(order)) + "\n"
    # A line is one write to a file opened for appending, so two terminals never mix theirs.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb", buffering=0) as file:
        file.write(line.encode())
        os.fsync(file.fileno())
    return order


def read_orders(path: Path) -> tuple[Order, ...]:
    """Return the orders of a file; what is no order is left out."""
    if not path.exists():
        return ()
    return tuple(order for line in path.read_text().split("\n") if (order := _order(line)))


def _order(line: str) -> Order | None:
    try:
        raw = json.loads(line)
        return Order(str(raw["id"]), Command(raw["command"]), str(raw["by"]), str(raw["at"]))
    except (ValueError, KeyError, TypeError):
        return None


def aborted(orders: Sequence[Order]) -> Order | None:
    """Return the first order to abort."""
    return next((order for order in orders if order.command is Command.ABORT), None)
