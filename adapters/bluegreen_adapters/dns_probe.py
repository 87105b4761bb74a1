"""Questions of our own to each side's name server: the code of the answer, what is in it, and how long it took.

It is given an IP address, so it never depends on a resolver of this machine. No answer within the timeout is the
target's; no route from here is ours, and then Broken. It must never follow what an answer points to.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype

from bluegreen.model.permissions import Permissions
from bluegreen.model.refs import Side
from bluegreen.model.samples import Broken, Counts, Sample
from bluegreen_adapters.dns_settings import address_port, address_text
from bluegreen_adapters.http_faults import forbidden
from bluegreen_adapters.options import Options
from bluegreen_adapters.tcp_probe import own_socket_fault

PERMISSIONS = Permissions(
    ("UDP and TCP from here to each side's name server, which must answer our address for the one name",)
)
_DEFAULT_TIMEOUT = 2.0


@dataclass(frozen=True, slots=True)
class DnsProbe:
    """One question per sample.

    Attributes:
        name: name of the probe.
        servers: address and port per side.
        query: absolute name and type that are asked for.
        answer: text that one of the records must be, empty for any.
        timeout: seconds of one question, TCP included.
        clock: monotonic seconds.
    """

    name: str
    servers: Mapping[Side, tuple[str, int]]
    query: tuple[str, str]
    answer: str
    timeout: float
    clock: Callable[[], float] = time.monotonic
    synthetic: bool = True
    users: bool = False
    gives_latency: bool = True

    def sample(self, side: Side) -> Sample:
        """Ask a side once and return what came of it."""
        began = self.clock()
        try:
            fault = self._ask(side)
        except dns.exception.Timeout:
            fault = f"no answer within {self.timeout:g} s"
        except dns.exception.DNSException as error:
            fault = f"an answer that cannot be read: {type(error).__name__}"
        except (OSError, EOFError) as error:
            if reason := own_socket_fault(error):
                return Broken(f"{address_text(self.servers[side])}: {reason}")
            fault = str(error) or type(error).__name__
        took = self.clock() - began
        if fault:
            example = f"{address_text(self.servers[side])} for {' '.join(self.query)}: {fault}"
            return Counts(good=0, bad=1, latencies=(took,), example=example)
        return Counts(good=1, bad=0, latencies=(took,))

    def close(self) -> None:
        """Release nothing: every question has its own socket."""

    def _ask(self, side: Side) -> str:
        """Return what was wrong with the answer, empty when it was good."""
        address, port = self.servers[side]
        question = dns.message.make_query(*self.query)
        response, _ = dns.query.udp_with_fallback(question, address, self.timeout, port)
        if response.rcode() != dns.rcode.NOERROR:
            return dns.rcode.to_text(response.rcode())
        kind = dns.rdatatype.from_text(self.query[1])
        found = [rdata.to_text() for rrset in response.answer if rrset.rdtype == kind for rdata in rrset]
        if not found:
            return "an empty answer"
        return f"the answer is {', '.join(found)}" if self.answer and self.answer not in found else ""


def open_probe(name: str, options: Mapping[str, object]) -> DnsProbe:
    """Return a probe that asks name servers.

    Args:
        name: name of the probe.
        options: blue and green (IP address, with an optional port), query (the name), type (A), answer (text that one
            of the records must be), timeout (2s).

    Raises:
        InvalidInputError: settings that cannot be used, all of them.
    """
    given = Options("probe dns", name, options)
    servers = {side: _server(given, str(side)) for side in Side}
    query = (_query(given), _type(given))
    answer, timeout = given.text("answer", ""), given.seconds("timeout", _DEFAULT_TIMEOUT)
    given.finish()
    return DnsProbe(name, servers, query, answer, timeout)


def _server(given: Options, key: str) -> tuple[str, int]:
    text = given.text(key)
    found = address_port(text) if text else None
    if text and not found:
        given.refuse(key, "must be an IP address such as 192.0.2.53 or 192.0.2.53:5300")
    if found and forbidden(found[0]):
        given.refuse(key, "is a link-local or metadata address of the machine, not a side")
    return found or ("", 0)


def _query(given: Options) -> str:
    text = given.text("query")
    try:
        return dns.name.from_text(text).to_text()
    except (dns.exception.DNSException, ValueError):
        given.refuse("query", "must be a DNS name such as www.shop.example")
        return ""


def _type(given: Options) -> str:
    text = given.text("type", "A").upper()
    try:
        if not dns.rdatatype.is_metatype(dns.rdatatype.from_text(text)):
            return text
    except (dns.exception.DNSException, ValueError):
        pass
    given.refuse("type", "must be a record type such as A, AAAA or TXT")
    return "A"
