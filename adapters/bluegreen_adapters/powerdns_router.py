"""Weights in a LUA record of PowerDNS, through its HTTP API.

The API has no compare-and-set: between our look and our write lie a few milliseconds in which another writer would not
be noticed; the mark tells whose the record is, and the read-back after the write is the second look. Record, mark and
TTL go in one PATCH, which PowerDNS does in one transaction. It must never follow proxies of the environment, nor
repeat the API key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from bluegreen.model.errors import BluegreenError, NotFoundError, RefusedError, TransientError
from bluegreen.model.permissions import Permissions
from bluegreen_adapters import dns_settings
from bluegreen_adapters.dns_records import LUA, Found
from bluegreen_adapters.dns_route import DnsRouter
from bluegreen_adapters.dns_settings import DEFAULT_TIMEOUT, Place
from bluegreen_adapters.options import Options

PERMISSIONS = Permissions(
    (
        "the API key of PowerDNS's HTTP API (api=yes), for: GET and PATCH of the one zone, GET of its configuration",
        "in pdns.conf: enable-lua-records=yes (or shared)",
    )
)
_DECIDING = ("A", "AAAA", "CNAME", "ALIAS", LUA)
_TOO_MANY, _SERVER_FAULT = 429, 500


@dataclass(frozen=True, slots=True)
class PowerDnsRecords:
    """The records of one name behind the API.

    Attributes:
        client: HTTP client whose base is one server of the API.
        place: zone and name.
        where: the record, for people.
    """

    client: httpx.Client
    place: Place
    where: str

    def find(self) -> Found:
        """Return what is at the name and its mark."""
        sets = self._rrsets(self.place.name)
        rows = [(kind, row["content"], int(one["ttl"])) for kind, one in sets.items() for row in _live(one)]
        rows = [row for row in rows if row[0] in _DECIDING]
        texts = [row["content"] for row in _live(self._rrsets(self.place.mark).get("TXT", {}))]
        ttl = max((row[2] for row in rows), default=0)
        return Found(tuple(sorted(row[:2] for row in rows)), ttl, "".join(texts).replace('"', ""))

    def write(self, before: Found, after: Found) -> None:
        """Replace one by the other in one PATCH."""
        gone = {kind for kind, _ in before.rows} - {kind for kind, _ in after.rows}
        changes = [_change(self.place.name, kind, after.ttl, [content]) for kind, content in after.rows]
        changes += [_change(self.place.name, kind, 0, []) for kind in sorted(gone)]
        if after.mark or before.mark:
            changes.append(_change(self.place.mark, "TXT", after.ttl, [f'"{after.mark}"'] if after.mark else []))
        self._ask("PATCH", f"zones/{self.place.zone}", f"writing {self.where}", json={"rrsets": changes})

    def check_weights(self) -> None:
        """Refuse a server whose configuration has LUA records off."""
        settings = self._ask("GET", "config", "reading PowerDNS's configuration")
        lua = next((row["value"] for row in settings if row["name"] == "enable-lua-records"), "")
        if lua in {"", "no", "off", "0"}:
            raise RefusedError(
                "powerdns.no-lua",
                f"writing weights to {self.where}",
                "LUA records are off in this server: it would answer nothing for the name",
                "in pdns.conf: enable-lua-records=yes; then restart PowerDNS",
            )

    def _rrsets(self, name: str) -> dict[str, Mapping[str, Any]]:
        """Return the record sets of a name by type."""
        zone = self._ask("GET", f"zones/{self.place.zone}", f"reading {self.where}", params={"rrset_name": name})
        return {rrset["type"]: rrset for rrset in zone["rrsets"] if rrset["name"].lower() == name}

    def _ask(self, method: str, path: str, what: str, **more: Any) -> Any:
        try:
            response = self.client.request(method, path, **more)
            if response.is_success:
                return response.json() if response.content else None
        except (httpx.HTTPError, ValueError) as error:
            why = str(error) or type(error).__name__
            raise TransientError("powerdns.unreachable", f"{what} at {self.client.base_url}", why) from None
        raise self._answered(what, response)

    def _answered(self, what: str, response: httpx.Response) -> BluegreenError:
        """Return an error for an answer that is no success."""
        why = f"HTTP {response.status_code}: {response.text}"
        match response.status_code:
            case 401 | 403:
                return RefusedError("powerdns.key", what, why, "set api_key to the api-key of pdns.conf, as env:NAME")
            case 404:
                why = f"{why}: no such zone or server"
                return NotFoundError("powerdns.no-zone", what, why, "pdnsutil list-all-zones; then set zone")
            case status if status >= _SERVER_FAULT or status == _TOO_MANY:
                return TransientError("powerdns.fault", what, why)
        return RefusedError("powerdns.refused", what, why, "pdnsutil check-zone, and PowerDNS's own log")


def _live(rrset: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row for row in rrset.get("records", ()) if not row.get("disabled")]


def _change(name: str, kind: str, ttl: int, contents: list[str]) -> dict[str, Any]:
    if not contents:
        return {"name": name, "type": kind, "changetype": "DELETE"}
    records = [{"content": content, "disabled": False} for content in contents]
    return {"name": name, "type": kind, "changetype": "REPLACE", "ttl": ttl, "records": records}


def open_router(name: str, options: Mapping[str, object]) -> DnsRouter:
    """Return a router for a name in a PowerDNS zone.

    Args:
        name: name of the route.
        options: url (such as http://127.0.0.1:8081), api_key, server (localhost), zone, record, blue and green
            (addresses), ttl (30s, during the migration), owner (bluegreen), nameservers (addresses that are asked
            whether they serve it), timeout (2s).

    Raises:
        InvalidInputError: settings that cannot be used, all of them.
    """
    given = Options("router powerdns", name, options)
    url, key, server = _url(given), dns_settings.secret(given, "api_key"), given.text("server", "localhost")
    place, targets = dns_settings.place(given), dns_settings.targets(given)
    ttl, owner = dns_settings.lowered_ttl(given), dns_settings.owner(given)
    timeout = given.seconds("timeout", DEFAULT_TIMEOUT)
    servers = dns_settings.lists(given, "nameservers")
    authorities = dns_settings.authorities(given, "nameservers", place, timeout, servers)
    if key and not (key.isascii() and key.isprintable()):
        given.refuse("api_key", "holds a character that no HTTP header can have")
    if not server.replace("-", "").replace(".", "").isalnum():
        given.refuse("server", "must be the id of a server of the API, usually localhost")
    given.finish()
    base = f"{url.rstrip('/')}/api/v1/servers/{server}/"
    client = httpx.Client(base_url=base, headers={"X-API-Key": key}, timeout=timeout, trust_env=False)
    records = PowerDnsRecords(client, place, f"{place.name} in PowerDNS")
    return DnsRouter(name, records, targets, owner, ttl, authorities)


def _url(given: Options) -> str:
    text = given.text("url")
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL()
    if text and (url.scheme not in {"http", "https"} or not url.host or url.userinfo or url.query):
        given.refuse("url", "must be the base of the API such as http://127.0.0.1:8081, without user or query")
    return text
