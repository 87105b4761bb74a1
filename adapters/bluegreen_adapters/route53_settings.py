"""Settings of the Route 53 router: which name in which hosted zone, and by whose mark."""

import re
from collections.abc import Mapping

import dns.exception
import dns.name

from bluegreen.model.refs import Side
from bluegreen_adapters import dns_settings
from bluegreen_adapters.aws_calls import Access, open_aws
from bluegreen_adapters.dns_answers import Authority
from bluegreen_adapters.dns_settings import Place
from bluegreen_adapters.options import Options
from bluegreen_adapters.route53_zone import Zone

# Route 53 is one for all regions; this is where its API is.
_REGION = "us-east-1"
_ZONE_ID = re.compile(r"[A-Z0-9]{1,32}")
_LONGEST_IDENTIFIER = 128


def open_zone(name: str, options: Mapping[str, object]) -> tuple[Zone, str, int, tuple[Authority, ...]]:
    """Return the name in its zone, the owner of the mark, the TTL in seconds during the migration, and name servers."""
    given = Options("router route53", name, options)
    zone, record = given.text("zone_id").removeprefix("/hostedzone/"), _record(given)
    sides = {side: given.text(str(side), str(side)) for side in Side}
    if zone and not _ZONE_ID.fullmatch(zone):
        given.refuse("zone_id", "must be the id of a hosted zone such as Z0123456789ABCDEFGHIJ")
    if any(len(identifier) > _LONGEST_IDENTIFIER for identifier in sides.values()):
        given.refuse("blue", "or green is longer than a set identifier can be (128)")
    if sides[Side.BLUE] == sides[Side.GREEN]:
        given.refuse("green", "is the same set identifier as blue")
    owner, ttl = dns_settings.owner(given), dns_settings.lowered_ttl(given)
    access, at = Access.read(given, _REGION), Place(record, record)
    servers = dns_settings.lists(given, "nameservers")
    asked = dns_settings.authorities(given, "nameservers", at, access.timeout, servers)
    given.finish()
    return Zone(open_aws("route53", access, "route53"), zone, at.name, at.mark, sides), owner, ttl, tuple(asked)


def _record(given: Options) -> str:
    """Return the absolute name."""
    text = given.text("record")
    try:
        name = dns.name.from_text(text or "missing.", dns.name.root)
        if len(name) > 2:  # noqa: PLR2004 - a label, a zone's label and the root
            return name.to_text().lower()
    except (dns.exception.DNSException, ValueError):
        pass
    if text:
        given.refuse("record", "must be a whole DNS name such as www.shop.example")
    return ""
