"""HTTP to one API server over libcurl: kept connections for many threads, every wait but that for a name bounded.

It knows nothing of Kubernetes, tries nothing twice, follows no redirect and puts neither body nor proxy into an error.
libcurl takes half of the processor time per request that a client written in Python takes, and lets other threads run
meanwhile.
"""

import enum
import math
import os
import re
import select
import threading
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import msgspec
import pycurl

from bluegreen.kube.settings import Settings

CONNECT_SECONDS = 5.0
LOOK_SECONDS = 0.5
"""How long a wait may keep Ctrl-C from being heard."""
PAUSE_SECONDS = 0.005
_HTTP_2 = bool(pycurl.version_info()[4] & pycurl.VERSION_HTTP2)
_BAD_ADDRESS = frozenset({pycurl.E_URL_MALFORMAT, pycurl.E_UNSUPPORTED_PROTOCOL})
# The last one is how libcurl calls a key that does not belong to the certificate.
_BAD_CERTIFICATE = frozenset(
    {
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_CERTPROBLEM,
        pycurl.E_SSL_CACERT_BADFILE,
        pycurl.E_BAD_FUNCTION_ARGUMENT,
    }
)
# With TLS 1.3 a server refuses the client's certificate only after the handshake.
_REFUSED_OURS = re.compile(r"alert .*(certificate|unknown ca)")
_BROKEN_OFF = re.compile(r"SYSCALL|unexpected eof|reset by peer|timed out", re.IGNORECASE)


