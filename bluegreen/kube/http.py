"""Raw JSON over the client's own connection pool: the client configures sessions well, its typed layer is slow.

It must never log or raise a body, and must never retry what could happen twice.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import urllib3

from bluegreen.kube.answers import error_of
from bluegreen.kube.calls import Call
from bluegreen.kube.kubeconfig import load_configuration
from bluegreen.kube.retry import Patience, persist
from bluegreen.model.errors import BluegreenError, RefusedError, TransientError

CONNECT_SECONDS = 5.0
_UNAUTHORIZED = 401


class Connection:
    """Pool and credentials of one context, renewed as a whole because a renewed certificate needs a new pool."""

    def __init__(self, load: Callable[[], Any]) -> None:
        self._load = load
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

    @property
    def server(self) -> str:
        """Return the URL of the API server."""
        return str(self._current[0].host).rstrip("/")

    def open(self) -> tuple[Any, urllib3.PoolManager, dict[str, str]]:
        """Return configuration, pool and authorization headers; an expired token is refreshed by the client's hook."""
        with self._lock:
            configuration, pool = self._current
            auth = configuration.auth_settings().get("BearerToken")
            value = auth["value"] if auth else None
        return configuration, pool, {"authorization": str(value)} if value else {}

    def renew(self, used: Any) -> None:
        """Load credentials anew, unless another thread did since `used` was handed out."""
        with self._lock:
            if self._current[0] is used:
                self._use(self._load())


class Transport:
    """Sends calls to one cluster; safe for many threads."""

    def __init__(self, connection: Connection, where: str, patience: Patience) -> None:
        self.connection = connection
        self.where = where
        self._patience = patience

    def send(self, call: Call, patience: Patience | None = None) -> Any:
        """Return the decoded answer of a call, tried again while that is safe and the budget lasts.

        Args:
            call: the request.
            patience: another budget than the session's.

        Raises:
            TransientError: the budget is spent, or the call may not be repeated.
            NotFoundError, ConflictError, RefusedError: see answers.
        """
        body = None if call.body is None else msgspec.json.encode(call.body)

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
        configuration, pool, auth = self.connection.open()
        headers = {"accept": call.accept, "user-agent": "bluegreen", **auth}
        if body is not None:
            headers["content-type"] = call.content_type
        timeout = urllib3.Timeout(connect=min(CONNECT_SECONDS, seconds), read=seconds)
        url = str(configuration.host).rstrip("/") + call.target
        try:
            return configuration, pool.request(
                call.method, url, body=body, headers=headers, timeout=timeout, retries=False, redirect=False
            )
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
