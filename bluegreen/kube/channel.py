"""HTTP to one API server over libcurl: kept connections for many threads, every wait bounded.

It knows nothing of Kubernetes, tries nothing twice, follows no redirect and puts no body into an error. libcurl takes a
third of the processor time per request that a client written in Python takes, and lets other threads run meanwhile.
"""

import math
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pycurl

CONNECT_SECONDS = 5.0
_LOOK_SECONDS = 0.5
_PAUSE_SECONDS = 0.005
_TLS = frozenset({pycurl.E_PEER_FAILED_VERIFICATION, pycurl.E_SSL_CERTPROBLEM, pycurl.E_SSL_CACERT_BADFILE})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered.

    Attributes:
        status: HTTP status.
        headers: by lower-case name; only Retry-After, in seconds, unless all were asked for.
        body: as it came.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and how its answer is taken.

    Attributes:
        method: HTTP method.
        target: path and query, already escaped.
        headers: headers of the request.
        body: what is sent, None for nothing.
        seconds: how long to wait for the next byte.
        whole: how many seconds all of it may take, 0 for as long as bytes come.
        once: never sent again, not even when the server closes a kept connection just then.
        limit: most bytes of the answer's body, 0 for any number.
        with_headers: whether all headers of the answer are wanted.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    seconds: float = 30.0
    whole: float = 0.0
    once: bool = False
    limit: int = 0
    with_headers: bool = False


class NoAnswerError(Exception):
    """There is no answer.

    Attributes:
        sent: whether the server may have got the request.
        tls: whether one of both sides did not accept the other's certificate.
    """

    def __init__(self, why: str, *, sent: bool, tls: bool = False) -> None:
        super().__init__(why)
        self.sent = sent
        self.tls = tls


class TooLongError(Exception):
    """The answer has more bytes than were wanted."""


class Channel:
    """Connections to the server of one client configuration; safe for many threads.

    Args:
        configuration: the client's, with address, certificates and proxy; headers are the caller's.
    """

    def __init__(self, configuration: Any) -> None:
        self._configuration = configuration
        self._server, self._connect_to, self._host = _address(configuration)
        self._free: list[pycurl.Curl] = []
        self._multi = pycurl.CurlMulti()  # the main thread's, which keeps its connections

    def exchange(self, wanted: Exchange, authorization: Mapping[str, str]) -> Answer:
        """Send one request and return the answer, whatever its status.

        Args:
            wanted: the request.
            authorization: further headers, which say who we are.

        Raises:
            NoAnswerError: the answer did not come, or not to its end.
            TooLongError: it has more bytes than the limit.
        """
        try:
            handle = self._free.pop()
        except IndexError:
            handle = self._new()
        try:
            answer = self._carried_out(handle, wanted, authorization)
        except BaseException:
            handle.close()
            raise
        self._free.append(handle)
        return answer

    def _new(self) -> pycurl.Curl:
        """Return a handle that holds one connection."""
        handle, given = pycurl.Curl(), self._configuration
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.MAXCONNECTS, 1)
        # A connection for each request under way: Go serves that at less cost than one shared by HTTP/2.
        handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        handle.setopt(pycurl.LOW_SPEED_LIMIT, 1)
        handle.setopt(pycurl.CAINFO, given.ssl_ca_cert or _system_authorities())
        if given.cert_file:
            handle.setopt(pycurl.SSLCERT, given.cert_file)
        if given.key_file:
            handle.setopt(pycurl.SSLKEY, given.key_file)
        if self._connect_to:
            handle.setopt(pycurl.CONNECT_TO, [self._connect_to])
        if not given.verify_ssl:
            handle.setopt(pycurl.SSL_VERIFYPEER, 0)
        if not given.verify_ssl or given.assert_hostname is False:
            handle.setopt(pycurl.SSL_VERIFYHOST, 0)
        # Said in any case: libcurl would look into the environment, of which the client made its own sense.
        handle.setopt(pycurl.PROXY, given.proxy or "")
        handle.setopt(pycurl.NOPROXY, given.no_proxy or "")
        if given.proxy_headers:
            handle.setopt(pycurl.PROXYHEADER, [f"{name}: {value}" for name, value in given.proxy_headers.items()])
        return handle

    def _carried_out(self, handle: pycurl.Curl, wanted: Exchange, authorization: Mapping[str, str]) -> Answer:
        pieces: list[bytes] = []
        headers: dict[str, str] = {}
        handle.setopt(pycurl.URL, self._server + wanted.target)
        handle.setopt(pycurl.CUSTOMREQUEST, wanted.method)
        if wanted.body is None:
            handle.setopt(pycurl.HTTPGET, 1)
        else:
            handle.setopt(pycurl.POSTFIELDS, wanted.body)
        said = [f"{name}: {value}" for name, value in {**wanted.headers, **authorization}.items()]
        handle.setopt(pycurl.HTTPHEADER, [*said, *self._host, "Expect:"])
        handle.setopt(pycurl.CONNECTTIMEOUT_MS, math.ceil(min(CONNECT_SECONDS, wanted.seconds) * 1000))
        handle.setopt(pycurl.LOW_SPEED_TIME, math.ceil(wanted.seconds))
        handle.setopt(pycurl.TIMEOUT_MS, math.ceil(wanted.whole * 1000))
        handle.setopt(pycurl.FRESH_CONNECT, wanted.once)
        handle.setopt(pycurl.WRITEFUNCTION, _limited(pieces, wanted.limit) if wanted.limit else pieces.append)
        if wanted.with_headers:
            handle.setopt(pycurl.HEADERFUNCTION, lambda line: _note(line, headers))
        else:
            handle.unsetopt(pycurl.HEADERFUNCTION)
        try:
            self._perform(handle)
        except pycurl.error as error:
            raise _explained(handle, *error.args) from None
        status = handle.getinfo(pycurl.RESPONSE_CODE)
        if status >= 400 and (after := handle.getinfo(pycurl.RETRY_AFTER)):  # noqa: PLR2004 - HTTP's own boundary
            headers["retry-after"] = str(after)
        return Answer(status, headers, b"".join(pieces))

    def _perform(self, handle: pycurl.Curl) -> None:
        """Run a transfer; in the main thread so that Ctrl-C is heard, which libcurl in one piece would hold back."""
        if threading.current_thread() is not threading.main_thread():
            handle.perform()
            return
        self._multi.add_handle(handle)
        try:
            while self._multi.perform()[1]:
                if self._multi.select(_LOOK_SECONDS) < 0:  # nothing to wait for yet, as long as a name is looked up
                    time.sleep(_PAUSE_SECONDS)
            _, _, failed = self._multi.info_read()
            for _, code, text in failed:
                raise pycurl.error(code, text)
        finally:
            self._multi.remove_handle(handle)


