"""Plain HTTPS to an API server: threads, kept connections, ready-made bodies, nothing else.

It loads the bench's objects quickly, and the product is held against it: no client that is written in Python does less
per request. It must never retry or parse more than a measurement needs.
"""

import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from scenarios.lab.api import API_PORT
from scenarios.lab.console import LabError
from scenarios.lab.layout import Cluster

WRITERS, READERS = 48, 12
"""Threads: as many as the product has writes under way, and enough for the lists."""
PAGE = 500
_CREATED = frozenset({http.client.OK, http.client.CREATED, http.client.CONFLICT})
T = TypeVar("T")
_JSON, _APPLY = "application/json", "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True)
class Request:
    """One request with its body as it goes on the wire."""

    method: str
    path: str
    body: bytes
    content_type: str


def creation(collection: str, obj: dict[str, Any]) -> Request:
    """Return the request that creates an object."""
    return Request("POST", collection, json.dumps(obj).encode(), _JSON)


def application(collection: str, obj: dict[str, Any], manager: str) -> Request:
    """Return the server-side apply of an object."""
    path = f"{collection}/{quote(obj['metadata']['name'])}?fieldManager={manager}&force=false"
    return Request("PATCH", path, json.dumps(obj).encode(), _APPLY)


def connect(cluster: Cluster) -> http.client.HTTPSConnection:
    """Return a connection with the admin's certificate."""
    pki = cluster.path("pki")
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    return http.client.HTTPSConnection(cluster.node_ip, API_PORT, context=context, timeout=60)


def send_all(cluster: Cluster, requests: Sequence[Request]) -> float:
    """Send requests from several threads and return the seconds it took.

    Raises:
        LabError: one was refused.
    """
    todo, lock = iter(requests), threading.Lock()
    started = time.monotonic()
    _in_threads(WRITERS, lambda: _sender(cluster, _shared(todo, lock)))
    return time.monotonic() - started


def _sender(cluster: Cluster, todo: Iterator[Request]) -> None:
    connection = connect(cluster)
    try:
        for request in todo:
            connection.request(request.method, request.path, request.body, {"Content-Type": request.content_type})
            answer = connection.getresponse()
            said = answer.read()
            if answer.status not in _CREATED:
                raise LabError(f"{request.method} {request.path}: {answer.status} {said[:300]!r}")
    finally:
        connection.close()


def list_all(cluster: Cluster, collections: Iterable[str]) -> tuple[int, float]:
    """Read collections page by page, several at a time, parsed as JSON; return number of objects and seconds."""
    todo, lock = iter(list(collections)), threading.Lock()
    counts: list[int] = []
    started = time.monotonic()
    _in_threads(READERS, lambda: _lister(cluster, _shared(todo, lock), counts))
    return sum(counts), time.monotonic() - started


def _lister(cluster: Cluster, todo: Iterator[str], counts: list[int]) -> None:
    connection = connect(cluster)
    try:
        counts.extend(len(page["items"]) for path in todo for page in _pages(connection, path))
    finally:
        connection.close()


def _pages(connection: http.client.HTTPSConnection, path: str) -> Iterator[dict[str, Any]]:
    token = ""
    while True:
        connection.request("GET", f"{path}?limit={PAGE}" + (f"&continue={quote(token)}" if token else ""))
        answer = connection.getresponse()
        page = json.loads(answer.read())
        if answer.status != http.client.OK:
            raise LabError(f"GET {path}: {answer.status} {page.get('message')}")
        yield page
        token = page["metadata"].get("continue", "")
        if not token:
            return


def _shared(todo: Iterator[T], lock: threading.Lock) -> Iterator[T]:
    """Hand each item to one of the threads that ask."""
    while True:
        with lock:
            item = next(todo, None)
        if item is None:
            return
        yield item


def _in_threads(number: int, work: Callable[[], None]) -> None:
    """Run the same work in so many threads; the first error is raised when all have ended."""
    errors: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except (LabError, OSError, http.client.HTTPException, ValueError) as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0] if isinstance(errors[0], LabError) else LabError(f"plain HTTPS failed: {errors[0]!r}")
