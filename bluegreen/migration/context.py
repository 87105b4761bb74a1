"""All that a running migration holds: clusters, adapters, journal, clock, and how it can be stopped.

A wait is the only place where a run may be stopped: every wait of every room goes through `sleep`, which parks the
step for ever when a stop was asked for. A parked step is never recorded, so it is done again on resume, and nothing
between two writes is cut in half.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Never

from bluegreen.config.models import Migration
from bluegreen.exporter.bundle import Bundle
from bluegreen.migration.journal import Journal
from bluegreen.migration.limits import Limits
from bluegreen.migration.objects import Moved
from bluegreen.migration.orders import Order, Orders, aborted
from bluegreen.migration.store import Manifest, Store
from bluegreen.model.errors import RefusedError
from bluegreen.model.findings import Finding
from bluegreen.model.ports import Cluster, Probe, TrafficRouter, VolumeMover, VolumeRequest
from bluegreen.slo.health import BlueHealth


@dataclass(frozen=True, slots=True)
class Ending:
    """Why this process stops.

    Attributes:
        outcome: migrated, reverted, failed, paused or interrupted.
        exit_code: documented exit code.
        reason: one sentence.
        next_step: what to type next.
    """

    outcome: str
    exit_code: int
    reason: str = ""
    next_step: str = ""


class Stop:
    """The way out of a run: asked for by a signal, reached at the next wait."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.ended = threading.Event()
        self.ending: Ending | None = None
        self._lock = threading.Lock()

    def finish(self, ending: Ending) -> None:
        """Say how this process ends; the first one counts."""
        with self._lock:
            self.ending = self.ending or ending
        self.ended.set()

    def park(self, ending: Ending) -> Never:
        """End the process from inside a step without letting the step be recorded."""
        self.finish(ending)
        while True:
            time.sleep(3600)


@dataclass(slots=True)
class Run:
    """One migration in this process.

    Attributes:
        bundle: the cleaned objects of blue, in memory only; read again from blue after a restart.
        traffic_moved: whether green may have been given weight.
        shifting: the state machine of the shift is in charge.
        phase: recorded step that is being done.
        crashed: an error that nobody foresaw stopped this process; the run is not over.
        resumed: this process goes on with a run that had ended in a pause; its next step answers that pause.
        orders: what people have ordered from other terminals.
        followed: id of the order that the present step follows; its record keeps it from being followed twice.
        why: why the run waits for a person, in one sentence.
        failure: why green is sent back, in one line per objective.
        blue_seen: blue as the gate saw it last.
        findings: what this process has just assessed before it asked for a yes; None in one that goes on.
        moved: what the migration set out to move, as its export step recorded it.
        request: what the volume mover shall bring, from the same record.
        limits: how long the run and its import may take.
        closing: the outcome is decided, what is left puts things back; neither time nor an abort keeps it from that.
    """

    config: Migration
    manifest: Manifest
    store: Store
    blue: Cluster
    green: Cluster
    routers: tuple[TrafficRouter, ...]
    probes: dict[str, Probe]
    mover: VolumeMover | None
    journal: Journal
    orders: Orders
    stop: Stop = field(default_factory=Stop)
    clock: Callable[[], float] = time.monotonic
    bundle: Bundle | None = None
    traffic_moved: bool = False
    shifting: bool = False
    phase: str = ""
    crashed: bool = False
    resumed: bool = False
    followed: str = ""
    why: str = ""
    failure: str = ""
    moved: Moved | None = None
    request: VolumeRequest | None = None
    blue_seen: BlueHealth | None = None
    findings: tuple[Finding, ...] | None = None
    limits: Limits = field(default_factory=Limits)
    closing: bool = False

    def emit(self, name: str, /, **data: Any) -> None:
        """Record an event."""
        self.journal(name, **data)

    def sleep(self, seconds: float) -> None:
        """Wait, or park the step if a stop was asked for.

        Args:
            seconds: how long; shorter where a time limit comes before.

        Raises:
            RefusedError: the preparation was aborted, or the time of the whole run is over.
            OutOfTimeError: the step's own time is over.
        """
        bounded = seconds if self.shifting or self.closing else min(seconds, self.limits.left)
        if self.stop.asked.wait(max(0.0, bounded)):
            self.interrupt()
        self._heed()

    def _heed(self) -> None:
        """Leave the preparation when somebody has ordered so or time is over; a shift hears both in its own way."""
        if self.shifting or self.closing:
            return
        order = aborted(self.orders.pending())
        if order is not None:
            self.follow(order)
            raise RefusedError("run.aborted", f"phase {self.phase}", f"aborted by {order.by}")
        self.limits.require()

    def follow(self, order: Order) -> None:
        """Note that the present step follows an order."""
        self.followed = order.id
        self.emit("order.followed", id=order.id, command=str(order.command), by=order.by, phase=self.phase)

    def checkpoint(self) -> None:
        """Park here if a stop was asked for."""
        if self.stop.asked.is_set():
            self.interrupt()
        self._heed()

    def interrupt(self) -> Never:
        """Say where the run stands and leave."""
        next_step = "run the same command again to go on" + (", or: bluegreen revert" if self.traffic_moved else "")
        self._tell("run.interrupted", phase=self.phase, next=next_step)
        self.stop.park(Ending("interrupted", 130, f"stopped in phase {self.phase}", next_step))

    def pause(self, reason: str) -> Never:
        """Leave the run where it is for a person; the step is judged or done again on resume."""
        next_step = "run the same command again to go on, or: bluegreen revert"
        self._tell("run.paused", reason=reason, phase=self.phase, next=next_step, ended=True)
        self.stop.park(Ending("paused", 4, reason, next_step))

    def crash(self, error: BaseException) -> Never:
        """Leave after an error that nobody foresaw; the step is not recorded, so a mended bluegreen can go on."""
        reason = f"{type(error).__name__}: {error}"
        self.crashed = True
        self._tell("run.crashed", reason=reason, phase=self.phase)
        self.stop.park(Ending("failed", 1, reason, "run the same command again to go on, or: bluegreen revert"))

    def _tell(self, name: str, /, **data: Any) -> None:
        """Record an event on the way out; a full disk must not keep the step from being parked."""
        with contextlib.suppress(Exception):
            self.emit(name, **data)


_active: Run | None = None


def activate(run: Run) -> None:
    """Make a run the one that the workflow of this process works on."""
    global _active  # noqa: PLW0603 - a durable step's arguments are stored, so live objects must come from here
    _active = run


def active() -> Run:
    """Return the run of this process."""
    if _active is None:
        raise RuntimeError("no migration is active in this process")
    return _active
