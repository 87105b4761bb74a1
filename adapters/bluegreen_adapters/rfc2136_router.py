"""Weights in a LUA record, through signed updates (RFC 2136 with TSIG).

An update carries what must still be there as prerequisites, so this is a true compare-and-set in the server: two
writers at the same moment cannot both win. Reading needs a transfer of the zone (AXFR with the same key), because
servers do not answer questions for LUA records; a very large zone is better written through PowerDNS's HTTP API.

Only PowerDNS runs such records. Others (BIND) would store them and answer nothing, so before the first write a record
of a name of its own is tried, and a server that does not answer from it is refused. It must never repeat the key.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdataset
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.update
import dns.xfr
import dns.zone

from bluegreen.model.errors import BluegreenError, ConflictError, RefusedError, TransientError
from bluegreen.model.permissions import Permissions
from bluegreen_adapters import dns_settings
from bluegreen_adapters.dns_answers import Authority
from bluegreen_adapters.dns_lua import from_lua, rdata_of
from bluegreen_adapters.dns_records import LUA, Found, Targets
from bluegreen_adapters.dns_route import DnsRouter
from bluegreen_adapters.dns_settings import DEFAULT_TIMEOUT, Place
from bluegreen_adapters.options import Options

PERMISSIONS = Permissions(
    (
        "the TSIG key in the zone's metadata TSIG-ALLOW-DNSUPDATE, for: updates of the record, its mark, a trial name",
        "the TSIG key in the zone's metadata TSIG-ALLOW-AXFR, for: reading the record",
        "in pdns.conf: dnsupdate=yes, allow-dnsupdate-from with our address, enable-lua-records=yes",
    )
)
_TRIAL_LABEL = "_bluegreen-trial"
_TRIAL_TTL = 1
_DECIDING = ("A", "AAAA", "CNAME", "ALIAS", LUA)
_PREREQUISITE = {dns.rcode.NXRRSET, dns.rcode.YXRRSET, dns.rcode.NXDOMAIN, dns.rcode.YXDOMAIN}
_ALGORITHMS = ("hmac-sha256", "hmac-sha384", "hmac-sha512")


@dataclass(frozen=True, slots=True)
class UpdateRecords:
    """The records of one name behind updates and transfers.

    Attributes:
        server: address and port.
        key: key of the signatures.
        place: zone and name.
        targets: addresses of the sides, for the trial.
        timeout: seconds of each exchange.
        where: the record, for people.
    """

    server: tuple[str, int]
    key: dns.tsig.Key
    place: Place
    targets: Targets
    timeout: float
    where: str

    def find(self) -> Found:
        """Return what is at the name and its mark, from a transfer of the zone."""
        zone = self._transfer()
        rows, ttl = [], 0
        for rdataset in zone.find_node(self.place.name, create=True):
            kind, contents = from_lua(rdataset)
            if kind in _DECIDING:
                rows += [(kind, content) for content in contents]
                ttl = max(ttl, rdataset.ttl)
        texts = zone.get_rdataset(self.place.mark, dns.rdatatype.TXT)
        mark = "".join(part.decode() for rdata in texts or () for part in rdata.strings)
        return Found(tuple(sorted(rows)), ttl, mark)

    def write(self, before: Found, after: Found) -> None:
        """Replace one by the other in one update that the server refuses unless `before` is there."""
        update = self._update()
        for kind in sorted({kind for kind, _ in before.rows}):
            contents = [content for one, content in before.rows if one == kind]
            update.present(self._relative(self.place.name), _rdataset(kind, 0, contents))
        mark = self._relative(self.place.mark)
        if before.mark:
            update.present(mark, _rdataset("TXT", 0, [f'"{before.mark}"']))
        else:
            update.absent(mark, "TXT")
        for kind in sorted({kind for kind, _ in before.rows}):
            update.delete(self._relative(self.place.name), _type(kind))
        for kind, content in after.rows:
            update.add(self._relative(self.place.name), _rdataset(kind, after.ttl, [content]))
        update.delete(mark, "TXT")
        if after.mark:
            update.add(mark, _rdataset("TXT", after.ttl, [f'"{after.mark}"']))
        self._send(update, f"writing {self.where}")

    def check_weights(self) -> None:
        """Refuse a server that does not answer from a LUA record, tried at a name of its own."""
        trial = f"{_TRIAL_LABEL}.{self.place.name}"
        address = next(iter(self.targets.addresses.values()))
        content = f"{self.targets.kind} \"pickwrandom({{{{1,'{address}'}}}})\""
        put = self._update()
        put.replace(self._relative(trial), _rdataset(LUA, _TRIAL_TTL, [content]))
        self._send(put, f"trying a LUA record at {trial}")
        try:
            answered = Authority(*self.server, trial, self.timeout).ask(self.targets.kind).addresses
        finally:
            gone = self._update()
            gone.delete(self._relative(trial))
            self._send(gone, f"removing the trial at {trial}")
        if address not in answered:
            raise RefusedError(
                "rfc2136.no-weights",
                f"writing weights to {self.where}",
                "this server stores a LUA record but does not answer from it: it cannot do weights (BIND cannot)",
                "use PowerDNS with enable-lua-records=yes, or a load balancer's router such as haproxy",
            )

    def _update(self) -> dns.update.UpdateMessage:
        return dns.update.UpdateMessage(self.place.zone, keyring=self.key, keyalgorithm=self.key.algorithm)

    def _relative(self, name: str) -> dns.name.Name:
        return dns.name.from_text(name).relativize(dns.name.from_text(self.place.zone))

    def _send(self, update: dns.update.UpdateMessage, what: str) -> None:
        address, port = self.server
        try:
            code = dns.query.tcp(update, address, self.timeout, port).rcode()
        except (OSError, EOFError, dns.exception.DNSException) as error:
            raise self._failed(what, error) from None
        if code in _PREREQUISITE:
            why = f"{dns.rcode.to_text(code)}: it changed between our look and our write"
            raise ConflictError("dns.conflict", what, why, "bluegreen traffic show; then resume")
        if code == dns.rcode.SERVFAIL:
            raise TransientError("rfc2136.fault", what, "SERVFAIL")
        if code != dns.rcode.NOERROR:
            raise self._rejected(what, dns.rcode.to_text(code))

    def _transfer(self) -> dns.zone.Zone:
        address, port = self.server
        zone = dns.zone.Zone(self.place.zone, relativize=False)
        query, _ = dns.xfr.make_query(zone, keyring=self.key, keyalgorithm=self.key.algorithm)
        try:
            dns.query.inbound_xfr(address, zone, query, port, self.timeout, self.timeout)
        except (OSError, EOFError, dns.exception.DNSException) as error:
            raise self._failed(f"reading {self.where} by a transfer", error) from None
        return zone

    def _failed(self, what: str, error: Exception) -> BluegreenError:
        """Return an error for an exchange that did not come to its end."""
        why = str(error) or type(error).__name__
        unsigned = isinstance(error, dns.exception.FormError) and "TSIG" in why
        if unsigned or isinstance(error, (dns.tsig.PeerError, dns.tsig.BadSignature, dns.xfr.TransferError)):
            return self._rejected(what, why)
        return TransientError("rfc2136.unreachable", what, why)

    def _rejected(self, what: str, why: str) -> RefusedError:
        zone, key = self.place.zone.rstrip("."), self.key.name.to_text(omit_final_dot=True)
        return RefusedError(
            "rfc2136.refused",
            what,
            f"the server does not let key {key} do it: {why}",
            f"pdnsutil set-meta {zone} TSIG-ALLOW-DNSUPDATE {key}; pdnsutil set-meta {zone} TSIG-ALLOW-AXFR {key}",
        )


def _type(kind: str) -> int:
    return int(rdata_of(kind, "").rdtype) if kind == LUA else int(dns.rdatatype.from_text(kind))


def _rdataset(kind: str, ttl: int, contents: list[str]) -> dns.rdataset.Rdataset:
    return dns.rdataset.from_rdata_list(ttl, [rdata_of(kind, content) for content in contents])


def open_router(name: str, options: Mapping[str, object]) -> DnsRouter:
    """Return a router for a name in a zone that takes signed updates.

    Args:
        name: name of the route.
        options: server (address or address:port), key_name, secret (of the key, base64), algorithm (hmac-sha256),
            zone, record, blue and green (addresses), ttl (30s, during the migration), owner (bluegreen), nameservers
            (addresses that are asked whether they serve it; the server by default), timeout (2s).

    Raises:
        InvalidInputError: settings that cannot be used, all of them.
    """
    given = Options("router rfc2136", name, options)
    server = _server(given)
    key = _key(given)
    place, targets = dns_settings.place(given), dns_settings.targets(given)
    ttl, owner = dns_settings.lowered_ttl(given), dns_settings.owner(given)
    timeout = given.seconds("timeout", DEFAULT_TIMEOUT)
    servers = dns_settings.lists(given, "nameservers") or (dns_settings.address_text(server),)
    authorities = dns_settings.authorities(given, "nameservers", place, timeout, servers)
    given.finish()
    records = UpdateRecords(
        server, key, place, targets, timeout, f"{place.name} at {dns_settings.address_text(server)}"
    )
    return DnsRouter(name, records, targets, owner, ttl, authorities)


def _server(given: Options) -> tuple[str, int]:
    text = given.text("server")
    found = dns_settings.address_port(text) if text else None
    if text and not found:
        given.refuse("server", "must be an IP address such as 192.0.2.53 or 192.0.2.53:5300")
    return found or ("192.0.2.1", dns_settings.DNS_PORT)


def _key(given: Options) -> dns.tsig.Key:
    name, secret = given.text("key_name"), dns_settings.secret(given, "secret")
    algorithm = given.text("algorithm", "hmac-sha256")
    if algorithm not in _ALGORITHMS:
        given.refuse("algorithm", f"must be one of {', '.join(_ALGORITHMS)}")
    try:
        return dns.tsig.Key(name or "unnamed", base64.b64decode(secret, validate=True), algorithm)
    except (ValueError, dns.exception.DNSException):
        given.refuse("secret", "must be base64 as tsig-keygen prints it, and key_name a DNS name")
        return dns.tsig.Key("unnamed", b"")
