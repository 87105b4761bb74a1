"""Run a command in a container through the client's websocket, bounded in time.

It never uses the client's `stream` wrapper: that swaps a method of a shared object while it runs, and we have threads.
What the command printed goes to the caller only, into no error.
"""

import re
from typing import Any

import msgspec

from bluegreen.kube.answers import error_of
from bluegreen.kube.calls import Call, segments
from bluegreen.kube.http import Transport
from bluegreen.kube.settings import Material, Settings
from bluegreen.kube.unnamed import path_of
from bluegreen.model.errors import BluegreenError, RefusedError, TransientError
from bluegreen.model.ports import ExecResult

CONNECT_SECONDS = 10.0
_STDOUT, _STDERR, _OUTCOME = 1, 2, 3
_HANDSHAKE = re.compile(r"Handshake status (\d{3})")
_UNAUTHORIZED = 401
_NOWHERE = "nowhere.invalid"


def run(
    transport: Transport, namespace: str, pod: str, container: str, command: tuple[str, ...], *, timeout: float
) -> ExecResult:
    """Run a command and return what it printed and how it ended.

    Args:
        transport: cluster to use.
        namespace: namespace of the pod.
        pod: name of the pod.
        container: name of the container.
        command: program and arguments; no shell is added.
        timeout: seconds until the connection is cut; the command may go on in the container.

    Raises:
        NotFoundError: no such pod.
        RefusedError: no such container or program, or no right.
        TransientError: the connection failed or the time was up.
    """
    call = Call(
        "GET",
        segments("api", "v1", "namespaces", namespace, "pods", pod, "exec"),
        f"running {command[0]!r} in Pod {namespace}/{pod} container {container}",
        "create pods/exec",
        secret=True,
    )
    socket = _connect(transport, call, container, command)
    try:
        socket.run_forever(timeout=timeout)
        return _result(transport, call, socket, timeout)
    finally:
        socket.close()


def _connect(transport: Transport, call: Call, container: str, command: tuple[str, ...]) -> Any:
    for last in (False, True):
        settings, auth = transport.connection.open()
        try:
            return _open(_configuration(settings), call, auth, container, command)
        except _HandshakeError as refused:
            if refused.status == _UNAUTHORIZED and not last:
                transport.connection.renew(settings)
                continue
            raise _explained(transport, call, refused) from None
    raise AssertionError  # the second round returns or raises


def _configuration(settings: Settings) -> Any:
    """Return settings in the client's own form, of which its websocket asks no more."""
    from kubernetes import client  # noqa: PLC0415 - loaded on use

    found = client.Configuration()
    found.host = settings.server
    found.verify_ssl, found.assert_hostname = settings.verify, None if settings.verify_name else False
    found.ssl_ca_cert, found.cert_file, found.key_file = map(
        _path, (settings.authorities, settings.certificate, settings.key)
    )
    found.tls_server_name = settings.server_name or None
    found.proxy_headers = dict(settings.proxy_headers)
    # Where the two say nothing, the websocket looks into the environment, of which others made sense before.
    found.proxy, found.no_proxy = (settings.proxy, _NOWHERE) if settings.proxy else (f"http://{_NOWHERE}:1", "*")
    return found


def _path(what: Material) -> str | None:
    return path_of(what) if isinstance(what, bytes) else what


class _HandshakeError(Exception):
    """The websocket was not opened; status is 0 when no answer came."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def _open(configuration: Any, call: Call, auth: dict[str, str], container: str, command: tuple[str, ...]) -> Any:
    import websocket  # noqa: PLC0415 - comes with the client, and is loaded as late
    from kubernetes.client.exceptions import ApiException  # noqa: PLC0415
    from kubernetes.stream import ws_client  # noqa: PLC0415

    # The client offers no connect timeout; the library's default is what it uses.
    websocket.setdefaulttimeout(CONNECT_SECONDS)
    query = [("container", container), ("command", list(command)), ("stdout", "true"), ("stderr", "true")]
    url = str(configuration.host).rstrip("/") + call.path
    try:
        return ws_client.websocket_call(  # type: ignore[no-untyped-call]
            configuration, "GET", url, headers=auth, query_params=query, _preload_content=False
        )
    except ApiException as error:
        named = _HANDSHAKE.search(str(error.reason))
        raise _HandshakeError(int(named.group(1)) if named else 0) from None


def _explained(transport: Transport, call: Call, refused: _HandshakeError) -> BluegreenError:
    if refused.status:
        return error_of(call, transport.where, refused.status, {}, b"")
    what, hint = f"{call.what} in {transport.where}", f"check that {transport.connection.server} is reachable"
    return TransientError("kube.connection", what, "the websocket was not opened", hint)


def _result(transport: Transport, call: Call, socket: Any, timeout: float) -> ExecResult:
    what = f"{call.what} in {transport.where}"
    if socket.is_open():
        raise TransientError("kube.exec-timeout", what, f"it did not end within {timeout:g} s")
    stdout, stderr = socket.read_channel(_STDOUT), socket.read_channel(_STDERR)
    outcome = socket.read_channel(_OUTCOME)
    if not outcome:
        raise TransientError("kube.exec-cut", what, "the connection ended before the command did")
    return ExecResult(_exit_code(what, outcome), stdout, stderr)


def _exit_code(what: str, outcome: str) -> int:
    status = msgspec.json.decode(outcome)
    if status.get("status") == "Success":
        return 0
    for cause in (status.get("details") or {}).get("causes") or []:
        if cause.get("reason") == "ExitCode":
            return int(cause["message"])
    raise RefusedError("kube.exec", what, str(status.get("message", "")), "check the container's and program's name")