def _address(configuration: Any) -> tuple[str, str, tuple[str, ...]]:
    """Return the URL of the server, where else to connect for it, and the headers that say so.

    A server whose certificate is for another name is spoken to by that name.
    """
    server = str(configuration.host).rstrip("/")
    if not configuration.tls_server_name:
        return server, "", ()
    url = urlsplit(server)
    port = url.port or 443
    place = f"[{url.hostname}]" if ":" in str(url.hostname) else url.hostname
    named = url._replace(netloc=f"{configuration.tls_server_name}:{port}").geturl()
    return named, f"{configuration.tls_server_name}:{port}:{place}:{port}", (f"Host: {url.netloc}",)


def _system_authorities() -> str:
    """Return the machine's own authorities: libcurl would take those of the machine that it was built on."""
    found = ssl.get_default_verify_paths()
    return found.cafile or found.openssl_cafile


def _limited(pieces: list[bytes], limit: int) -> Callable[[bytes], int | None]:
    """Return what takes pieces and ends the transfer when there are too many."""
    taken = 0

    def take(piece: bytes) -> int | None:
        nonlocal taken
        taken += len(piece)
        if taken > limit:
            return -1
        pieces.append(piece)
        return None

    return take


def _note(line: bytes, headers: dict[str, str]) -> None:
    name, colon, value = line.decode("latin-1").partition(":")
    if colon:
        headers[name.strip().lower()] = value.strip()


def _explained(handle: pycurl.Curl, code: int, text: str) -> NoAnswerError | TooLongError:
    if code == pycurl.E_WRITE_ERROR:
        return TooLongError()
    sent = handle.getinfo(pycurl.REQUEST_SIZE) > 0
    handshake = code == pycurl.E_SSL_CONNECT_ERROR and not handle.getinfo(pycurl.OS_ERRNO)
    return NoAnswerError(text or f"libcurl error {code}", sent=sent, tls=code in _TLS or handshake)
