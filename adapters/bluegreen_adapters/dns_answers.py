"""One question to one name server, and what it says.

It asks the given server itself, never a resolver, and never follows what the answer points to.
"""

from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

from bluegreen.model.errors import TransientError


@dataclass(frozen=True, slots=True)
class Answer:
    """Addresses of an answer and the seconds that it may be kept."""

    addresses: frozenset[str]
    ttl: int
    rcode: str


@dataclass(frozen=True, slots=True)
class Authority:
    """A name server and the name that it is asked for.

    Attributes:
        address: its IP address.
        port: its port.
        name: absolute name.
        timeout: seconds.
    """

    address: str
    port: int
    name: str
    timeout: float

    def ask(self, kind: str) -> Answer:
        """Return its answer, by UDP and then by TCP where it was cut.

        Args:
            kind: such as A.

        Raises:
            TransientError: no answer came.
        """
        query = dns.message.make_query(self.name, kind)
        query.flags &= ~dns.flags.RD
        try:
            response, _ = dns.query.udp_with_fallback(query, self.address, self.timeout, self.port)
        except (OSError, dns.exception.DNSException) as error:
            why = str(error) or type(error).__name__
            raise TransientError("dns.no-answer", f"asking {self.address}:{self.port} for {self.name}", why) from None
        found = [rrset for rrset in response.answer if rrset.rdtype == dns.rdatatype.from_text(kind)]
        addresses = frozenset(rdata.to_text() for rrset in found for rdata in rrset)
        return Answer(addresses, max((rrset.ttl for rrset in found), default=0), dns.rcode.to_text(response.rcode()))
