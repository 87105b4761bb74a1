"""Text of a path that is no object: its date, its limits, and a renewed token."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_kube_http import Answer, Server, status, write_kubeconfig

from bluegreen.kube import raw
from bluegreen.kube.http import Connection, Transport
from bluegreen.kube.retry import Patience
from bluegreen.model.errors import NotFoundError, RefusedError, TransientError

QUICK = Patience(total=0.5, one=0.3)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator:
    started: list[Server] = []

    def start(script):
        started.append(Server(script))
        write_kubeconfig(tmp_path, started[-1].url, "t1")
        return transport(tmp_path), started[-1]

    yield start
    for server in started:
        server.http.shutdown()
        server.http.server_close()


def transport(folder: Path) -> Transport:
    return Transport(Connection.of_context("here", str(folder / "config")), "cluster here", Patience())


def test_text_and_the_server_s_clock_are_returned(serve):
    door, server = serve(lambda r, n: Answer(body="x 1"))
    answer = raw.read(door, "/metrics?a=b")

    assert answer.text == '"x 1"'
    assert answer.date.endswith("GMT")
    assert server.requests[0].target == "/metrics?a=b"


def test_a_missing_right_and_a_missing_page_are_refused_at_once(serve):
    door, server = serve(lambda r, n: status(403, "Forbidden", "no") if r.path == "/metrics" else Answer(404))

    with pytest.raises(RefusedError) as caught:
        raw.read(door, "/metrics")
    with pytest.raises(NotFoundError):
        raw.read(door, "/none")
    assert caught.value.code == "kube.forbidden"
    assert len(server.requests) == 2


def test_a_token_that_expired_is_renewed_once(serve, tmp_path):
    def script(request, count):
        good = request.headers.get("authorization", "").endswith("t2")
        return Answer(body={}) if good else Answer(401)

    door, server = serve(script)
    write_kubeconfig(tmp_path, server.url, "t2")

    assert raw.read(door, "/metrics").text == "{}"
    assert len(server.requests) == 2


def test_a_token_that_stays_refused_is_not_tried_for_ever(serve):
    door, server = serve(lambda r, n: Answer(401))

    with pytest.raises(RefusedError) as caught:
        raw.read(door, "/metrics")
    assert caught.value.code == "kube.unauthorized"
    assert len(server.requests) == 2


def test_more_text_than_the_limit_is_refused_and_not_held(serve):
    door, _ = serve(lambda r, n: Answer(body="x" * 500_000))

    with pytest.raises(RefusedError) as caught:
        raw.read(door, "/metrics", limit=100_000)
    assert caught.value.code == "kube.too-long"
    assert len(raw.read(door, "/metrics").text) == 500_002


def test_a_server_error_is_tried_again(serve):
    door, server = serve(lambda r, n: Answer(503) if n < 1 else Answer(body={}))

    assert raw.read(door, "/metrics").text == "{}"
    assert len(server.requests) == 2


HEADS = {"chunked": b"Transfer-Encoding: chunked", "sized": b"Content-Length: 100000"}


@pytest.fixture(params=["chunked", "sized"])
def dripping(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Transport]:
    """Serve an answer that never ends, a byte at a time: no single read is slow."""
    listener, ending = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def drip() -> None:
        while not ending.is_set():
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                peer.recv(65536)
                try:
                    peer.sendall(b"HTTP/1.1 200 OK\r\n" + HEADS[request.param] + b"\r\n\r\n")
                    while not ending.wait(0.02):
                        peer.sendall(b"1\r\nx\r\n" if request.param == "chunked" else b"x")
                except OSError:
                    continue

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    write_kubeconfig(tmp_path, f"http://127.0.0.1:{listener.getsockname()[1]}", "t1")
    yield transport(tmp_path)
    ending.set()
    listener.close()


def test_an_answer_that_drips_for_ever_is_cut(dripping):
    began = time.monotonic()

    with pytest.raises(TransientError):
        raw.read(dripping, "/metrics", patience=QUICK)
    assert time.monotonic() - began < 30
