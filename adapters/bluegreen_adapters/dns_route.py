"""Weights of a DNS record: compare, write with an owner's mark, read back; the same for every way into the zone.

A resolver keeps an answer for the TTL that was live when it asked, so a write has taken effect only that long after.
The first write lowers the TTL together with the weights: who asked before it is still on blue, who asks after it comes
back soon. It must never write 0/0, nor over weights or a mark that it did not expect, nor turn a name into a record
that its server does not run.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bluegreen.model.errors import BluegreenError, ConflictError, RefusedError
from bluegreen.model.ports import Drawn, Weights
from bluegreen.model.refs import Side
from bluegreen_adapters.dns_answers import Authority
from bluegreen_adapters.dns_records import LUA, Found, Mark, Targets, shares
from bluegreen_adapters.shares import holds, percent

RESOLUTION = 100
_LOOKS = 3


class Records(Protocol):
    """A way into the zone."""

    @property
    def where(self) -> str:
        """Return the record, for people."""

    def find(self) -> Found:
        """Return what is at the name and its mark."""

    def write(self, before: Found, after: Found) -> None:
        """Replace one by the other in one transaction; ConflictError if the server sees `before` gone."""

    def check_weights(self) -> None:
        """Refuse a server that does not run LUA records; it would answer nothing at all."""


@dataclass(slots=True)
class DnsRouter:
    """One name whose answers are drawn by weight.

    Attributes:
        name: name of the route.
        records: the way into the zone.
        targets: address of each side.
        owner: whose mark is set.
        ttl: TTL in seconds while the migration runs; one that is lower already is kept.
        authorities: name servers that are asked whether they serve what was written.
        clock: monotonic seconds.
    """

    name: str
    records: Records
    targets: Targets
    owner: str
    ttl: int
    authorities: Sequence[Authority] = ()
    resolution: int = RESOLUTION
    clock: Callable[[], float] = time.monotonic
    _live: int | None = field(default=None, init=False)
    _prepared: float | None = field(default=None, init=False)

    @property
    def settle_seconds(self) -> float:
        """Return the TTL that was live before the last write; after a restart from the mark, or of the record."""
        if self._live is None:
            found = self.records.find()
            mark = self._mark(found)
            self._live = mark.live if mark else found.ttl
        return float(self._live)

    @property
    def servers(self) -> tuple[str, ...]:
        """Return each name server that is asked."""
        return tuple(f"{authority.address}:{authority.port}" for authority in self.authorities)

    def draw(self, server: str, count: int) -> Drawn:
        """Ask one name server for that many answers and count whose they are."""
        authority = self.authorities[self.servers.index(server)]
        sides = [self._side_of(authority) for _ in range(count)]
        return Drawn(sides.count(Side.BLUE), sides.count(Side.GREEN), sides.count(None))

    def _side_of(self, authority: Authority) -> Side | None:
        found = authority.ask(self.targets.kind).addresses
        return self.targets.side(next(iter(found))) if len(found) == 1 else None

    def prepare(self) -> float:
        """Lower the TTL, with the mark beside it, and say how long answers with the old one may still be kept."""
        found = self.records.find()
        pair, mark = self._shares(found), self._mark(found)
        if mark and mark.owner != self.owner:
            raise self._owned("lowering the TTL", mark)
        if mark is None and found.ttl > self.ttl:
            green = percent(pair)
            mark = Mark(self.owner, green.green if green else 0, found.ttl, found.ttl, found.plain)
            self._write(found, Found(found.rows, self.ttl, mark.text()))
            self._prepared = self.clock()
            return float(found.ttl)
        old = mark.ttl if mark and mark.live > found.ttl else 0
        if self._prepared is None:
            self._prepared = self.clock()  # after a restart nobody knows when: the whole time again
        return max(0.0, old - (self.clock() - self._prepared))

    def read(self) -> Weights:
        """Return the weights that the record has, in whole per cent."""
        now = percent(self._shares(self.records.find()))
        if now is None:
            raise self._refused("dns.serves-nothing", "reading the weights", "both sides have weight 0")
        return now

    def shift(self, to: Weights, expect: Weights) -> None:
        """Write the weights, mark and lowered TTL at once, if those in the record are the expected ones."""
        found = self.records.find()
        pair, mark = self._shares(found), self._mark(found)
        if holds(pair, to):
            return
        if percent(pair) != expect or (mark and mark.owner != self.owner):
            raise self._conflict(to, expect, percent(pair), mark)
        if found.plain:
            self.records.check_weights()
        self._write(found, self._after(found, mark, to))
        self._live = found.ttl

    def settled(self, to: Weights) -> bool:
        """Return whether the record holds the weights and each name server answers from it."""
        found = self.records.find()
        if not holds(self._shares(found), to):
            return False
        receivers = {self.targets.addresses[side] for side in Side if to.of(side)}
        return all(self._serves(authority, receivers, found.ttl) for authority in self.authorities)

    def finalize(self) -> None:
        """Put back the TTL, and a plain record where there was one and one side has all; remove the mark."""
        found = self.records.find()
        mark, pair = self._mark(found), self._shares(found)
        if mark is None:
            return
        if mark.owner != self.owner:
            raise self._owned("finalizing", mark)
        rows = found.rows
        if mark.plain and min(pair.values()) == 0:
            rows = ((self.targets.kind, self.targets.addresses[max(pair, key=lambda side: pair[side])]),)
        self._write(found, Found(rows, mark.ttl))

    def marked_by(self) -> str:
        """Return whose mark stands beside the record, empty when there is none."""
        mark = self._mark(self.records.find())
        return mark.owner if mark else ""

    def _after(self, found: Found, mark: Mark | None, to: Weights) -> Found:
        first = mark or Mark(self.owner, to.green, found.ttl, found.ttl, found.plain)
        mark = Mark(self.owner, to.green, found.ttl, first.ttl, first.plain)
        return Found(((LUA, self.targets.lua(to)),), min(self.ttl, found.ttl), mark.text())

    def _write(self, before: Found, after: Found) -> None:
        """Write and read back."""
        self.records.write(before, after)
        if (now := self.records.find()) != after:
            rows = ", ".join(content for _, content in now.rows) or "nothing"
            raise self._refused(
                "dns.not-read-back", "reading the record back", f"{rows} is there: somebody else writes, too"
            )

    def _serves(self, authority: Authority, receivers: set[str], ttl: int) -> bool:
        """Look a few times; that no other side is seen is a look, not a proof of the shares."""
        answers = [authority.ask(self.targets.kind) for _ in range(_LOOKS)]
        return all(answer.addresses and answer.addresses <= receivers and answer.ttl <= ttl for answer in answers)

    def _shares(self, found: Found) -> dict[Side, int]:
        try:
            return shares(found, self.targets)
        except ValueError as error:
            raise self._refused("dns.no-weights", "reading the weights", str(error)) from None

    def _mark(self, found: Found) -> Mark | None:
        try:
            return Mark.parse(found.mark) if found.mark else None
        except ValueError as error:
            raise self._refused("dns.mark", "reading the mark", str(error)) from None

    def _conflict(self, to: Weights, expect: Weights, now: Weights | None, mark: Mark | None) -> ConflictError:
        what = f"shifting to {to.blue}/{to.green}"
        if mark and mark.owner != self.owner:
            return self._owned(what, mark)
        have = f"{now.blue}/{now.green}" if now else "0/0"
        return ConflictError(
            "dns.conflict",
            f"{what} on route {self.name!r}",
            f"expected {expect.blue}/{expect.green}, but {self.records.where} has {have}; somebody else has written",
            "bluegreen traffic show; then resume, or: bluegreen revert",
        )

    def _owned(self, what: str, mark: Mark) -> ConflictError:
        return ConflictError(
            "dns.owned",
            f"{what} on route {self.name!r}",
            f"{self.records.where} carries the mark of {mark.owner!r}, and we are {self.owner!r}",
            "let that one end first, or remove its mark: the TXT record at _bluegreen before the name",
        )

    def _refused(self, code: str, what: str, why: str) -> BluegreenError:
        kind = self.targets.kind
        addresses = " or ".join(self.targets.addresses.values())
        return RefusedError(
            code,
            f"{what} of route {self.name!r} at {self.records.where}",
            why,
            f"make it one {kind} record with {addresses}, or one LUA record with pickwrandom of both",
        )
