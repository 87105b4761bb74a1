"""What libcurl must do as a client of API servers: certificates, kept connections, proxies, and hearing Ctrl-C."""

import base64
import contextlib
import gzip
import json
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_kube_http import POD_OBJECT, Answer, Server, write_kubeconfig

from bluegreen.kube.calls import Call
from bluegreen.kube.channel import Exchange
from bluegreen.kube.http import Connection, Transport
from bluegreen.kube.raw import read
from bluegreen.kube.retry import Patience
from bluegreen.model.errors import RefusedError, TransientError

LIST = Call("GET", "/api/v1/pods", "listing", "list")
CREATE = Call("POST", "/api/v1/pods", "creating", "create", body={}, repeatable=False)


def transport(folder: Path, patience: Patience | None = None) -> Transport:
    connection = Connection.of_context("here", str(folder / "config"))
    return Transport(connection, "cluster here", patience or Patience(total=5, one=5))


def change(folder: Path, part: str, **entries: Any) -> None:
    """Set fields of the one cluster or user of the kubeconfig."""
    config = yaml.safe_load((folder / "config").read_text())
    config[f"{part}s"][0][part].update(entries)
    (folder / "config").write_text(yaml.safe_dump(config))


def without(folder: Path, part: str, *keys: str) -> None:
    """Take fields from the one cluster or user of the kubeconfig, and what stands for them in it."""
    config = yaml.safe_load((folder / "config").read_text())
    for key in keys:
        config[f"{part}s"][0][part].pop(key, None)
        config[f"{part}s"][0][part].pop(f"{key}-data", None)
    (folder / "config").write_text(yaml.safe_dump(config))


