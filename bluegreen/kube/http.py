"""Raw JSON over the client's own connection pool: the client configures sessions well, its typed layer is slow.

It must never log or raise a body, and must never retry what could happen twice.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import urllib3

from bluegreen.kube.answers import error_of
from bluegreen.kube.calls import Call, encoded
from bluegreen.kube.kubeconfig import load_configuration
from bluegreen.kube.retry import Patience, persist
from bluegreen.model.errors import BluegreenError, RefusedError, TransientError

CONNECT_SECONDS = 5.0
_UNAUTHORIZED = 401
_SAME_TOKEN_SECONDS = 1.0
_NO_RETRIES = urllib3.Retry(total=False, redirect=False)


class Connection:
    """Pool and credentials of one context, renewed as a whole because a renewed certificate needs a new pool."""

    def __init__(self, load: Callable[[], Any], clock: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._clock = clock
        self._lock = threading.Lock()
        self._use(load())

    @classmethod
    def of_context(cls, context: str, kubeconfig: str | None) -> "Connection":
        """Return a connection for a context of the kubeconfig."""
        return cls(lambda: load_configuration(context, kubeconfig))

    def _use(self, configuration: Any) -> None:
        from kubernetes import client  # noqa: PLC0415 - see kubeconfig

        pool: urllib3.PoolManager = client.ApiClient(configuration).rest_client.pool_manager
        self._current = (configuration, pool)
        self._direct = _direct(configuration, pool)
        self._auth: tuple[float, dict[str, str]] | None = None

    @property
    def server(self) -> str:
        """Return the URL of the API server."""
        return str(self._current[0].host).rstrip("/")

    def open(self) -> tuple[Any, urllib3.PoolManager, dict[str, str]]:
        """Return configuration, pool and authorization headers; an expired token is refreshed by the client's hook."""
        with self._lock:
            configuration, pool = self._current
            return configuration, pool, self._authorization(configuration)

    def _authorization(self, configuration: Any) -> dict[str, str]:
        """Return the headers that the client's hook gives; it costs more than a request, so not for each of them."""
        now = self._clock()
        if self._auth is None or now - self._auth[0] >= _SAME_TOKEN_SECONDS:
            auth = configuration.auth_settings().get("BearerToken")
            value = auth["value"] if auth else None
            self._auth = now, {"authorization": str(value)} if value else {}
        return self._auth[1]

    def request(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str], timeout: urllib3.Timeout
    ) -> tuple[Any, urllib3.BaseHTTPResponse]:
        """Send one request as it is; return the configuration that was used, for `renew`, and the answer.

        Raises:
            urllib3.exceptions.HTTPError: there is no answer.
        """
        configuration, pool, auth = self.open()
        sent = {**headers, **auth}
        direct = self._direct
        if direct is None:
            url = str(configuration.host).rstrip("/") + target
            return configuration, pool.request(
                method, url, body=body, headers=sent, timeout=timeout, retries=_NO_RETRIES, redirect=False
            )
        host, prefix = direct
        return configuration, host.urlopen(
            method, prefix + target, body=body, headers=sent, timeout=timeout, retries=_NO_RETRIES, redirect=False
        )

    def renew(self, used: Any) -> None:
        """Load credentials anew, unless another thread did since `used` was handed out."""
        with self._lock:
            if self._current[0] is used:
                self._use(self._load())


def _direct(configuration: Any, pool: urllib3.PoolManager) -> tuple[urllib3.HTTPConnectionPool, str] | None:
    """Return the connections to the one server and the path before every target; None where a proxy stands between.

    A pool manager looks its one pool up again for each request, which costs as much as sending it.
    """
    if type(pool) is not urllib3.PoolManager:
        return None
    url = urllib3.util.parse_url(str(configuration.host).rstrip("/"))
    return pool.connection_from_url(url.url), url.path or ""


class Transport:
    """Sends calls to one cluster; safe for many threads."""

    def __init__(self, connection: Connection, where: str, patience: Patience) -> None:
        self.connection = connection
        self.where = where
        self._patience = patience

    @property
    def patience(self) -> Patience:
        """Return the budget of a call that names none."""
        return self._patience

    def send(self, call: Call, patience: Patience | None = None) -> Any:
        """Return the decoded answer of a call, tried again while that is safe and the budget lasts.

        Args:
            call: the request.
            patience: another budget than the session's.

        Raises:
            TransientError: the budget is spent, or the call may not be repeated.
            NotFoundError, ConflictError, RefusedError: see answers.
        """
        body = encoded(call)

        def attempt(seconds: float) -> Any:
            return self._attempt(call, body, seconds)

        try:
            return persist(attempt, patience or self._patience)
        except _UnsafeToRepeatError as stop:
            raise stop.error from stop.error.__cause__

    def _attempt(self, call: Call, body: bytes | None, seconds: float) -> Any:
        configuration, answer = self._exchange(call, body, seconds)
        if answer.status == _UNAUTHORIZED:
            self.connection.renew(configuration)
            _, answer = self._exchange(call, body, seconds)
        if answer.status >= 400:  # noqa: PLR2004 - HTTP's own boundary
            error = error_of(call, self.where, answer.status, _headers(answer), answer.data)
            raise _unless_safe(call, error, processed=error.code != "kube.throttled")
        return self._decoded(call, answer.data)

    def _exchange(self, call: Call, body: bytes | None, seconds: float) -> tuple[Any, urllib3.BaseHTTPResponse]:
        headers = {"accept": call.accept, "user-agent": "bluegreen"}
        if body is not None:
            headers["content-type"] = call.content_type
        timeout = urllib3.Timeout(connect=min(CONNECT_SECONDS, seconds), read=seconds)
        try:
            return self.connection.request(call.method, call.target, body, headers, timeout)
        except urllib3.exceptions.HTTPError as error:
            raise _unless_safe(call, self._unreachable(call, error), processed=_was_sent(error)) from error

    def _unreachable(self, call: Call, error: urllib3.exceptions.HTTPError) -> BluegreenError:
        what = f"{call.what} in {self.where}"
        if isinstance(error, urllib3.exceptions.SSLError):
            hint = "check certificate-authority and server of the cluster in the kubeconfig"
            return RefusedError("kube.tls", what, str(error), hint)
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


def _was_sent(error: urllib3.exceptions.HTTPError) -> bool:
    refused = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    return not isinstance(error, refused)


def _headers(answer: urllib3.BaseHTTPResponse) -> Mapping[str, str]:
    return dict(answer.headers.items())
