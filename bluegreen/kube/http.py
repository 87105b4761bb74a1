"""Raw JSON to one cluster: the kubeconfig says how, libcurl carries it.

It must never log or raise a body, and must never retry what could happen twice.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from bluegreen.kube.answers import error_of
from bluegreen.kube.calls import Call, encoded
from bluegreen.kube.channel import Answer, Channel, Exchange, Fault, NoAnswerError
from bluegreen.kube.kubeconfig import load_settings
from bluegreen.kube.multiplex import Multiplex
from bluegreen.kube.retry import Patience, persist
from bluegreen.kube.settings import Settings
from bluegreen.model.errors import BluegreenError, RefusedError, TransientError

Lines = Multiplex[tuple[int, Call]]
UNAUTHORIZED = 401
_SAME_TOKEN_SECONDS = 1.0


class Connection:
    """Channel and credentials of one context, renewed as a whole: a renewed certificate needs new connections."""

    def __init__(self, load: Callable[[], Settings], clock: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._clock = clock
        self._lock = threading.Lock()
        self._use(load())

    @classmethod
    def of_context(cls, context: str, kubeconfig: str | None) -> "Connection":
        """Return a connection for a context of the kubeconfig."""
        return cls(lambda: load_settings(context, kubeconfig))

    def _use(self, settings: Settings) -> None:
        self._current = (settings, Channel(settings))
        self._auth: tuple[float, dict[str, str]] | None = None

    @property
    def server(self) -> str:
        """Return the URL of the API server."""
        return self._current[0].server.rstrip("/")

    def open(self) -> tuple[Settings, dict[str, str]]:
        """Return settings and authorization headers; an expired token is refreshed."""
        settings, _, authorization = self.opened()
        return settings, authorization

    def opened(self) -> tuple[Settings, Channel, dict[str, str]]:
        """Return settings and authorization headers as `open` does, and the channel to send over."""
        with self._lock:
            settings, channel = self._current
            return settings, channel, self._authorization(settings)

    def exchange(self, wanted: Exchange) -> Answer:
        """Send one request as it is and return the answer; credentials that are refused are renewed once.

        Raises:
            NoAnswerError, TooLongError: see channel.
        """
        settings, channel, authorization = self.opened()
        answer = channel.exchange(wanted, authorization)
        if answer.status != UNAUTHORIZED:
            return answer
        self.renew(settings)
        _, channel, authorization = self.opened()
        return channel.exchange(wanted, authorization)

    def _authorization(self, settings: Settings) -> dict[str, str]:
        """Return the headers that say who we are; asking may cost more than a request, so not for each of them."""
        now = self._clock()
        if self._auth is None or now - self._auth[0] >= _SAME_TOKEN_SECONDS:
            said = settings.authorization()
            self._auth = now, {"authorization": _header(said)} if said else {}
        return self._auth[1]

    def renew(self, used: Settings) -> None:
        """Load credentials anew, unless another thread did since `used` was handed out."""
        with self._lock:
            if self._current[0] is used:
                self._use(self._load())


def _header(credentials: str) -> str:
    """Return credentials as they go into a header, without the line break that a token's file may end with.

    Raises:
        RefusedError: they would end the header and begin another.
    """
    value = credentials.strip()
    if not value.isprintable():
        why = "the token holds characters that no token has, such as a line break in the middle"
        raise RefusedError("kube.credentials", "reading the token of the kubeconfig", why, "look at tokenFile or token")
    return value


class Transport:
    """Sends calls to one cluster; safe for many threads."""

    def __init__(self, connection: Connection, where: str, patience: Patience) -> None:
        self.connection = connection
        self.where = where
        self._patience = patience
        self._idle: list[Lines] = []

    @property
    def patience(self) -> Patience:
        """Return the budget of a call that names none."""
        return self._patience

    def send(self, call: Call, patience: Patience | None = None, first: Answer | NoAnswerError | None = None) -> Any:
        """Return the decoded answer of a call, tried again while that is safe and the budget lasts.

        Args:
            call: the request.
            patience: another budget than the session's.
            first: what came of a first attempt that was made elsewhere.

        Raises:
            TransientError: the budget is spent, or the call may not be repeated.
            NotFoundError, ConflictError, RefusedError: see answers.
        """
        return self.measured(call, patience, first)[0]

    def measured(
        self, call: Call, patience: Patience | None = None, first: Answer | NoAnswerError | None = None
    ) -> tuple[Any, int]:
        """Return the same as `send`, and the bytes of the answer, unpacked."""
        body = encoded(call)

        def attempt(seconds: float) -> tuple[Any, int]:
            nonlocal first
            answer, first = first, None
            return self.understood(call, answer or self._answered(self.request(call, body, seconds)))

        try:
            found: tuple[Any, int] = persist(attempt, patience or self._patience)
        except _UnsafeToRepeatError as stop:
            raise stop.error from stop.error.__cause__
        return found

    def lines(self) -> Lines:
        """Return what carries many requests of one thread, with the connection that the last user left; see `leave`."""
        while self._idle:
            found = self._idle.pop()
            if self.may_use(found):
                return found
            found.close()
        return Multiplex(self.connection.opened()[1])

    def may_use(self, lines: Lines) -> bool:
        """Return whether requests may still be sent over lines: not with credentials of before, nor after a failure."""
        return lines.sound and lines.channel is self.connection.opened()[1]

    def leave(self, lines: Lines) -> None:
        """Give lines up; what is still under way on them is not wanted any more."""
        if len(lines) or not self.may_use(lines):
            lines.close()
        else:
            self._idle.append(lines)

    def request(self, call: Call, body: bytes | None, seconds: float) -> Exchange:
        """Return a call as it is sent once.

        Args:
            call: the request.
            body: its body, encoded.
            seconds: how long to wait for the next byte.
        """
        headers = {"accept": call.accept, "user-agent": "bluegreen"}
        if body is not None:
            headers["content-type"] = call.content_type
        return Exchange(call.method, call.target, headers, body, seconds, once=not call.repeatable)

    def _answered(self, wanted: Exchange) -> Answer | NoAnswerError:
        try:
            return self.connection.exchange(wanted)
        except NoAnswerError as silence:
            return silence

    def understood(self, call: Call, answer: Answer | NoAnswerError) -> tuple[Any, int]:
        """Return what one attempt brought, decoded, and the bytes of it.

        Raises:
            TransientError, NotFoundError, ConflictError, RefusedError: it failed; see answers.
        """
        if isinstance(answer, NoAnswerError):
            raise _unless_safe(call, self.unanswered(call, answer), processed=answer.sent) from answer
        if not answer.succeeded:
            error = error_of(call, self.where, answer.status, answer.headers, answer.body)
            raise _unless_safe(call, error, processed=error.code != "kube.throttled")
        return self._decoded(call, answer.body), len(answer.body)

    def unanswered(self, call: Call, error: NoAnswerError) -> BluegreenError:
        """Return what it means that a call has no answer."""
        what = f"{call.what} in {self.where}"
        if error.fault is Fault.TLS:
            hint = "check certificate-authority, server and the user's certificate in the kubeconfig"
            return RefusedError("kube.tls", what, str(error), hint)
        if error.fault is Fault.ADDRESS:
            hint = "check server and proxy-url of the cluster in the kubeconfig, and HTTPS_PROXY"
            return RefusedError("kube.address", what, str(error), hint)
        return TransientError("kube.connection", what, str(error), f"check that {self.connection.server} is reachable")

    def _decoded(self, call: Call, data: bytes) -> Any:
        try:
            return msgspec.json.decode(data) if data else {}
        except msgspec.DecodeError as error:
            what = f"{call.what} in {self.where}"
            raise TransientError("kube.bad-answer", what, f"{len(data)} bytes that are no JSON") from error


class _UnsafeToRepeatError(Exception):
    """Carries a transient error past the retries: the caller decides, for the call may have had its effect."""

    def __init__(self, error: BluegreenError) -> None:
        super().__init__(error.code)
        self.error = error


def _unless_safe(call: Call, error: BluegreenError, *, processed: bool) -> Exception:
    return error if call.repeatable or not processed else _UnsafeToRepeatError(error)
