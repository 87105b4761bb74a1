"""Settings that every DNS router shares: the name, the sides' addresses, the TTL, the owner, the name servers.

A name server is given by its address: asking a resolver for it would make the check depend on what it checks.
"""

import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.name

from bluegreen.model.refs import Side
from bluegreen_adapters.dns_answers import Authority
from bluegreen_adapters.dns_records import MARK_LABEL, Targets, canonical
from bluegreen_adapters.options import Options

DEFAULT_TIMEOUT = 2.0
DNS_PORT = 53
_LOWERED_TTL = 30.0
_OWNER = re.compile(r"[A-Za-z0-9._:@/-]{1,63}")
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Place:
    """Where a route's record is.

    Attributes:
        zone: absolute name of the zone.
        name: absolute name of the record.
    """

    zone: str
    name: str

    @property
    def mark(self) -> str:
        """Return the absolute name of the mark."""
        return f"{MARK_LABEL}.{self.name}"


def place(given: Options) -> Place:
    """Read zone and record; a record without the zone's name is taken as relative to it."""
    zone, record = _name(given, "zone", dns.name.root), given.text("record")
    name = _parse(given, "record", record, zone) if record else zone
    if not name.is_subdomain(zone):
        given.refuse("record", "is not in the zone")
    return Place(zone.to_text().lower(), name.to_text().lower())


def _name(given: Options, key: str, origin: dns.name.Name) -> dns.name.Name:
    text = given.text(key)
    return _parse(given, key, text, origin) if text else origin


def _parse(given: Options, key: str, text: str, origin: dns.name.Name) -> dns.name.Name:
    bare = origin.to_text(omit_final_dot=True)
    absolute = text.removesuffix(".").lower()
    try:
        inside = absolute == bare or absolute.endswith(f".{bare}")
        return dns.name.from_text(absolute if inside else text, dns.name.root if inside else origin)
    except (dns.exception.DNSException, ValueError):
        given.refuse(key, "must be a DNS name such as www.shop.example")
        return origin


def targets(given: Options) -> Targets:
    """Read both addresses."""
    found = {side: _address(given, str(side)) for side in Side}
    kinds = {":" in address for address in found.values() if address}
    if len(kinds) > 1:
        given.refuse("green", "is of another address family than blue")
    elif found[Side.BLUE] and found[Side.BLUE] == found[Side.GREEN]:
        given.refuse("green", "is the same address as blue")
    return Targets("AAAA" if kinds == {True} else "A", found)


def _address(given: Options, key: str) -> str:
    text = given.text(key)
    try:
        return canonical(text) if text else ""
    except ValueError:
        given.refuse(key, "must be an IP address: weights are drawn between addresses, not names")
        return ""


def owner(given: Options) -> str:
    """Read who writes the mark."""
    text = given.text("owner", "bluegreen")
    if not _OWNER.fullmatch(text):
        given.refuse("owner", "must be 1 to 63 letters, digits or . _ : @ / -")
    return text


def lowered_ttl(given: Options) -> int:
    """Read the TTL for the time of the migration."""
    return max(int(given.seconds("ttl", _LOWERED_TTL)), 1)


def authorities(given: Options, key: str, at: Place, timeout: float, values: tuple[str, ...]) -> list[Authority]:
    """Return the name servers of a list of addresses, each with an optional port."""
    found = [address_port(value) for value in values]
    if None in found:
        given.refuse(key, "must be IP addresses such as 192.0.2.53, 192.0.2.53:5300 or [2001:db8::53]:53")
    return [Authority(pair[0], pair[1], at.name, timeout) for pair in found if pair]


def address_port(text: str, default: int = DNS_PORT) -> tuple[str, int] | None:
    """Return address and port, None when it is neither ADDRESS nor ADDRESS:PORT."""
    match = re.fullmatch(r"\[(?P<six>[^\]]+)\](?::(?P<p6>\d+))?|(?P<four>[^:]+)(?::(?P<p4>\d+))?|(?P<bare>.+)", text)
    if not match:
        return None
    host = match["six"] or match["four"] or match["bare"]
    port = int(match["p6"] or match["p4"] or default)
    try:
        return (str(ipaddress.ip_address(host)), port) if 0 < port <= _LAST_PORT else None
    except ValueError:
        return None


def address_text(pair: tuple[str, int]) -> str:
    """Return address and port for people."""
    return f"[{pair[0]}]:{pair[1]}" if ":" in pair[0] else f"{pair[0]}:{pair[1]}"


def lists(given: Options, key: str) -> tuple[str, ...]:
    """Read an optional list of texts."""
    value = given.raw(key, ())
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return tuple(value)
    given.refuse(key, "must be a list of texts")
    return ()


def secret(given: Options, key: str) -> str:
    """Read a secret: the value, or a reference env:NAME or file:PATH that is looked up now."""
    text = given.text(key)
    try:
        if text.startswith("env:"):
            text = os.environ[text.removeprefix("env:")]
        elif text.startswith("file:"):
            text = Path(text.removeprefix("file:")).read_text(encoding="utf-8").strip()
    except KeyError:
        given.refuse(key, "names a variable of the environment that is not set")
    except (OSError, ValueError) as error:
        given.refuse(key, f"names a file that cannot be read: {type(error).__name__}")
    return text
