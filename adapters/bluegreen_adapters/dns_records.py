"""The one DNS record of a route and the mark beside it, as text in and values out.

Weights live in a LUA record of PowerDNS, `A "pickwrandom({{90,'192.0.2.1'},{10,'192.0.2.2'}})"`; a plain address record
of one side is 100 for that side. The mark is a TXT record at `_bluegreen.` before the name: whose the weights are, and
what to put back at the end. Pure. It must never guess: a record in another form is said to be one, and not changed.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side

LUA = "LUA"
MARK_LABEL = "_bluegreen"
_PICK = re.compile(r"""(A|AAAA)\s+"\s*;?\s*(?:return\s+)?pickwrandom\s*\(\s*\{(.*)\}\s*\)\s*;?\s*\"""")
_ENTRY = re.compile(r"""\{\s*(\d+)\s*,\s*['"]([0-9A-Fa-f.:]+)['"]\s*\}""")
_HERITAGE = "heritage=bluegreen"


@dataclass(frozen=True, slots=True)
class Targets:
    """The address of each side, both of one family.

    Attributes:
        kind: A or AAAA.
        addresses: address of each side, in canonical form.
    """

    kind: str
    addresses: Mapping[Side, str]

    def lua(self, weights: Weights) -> str:
        """Return the content of a LUA record with those weights; a side with 0 stays in it and is never drawn."""
        entries = ",".join(f"{{{weights.of(side)},'{self.addresses[side]}'}}" for side in Side)
        return f'{self.kind} "pickwrandom({{{entries}}})"'

    def side(self, address: str) -> Side | None:
        """Return whose address that is."""
        return next((side for side, own in self.addresses.items() if own == canonical(address)), None)


@dataclass(frozen=True, slots=True)
class Found:
    """What is at the name and at the name of its mark.

    Attributes:
        rows: type and content of each record that decides where users go, sorted.
        ttl: seconds; the longest of them.
        mark: text of the mark, empty when there is none.
    """

    rows: tuple[tuple[str, str], ...]
    ttl: int
    mark: str = ""

    @property
    def plain(self) -> bool:
        """Return whether there is no LUA record."""
        return all(kind != LUA for kind, _ in self.rows)


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose the record is for now, and what to put back.

    Attributes:
        owner: who writes it.
        green: share that was written last; another one in the record means another writer.
        live: TTL in seconds that was live before the last write: how long resolvers may still hold what was before.
        ttl: TTL in seconds before the first write.
        plain: whether it was a plain address record before the first write.
    """

    owner: str
    green: int
    live: int
    ttl: int
    plain: bool

    def text(self) -> str:
        """Return the mark as it stands in the zone."""
        was = "plain" if self.plain else "lua"
        return f"{_HERITAGE},owner={self.owner},green={self.green},live={self.live},ttl={self.ttl},was={was}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the mark of a text.

        Raises:
            ValueError: it is not one of ours.
        """
        parts = dict(part.partition("=")[::2] for part in text.split(","))
        try:
            if not text.startswith(f"{_HERITAGE},"):
                raise KeyError(text)  # noqa: TRY301 - told below with the others
            numbers = {key: int(parts[key]) for key in ("green", "live", "ttl")}
            return cls(owner=parts["owner"], plain=parts["was"] == "plain", **numbers)
        except (KeyError, ValueError):
            raise ValueError(f"the TXT record is no mark of ours: {text}") from None


def canonical(address: str) -> str:
    """Return an address in its one canonical form; ValueError when it is none."""
    return str(ipaddress.ip_address(address))


def shares(found: Found, targets: Targets) -> dict[Side, int]:
    """Return the raw weight of each side.

    Raises:
        ValueError: the record is in a form that says no weights, with what it is.
    """
    if not found.rows:
        raise ValueError("there is no record of that name")
    if len(found.rows) > 1:
        raise ValueError(f"several records would share its users: {_told(found)}")
    kind, content = found.rows[0]
    if kind == targets.kind:
        entries = [(1, content)]
    elif kind == LUA:
        entries = _entries(content, targets.kind)
    else:
        raise ValueError(f"it is a {kind} record, and not {targets.kind} or LUA")
    weights = dict.fromkeys(Side, 0)
    for weight, address in entries:
        if side := targets.side(address):
            weights[side] += weight
        elif weight:
            raise ValueError(f"{address} is in it, which is neither side's address")
    return weights


def _entries(content: str, kind: str) -> list[tuple[int, str]]:
    match = _PICK.fullmatch(content.strip())
    if not match or _ENTRY.sub("", match[2]).replace(",", "").strip():
        raise ValueError(f"its LUA code is not pickwrandom alone: {content}")
    if match[1] != kind:
        raise ValueError(f"its LUA record answers {match[1]}, and not {kind}")
    return [(int(weight), address) for weight, address in _ENTRY.findall(match[2])]


def _told(found: Found) -> str:
    return ", ".join(f"{kind} {content}" for kind, content in found.rows)
