"""The weighted record sets of one name in Route 53, as they are and as they shall be. Pure.

A name may have address records of several types (A and AAAA for users of both families); their pairs move together, or
users of the one family would stay behind. Whatever a person has set on them (values, alias target, health check) is
kept. It must never guess: a name in another form is said to be one, and not changed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bluegreen.model.refs import Side

RecordSet = Mapping[str, Any]
TYPES = ("A", "AAAA", "CNAME")
# An alias has no TTL of its own; that of an ELB is 60 s, and no other alias target's is known to be longer.
ALIAS_TTL = 60
_POLICIES = ("Region", "Failover", "GeoLocation", "GeoProximityLocation", "MultiValueAnswer", "CidrRoutingConfig")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why the weights of a name cannot be read.

    Attributes:
        why: what is there instead.
        simple: whether it is one plain record, which a person can turn into a pair.
        missing: whether something is not there at all.
    """

    why: str
    simple: bool = False
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What is at the name.

    Attributes:
        sets: the record sets that decide where users go, as Route 53 has them.
        marks: the TXT record set of the mark, none or one.
        sides: set identifier of each side.
    """

    sets: tuple[RecordSet, ...]
    marks: tuple[RecordSet, ...]
    sides: Mapping[Side, str]

    def of(self, side: Side) -> Iterator[RecordSet]:
        """Yield the record set of a side, one per type."""
        return (one for one in self.sets if one.get("SetIdentifier") == self.sides[side])

    @property
    def weights(self) -> dict[Side, int]:
        """Return the weight of each side; only to be asked of a name without a fault."""
        return {side: int(next(self.of(side))["Weight"]) for side in Side}

    @property
    def live(self) -> int:
        """Return for how many seconds an answer is kept."""
        return max((int(one.get("TTL", ALIAS_TTL)) for one in self.sets), default=0)

    @property
    def ttls(self) -> dict[str, int]:
        """Return the TTL of each type; an alias has none."""
        return {one["Type"]: int(one["TTL"]) for one in self.sets if "TTL" in one}

    @property
    def mark(self) -> str:
        """Return the text of the mark, empty when there is none."""
        rows = [row["Value"] for one in self.marks for row in one["ResourceRecords"]]
        return "".join(rows).replace('"', "")

    def fault(self) -> Fault | None:
        """Return why this says no weights, None when it does."""
        if not self.sets:
            return Fault("there is no A, AAAA or CNAME record of that name", missing=True)
        if simple := [one for one in self.sets if "SetIdentifier" not in one]:
            return Fault(f"it has a simple record, which has no weight: {_told(simple)}", simple=len(self.sets) == 1)
        if other := [one for one in self.sets if "Weight" not in one]:
            policy = next((key for key in _POLICIES if key in other[0]), "another policy")
            return Fault(f"its records are not weighted, but go by {policy}: {_told(other)}")
        if third := [one for one in self.sets if one["SetIdentifier"] not in self.sides.values()]:
            why = "users share them, or go there when the others are unhealthy"
            return Fault(f"other records have the same name, and {why}: {_told(third)}")
        return self._missing() or self._unequal()

    def _missing(self) -> Fault | None:
        there = {(one["Type"], one["SetIdentifier"]) for one in self.sets}
        wanted = [(kind, name) for kind in sorted({kind for kind, _ in there}) for name in self.sides.values()]
        gone = [f"{kind} {name!r}" for kind, name in wanted if (kind, name) not in there]
        return Fault(f"there is no record {' nor '.join(gone)}", missing=True) if gone else None

    def _unequal(self) -> Fault | None:
        pairs = {tuple(int(one["Weight"]) for one in self.of(side)) for side in Side}
        if any(len(set(weights)) > 1 for weights in pairs):
            return Fault(f"its types have different weights: {_told(self.sets)}")
        if not any(self.weights.values()):
            return Fault("both sides have weight 0, and Route 53 then answers with each as often as with the other")
        return None


def rewritten(found: Found, weights: Mapping[Side, int], ttls: Mapping[str, int]) -> tuple[RecordSet, ...]:
    """Return the record sets with other weights and TTLs, and else as they are."""
    return tuple(
        {**one, "Weight": weights[side]} | ({"TTL": ttls[one["Type"]]} if "TTL" in one else {})
        for side in Side
        for one in found.of(side)
    )


def changes(before: Found, after: Found) -> list[dict[str, Any]]:
    """Return the batch that replaces one by the other, and that Route 53 refuses if `before` is no longer there."""
    gone = [{"Action": "DELETE", "ResourceRecordSet": dict(one)} for one in (*before.sets, *before.marks)]
    new = [{"Action": "CREATE", "ResourceRecordSet": dict(one)} for one in (*after.sets, *after.marks)]
    return gone + new


def same(one: Found, other: Found) -> bool:
    """Return whether both have the same weights, TTLs and mark."""
    return _essence(one) == _essence(other)


def _essence(found: Found) -> tuple[object, ...]:
    rows = [(one["Type"], one.get("SetIdentifier"), one.get("Weight"), one.get("TTL")) for one in found.sets]
    return sorted(rows, key=str), found.mark


def plain_name(name: str) -> str:
    """Return a name as people write it: Route 53 writes a star as an octal code."""
    return re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), name).lower()


def _told(sets: tuple[RecordSet, ...] | list[RecordSet]) -> str:
    return ", ".join(
        f"{one['Type']}"
        + (f" {one['SetIdentifier']!r}" if "SetIdentifier" in one else "")
        + (f" with weight {one['Weight']}" if "Weight" in one else "")
        for one in sets
    )
