"""Weights of a pair of weighted records in Route 53: the per cent themselves, of the 0 to 255 that it takes.

A write is served by all name servers once Route 53 says INSYNC, which we ask ourselves (boto's waiter asks every 30 s),
and has reached users once the TTL that was live before is over. Its compare-and-set is the batch itself (see
route53_zone). Whether Route 53 compares the *weight* of a record that it is told to delete is documented ("all the same
values") but was never tried here; that it compares the value of the mark is sure, so another bluegreen is always
noticed, and a person who changes a weight in the same few milliseconds at least by reading back.

It must never create or change what a person decides: values, alias targets, health checks. A simple record is therefore
refused with the command that makes a pair of it, and not converted.

The trap of weight 0: with health checks (or EvaluateTargetHealth) a record of weight 0 is answered as soon as every
record with another weight is unhealthy. Green then gets users that no gate let through.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from bluegreen.model.errors import ConflictError, NotFoundError, RefusedError
from bluegreen.model.permissions import Permissions
from bluegreen.model.ports import Drawn, Weights
from bluegreen.model.refs import Side
from bluegreen_adapters.dns_answers import Authority
from bluegreen_adapters.dns_settings import address_text
from bluegreen_adapters.route53_draw import draw
from bluegreen_adapters.route53_mark import Mark
from bluegreen_adapters.route53_policy import NOTES, POLICY
from bluegreen_adapters.route53_records import Fault, Found, RecordSet, rewritten, same
from bluegreen_adapters.route53_settings import open_zone
from bluegreen_adapters.route53_zone import Zone
from bluegreen_adapters.shares import holds, percent

RESOLUTION = 255
# "Generally within 60 seconds" every name server has a change; only used where no change id says it.
PROPAGATION = 60
# An account has 10 requests a second, for everything that it does in Route 53.
LOOK_SECONDS = 1.0
PERMISSIONS = Permissions(NOTES, POLICY)


@dataclass(slots=True)
class Route53Router:
    """One name with a weighted record for each side.

    Attributes:
        name: name of the route.
        zone: the name in its hosted zone.
        owner: whose mark is set.
        ttl: TTL in seconds while the migration runs; one that is lower already is kept.
        authorities: name servers of the zone that are asked to prove the weights.
        now: seconds since the epoch, which the mark keeps over a restart.
        clock: monotonic seconds.
    """

    name: str
    zone: Zone
    owner: str
    ttl: int
    authorities: tuple[Authority, ...] = ()
    now: Callable[[], float] = time.time
    clock: Callable[[], float] = time.monotonic
    resolution: int = RESOLUTION
    _change: str = field(default="", init=False)
    _synced: bool = field(default=False, init=False)
    _live: int | None = field(default=None, init=False)
    _looked: tuple[Weights, float, bool] | None = field(default=None, init=False)

    @property
    def settle_seconds(self) -> float:
        """Return the TTL that was live before the last write; after a restart from the mark, or of the records."""
        if self._live is None:
            found = self._look()
            mark = self._mark(found)
            self._live = mark.live if mark else found.live
        return float(self._live)

    def read(self) -> Weights:
        """Return the weights that the records have, in whole per cent."""
        return self._percent(self._look())

    def shift(self, to: Weights, expect: Weights) -> None:
        """Write both weights, the mark and a lowered TTL in one batch, if the weights are the expected ones."""
        found = self._look()
        if holds(found.weights, to):
            return
        mark, now = self._mark(found), self._percent(found)
        if mark and mark.owner != self.owner:
            raise self._owned(f"shifting to {to.blue}/{to.green}", mark)
        if now != expect:
            raise self._conflict(to, expect, now, mark)
        self._write(found, mark, {side: to.of(side) for side in Side})

    def settled(self, to: Weights) -> bool:
        """Return whether the records hold the weights and every name server of Route 53 serves them.

        Looks once a second at most. After a restart nobody knows the id of the last change; the same records are then
        written once more, unchanged, for an id that can be asked for.
        """
        at = self.clock()
        if self._looked and self._looked[0] == to and at - self._looked[1] < LOOK_SECONDS:
            return self._looked[2]
        serves = self._serves(to)
        self._looked = (to, at, serves)
        return serves

    @property
    def servers(self) -> tuple[str, ...]:
        """Return each name server that is asked."""
        return tuple(address_text((one.address, one.port)) for one in self.authorities)

    def draw(self, server: str, count: int) -> Drawn:
        """Ask one name server for that many answers and count whose they are."""
        return draw(self._look(), self.authorities[self.servers.index(server)], count)

    def prepare(self) -> float:
        """Lower the TTL and leave the weights; return seconds until nobody holds an answer with the old one."""
        found = self._look()
        mark = self._own(found, "lowering the TTL")
        if found.live > self.ttl and any(ttl > self.ttl for ttl in found.ttls.values()):
            self._write(found, mark, found.weights)
            return float(PROPAGATION + (self._live or 0))
        if mark is None:
            return 0.0
        left = min(mark.at + mark.live + PROPAGATION - self.now(), float(mark.live + PROPAGATION))
        if self._change and not self._in_sync():
            return max(left, float(mark.live))
        return max(left, 0.0)

    def finalize(self) -> None:
        """Put back the TTLs and remove the mark; the weights stay."""
        found = self._look()
        mark = self._own(found, "finalizing")
        if mark is None:
            return
        ttls = {kind: mark.ttls.get(kind, ttl) for kind, ttl in found.ttls.items()}
        self._replace(found, replace(found, sets=rewritten(found, found.weights, ttls), marks=()))

    def marked_by(self) -> str:
        """Return whose mark stands beside the records, empty when there is none."""
        mark = self._mark(self.zone.find())
        return mark.owner if mark else ""

    def _serves(self, to: Weights) -> bool:
        if self._change and not self._in_sync():
            return False
        found = self._look()
        if not holds(found.weights, to):
            return False
        mark = self._mark(found)
        if self._change or mark is None or mark.owner != self.owner:
            return True  # nothing of ours is under way
        after = self.zone.marked(found, replace(mark, count=mark.count + 1).text())
        self._replace(found, after)
        return self._in_sync()

    def _in_sync(self) -> bool:
        self._synced = self._synced or self.zone.in_sync(self._change)
        return self._synced

    def _write(self, found: Found, mark: Mark | None, weights: Mapping[Side, int]) -> None:
        """Write weights, mark and lowered TTL; what was live lasts until the write before is over, too."""
        now = self.now()
        live = max(found.live, int(mark.left(now))) if mark else found.live
        first = mark or Mark(self.owner, 0, 0, 0, 0, found.ttls)
        ttls = {kind: min(ttl, self.ttl) for kind, ttl in found.ttls.items()}
        after = replace(found, sets=rewritten(found, weights, ttls))
        self._replace(found, self.zone.marked(after, first.after(weights[Side.GREEN], live, now).text()))
        self._live = live

    def _replace(self, before: Found, after: Found) -> None:
        """Write and read back."""
        self._change, self._synced, self._looked = self.zone.write(before, after), False, None
        if not same(after, self.zone.find()):
            what, why = f"reading back {self.zone.where}", "something else is there: somebody else writes, too"
            raise ConflictError("route53.not-read-back", what, why, "bluegreen traffic show; then resume")

    def _look(self) -> Found:
        """Return what is at the name, in a form that says weights."""
        found = self.zone.find()
        if fault := found.fault():
            raise self._refused(fault, found.sets)
        return found

    def _percent(self, found: Found) -> Weights:
        now = percent(found.weights)
        if now is None:
            raise self._refused(Fault("both sides have weight 0"), found.sets)
        return now

    def _mark(self, found: Found) -> Mark | None:
        try:
            return Mark.parse(found.mark) if found.marks else None
        except ValueError as error:
            raise RefusedError(
                "route53.mark", f"reading the mark of route {self.name!r}", str(error), f"look at {self.zone.mark} TXT"
            ) from None

    def _own(self, found: Found, what: str) -> Mark | None:
        mark = self._mark(found)
        if mark and mark.owner != self.owner:
            raise self._owned(what, mark)
        return mark

    def _conflict(self, to: Weights, expect: Weights, now: Weights, mark: Mark | None) -> ConflictError:
        why = f"expected {expect.blue}/{expect.green}, but {self.zone.where} has {now.blue}/{now.green}"
        ours = f"; the last that we wrote gave green {mark.green}" if mark else ""
        return ConflictError(
            "route53.conflict",
            f"shifting to {to.blue}/{to.green} on route {self.name!r}",
            f"{why}{ours}; somebody else has written",
            "bluegreen traffic show; then resume, or: bluegreen revert",
        )

    def _owned(self, what: str, mark: Mark) -> ConflictError:
        return ConflictError(
            "route53.owned",
            f"{what} on route {self.name!r}",
            f"{self.zone.where} carries the mark of {mark.owner!r}, and we are {self.owner!r}",
            f"let that one end first, or remove its mark: the TXT record {self.zone.mark}",
        )

    def _refused(self, fault: Fault, sets: tuple[RecordSet, ...]) -> RefusedError:
        what = f"reading the weights of route {self.name!r} at {self.zone.where}"
        pair = " and ".join(repr(name) for name in self.zone.sides.values())
        then = f"make it weighted records with the set identifiers {pair}"
        if fault.simple:
            return RefusedError("route53.simple", what, fault.why, self.zone.pairing(sets[0]))
        if fault.missing:
            return NotFoundError("route53.no-record", what, fault.why, then)
        return RefusedError("route53.no-weights", what, fault.why, then)


def open_router(name: str, options: Mapping[str, object]) -> Route53Router:
    """Return a router for a pair of weighted records in Route 53.

    Args:
        name: name of the route.
        options: zone_id, record (its whole name), blue and green (set identifiers, these words by default), ttl (30s,
            during the migration), owner (bluegreen), nameservers (addresses of the zone's own, to prove the weights),
            region (us-east-1), profile, endpoint, timeout (5s). Credentials come from boto's own places.

    Raises:
        InvalidInputError: settings that cannot be used, all of them.
        RefusedError: there is no such profile.
    """
    zone, owner, ttl, authorities = open_zone(name, options)
    return Route53Router(name, zone, owner, ttl, authorities)