@contextlib.contextmanager
def served(script: Callable[..., Answer], tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(script, tls)
    server.http.handle_error = lambda *_: None  # a client that turns away is what is tested
    try:
        yield server
    finally:
        server.http.shutdown()
        server.http.server_close()


def make_certificate(folder: Path, name: str, signer: str = "", alternative: str = "") -> None:
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-subj", f"/CN={name}"]
    signed = ["-CA", f"{signer}.crt", "-CAkey", f"{signer}.key"] if signer else []
    names = ["-addext", f"subjectAltName={alternative}"] if alternative else []
    files = ["-keyout", f"{name}.key", "-out", f"{name}.crt"]
    subprocess.run(
        ["openssl", "req", "-x509", *new, *signed, *names, *files], cwd=folder, check=True, capture_output=True
    )


RELATIVE, ABSOLUTE, INSIDE = "relative files, read by the client", "files", "in the kubeconfig itself"


@pytest.fixture(params=[RELATIVE, ABSOLUTE, INSIDE])
def form(request: pytest.FixtureRequest) -> str:
    """Return how the kubeconfig holds certificates and keys."""
    return str(request.param)


def put_files(folder: Path, form: str, part: str, **names: str) -> None:
    """Set certificates and keys of the one cluster or user, given by the names of their files."""
    match form:
        case "files":
            change(folder, part, **{key: str(folder / name) for key, name in names.items()})
        case "in the kubeconfig itself":
            data = {f"{k}-data": base64.b64encode((folder / n).read_bytes()).decode() for k, n in names.items()}
            change(folder, part, **data)
        case _:
            change(folder, part, **names)


@pytest.fixture
def secured(tmp_path: Path, form: str) -> Iterator[Server]:
    """Serve with a certificate for the name api.example, and ask for one of the client."""
    make_certificate(tmp_path, "authority")
    make_certificate(tmp_path, "stranger")
    make_certificate(tmp_path, "server", "authority", "DNS:api.example")
    make_certificate(tmp_path, "person", "authority")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    context.load_verify_locations(tmp_path / "authority.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    with served(lambda r, n: Answer(body=POD_OBJECT), context) as server:
        write_kubeconfig(tmp_path, server.url.replace("http:", "https:"), "t1")
        if form != RELATIVE:
            without(tmp_path, "user", "tokenFile")
        put_files(tmp_path, form, "user", **{"client-certificate": "person.crt", "client-key": "person.key"})
        put_files(tmp_path, form, "cluster", **{"certificate-authority": "authority.crt"})
        change(tmp_path, "cluster", **{"tls-server-name": "api.example"})
        yield server


def test_a_certificate_for_the_name_that_the_kubeconfig_gives_is_accepted(secured, tmp_path):
    assert transport(tmp_path).send(LIST) == POD_OBJECT
    assert secured.requests[0].headers["Host"] == secured.url.removeprefix("http://")


@pytest.mark.parametrize(
    ("entry", "value"), [("tls-server-name", "other.example"), ("certificate-authority", "stranger.crt")]
)
def test_a_server_that_is_not_who_it_shall_be_is_refused_at_once(secured, tmp_path, form, entry, value):
    if entry == "tls-server-name":
        change(tmp_path, "cluster", **{entry: value})
    else:
        put_files(tmp_path, form, "cluster", **{entry: value})

    with pytest.raises(RefusedError) as caught:
        transport(tmp_path, Patience(total=60)).send(LIST)
    assert caught.value.code == "kube.tls"
    assert secured.requests == []


def test_without_verification_any_server_will_do(secured, tmp_path):
    without(tmp_path, "cluster", "certificate-authority")
    change(tmp_path, "cluster", **{"tls-server-name": "other.example", "insecure-skip-tls-verify": True})

    assert transport(tmp_path).send(LIST) == POD_OBJECT


def test_a_port_that_speaks_no_tls_is_refused_at_once(tmp_path):
    with served(lambda r, n: Answer(body={})) as server:
        write_kubeconfig(tmp_path, server.url.replace("http:", "https:"), "t1")
        with pytest.raises(RefusedError) as caught:
            transport(tmp_path, Patience(total=60)).send(LIST)
    assert caught.value.code == "kube.tls"


def test_a_kubeconfig_in_a_directory_of_any_name_is_usable(secured, tmp_path):
    folder = tmp_path / "müller"
    folder.mkdir()
    for file in tmp_path.glob("*.*"):
        (folder / file.name).write_bytes(file.read_bytes())
    for name in ("config", "token"):
        (folder / name).write_bytes((tmp_path / name).read_bytes())

    assert transport(folder).send(LIST) == POD_OBJECT


@pytest.mark.parametrize(
    "entries", [{"client-key": "stranger.key"}, {"client-certificate": "alone.crt", "client-key": "alone.key"}]
)
def test_a_certificate_of_ours_that_nobody_takes_is_refused_at_once(secured, tmp_path, form, entries):
    make_certificate(tmp_path, "alone")
    put_files(tmp_path, form, "user", **entries)

    with pytest.raises(RefusedError) as caught:
        transport(tmp_path, Patience(total=60)).send(LIST)
    assert caught.value.code == "kube.tls"


def test_a_server_that_hangs_up_in_the_handshake_is_tried_again(tmp_path):
    listener, tries = socket.create_server(("127.0.0.1", 0)), []

    def hang_up() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            peer.recv(4096)
            tries.append(peer.close())

    threading.Thread(target=hang_up, daemon=True).start()
    write_kubeconfig(tmp_path, f"https://127.0.0.1:{listener.getsockname()[1]}", "t1")
    try:
        with pytest.raises(TransientError):
            transport(tmp_path, Patience(total=60, drops=2)).send(LIST)
    finally:
        listener.close()
    assert len(tries) > 1


def test_the_machine_s_authorities_hold_where_the_kubeconfig_names_none(secured, tmp_path, monkeypatch):
    without(tmp_path, "cluster", "certificate-authority")
    hashed = subprocess.run(
        ["openssl", "x509", "-noout", "-hash", "-in", "authority.crt"], cwd=tmp_path, check=True, capture_output=True
    )
    (tmp_path / "trusted").mkdir()
    (tmp_path / "trusted" / f"{hashed.stdout.decode().strip()}.0").write_bytes(
        (tmp_path / "authority.crt").read_bytes()
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "trusted"))

    assert transport(tmp_path).send(LIST) == POD_OBJECT


@pytest.fixture
def forgetful(tmp_path: Path) -> Iterator[list[str]]:
    """Answer the first request of each connection, and hang up on the next one once it was read."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        answered = False

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            seen.append(self.command)
            if self.answered:
                self.close_connection = True
                return
            self.answered = True
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_POST = do_GET  # noqa: N815 - http.server's own name

        def log_message(self, *_: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
    write_kubeconfig(tmp_path, f"http://127.0.0.1:{http.server_address[1]}", "t1")
    yield seen
    http.shutdown()
    http.server_close()


def test_a_creation_is_never_sent_twice_over_a_kept_connection(forgetful, tmp_path):
    door = transport(tmp_path)
    door.send(LIST)

    door.send(CREATE)  # over a connection of its own, which answers
    assert forgetful == ["GET", "POST"]


def test_what_may_be_repeated_is_when_a_kept_connection_ends(forgetful, tmp_path):
    door = transport(tmp_path)
    door.send(LIST)

    assert door.send(LIST) == {}
    assert forgetful == ["GET", "GET", "GET"]


@pytest.fixture
def mute(tmp_path: Path) -> Iterator[None]:
    """Take connections and never say a word."""
    listener = socket.create_server(("127.0.0.1", 0))
    write_kubeconfig(tmp_path, f"http://127.0.0.1:{listener.getsockname()[1]}", "t1")
    yield
    listener.close()


class InterruptedByTestError(Exception):
    """Stands for Ctrl-C."""


def test_a_signal_is_heard_while_a_server_is_silent(mute, tmp_path):
    def interrupt(*_: Any) -> None:
        raise InterruptedByTestError

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    began = time.monotonic()
    try:
        with pytest.raises(InterruptedByTestError):
            transport(tmp_path, Patience(total=60, one=60)).send(LIST)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - began < 30


def in_a_thread(act: Callable[[], Any]) -> list[Any]:
    """Run it where libcurl runs in one piece, and return what it returned or raised."""
    got: list[Any] = []

    def run() -> None:
        try:
            got.append(act())
        except Exception as error:  # noqa: BLE001 - it is what is asked for
            got.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return got


def test_a_silent_server_is_given_up_in_any_thread(mute, tmp_path):
    door = transport(tmp_path, Patience(total=1, one=1))

    (raised,) = in_a_thread(lambda: door.send(LIST))
    assert isinstance(raised, TransientError)
    with pytest.raises(TransientError):
        door.send(LIST)


@pytest.mark.parametrize(("exceptions", "used"), [("", True), ("127.0.0.2", False), ("other.example,*", False)])
def test_the_environment_s_proxy_and_its_exceptions_hold(tmp_path, monkeypatch, exceptions, used):
    monkeypatch.setenv("no_proxy", exceptions)
    write_kubeconfig(tmp_path, "http://127.0.0.2:9", "t1")  # where nobody listens
    with served(lambda r, n: Answer(body=POD_OBJECT)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        patience = Patience(total=10 if used else 0.5)
        (got,) = in_a_thread(lambda: transport(tmp_path, patience).send(LIST))

    assert (got == POD_OBJECT) is used
    assert len(proxy.requests) == used


@pytest.mark.parametrize("proxy", ["http://user:geheim#1@127.0.0.1:9", "foo://user:geheim@127.0.0.1:9"])
def test_a_proxy_that_is_none_is_refused_at_once_and_not_quoted(tmp_path, proxy):
    write_kubeconfig(tmp_path, "http://127.0.0.2:9", "t1")
    change(tmp_path, "cluster", **{"proxy-url": proxy})

    with pytest.raises(RefusedError) as caught:
        transport(tmp_path, Patience(total=60)).send(LIST)
    assert caught.value.code == "kube.address"
    assert "geheim" not in str(caught.value)


def test_a_port_that_is_none_is_refused_at_once(tmp_path):
    write_kubeconfig(tmp_path, "https://127.0.0.1:port", "t1")
    change(tmp_path, "cluster", **{"tls-server-name": "api.example"})

    with pytest.raises(RefusedError) as caught:
        transport(tmp_path, Patience(total=60)).send(LIST)
    assert caught.value.code == "kube.address"


def test_a_token_s_file_may_end_with_a_line_break(tmp_path):
    with served(lambda r, n: Answer(body={})) as server:
        write_kubeconfig(tmp_path, server.url, "t1\n")
        transport(tmp_path).send(Call("DELETE", "/x", "deleting", "delete", body={"a": 1}))

    assert server.requests[0].headers["authorization"] == "Bearer t1"
    assert server.requests[0].body == {"a": 1}


def test_a_token_that_would_be_a_second_header_is_refused(tmp_path):
    write_kubeconfig(tmp_path, "http://127.0.0.1:9", "t1\r\nImpersonate-User: admin")

    with pytest.raises(RefusedError) as caught:
        transport(tmp_path).send(LIST)
    assert caught.value.code == "kube.credentials"
    assert "admin" not in str(caught.value)


@pytest.mark.parametrize("path", ["/api/v1/pods/..", "/api/v1/pods/%2E%2E", "/api/v1/./pods"])
def test_a_path_goes_out_as_it_is(tmp_path, path):
    with served(lambda r, n: Answer(body={})) as server:
        write_kubeconfig(tmp_path, server.url, "t1")
        transport(tmp_path).send(Call("GET", path, "reading", "get"))

    assert server.requests[0].target == path


def test_a_redirect_is_followed_by_nobody(tmp_path):
    with served(lambda r, n: Answer(302, {}, {"Location": "/elsewhere"})) as server:
        write_kubeconfig(tmp_path, server.url, "t1")
        with pytest.raises(RefusedError):
            transport(tmp_path).send(LIST)

    assert len(server.requests) == 1


PACKED = gzip.compress(json.dumps({"items": [{"metadata": {"uid": str(n)}} for n in range(5000)]}).encode())


def test_long_answers_may_come_compressed(tmp_path):
    with served(lambda r, n: Answer(body=PACKED, headers={"Content-Encoding": "gzip"})) as server:
        write_kubeconfig(tmp_path, server.url, "t1")
        found = transport(tmp_path).send(LIST)

    assert server.requests[0].headers["Accept-Encoding"] == "gzip"
    assert len(found["items"]) == 5000


@pytest.mark.parametrize("how", ["plain", "by the client"])
def test_a_kubeconfig_that_wants_no_compression_gets_none(tmp_path, monkeypatch, how):
    if how != "plain":
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with served(lambda r, n: Answer(body={})) as server:
        write_kubeconfig(tmp_path, server.url, "t1")
        change(tmp_path, "cluster", **{"disable-compression": True})
        transport(tmp_path).send(LIST)

    assert "Accept-Encoding" not in server.requests[0].headers


@pytest.mark.parametrize("data", [PACKED[:200], PACKED[:-1000], b"no gzip at all", PACKED[:-8] + b"\0" * 8])
def test_a_broken_compressed_answer_is_asked_for_again(tmp_path, data):
    def script(_request, number):
        return Answer(body=data if number == 0 else PACKED, headers={"Content-Encoding": "gzip"})

    with served(script) as server:
        write_kubeconfig(tmp_path, server.url, "t1")
        found = transport(tmp_path).send(LIST)

    assert len(server.requests) == 2
    assert len(found["items"]) == 5000


def test_what_is_limited_is_limited_unpacked(tmp_path):
    bomb = gzip.compress(b" " * 10_000_000)
    with served(lambda r, n: Answer(body=bomb, headers={"Content-Encoding": "gzip"})) as server:
        write_kubeconfig(tmp_path, server.url, "t1")
        with pytest.raises(RefusedError, match="answers more than 1 MiB"):
            read(transport(tmp_path), "/metrics", limit=2**20)


def test_neither_token_nor_body_is_in_a_representation():
    shown = repr(Exchange("PATCH", "/x", {"authorization": "Bearer secret-1"}, b"secret-2"))

    assert "secret" not in shown
