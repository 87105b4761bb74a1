"""A real PowerDNS on loopback that answers for two small servers, in its own process and temporary directory."""

import base64
import os
import signal
import sqlite3
import subprocess
from pathlib import Path

from rig_http import VisitedByName, plain_client, two_servers, wait_until

from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side
from bluegreen_adapters import powerdns_router, rfc2136_router
from bluegreen_adapters.dns_answers import Authority
from scenarios.ports import free_port

PDNS = "/usr/sbin/pdns_server"
SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
ZONE, NAME = "shop.test", "www.shop.test."
ADDRESSES = {Side.BLUE: "192.0.2.1", Side.GREEN: "192.0.2.2"}
API_KEY = "canary-api-key"
TSIG = base64.b64encode(b"canary-tsig-key-canary-tsig-key!").decode()
SOA = "ns.shop.test hostmaster.shop.test 1 10800 3600 604800 60"

CONFIG = """
launch=gsqlite3
gsqlite3-database={dir}/db
gsqlite3-pragma-synchronous=0
local-address=127.0.0.1
local-port={port}
webserver=yes
webserver-address=127.0.0.1
webserver-port={api_port}
api=yes
api-key={key}
dnsupdate=yes
allow-dnsupdate-from=127.0.0.0/8
allow-axfr-ips=
enable-lua-records={lua}
socket-dir={dir}
security-poll-suffix=
receiver-threads=1
distributor-threads=1
"""


class PowerDnsRig(VisitedByName):
    """PowerDNS with one zone, and the two servers that its answers stand for."""

    addresses = ADDRESSES
    deterministic = False
    slow = True

    def __init__(self, directory: Path, *, lua: str = "yes", ttl: int = 300) -> None:
        self.dir, self.sides, self.process = directory, two_servers(), None
        self._fill(ttl)
        self.port, self.api_port = free_port(), free_port()
        text = CONFIG.format(dir=directory, port=self.port, api_port=self.api_port, key=API_KEY, lua=lua)
        (directory / "pdns.conf").write_text(text)
        self.start()
        self.authority = Authority("127.0.0.1", self.port, NAME, 2.0)

    def _fill(self, ttl: int) -> None:
        """Write the zone as a person would have it: a plain record of blue."""
        with sqlite3.connect(self.dir / "db") as db:
            db.executescript(SCHEMA.read_text())
            db.execute("insert into domains (id, name, type) values (1, ?, 'NATIVE')", (ZONE,))
            rows = [(ZONE, "SOA", SOA), (ZONE, "NS", f"ns.{ZONE}"), (f"ns.{ZONE}", "A", "127.0.0.1")]
            rows.append((NAME.rstrip("."), "A", ADDRESSES[Side.BLUE]))
            values = [(*row, ttl) for row in rows]
            db.executemany("insert into records (domain_id, name, type, content, ttl) values (1, ?, ?, ?, ?)", values)
            db.execute("insert into tsigkeys (name, algorithm, secret) values ('mover', 'hmac-sha256', ?)", (TSIG,))
            for kind in ("TSIG-ALLOW-DNSUPDATE", "TSIG-ALLOW-AXFR"):
                db.execute("insert into domainmetadata (domain_id, kind, content) values (1, ?, 'mover')", (kind,))
        db.close()

    def settings(self, **more) -> dict[str, object]:
        url = f"http://127.0.0.1:{self.api_port}"
        return {"url": url, "api_key": API_KEY, "nameservers": [f"127.0.0.1:{self.port}"], **self.common(), **more}

    def common(self) -> dict[str, object]:
        return {"zone": ZONE, "record": "www", **{str(side): address for side, address in ADDRESSES.items()}}

    def open_router(self, **more):
        return powerdns_router.open_router("shop", self.settings(**more))

    def start(self) -> None:
        log = (self.dir / "log").open("ab")
        self.process = subprocess.Popen([PDNS, f"--config-dir={self.dir}"], stdout=log, stderr=log)
        wait_until(self._answers)

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError((self.dir / "log").read_text())
        try:
            self.api("GET", "config")
            return Authority("127.0.0.1", self.port, NAME, 0.2).ask("A").rcode == "NOERROR"
        except Exception:  # noqa: BLE001 - not there yet
            return False

    def api(self, method: str, path: str, **more):
        url = f"http://127.0.0.1:{self.api_port}/api/v1/servers/localhost/{path}"
        with plain_client(headers={"X-API-Key": API_KEY}) as client:
            return client.request(method, url, **more).raise_for_status()

    def put(self, kind: str, *contents: str, ttl: int = 300, name: str = NAME) -> None:
        """Write a record set as another person would; without contents it is deleted."""
        records = [{"content": content, "disabled": False} for content in contents]
        rrset = {"name": name, "type": kind, "ttl": ttl, "changetype": "REPLACE" if contents else "DELETE"}
        self.api("PATCH", f"zones/{ZONE}.", json={"rrsets": [{**rrset, "records": records}]})

    def stored(self) -> set[tuple[str, str, int]]:
        """Return what is in the zone at the name and at its mark."""
        rrsets = self.api("GET", f"zones/{ZONE}.").json()["rrsets"]
        near = [rrset for rrset in rrsets if rrset["name"].endswith(NAME)]
        return {(rrset["type"], row["content"], rrset["ttl"]) for rrset in near for row in rrset["records"]}

    def cut(self) -> None:
        """Make the server unreachable, as during a restart."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(5)

    def mend(self) -> None:
        self.start()

    def write_elsewhere(self, weights: Weights) -> None:
        entries = ",".join(f"{{{weights.of(side)}, '{ADDRESSES[side]}'}}" for side in Side)
        self.put("A")
        self.put("LUA", f'A "pickwrandom({{ {entries} }})"')

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(5)
        for server in self.sides.values():
            server.stop()


class Rfc2136Rig(PowerDnsRig):
    """The same server, written by signed updates."""

    def settings(self, **more) -> dict[str, object]:
        key = {"key_name": "mover", "secret": TSIG}
        return {"server": f"127.0.0.1:{self.port}", **key, **self.common(), **more}

    def open_router(self, **more):
        return rfc2136_router.open_router("shop", self.settings(**more))
