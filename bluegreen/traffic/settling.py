"""Whether written weights are served: what every route says, a proof at those that draw at random, and time.

It waits for the old TTL plus an allowance, since a resolver keeps what it has. It only asks; it never writes, and it
never calls a split proven after many tries, because one of many passes by chance.
"""

import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from bluegreen.model.errors import TransientError
from bluegreen.model.events import Emit
from bluegreen.model.ports import CachedRouter, SampledRouter, TrafficRouter, Weights
from bluegreen.traffic.proof import p_value, trial_of

POLL_SECONDS = 0.2
# What a client that has just asked its resolver may still need to use the answer.
ALLOWANCE_SECONDS = 2.0
_TRIES = 3


class Settling:
    """Watches written weights take effect.

    Args:
        routers: the routes that were written.
        to: their weights.
        clock: monotonic seconds.
        emit: told weight.proven and weight.unproven.

    Attributes:
        least: seconds that must pass at any rate.
        late: names of the routes that do not serve it yet, as of the last look.
    """

    def __init__(self, routers: Sequence[TrafficRouter], to: Weights, clock: Callable[[], float], emit: Emit) -> None:
        self._routers, self._to, self._clock, self._emit = tuple(routers), to, clock, emit
        self.least = max((_least(router) for router in routers), default=0.0)
        self.late: tuple[str, ...] = ()
        self._began = clock()
        self._proven: set[tuple[str, str]] = set()
        self._tries: dict[tuple[str, str], int] = {}

    def poll(self) -> bool:
        """Take one look; say whether everything is served and the time is over."""
        self.late = tuple(router.name for router in self._routers if not self._serves(router))
        return not self.late and self._clock() - self._began >= self.least

    def _serves(self, router: TrafficRouter) -> bool:
        try:
            return router.settled(self._to) and (not isinstance(router, SampledRouter) or self._is_proven(router))
        except TransientError:
            return False

    def _is_proven(self, router: SampledRouter) -> bool:
        return all(self._proves(router, server) for server in router.servers)

    def _proves(self, router: SampledRouter, server: str) -> bool:
        """Ask one server as often as the test needs."""
        name = getattr(router, "name", "")
        key = (name, server)
        if key in self._proven:
            return True
        if self._tries.get(key, 0) >= _TRIES:
            return False
        self._tries[key] = self._tries.get(key, 0) + 1
        trial = trial_of(self._to.green)
        drawn = router.draw(server, trial.samples)
        holds = not drawn.other and trial.holds(drawn.green)
        self._emit(
            "weight.proven" if holds else "weight.unproven",
            route=name,
            server=server,
            asked=trial.asked,
            samples=trial.samples,
            green=drawn.green,
            other=drawn.other,
            p_value=round(p_value(trial.asked, trial.samples, drawn.green), 6),
        )
        if holds:
            self._proven.add(key)
        return holds


def _least(router: TrafficRouter) -> float:
    return router.settle_seconds + (ALLOWANCE_SECONDS if isinstance(router, CachedRouter) else 0.0)


class Background:
    """Polls in a thread of its own, so that a slow router does not hold up who waits for it.

    Args:
        poll: one look; True ends the polling.
        every: seconds between two looks.
    """

    def __init__(self, poll: Callable[[], bool], every: float = POLL_SECONDS) -> None:
        self._poll, self._every = poll, every
        self._left, self._good = threading.Event(), threading.Event()
        self._error: Exception | None = None

    def __enter__(self) -> Self:
        """Begin."""
        threading.Thread(target=self._look, name="settling", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; a look under way is not waited for."""
        self._left.set()

    def done(self) -> bool:
        """Return whether the poll was True; raises what it raised."""
        if self._error is not None:
            raise self._error
        return self._good.is_set()

    def _look(self) -> None:
        try:
            while not self._left.is_set():
                if self._poll():
                    self._good.set()
                    return
                self._left.wait(self._every)
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            self._error = error
