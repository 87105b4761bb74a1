"""Text of a path that is no object, such as /metrics: bounded in size and time, for the server decides how much it is.

It must never be used for objects: Secrets come through calls, which know how to be quiet about them.
"""

import time
from collections.abc import Iterator
from typing import Any

import urllib3

from bluegreen.kube.answers import error_of
from bluegreen.kube.calls import Call
from bluegreen.kube.http import CONNECT_SECONDS, Transport
from bluegreen.kube.retry import Patience, persist
from bluegreen.model.errors import RefusedError, TransientError
from bluegreen.model.ports import RawAnswer

BRIEF = Patience(total=20.0, one=15.0)
LIMIT_BYTES = 32 * 2**20
_CHUNK = 2**16
_UNAUTHORIZED = 401


def read(transport: Transport, path: str, *, patience: Patience = BRIEF, limit: int = LIMIT_BYTES) -> RawAnswer:
    """Return what a path answers.

    Args:
        transport: cluster to ask.
        path: path with query, already escaped.
        patience: budget of the call.
        limit: most bytes that are taken.

    Raises:
        RefusedError: no right, or more text than the limit.
        TransientError: the server does not answer in time.
    """
    call = Call("GET", path, f"reading {path.partition('?')[0]}", "get", accept="*/*")

    def attempt(seconds: float) -> RawAnswer:
        end = time.monotonic() + seconds
        configuration, status, headers, data = _exchange(transport, call, end, limit)
        if status == _UNAUTHORIZED:
            transport.connection.renew(configuration)
            _, status, headers, data = _exchange(transport, call, end, limit)
        if status >= 400:  # noqa: PLR2004 - HTTP's own boundary
            raise error_of(call, transport.where, status, headers, data)
        return RawAnswer(data.decode("utf-8", "replace"), headers.get("Date", ""))

    answer: RawAnswer = persist(attempt, patience)
    return answer


def _exchange(transport: Transport, call: Call, end: float, limit: int) -> tuple[Any, int, dict[str, str], bytes]:
    """Return the configuration used, and status, headers and body of the answer."""
    configuration, pool, auth = transport.connection.open()
    left = max(0.1, end - time.monotonic())
    what, hint = f"{call.what} in {transport.where}", f"check that {transport.connection.server} is reachable"
    try:
        answer = pool.request(
            call.method,
            transport.connection.server + call.path,
            headers={"accept": call.accept, "user-agent": "bluegreen", **auth},
            timeout=urllib3.Timeout(connect=min(CONNECT_SECONDS, left), read=left),
            retries=False,
            redirect=False,
            preload_content=False,
        )
        try:
            data = b"".join(_bounded(answer, what, end, limit))
        finally:
            answer.close()
    except urllib3.exceptions.HTTPError as error:
        raise TransientError("kube.connection", what, str(error), hint) from error
    return configuration, answer.status, dict(answer.headers.items()), data


def _bounded(answer: urllib3.BaseHTTPResponse, what: str, end: float, limit: int) -> Iterator[bytes]:
    """Yield the body in pieces, as long as it is in time and within the limit."""
    taken = 0
    # read1 gives what is there; read would wait for a whole chunk, however slowly its bytes come.
    while piece := answer.read1(_CHUNK):
        taken += len(piece)
        if taken > limit:
            raise RefusedError(
                "kube.too-long", what, f"it answers more than {limit // 2**20} MiB", "look at it by hand"
            )
        if time.monotonic() > end:
            raise TransientError("kube.slow-answer", what, "the answer did not end in time", "try again later")
        yield piece
