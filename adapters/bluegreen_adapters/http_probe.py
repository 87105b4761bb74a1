"""Requests of our own to each side: status, body, header, and the time that the answer took.

What the target did is Counts: a refused connection, a timeout or a bad certificate is a bad answer. What went wrong on
the way to it here is Broken: a name that does not resolve, no route, no free descriptor. It must never follow
proxies of the environment, nor reach a cloud's metadata address, nor repeat a header's value in a message.
"""

import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from bluegreen.model.errors import clean_text
from bluegreen.model.permissions import Permissions
from bluegreen.model.refs import Side
from bluegreen.model.samples import Broken, Counts, Sample
from bluegreen_adapters.http_faults import ForbiddenAddressError, forbidden, own_fault, refuse_forbidden
from bluegreen_adapters.options import Options

PERMISSIONS = Permissions(
    (
        "an HTTP connection from here to the URL of each side; no link-local or metadata address",
        "only if the service asks for one: a credential in send, which may read that one URL",
    )
)
_DEFAULT_TIMEOUT = 2.0
_LONGEST_BODY = 1024 * 1024
_METHODS = ("GET", "HEAD", "OPTIONS", "POST")
_RANGE = re.compile(r"(\d{3})(?:-(\d{3}))?")


@dataclass(frozen=True, slots=True)
class Expected:
    """What a good answer is.

    Attributes:
        statuses: ranges of good status codes, both ends included.
        body: text that the body must contain, empty for any.
        header: header fields and the text that each must contain.
    """

    statuses: tuple[tuple[int, int], ...]
    body: str
    header: Mapping[str, str]

    def fault(self, response: httpx.Response, body: bytes) -> str:
        """Return what is wrong with an answer, empty when it is good."""
        if not any(low <= response.status_code <= high for low, high in self.statuses):
            return f"HTTP {response.status_code}"
        if self.body and self.body.encode() not in body:
            return f"HTTP {response.status_code} without the expected text"
        wrong = [key for key, text in self.header.items() if text not in response.headers.get(key, "")]
        return f"HTTP {response.status_code} without the expected {', '.join(wrong)}" if wrong else ""


@dataclass(frozen=True, slots=True)
class HttpProbe:
    """One request per sample.

    Attributes:
        name: name of the probe.
        clients: a keep-alive client per side.
        urls: URL per side.
        method: method of the requests.
        timeout: seconds that one request may take in all.
        expected: what a good answer is.
        clock: monotonic seconds.
    """

    name: str
    clients: Mapping[Side, httpx.Client]
    urls: Mapping[Side, str]
    method: str
    timeout: float
    expected: Expected
    clock: Callable[[], float] = time.monotonic
    synthetic: bool = True
    users: bool = False
    gives_latency: bool = True

    def sample(self, side: Side) -> Sample:
        """Make one request to a side and return what came of it."""
        began = self.clock()
        try:
            fault = self._request(side, began)
        except ForbiddenAddressError as error:
            return Broken(str(error))
        except httpx.HTTPError as error:
            if reason := own_fault(error):
                return Broken(f"{self.urls[side]}: {reason}")
            fault = _words(error)
        took = self.clock() - began
        if fault:
            return Counts(good=0, bad=1, latencies=(took,), example=f"{self.urls[side]}: {clean_text(fault)}")
        return Counts(good=1, bad=0, latencies=(took,))

    def close(self) -> None:
        """Close the connections of both sides."""
        for client in self.clients.values():
            client.close()

    def _request(self, side: Side, began: float) -> str:
        """Return what was wrong with the answer, empty when it was good."""
        client, trace = self.clients[side], {"trace": refuse_forbidden}
        with client.stream(self.method, self.urls[side], extensions=trace) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if self.clock() - began > self.timeout:
                    return f"HTTP {response.status_code}, but the body took more than {self.timeout:g} s"
                if len(body) > _LONGEST_BODY:
                    break
            return self.expected.fault(response, bytes(body))


def _words(error: httpx.HTTPError) -> str:
    """Return what happened to a request, for people."""
    kind = re.sub(r"(?<!^)(?=[A-Z])", " ", type(error).__name__).lower().removesuffix(" error")
    return f"{kind}: {error}" if str(error) else kind


def open_probe(name: str, options: Mapping[str, object]) -> HttpProbe:
    """Return a probe that makes HTTP requests.

    Args:
        name: name of the probe.
        options: blue and green (URLs), method (GET), send (header fields of the request), timeout (2s), status
            (200-399; or a list), body (text it must contain), header (fields and the text each must contain),
            follow_redirects (false), verify (true, false, or the path of a CA file).

    Raises:
        InvalidInputError: settings that cannot be used, all of them.
    """
    given = Options("probe http", name, options)
    urls = {Side.BLUE: _url(given, "blue"), Side.GREEN: _url(given, "green")}
    method, timeout = given.text("method", "GET").upper(), given.seconds("timeout", _DEFAULT_TIMEOUT)
    if method not in _METHODS:
        given.refuse("method", f"must be one of {', '.join(_METHODS)}")
    expected = Expected(_statuses(given), given.text("body", ""), given.texts("header"))
    settings: dict[str, Any] = {
        "headers": given.texts("send"),
        "follow_redirects": given.flag("follow_redirects", default=False),
        "verify": _verify(given),
        "timeout": timeout,
        "trust_env": False,
    }
    given.finish()
    clients = {side: _client(settings) for side in Side}
    return HttpProbe(name, clients, urls, method, timeout, expected)


def _client(settings: Mapping[str, Any]) -> httpx.Client:
    limits = httpx.Limits(max_connections=4, max_keepalive_connections=1)
    return httpx.Client(limits=limits, **settings)


def _url(given: Options, key: str) -> str:
    """Return a URL that may be asked."""
    text = given.text(key)
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL()
    if not text:
        return text
    if url.scheme not in {"http", "https"} or not url.host:
        given.refuse(key, "must be a URL such as http://shop.example/healthz")
    elif url.userinfo:
        given.refuse(key, "must hold no user or password; put them into send.Authorization")
    elif forbidden(url.host):
        given.refuse(key, "is a link-local or metadata address of the machine, not a side")
    return text


def _statuses(given: Options) -> tuple[tuple[int, int], ...]:
    """Return ranges of good status codes from a number, a range such as 200-399, or a list of both."""
    value = given.raw("status", "200-399")
    items = value if isinstance(value, (list, tuple)) else [value]
    matches = [_RANGE.fullmatch(str(item)) for item in items]
    ranges = tuple((int(match[1]), int(match[2] or match[1])) for match in matches if match)
    if not ranges or len(ranges) < len(matches) or any(low > high or low < 100 for low, high in ranges):  # noqa: PLR2004 - status codes
        given.refuse("status", "must be a code such as 200, a range such as 200-399, or a list of them")
    return ranges


def _verify(given: Options) -> bool | ssl.SSLContext:
    """Return how certificates are checked: by the system's roots, not at all, or by a CA file."""
    value = given.raw("verify", default=True)
    if isinstance(value, bool):
        return value
    try:
        return ssl.create_default_context(cafile=str(value))
    except OSError as error:
        given.refuse("verify", f"must be true, false or the path of a readable CA file: {error.strerror or error}")
        return True
