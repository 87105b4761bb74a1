"""Whose fault a failed request is, and which addresses a probe must never reach.

The line matters: a probe that cannot reach anything must not send green back, and a dead green must not pass for a
broken probe. What cannot be told apart from here is taken as the target's; the gate then looks at blue, too.
"""

import errno
import ipaddress
import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

_OURS = {
    errno.ENETUNREACH: "no route from here",
    errno.ENETDOWN: "the network is down here",
    errno.EADDRNOTAVAIL: "no free local port or address",
    errno.EMFILE: "too many open files here",
    errno.ENFILE: "too many open files on this machine",
    errno.ENOBUFS: "no buffer space here",
    errno.ENOMEM: "no memory here",
    errno.EACCES: "forbidden here (a local firewall?)",
    errno.EPERM: "forbidden here (a local firewall?)",
}
_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "metadata.goog", "instance-data"})
_METADATA_ADDRESSES = frozenset({"fd00:ec2::254", "100.100.100.200", "168.63.129.16"})


class ForbiddenAddressError(Exception):
    """A name led to an address that a probe must never reach."""


def own_fault(error: httpx.HTTPError) -> str:
    """Return what failed on our side, empty when the target is to blame or it cannot be told."""
    if isinstance(error, (httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.LocalProtocolError)):
        return f"{type(error).__name__}: {error}"
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return f"the name does not resolve here: {cause.strerror or cause}"
        if isinstance(cause, ssl.SSLError):
            return ""  # its errno is a code of OpenSSL: 1 is no EPERM
        if isinstance(cause, OSError) and cause.errno in _OURS:
            return _OURS[cause.errno]
    return ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and all that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def forbidden(host: str) -> bool:
    """Return whether a host is link-local or a cloud's metadata service.

    Args:
        host: name or address; a name is compared, not resolved (see refuse_forbidden).
    """
    name = host.rstrip(".").lower()
    try:
        address = ipaddress.ip_address(name.strip("[]").partition("%")[0])
    except ValueError:
        return name in _METADATA_NAMES
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_link_local or str(address) in _METADATA_ADDRESSES


def refuse_forbidden(event: str, info: Mapping[str, Any]) -> None:
    """Refuse a fresh connection by the address that was really reached, before anything is sent; a trace of httpcore.

    Args:
        event: httpcore's name of what happened.
        info: its details.

    Raises:
        ForbiddenAddressError: the connection leads to a forbidden address.
    """
    if event != "connection.connect_tcp.complete":
        return
    stream = info["return_value"]
    address = str(stream.get_extra_info("server_addr")[0])
    if forbidden(address):
        stream.close()
        raise ForbiddenAddressError(f"{address} is a link-local or metadata address; nothing was sent to it")