class Answer(msgspec.Struct, frozen=True):
    """What a server answered.

    Attributes:
        status: HTTP status.
        headers: by lower-case name; only Retry-After, in seconds, unless all were asked for.
        body: as it came.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Answer({self.status}, {len(self.body)} bytes)"

    @property
    def succeeded(self) -> bool:
        """Return whether the server did what was asked; a redirect is none that an API server sends."""
        return self.status // 100 == 2  # noqa: PLR2004 - HTTP's own classes


class Exchange(msgspec.Struct, frozen=True):
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
    headers: Mapping[str, str]
    body: bytes | None = None
    seconds: float = 30.0
    whole: float = 0.0
    once: bool = False
    limit: int = 0
    with_headers: bool = False

    def __repr__(self) -> str:
        return f"Exchange({self.method!r}, {self.target!r})"


class Fault(enum.Enum):
    """What is wrong when trying again would not help."""

    TLS = enum.auto()
    ADDRESS = enum.auto()


class NoAnswerError(Exception):
    """There is no answer.

    Attributes:
        sent: whether the server may have got the request.
        fault: why there will be none, None when another try may have one.
    """

    def __init__(self, why: str, *, sent: bool, fault: Fault | None = None) -> None:
        super().__init__(why)
        self.sent = sent
        self.fault = fault


class TooLongError(Exception):
    """The answer has more bytes than were wanted."""


class Transfer(msgspec.Struct, frozen=True):
    """One request that a handle carries, and what came of it so far."""

    handle: pycurl.Curl
    pieces: list[bytes]
    headers: dict[str, str]

    def __repr__(self) -> str:
        return f"Transfer({self.handle!r})"

    def answer(self) -> Answer:
        """Return the answer, once it is there as a whole."""
        status = self.handle.getinfo(pycurl.RESPONSE_CODE)
        if status >= 400 and (after := self.handle.getinfo(pycurl.RETRY_AFTER)):  # noqa: PLR2004 - HTTP's own boundary
            self.headers["retry-after"] = str(after)
        return Answer(status, self.headers, b"".join(self.pieces))

    def unanswered(self, code: int, text: str) -> NoAnswerError:
        """Return what an error of libcurl means."""
        return _explained(self.handle, code, text)

    def forget(self) -> None:
        """Take out what was sent and taken: a handle that waits for its next use shall not keep a Secret."""
        self.handle.setopt(pycurl.WRITEFUNCTION, _nowhere)
        self.handle.setopt(pycurl.POSTFIELDS, b"")


class Channel:
    """Connections to one server; safe for many threads.

    Args:
        settings: address, certificates and proxy; headers are the caller's.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._server, self._connect_to, self._host = _address(settings)
        self._free: list[pycurl.Curl] = []
        # The main thread's, which holds the connections of its handles.
        self._multi, self._free_in_multi = pycurl.CurlMulti(), list[pycurl.Curl]()

    def exchange(self, wanted: Exchange, authorization: Mapping[str, str]) -> Answer:
        """Send one request and return the answer, whatever its status.

        Args:
            wanted: the request.
            authorization: further headers, which say who we are.

        Raises:
            NoAnswerError: the answer did not come, or not to its end.
            TooLongError: it has more bytes than the limit.
        """
        stepwise = threading.current_thread() is threading.main_thread()
        free = self._free_in_multi if stepwise else self._free
        try:
            handle = free.pop()
        except IndexError:
            handle = self.handle()
        try:
            answer = self._carried_out(handle, wanted, authorization, self._step if stepwise else pycurl.Curl.perform)
        except BaseException:
            handle.close()
            raise
        free.append(handle)
        return answer

    def handle(self, *, shared: bool = False) -> pycurl.Curl:
        """Return a new handle for requests to the server.

        Args:
            shared: whether it carries its requests over a connection of several where the server can; else it holds one
                of its own, as the client's own transport has them.
        """
        handle, given = pycurl.Curl(), self._settings
        handle.setopt(pycurl.NOSIGNAL, 1)
        _set_version(handle, shared=shared and _HTTP_2)
        handle.setopt(pycurl.LOW_SPEED_LIMIT, 1)
        if given.compressed:  # API servers compress what is long, which comes in a seventh of the pieces then
            handle.setopt(pycurl.ACCEPT_ENCODING, "gzip")
        handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        handle.setopt(pycurl.DEFAULT_PROTOCOL, "https")  # where the kubeconfig names none, as kubectl
        handle.setopt(pycurl.PATH_AS_IS, 1)
        if given.authorities is None:
            _trust(handle, _system_authorities(), pycurl.CAINFO, pycurl.CAPATH)
        for what, file, text in (
            (given.authorities, pycurl.CAINFO, pycurl.CAINFO_BLOB),
            (given.certificate, pycurl.SSLCERT, pycurl.SSLCERT_BLOB),
            (given.key, pycurl.SSLKEY, pycurl.SSLKEY_BLOB),
        ):
            if what is not None:
                handle.setopt(text if isinstance(what, bytes) else file, os.fsencode(what))
        if self._connect_to:
            handle.setopt(pycurl.CONNECT_TO, [self._connect_to.encode()])
        if not given.verify:
            handle.setopt(pycurl.SSL_VERIFYPEER, 0)
        if not (given.verify and given.verify_name):
            handle.setopt(pycurl.SSL_VERIFYHOST, 0)
        # Said in any case: libcurl would look into the environment, of which others made sense before.
        handle.setopt(pycurl.PROXY, given.proxy.encode())
        handle.setopt(pycurl.NOPROXY, "")
        if given.proxy:
            _trust(handle, _system_authorities(), pycurl.PROXY_CAINFO, pycurl.PROXY_CAPATH)
        if given.proxy_headers:
            said = [f"{name}: {value}".encode() for name, value in given.proxy_headers.items()]
            handle.setopt(pycurl.PROXYHEADER, said)
        return handle

    def _carried_out(
        self,
        handle: pycurl.Curl,
        wanted: Exchange,
        authorization: Mapping[str, str],
        perform: Callable[[pycurl.Curl], None],
    ) -> Answer:
        transfer = self.prepared(handle, wanted, authorization)
        try:
            perform(handle)
        except pycurl.error as error:
            if wanted.limit and error.args[0] == pycurl.E_WRITE_ERROR:
                raise TooLongError from None
            raise transfer.unanswered(*error.args) from None
        finally:
            transfer.forget()
        return transfer.answer()

    def prepared(self, handle: pycurl.Curl, wanted: Exchange, authorization: Mapping[str, str]) -> "Transfer":
        """Return a handle made ready for one request."""
        pieces: list[bytes] = []
        headers: dict[str, str] = {}
        handle.setopt(pycurl.URL, (self._server + wanted.target).encode())
        handle.setopt(pycurl.CUSTOMREQUEST, wanted.method)
        if wanted.body is None:
            handle.setopt(pycurl.HTTPGET, 1)
        else:
            handle.setopt(pycurl.POSTFIELDS, wanted.body)
        said = {**wanted.headers, **authorization, **self._host}
        handle.setopt(pycurl.HTTPHEADER, [*(f"{name}: {value}".encode() for name, value in said.items()), b"Expect:"])
        handle.setopt(pycurl.CONNECTTIMEOUT_MS, math.ceil(min(CONNECT_SECONDS, wanted.seconds) * 1000))
        handle.setopt(pycurl.LOW_SPEED_TIME, math.ceil(wanted.seconds))
        handle.setopt(pycurl.TIMEOUT_MS, math.ceil(wanted.whole * 1000))
        handle.setopt(pycurl.FRESH_CONNECT, wanted.once)
        handle.setopt(pycurl.WRITEFUNCTION, _limited(pieces, wanted.limit) if wanted.limit else pieces.append)
        if wanted.with_headers:
            handle.setopt(pycurl.HEADERFUNCTION, lambda line: _note(line, headers))
        else:
            handle.unsetopt(pycurl.HEADERFUNCTION)
        return Transfer(handle, pieces, headers)

    def _step(self, handle: pycurl.Curl) -> None:
        """Run a transfer so that Ctrl-C is heard, which libcurl in one piece would hold back in the main thread."""
        self._multi.add_handle(handle)
        try:
            while self._multi.perform()[1]:
                if self._multi.select(LOOK_SECONDS) <= 0:
                    select.select((), (), (), PAUSE_SECONDS)  # it may not have waited, as with descriptors over 1023
            _, _, failed = self._multi.info_read()
            for _, code, text in failed:
                raise pycurl.error(code, text)
        finally:
            self._multi.remove_handle(handle)


