"""A strict layer in front of moto: it refuses what AWS refuses and moto lets through, and fails when a test says so.

moto keeps the state; the layer stands before it as a reverse proxy on loopback and is stricter than AWS where in doubt.
Faults are counted out by the test, never drawn: the next N requests of a user are throttled, and then no more.
"""

import functools
import logging
import os
import re
import threading
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aws_iam import Call, allows
from rig_http import plain_client

from scenarios.ports import free_port

ROUTER, PERSON = "AKIAROUTER", "AKIAPERSON"
REGION = "eu-west-1"
SECRET = "canary-secret-key"
ERROR = """<?xml version="1.0"?>
<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>
<RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>"""
_CODE, _MESSAGE = re.compile(r"<Code>([^<]*)</Code>"), re.compile(r"<Message>([^<]*)</Message>")
_SKIPPED = {"host", "content-length", "transfer-encoding", "connection", "accept-encoding"}


@functools.cache
def moto_url() -> str:
    """Start one moto for all tests of this process; it ends with the process."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - slow to load

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    return f"http://{host}:{port}"


def person(service: str, url: str):
    """Return a client of somebody who may do everything."""
    import boto3  # noqa: PLC0415 - slow to load

    keys = {"aws_access_key_id": PERSON, "aws_secret_access_key": SECRET}
    return boto3.client(service, endpoint_url=url, region_name=REGION, **keys)


def lend_credentials() -> dict[str, str | None]:
    """Put the router's credentials where boto looks for them; return what was there."""
    keys = {"AWS_ACCESS_KEY_ID": ROUTER, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_EC2_METADATA_DISABLED": "true"}
    before = {key: os.environ.get(key) for key in keys}
    os.environ.update(keys)
    return before


def give_back(before: dict[str, str | None]) -> None:
    """Restore the environment."""
    for key, value in before.items():
        os.environ.pop(key, None)
        os.environ.update({} if value is None else {key: value})


class Refusal(Exception):  # noqa: N818 - it is an answer, not a fault of the layer
    """An answer with an error code of AWS."""

    def __init__(self, code: str, message: str, status: int = 400, retry_after: str = "") -> None:
        super().__init__(code, message)
        self.code, self.message, self.status, self.retry_after = code, message, status, retry_after


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    path: str
    query: str
    body: str
    headers: dict[str, str]

    @property
    def is_routers(self) -> bool:
        return f"Credential={ROUTER}/" in self.headers.get("authorization", "")


class Layer:
    """The proxy; a service's own rules are a subclass with call_of and answer.

    Attributes:
        policy: what the router may do; None for everything.
        faults: refusals that the router's next requests get, each as (name of the action or "", Refusal).
        calls: actions of the router so far.
    """

    def __init__(self) -> None:
        self.policy, self.faults, self.calls = None, deque(), []
        self.upstream = plain_client(base_url=moto_url(), timeout=30)
        self.lock, self.port, self._server = threading.RLock(), free_port(), None
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def call_of(self, request: Request) -> Call:
        raise NotImplementedError

    def answer(self, request: Request, call: Call) -> str:
        raise NotImplementedError

    def fail(self, code: str, times: int = 1, action: str = "", **more) -> None:
        """Refuse the router's next requests (of that action)."""
        self.faults.extend([(action, Refusal(code, "by the test", **more))] * times)

    def handle(self, request: Request) -> str:
        call = self.call_of(request)
        with self.lock:
            if request.is_routers:
                self._judge(call)
            return self.answer(request, call)

    def _judge(self, call: Call) -> None:
        self.calls.append(call.action)
        for fault in [fault for fault in self.faults if fault[0] in {"", call.action}][:1]:
            self.faults.remove(fault)
            raise fault[1]
        if self.policy is not None and not allows(self.policy, call):
            raise Refusal("AccessDenied", f"the policy does not allow {call}", 403)

    def forward(self, request: Request) -> str:
        headers = {key: value for key, value in request.headers.items() if key not in _SKIPPED}
        url = request.path + (f"?{request.query}" if request.query else "")
        answer = self.upstream.request(request.method, url, content=request.body.encode(), headers=headers)
        if answer.is_error:
            code, message = _CODE.search(answer.text), _MESSAGE.search(answer.text)
            raise Refusal(code[1] if code else "MotoRefused", message[1] if message else "", answer.status_code)
        return answer.text

    def start(self) -> None:
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.layer = self
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Close the listener and every connection."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            for connection in self._server.connections:
                connection.close()
            self._server = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *given) -> None:
        self.connections, self.layer = set(), None
        super().__init__(*given)

    def process_request(self, request, client_address):
        self.connections.add(request)
        super().process_request(request, client_address)

    def handle_error(self, request, client_address):
        """Say nothing of clients that went away."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        """Say nothing."""

    def do_GET(self):
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        headers = {key.lower(): value for key, value in self.headers.items()}
        try:
            status, text, after = 200, self.server.layer.handle(Request(self.command, path, query, body, headers)), ""
        except Refusal as no:
            status, text, after = no.status, ERROR.format(code=no.code, message=no.message), no.retry_after
        raw = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(raw)))
        if after:
            self.send_header("Retry-After", after)
        self.end_headers()
        self.wfile.write(raw)

    def do_POST(self):
        self.do_GET()
