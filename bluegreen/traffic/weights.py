"""Writing weights: compare-and-set on every route, read back, and the quickest safe way back.

Each function is one idempotent act of a durable run: killed at any point and called again it comes to the same end.
It never writes over weights that it did not expect, except on the way back, which starts from whatever is served.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bluegreen.model.errors import (
    BluegreenError,
    ConflictError,
    NoSharesError,
    RefusedError,
    TransientError,
    clean_text,
)
from bluegreen.model.events import Emit
from bluegreen.model.ports import ReturningRouter, TrafficRouter, Weights
from bluegreen.slo.health import BlueHealth, Health
from bluegreen.traffic.pace import Pace
from bluegreen.traffic.settling import POLL_SECONDS, Settling

ALL_BLUE = Weights.for_green(0)
_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.1, 5.0


def shift(routers: Sequence[TrafficRouter], to: Weights, expect: Weights, emit: Emit) -> None:
    """Write the weights on every route, one after the other, and read each back.

    Args:
        routers: the routes that move together.
        to: weights to be served.
        expect: weights that the previous step left; a route that serves `to` already is done.
        emit: told weight.writing before and weight.written after each write.

    Raises:
        ConflictError: a route serves neither; those before it are written.
        TransientError: a route cannot be reached; calling again is safe.
    """
    for router in routers:
        _write(router, router.read(), to, expect, emit)


def _write(router: TrafficRouter, served: Weights, to: Weights, expect: Weights, emit: Emit) -> None:
    if served != to:
        emit("weight.writing", route=router.name, **_pairs(served, to))
    router.shift(to, expect)
    now = router.read()
    if now != to:
        raise ConflictError(
            "traffic.not-served",
            f"shifting route {router.name!r} to {to.blue}/{to.green}",
            f"it was written, but {now.blue}/{now.green} is read back: somebody else writes, too",
            "find out who, then run the same command again",
        )
    emit("weight.written", route=router.name, changed=served != to, **_pairs(served, to))


def _pairs(served: Weights, to: Weights) -> dict[str, int]:
    return {"from_blue": served.blue, "from_green": served.green, "blue": to.blue, "green": to.green}


def settle(routers: Sequence[TrafficRouter], to: Weights, timeout: float, pace: Pace, emit: Emit) -> bool:
    """Wait until every route serves the weights; say whether they do.

    Args:
        routers: the routes.
        to: weights that were written.
        timeout: seconds to wait after the shortest time that the slowest backend needs.
        pace: clock and wait.
        emit: told weight.proven or weight.unproven, then weight.settled or weight.unsettled.
    """
    began = pace.clock()
    settling = Settling(routers, to, pace.clock, emit)
    while not settling.poll():
        if pace.clock() - began >= settling.least + timeout:
            emit("weight.unsettled", green=to.green, routes=list(settling.late), seconds=round(pace.clock() - began, 3))
            return False
        pace.sleep(POLL_SECONDS)
    emit("weight.settled", green=to.green, seconds=round(pace.clock() - began, 3))
    return True


def let_go(routers: Sequence[TrafficRouter], emit: Emit) -> None:
    """Drop what only the migration needed on routes that are back on blue; one that cannot be reached is told.

    Blue serves everybody by then, so a mark or a low TTL that is left must keep nothing from ending.

    Args:
        routers: the routes.
        emit: told route.finalized, or notice.
    """
    for router in routers:
        try:
            router.finalize()
            emit("route.finalized", route=router.name)
        except BluegreenError as error:
            emit("notice", text=f"route {router.name} keeps its mark: {error}")


@dataclass(frozen=True, slots=True)
class WayBack:
    """How a way back ended.

    Attributes:
        reverted: whether every route is back on blue; who serves beside it, such as a third server, was told.
        blue: what was last seen of blue; the reason where it was held.
        left: routes that are not back yet.
    """

    reverted: bool
    blue: BlueHealth
    left: tuple[str, ...] = ()


def revert(
    routers: Sequence[TrafficRouter],
    check: Callable[[], BlueHealth],
    *,
    pace: Pace,
    within: float,
    emit: Emit,
    known: BlueHealth | None = None,
) -> WayBack:
    """Send everybody back to blue in one jump per route, if blue can take them; else hold.

    A route that fails does not hold up the others; it is tried again, blue being looked at before each round.

    Args:
        routers: the routes.
        check: looks at blue; called before every round but the first when `known` is given.
        pace: clock and wait.
        within: seconds after which it gives up with an error, or earlier where only a person can mend what is left;
            infinite for never.
        emit: told revert.started, weight.written, revert.retried, revert.held, revert.finished.
        known: blue as the judge has just seen it, so that the first write need not wait.

    Raises:
        TransientError: time is up and routes are left; calling again is safe.
    """
    began, left, backoff = pace.clock(), list(routers), _FIRST_BACKOFF
    emit("revert.started", routes=[router.name for router in left])
    blue = known or check()
    while blue.health is Health.HEALTHY:
        faults = {router.name: fault for router in left if (fault := _take_back(router, emit))}
        left = [router for router in left if router.name in faults]
        if not left:
            emit("revert.finished", seconds=round(pace.clock() - began, 3))
            return WayBack(reverted=True, blue=blue)
        waited = pace.clock() - began
        if waited >= within or (math.isfinite(within) and all(map(_needs_a_person, faults.values()))):
            raise _stuck(routers, faults, waited)
        pace.sleep(backoff)
        backoff = min(backoff * 2, _LONGEST_BACKOFF)
        blue = check()
    emit("revert.held", blue=blue.health.value, reasons=list(blue.reasons), routes=[router.name for router in left])
    return WayBack(reverted=False, blue=blue, left=tuple(router.name for router in left))


def _take_back(router: TrafficRouter, emit: Emit) -> Exception | None:
    """Try to send one route back, whatever it serves; return why it is not, None when it is."""
    try:
        _send_back(router, emit)
    except BluegreenError as error:
        emit("revert.retried", route=router.name, reason=str(error), next=error.next_step)
        return error
    except Exception as error:  # noqa: BLE001 - a fault of one adapter must not keep the other routes on a bad green
        emit("revert.retried", route=router.name, reason=clean_text(f"{type(error).__name__}: {error}"), next="")
        return error
    return None


def _needs_a_person(fault: Exception) -> bool:
    """Return whether trying again cannot help; another writer may be gone the next time."""
    return isinstance(fault, RefusedError) and not isinstance(fault, ConflictError)


def _send_back(router: TrafficRouter, emit: Emit) -> None:
    try:
        served = router.read()  # once: behind a slow API, every further look would hold up the way back
    except NoSharesError:
        if not isinstance(router, ReturningRouter):
            raise
        bring_back(router, emit)
    else:
        _write(router, served, ALL_BLUE, served, emit)


def bring_back(router: ReturningRouter, emit: Emit) -> None:
    """Give blue everything on a route of which nobody can say shares, such as 0/0; what was before is not told.

    Args:
        router: the route.
        emit: told weight.writing, weight.written, and a notice of what serves beside blue.

    Raises:
        TransientError: the route or blue is away; calling again is safe.
        RefusedError: blue cannot receive.
    """
    back = {"route": router.name, "blue": ALL_BLUE.blue, "green": ALL_BLUE.green}
    emit("weight.writing", **back)
    beside = router.bring_back()
    emit("weight.written", changed=True, beside=beside, **back)
    if beside:
        emit("notice", text=f"route {router.name} is back on blue, but {beside}")


def _stuck(routers: Sequence[TrafficRouter], faults: Mapping[str, Exception], waited: float) -> TransientError:
    back = ", ".join(router.name for router in routers if router.name not in faults) or "none"
    return TransientError(
        "traffic.revert-stuck",
        "sending everybody back to blue",
        f"after {waited:.0f} s these routes are not back: {', '.join(faults)}; back are: {back}",
        "mend the route, then: bluegreen revert",
    )