def _address(settings: Settings) -> tuple[str, str, Mapping[str, str]]:
    """Return the URL of the server, where else to connect for it, and the headers that say so.

    A server whose certificate is for another name is spoken to by that name.
    """
    server = settings.server.rstrip("/")
    if not settings.server_name:
        return server, "", {}
    try:
        url = urlsplit(server)
        port = url.port or 443
    except ValueError:  # libcurl says so, with the rest of what it thinks of addresses
        return server, "", {}
    place = f"[{url.hostname}]" if ":" in str(url.hostname) else url.hostname
    named = url._replace(netloc=f"{settings.server_name}:{port}").geturl()
    return named, f"{settings.server_name}:{port}:{place}:{port}", {"host": url.netloc}


def _system_authorities() -> Mapping[str, str | None]:
    """Return the machine's own authorities: libcurl would take those of the machine that it was built on."""
    import ssl  # noqa: PLC0415 - a kubeconfig that names its own, as nearly all do, needs none

    found = ssl.get_default_verify_paths()
    return {"cafile": found.cafile, "capath": found.capath}


def _set_version(handle: pycurl.Curl, *, shared: bool) -> None:
    if shared:
        handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        handle.setopt(pycurl.PIPEWAIT, 1)  # for the first connection to say whether it can be shared
    else:
        handle.setopt(pycurl.MAXCONNECTS, 1)
        handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)


def _trust(handle: pycurl.Curl, authorities: Mapping[str, str | None], file: int, directory: int) -> None:
    if path := authorities.get("cafile"):
        handle.setopt(file, os.fsencode(path))
    if path := authorities.get("capath"):
        handle.setopt(directory, os.fsencode(path))


def _nowhere(_piece: bytes) -> None:
    """Take what nobody asked for."""


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


def _explained(handle: pycurl.Curl, code: int, text: str) -> NoAnswerError:
    if code in _BAD_ADDRESS or text.startswith("Unsupported proxy"):  # it is quoted then, and may hold a password
        return NoAnswerError("the address of the server or of the proxy is not usable", sent=False, fault=Fault.ADDRESS)
    handshake = code == pycurl.E_SSL_CONNECT_ERROR and not _BROKEN_OFF.search(text)
    refused = handshake or code in _BAD_CERTIFICATE or bool(_REFUSED_OURS.search(text))
    sent = handle.getinfo(pycurl.REQUEST_SIZE) > 0
    return NoAnswerError(text or f"libcurl error {code}", sent=sent, fault=Fault.TLS if refused else None)
