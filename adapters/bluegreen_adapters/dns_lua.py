"""PowerDNS's LUA record type on the wire: the type that it answers, then its code as character strings.

dnspython does not know the type, so it is put together and taken apart here. Pure.
"""

import struct

import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype

from bluegreen_adapters.dns_records import LUA

LUA_TYPE = dns.rdatatype.RdataType.make(65402)
_LONGEST_STRING = 255
_TYPE_BYTES = 2


def rdata_of(kind: str, content: str) -> dns.rdata.Rdata:
    """Return the rdata of a record as zones are written.

    Args:
        kind: such as A or LUA.
        content: such as 192.0.2.1, or A "code" for LUA.
    """
    if kind != LUA:
        return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(kind), content)
    answers, _, code = content.partition(" ")
    wire = struct.pack("!H", dns.rdatatype.from_text(answers or "A")) + _strings(code.strip('"').encode())
    return dns.rdata.from_wire(dns.rdataclass.IN, LUA_TYPE, wire, 0, len(wire))


def from_lua(rdataset: dns.rdataset.Rdataset) -> tuple[str, list[str]]:
    """Return the type of a set of records and the content of each as zones are written."""
    if rdataset.rdtype != LUA_TYPE:
        return dns.rdatatype.to_text(rdataset.rdtype), [rdata.to_text() for rdata in rdataset]
    return LUA, [_content(rdata.to_wire() or b"") for rdata in rdataset]


def _content(wire: bytes) -> str:
    (answers,) = struct.unpack("!H", wire[:_TYPE_BYTES])
    code, rest = b"", wire[_TYPE_BYTES:]
    while rest:
        code, rest = code + rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
    return f'{dns.rdatatype.to_text(answers)} "{code.decode()}"'


def _strings(text: bytes) -> bytes:
    parts = [text[at : at + _LONGEST_STRING] for at in range(0, len(text), _LONGEST_STRING)] or [b""]
    return b"".join(bytes([len(part)]) + part for part in parts)
