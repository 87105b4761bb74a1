"""How one cluster is reached and who we are there, whoever read that from the kubeconfig."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Material = str | bytes | None
"""A certificate or key: a file's path, or the PEM text itself, which is then on no disk."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Address, trust and credentials of one context.

    Attributes:
        server: URL of the API server.
        authorization: gives the Authorization header, empty for none; it may ask a credential plugin.
        server_name: whose certificate the server must have, empty for the URL's host.
        authorities: whom it must have it from, None for whom the machine trusts.
        certificate: ours, None where we show none.
        key: of our certificate.
        verify: whether the server's certificate is looked at.
        verify_name: whether the name in it is.
        proxy: URL of the proxy, empty for none.
        proxy_headers: what the proxy is told.
        compressed: whether answers may come compressed.
    """

    server: str
    authorization: Callable[[], str] = field(repr=False)
    server_name: str = ""
    authorities: Material = field(default=None, repr=False)
    certificate: Material = field(default=None, repr=False)
    key: Material = field(default=None, repr=False)
    verify: bool = True
    verify_name: bool = True
    proxy: str = field(default="", repr=False)
    proxy_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    compressed: bool = True
