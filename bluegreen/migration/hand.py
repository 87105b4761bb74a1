"""Weights written by hand: what a person orders, compared with what is served, written receiver first and read back.

It keeps away from a migration that is under way between the same contexts, unless the person names the rule that is
overruled. It knows nothing of probes: a person who writes by hand has judged for themselves.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bluegreen.config.models import Migration
from bluegreen.migration.connect import open_router
from bluegreen.migration.journal import utc_now
from bluegreen.migration.lock import MigrationLock
from bluegreen.migration.look import chosen, owner_of
from bluegreen.migration.reasons import Reasons
from bluegreen.migration.store import Manifest, stores
from bluegreen.model.errors import (
    BluegreenError,
    ConflictError,
    InvalidInputError,
    LockedError,
    NoSharesError,
    RefusedError,
)
from bluegreen.model.events import Emit
from bluegreen.model.ports import CachedRouter, ReturningRouter, TrafficRouter, Weights
from bluegreen.traffic import weights as writing
from bluegreen.traffic.steps import can_hold

UNFINISHED, LOCKED = "unfinished", "locked"
RULES = {
    UNFINISHED: "a migration between these contexts has not ended, and expects the weights that it wrote",
    LOCKED: "another process works on these two clusters now",
}
"""What keeps a hand off the weights, by the name that --force takes."""


@dataclass(frozen=True, slots=True)
class Move:
    """One route with what it serves and what it shall serve.

    Attributes:
        router: the route.
        before: what it serves; None where that is no shares of blue and green, such as 0/0, and blue can be raised.
        after: what it shall serve.
    """

    router: TrafficRouter
    before: Weights | None
    after: Weights

    @property
    def name(self) -> str:
        """Return the name of the route."""
        return self.router.name


@dataclass(frozen=True, slots=True)
class Marked:
    """One route with the mark that it carries.

    Attributes:
        router: the route.
        owner: whose mark is there, empty for nobody's or where the backend has no marks.
    """

    router: TrafficRouter
    owner: str

    @property
    def name(self) -> str:
        """Return the name of the route."""
        return self.router.name

    @property
    def told(self) -> str:
        """Return in words what stays there until somebody finalizes the route, empty for nothing."""
        ttl = " and a lowered TTL" if isinstance(self.router, CachedRouter) else ""
        return f"the mark of {self.owner}{ttl}" if self.owner else ""


@contextmanager
def guard(config: Migration, root: Path, forced: frozenset[str]) -> Iterator[None]:
    """Keep migrations between these contexts away while a person writes.

    Args:
        config: names the contexts.
        root: directory of all migrations' state.
        forced: names of RULES that the person overrules.

    Raises:
        LockedError: another process works on these clusters, and that is not overruled.
        InvalidInputError: a migration has not ended, and that is not overruled.
    """
    known = list(_between(config, root))
    broken = {UNFINISHED: list(_unfinished(known))}
    with ExitStack() as stack:
        broken[LOCKED] = list(_locked(known, root, stack))
        _refuse({rule: found for rule, found in broken.items() if found and rule not in forced})
        yield


def _refuse(broken: dict[str, list[str]]) -> None:
    reasons = tuple(f"{RULES[rule]}: {', '.join(broken[rule])}" for rule in (LOCKED, UNFINISHED) if rule in broken)
    forces = " ".join(f"--force {rule}" for rule in sorted(broken))
    what = "writing weights by hand"
    hint = f"to write all the same, add: {forces}; else let it end (bluegreen status), or go back: bluegreen revert"
    if LOCKED in broken:
        raise LockedError("hand.locked", what, "; ".join(reasons), hint)
    if reasons:
        raise InvalidInputError("hand.refused", what, reasons, hint)


def _between(config: Migration, root: Path) -> Iterator[tuple[Manifest, str]]:
    """Yield the migrations between these contexts in either direction with their outcome, newest first."""
    for store in stores(root):
        try:
            manifest = store.manifest()
        except RefusedError:
            continue  # `bluegreen status` names it
        if {manifest.blue.context, manifest.green.context} == {config.from_context, config.to_context}:
            yield manifest, store.outcome()


def _unfinished(known: Iterable[tuple[Manifest, str]]) -> Iterator[str]:
    """Yield the migrations that would go on: of each set of namespaces the newest, if it has not ended."""
    seen: set[tuple[str, str, frozenset[str]]] = set()
    for manifest, outcome in known:
        key = (manifest.blue.uid, manifest.green.uid, frozenset(manifest.namespaces))
        if key not in seen and not outcome:
            yield manifest.id
        seen.add(key)


def _locked(known: Iterable[tuple[Manifest, str]], root: Path, stack: ExitStack) -> Iterator[str]:
    """Take the lock of each pair of clusters until the stack closes; yield who has it where it is taken."""
    for pair in sorted({tuple(sorted((m.blue.uid, m.green.uid))) for m, _ in known}):
        try:
            stack.enter_context(MigrationLock(root, pair, utc_now()))
        except LockedError as error:
            yield error.why


def propose(config: Migration, names: Sequence[str], green: int, expect: int | None) -> tuple[Move, ...]:
    """Return what an order would do to each route; nothing is written.

    Args:
        config: the configuration.
        names: routes, all of them when empty.
        green: green's share in per cent that shall be served.
        expect: green's share in per cent that must be served now, None for whatever is.

    Raises:
        InvalidInputError: a route is unknown, cannot be reached, or cannot hold the share; all reasons.
        ConflictError: a route serves something else than what is expected.
    """
    reasons = Reasons()
    after, moves = Weights.for_green(green), []
    for route in chosen(config, names):
        move = reasons.attempt(lambda route=route: _move(open_router(route, config), after))  # type: ignore[misc]
        if move:
            moves.append(move)
    reasons.found += [reason for move in moves if (reason := _cannot_hold(move))]
    reasons.raise_if_any("reading the routes")
    _compare(moves, expect)
    return tuple(moves)


def _move(router: TrafficRouter, after: Weights) -> Move:
    """Read a route; where it serves no shares at all, only blue alone may be ordered."""
    try:
        return Move(router, router.read(), after)
    except NoSharesError:
        if after != writing.ALL_BLUE or not isinstance(router, ReturningRouter):
            raise
        return Move(router, None, after)


def _cannot_hold(move: Move) -> str:
    """Return why a router cannot hold the share exactly, empty when it can."""
    if can_hold(move.router, move.after.green):
        return ""
    return f"route {move.name!r} has {move.router.resolution} positions and cannot hold {move.after.green} per cent"


def _compare(moves: Iterable[Move], expect: int | None) -> None:
    """Refuse when a route serves neither what is expected nor what is asked for."""
    if expect is None:
        return
    expected = Weights.for_green(expect)
    others = [f"{move.name} serves {pair(move.before)}" for move in moves if move.before not in {expected, move.after}]
    if others:
        raise ConflictError(
            "hand.expected",
            f"writing weights where {pair(expected)} is expected",
            f"{'; '.join(others)}; nothing was written",
            "bluegreen traffic show; then name with --expect what it says",
        )


def carry_out(move: Move, emit: Emit) -> None:
    """Write one route if it still serves what was seen, receiver first, and read it back.

    Args:
        move: the route.
        emit: told weight.writing and weight.written.

    Raises:
        ConflictError: somebody else wrote meanwhile.
        TransientError: the route cannot be reached; the same order again is safe.
    """
    if move.before is not None:
        writing.shift([move.router], move.after, move.before, emit)
    elif isinstance(move.router, ReturningRouter):
        writing.bring_back(move.router, emit)


def left_behind(router: TrafficRouter) -> str:
    """Return in words what a write left beside the weights, empty where that cannot be read: it is only a hint."""
    try:
        return _marked(router).told
    except BluegreenError:
        return ""


def marks(config: Migration, names: Sequence[str]) -> tuple[Marked, ...]:
    """Return the mark that each route carries; nothing is written.

    Args:
        config: the configuration.
        names: routes, all of them when empty.

    Raises:
        InvalidInputError: a route is unknown, cannot be reached, or its mark cannot be read; all reasons.
    """
    reasons, found = Reasons(), []
    for route in chosen(config, names):
        one = reasons.attempt(lambda route=route: _marked(open_router(route, config)))  # type: ignore[misc]
        if one:
            found.append(one)
    reasons.raise_if_any("reading the marks")
    return tuple(found)


def _marked(router: TrafficRouter) -> Marked:
    return Marked(router, owner_of(router))


def finalize(marked: Marked) -> Weights | None:
    """Remove our mark from one route, put a lowered TTL back, and return the weights, which stay; None as in Move.

    Args:
        marked: the route.

    Raises:
        ConflictError: the mark is somebody else's.
        TransientError: the route cannot be reached; the same order again is safe.
    """
    marked.router.finalize()
    try:
        return marked.router.read()
    except NoSharesError:
        return None


def pair(weights: Weights | None) -> str:
    """Return weights as people write them, blue/green; None is what is no shares of the two."""
    return f"{weights.blue}/{weights.green}" if weights else "no shares"
