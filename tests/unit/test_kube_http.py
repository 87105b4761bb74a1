"""Calls against a small server that misbehaves on purpose: what is tried again, what is not, and what an error says."""

import itertools
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from bluegreen.kube.answers import error_of
from bluegreen.kube.calls import Call
from bluegreen.kube.discovery import NEEDED_VERBS
from bluegreen.kube.http import Connection, Transport
from bluegreen.kube.kubeconfig import load_settings
from bluegreen.kube.lists import list_objects
from bluegreen.kube.retry import Patience, persist
from bluegreen.kube.session import ClusterSession, open_cluster
from bluegreen.kube.settings import Settings
from bluegreen.model.errors import ConflictError, NotFoundError, RefusedError, TransientError
from bluegreen.model.ports import ApiResource
from bluegreen.model.refs import ClusterId, ObjectRef

PODS = ApiResource("v1", "Pod", "pods", namespaced=True, verbs=frozenset({"list"}))
V1 = {
    "kind": "APIResourceList",
    "resources": [
        {"name": "pods", "kind": "Pod", "namespaced": True, "verbs": ["list"]},
        {"name": "pods/exec", "kind": "PodExecOptions", "namespaced": True, "verbs": ["create"]},
        {"name": "secrets", "kind": "Secret", "namespaced": True, "verbs": ["list"]},
        {"name": "namespaces", "kind": "Namespace", "namespaced": False, "verbs": ["list"]},
    ],
}


@dataclass
class Answer:
    """One answer of the server, JSON or bytes as they are; `cut` sends half of the body and hangs up."""

    code: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass
class Request:
    """What the server was asked."""

    method: str
    target: str
    headers: dict[str, str]
    body: Any


class Listener(ThreadingHTTPServer):
    """Lets more clients connect at once than five, and says nothing of those that went away."""

    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        pass


class Server:
    """Answers from a script: a function of (request, number of requests so far on that method and path)."""

    def __init__(self, script: Callable[[Request, int], Answer], tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.requests: list[Request] = []
        self.lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.handle(self)

            do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 - http.server's own names

            def log_message(self, *_: Any) -> None:
                pass

        self.http = Listener(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        if tls:  # now: a socket that is being wrapped has no descriptor, which ends the thread
            self.http.socket = tls.wrap_socket(self.http.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("content-length") or 0)
        body = json.loads(handler.rfile.read(length)) if length else None
        request = Request(handler.command, handler.path, dict(handler.headers), body)
        with self.lock:
            same = [r for r in self.requests if (r.method, r.path) == (request.method, request.path)]
            self.requests.append(request)
        answer = self.script(request, len(same))
        data = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        handler.send_response(answer.code)
        for key, value in {"Content-Length": str(len(data)), **answer.headers}.items():
            handler.send_header(key, value)
        handler.end_headers()
        handler.wfile.write(data[: len(data) // 2] if answer.cut else data)
        handler.close_connection = handler.close_connection or answer.cut


Request.path = property(lambda self: self.target.partition("?")[0])  # type: ignore[attr-defined]


def status(code: int, reason: str, message: str, **details: Any) -> Answer:
    body = {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}
    return Answer(code, body)


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def serve(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., tuple[ClusterSession, Server]]]:
    yield from serving(tmp_path, clock)


def serving(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., tuple[ClusterSession, Server]]]:
    """Yield what starts a server with a script and opens it as a cluster; both end with the test."""
    started: list[Server] = []

    def start(script: Callable[[Request, int], Answer], total: float = 60) -> tuple[ClusterSession, Server]:
        def with_discovery(request: Request, count: int) -> Answer:
            return Answer(body=V1) if request.path == "/api/v1" else script(request, count)

        server = Server(with_discovery)
        started.append(server)
        write_kubeconfig(tmp_path, server.url, "t1")
        connection = Connection.of_context("here", str(tmp_path / "config"))
        patience = Patience(total=total, one=5, clock=lambda: clock.now, sleep=clock.sleep)
        return ClusterSession(Transport(connection, "cluster here", patience), ClusterId("here", "u", "v", "s")), server

    yield start
    for server in started:
        server.http.shutdown()
        server.http.server_close()


def write_kubeconfig(folder: Path, url: str, token: str) -> None:
    (folder / "token").write_text(token)
    config = {
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"tokenFile": str(folder / "token")}}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
    }
    (folder / "config").write_text(yaml.safe_dump(config))


POD = ObjectRef("v1", "Pod", "shop", "web")
POD_OBJECT = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}}


def test_throttling_waits_at_least_as_long_as_the_server_says(serve, clock):
    def script(request, count):
        return Answer(429, {}, {"Retry-After": "7"}) if count < 2 else Answer(body=POD_OBJECT)

    cluster, _ = serve(script)

    assert cluster.get(POD) == POD_OBJECT
    assert len(clock.slept) == 2
    assert min(clock.slept) >= 7


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_a_server_error_is_tried_again(serve, code):
    cluster, server = serve(lambda r, n: Answer(code) if n < 3 else Answer(body=POD_OBJECT))

    cluster.get(POD)

    assert len(server.requests) == 1 + 4


def test_the_total_time_is_bounded(serve, clock):
    cluster, _ = serve(lambda r, n: Answer(503))

    with pytest.raises(TransientError, match=r"reading Pod shop/web in cluster here"):
        cluster.get(POD)

    assert clock.now <= 60


def test_a_connection_cut_in_the_body_is_tried_again(serve):
    cluster, _ = serve(lambda r, n: Answer(body=POD_OBJECT, cut=n == 0))

    assert cluster.get(POD) == POD_OBJECT


def test_an_unreachable_server_is_transient_and_named(tmp_path, clock):
    write_kubeconfig(tmp_path, "http://127.0.0.1:9", "t")

    with pytest.raises(TransientError) as caught:
        open_cluster("here", str(tmp_path / "config"), Patience(total=3, clock=lambda: clock.now, sleep=clock.sleep))

    assert caught.value.code == "kube.connection"
    assert "http://127.0.0.1:9" in caught.value.next_step


def test_a_refused_connection_is_told_within_seconds_when_a_cluster_is_opened(tmp_path, clock):
    write_kubeconfig(tmp_path, "http://127.0.0.1:9", "t")

    with pytest.raises(TransientError):
        open_cluster("here", str(tmp_path / "config"), Patience(clock=lambda: clock.now, sleep=clock.sleep))

    assert 1 < clock.now < 4, "long enough for a hiccup, too short to wonder whether it hangs"


@pytest.mark.parametrize(("dry_run", "fewest", "most"), [(True, 3, 3), (False, 6, 99)])
def test_a_dry_run_that_the_server_breaks_off_is_given_up_soon(serve, dry_run, fewest, most):
    cluster, server = serve(lambda r, n: Answer(body=POD_OBJECT, cut=True))

    with pytest.raises(TransientError, match=r"kube\.connection"):
        cluster.apply(POD_OBJECT, dry_run=dry_run)

    assert fewest <= len([r for r in server.requests if r.method == "PATCH"]) <= most


def test_a_creation_is_not_repeated_when_its_answer_is_lost(serve):
    cluster, server = serve(lambda r, n: Answer(body=POD_OBJECT, cut=True))

    with pytest.raises(TransientError):
        cluster.create(POD_OBJECT)

    assert [r.method for r in server.requests].count("POST") == 1


def test_a_throttled_creation_is_repeated(serve):
    cluster, server = serve(lambda r, n: Answer(429) if n == 0 else Answer(201, POD_OBJECT))

    cluster.create(POD_OBJECT)

    assert [r.method for r in server.requests].count("POST") == 2


def test_an_expired_token_is_read_again_once(serve, tmp_path):
    def script(request, count):
        (tmp_path / "token").write_text("t2")
        good = request.headers.get("authorization") == "Bearer t2"
        return Answer(body=POD_OBJECT) if good else status(401, "Unauthorized", "Unauthorized")

    cluster, server = serve(script)

    assert cluster.get(POD) == POD_OBJECT
    assert [r.headers["authorization"] for r in server.requests if r.path != "/api/v1"] == ["Bearer t1", "Bearer t2"]


def test_a_token_that_stays_bad_is_reported(serve):
    cluster, server = serve(lambda r, n: status(401, "Unauthorized", "Unauthorized"))

    with pytest.raises(RefusedError) as caught:
        cluster.get(POD)

    assert caught.value.code == "kube.unauthorized"
    assert len(server.requests) == 1 + 2


def test_a_missing_right_is_reported_at_once_and_names_the_verb(serve):
    message = 'pods "web" is forbidden: User "ann" cannot get resource "pods" in API group "" in the namespace "shop"'
    cluster, server = serve(lambda r, n: status(403, "Forbidden", message))

    with pytest.raises(RefusedError) as caught:
        cluster.get(POD)

    assert caught.value.code == "kube.forbidden"
    assert "'get'" in caught.value.next_step
    assert 'User "ann"' in caught.value.why
    assert len(server.requests) == 1 + 1


def test_an_apply_conflict_names_manager_and_field(serve):
    causes = [{"reason": "FieldManagerConflict", "message": 'conflict with "helm" using v1', "field": ".spec.replicas"}]
    cluster, server = serve(lambda r, n: status(409, "Conflict", "Apply failed", causes=causes))

    with pytest.raises(ConflictError, match=r"helm owns \.spec\.replicas"):
        cluster.apply(POD_OBJECT)

    sent = server.requests[-1]
    assert sent.headers["content-type"] == "application/apply-patch+yaml"
    assert "fieldManager=bluegreen&force=false" in sent.target


def test_forcing_and_dry_runs_are_only_on_request(serve):
    cluster, server = serve(lambda r, n: Answer(body=POD_OBJECT))

    cluster.apply(POD_OBJECT, force=True, dry_run=True)

    assert "force=true&fieldValidation=Ignore&dryRun=All" in server.requests[-1].target


def test_a_schema_error_is_not_tried_again_although_it_is_a_500(serve):
    cluster, server = serve(lambda r, n: status(500, "InternalError", "failed to create typed patch object: .spec.x"))

    with pytest.raises(RefusedError):
        cluster.apply(POD_OBJECT)

    assert [r.method for r in server.requests].count("PATCH") == 1


def test_a_deletion_names_the_uid_and_an_absent_object_is_fine(serve):
    cluster, server = serve(lambda r, n: status(404, "NotFound", "gone"))

    cluster.delete(POD, "uid-1")

    assert server.requests[-1].body["preconditions"] == {"uid": "uid-1"}


def test_an_unknown_kind_is_looked_for_once_more_and_then_named(serve):
    cluster, server = serve(lambda r, n: status(404, "NotFound", "no"))

    with pytest.raises(NotFoundError, match="does not serve it"):
        cluster.get(ObjectRef("v1", "Pot", "shop", "web"))
    with pytest.raises(NotFoundError):
        cluster.get(ObjectRef("v1", "Pot", "shop", "web"))

    assert [r.path for r in server.requests] == ["/api/v1", "/api/v1"]


def test_a_namespaced_object_without_namespace_is_refused_before_it_is_sent(serve):
    cluster, server = serve(lambda r, n: Answer())

    with pytest.raises(RefusedError, match="namespace"):
        cluster.get(ObjectRef("v1", "Pod", "", "web"))

    assert [r.path for r in server.requests] == ["/api/v1"]


def test_a_name_cannot_leave_its_place_in_the_path(serve):
    cluster, server = serve(lambda r, n: Answer(body={}))

    cluster.get(ObjectRef("v1", "Pod", "shop", "../../secrets/x"))

    assert server.requests[-1].target.endswith("/namespaces/shop/pods/..%2F..%2Fsecrets%2Fx")


def test_the_words_about_a_secret_are_withheld():
    canary = "hunter2"
    answer = status(422, "Invalid", f"Secret x is invalid: data: {canary}", causes=[{"field": "data[.a]"}])
    call = Call("PATCH", "/x", "applying Secret shop/x", "patch", secret=True)

    error = error_of(call, "cluster here", 422, {}, json.dumps(answer.body).encode())

    assert canary not in str(error) + error.why + error.next_step + repr(error.args)
    assert "data[.a]" in error.why


def test_a_denial_by_rbac_is_told_for_secrets_too():
    message = 'secrets "x" is forbidden: User "ann" cannot get resource "secrets" in API group ""'
    body = json.dumps(status(403, "Forbidden", message).body).encode()

    error = error_of(Call("GET", "/x", "reading", "get", secret=True), "cluster here", 403, {}, body)

    assert error.why == message


def test_a_body_that_is_no_status_never_reaches_an_error():
    error = error_of(Call("GET", "/x", "reading", "get"), "cluster here", 400, {}, b"<html>token=abc</html>")

    assert "abc" not in str(error)


def paged(pods: int, size: int, gone_at: set[int]) -> Callable[[Request, int], Answer]:
    """A list in pages whose continue token expires at these requests."""
    served = itertools.count()

    def script(request: Request, _: int) -> Answer:
        if next(served) in gone_at:
            return status(410, "Expired", "The provided continue parameter is too old")
        token = request.target.partition("continue=")[2] or "0"
        start = int(token)
        items = [{"metadata": {"name": f"p{i}", "uid": f"u{i}"}} for i in range(start, min(start + size, pods))]
        following = {"continue": str(start + size)} if start + size < pods else {}
        return Answer(body={"items": items, "metadata": following})

    return script


def test_a_list_is_read_in_pages_with_kind_filled_in(serve):
    cluster, server = serve(paged(25, 10, set()))

    found = list(cluster.list(PODS, "shop", "app=web"))

    assert [p["metadata"]["name"] for p in found] == [f"p{i}" for i in range(25)]
    assert {(p["apiVersion"], p["kind"]) for p in found} == {("v1", "Pod")}
    assert "limit=500&labelSelector=app%3Dweb" in server.requests[0].target


@pytest.mark.parametrize(("length", "limits"), [(10, [500, 2000, 2000]), (3000, [500, 673, 673]), (9000, [500] * 3)])
def test_later_pages_have_as_many_objects_as_their_size_allows(serve, length, limits):
    """2 MiB of JSON hold so many of them, 500 at least and 2,000 at most."""

    def script(_request: Request, number: int) -> Answer:
        items = [{"metadata": {"name": f"p{number}-{i}", "uid": f"u{number}-{i}"}, "x": "x" * length} for i in range(9)]
        return Answer(body={"items": items, "metadata": {"continue": "more"} if number < 2 else {}})

    cluster, server = serve(script)

    assert len(list(cluster.list(PODS))) == 27
    asked = [int(parse_qs(urlsplit(r.target).query)["limit"][0]) for r in server.requests]
    assert asked == pytest.approx(limits, abs=20)


def test_what_the_server_said_that_it_serves_is_not_asked_again(serve):
    groups = {"kind": "APIGroupDiscoveryList", "items": []}
    pods = {"resource": "pods", "responseKind": {"kind": "Pod"}, "scope": "Namespaced", "verbs": sorted(NEEDED_VERBS)}
    core = {**groups, "items": [{"metadata": {}, "versions": [{"version": "v1", "resources": [pods]}]}]}
    answers = {"/api": core, "/apis": groups, "/api/v1/namespaces/shop/pods/web": POD_OBJECT}
    cluster, server = serve(lambda r, n: Answer(body=answers[r.path]))

    assert [resource.kind for resource in cluster.resources()] == ["Pod"]
    assert cluster.get(ObjectRef("v1", "Pod", "shop", "web"))["kind"] == "Pod"
    assert [r.path for r in server.requests] == list(answers)


def test_an_expired_list_starts_over_without_repeats(serve):
    cluster, _ = serve(paged(25, 10, {2}))

    assert [p["metadata"]["name"] for p in cluster.list(PODS)] == [f"p{i}" for i in range(25)]


def test_a_list_that_always_expires_ends(serve):
    cluster, _ = serve(paged(25, 10, set(range(1, 100, 2))))

    with pytest.raises(TransientError, match="expired"):
        list(cluster.list(PODS))


def test_many_threads_share_one_session(serve):
    cluster, _ = serve(lambda r, n: Answer(body={"metadata": {"name": r.path.rpartition("/")[2]}}))
    wrong: list[str] = []

    def work(number: int) -> None:
        for i in range(20):
            name = f"p{number}-{i}"
            if cluster.get(ObjectRef("v1", "Pod", "shop", name))["metadata"]["name"] != name:
                wrong.append(name)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_threads_renew_a_token_once(tmp_path):
    loads = itertools.count()
    write_kubeconfig(tmp_path, "http://127.0.0.1:9", "t")

    def load() -> Settings:
        next(loads)
        return load_settings("here", str(tmp_path / "config"))

    connection = Connection(load)
    used, _ = connection.open()
    for _ in range(16):
        connection.renew(used)

    assert next(loads) == 2


def test_attempts_get_no_more_time_than_is_left(clock):
    given: list[float] = []

    def act(seconds: float) -> None:
        given.append(seconds)
        clock.now += seconds
        raise TransientError("x", "x")

    with pytest.raises(TransientError):
        persist(act, Patience(total=10, one=4, clock=lambda: clock.now, sleep=clock.sleep))

    assert max(given) <= 4
    assert sum(given) <= 10


def test_list_objects_asks_only_one_namespace(serve):
    cluster, server = serve(paged(1, 10, set()))

    list(list_objects(cluster._transport, PODS, "shop", ""))

    assert server.requests[0].path == "/api/v1/namespaces/shop/pods"


def test_a_server_behind_a_path_keeps_it(serve, tmp_path):
    _, server = serve(lambda r, n: Answer(body=POD_OBJECT))
    write_kubeconfig(tmp_path, f"{server.url}/k8s/clusters/c-1/", "t1")
    transport = Transport(Connection.of_context("here", str(tmp_path / "config")), "cluster here", Patience())

    transport.send(Call("GET", "/api/v1/pods", "listing", "list", query={"limit": "1"}))

    assert server.requests[-1].target == "/k8s/clusters/c-1/api/v1/pods?limit=1"


def test_a_proxy_is_not_passed_by(serve, tmp_path):
    _, proxy = serve(lambda r, n: Answer(body=POD_OBJECT))
    write_kubeconfig(tmp_path, "http://cluster.example.com", "t1")
    config = yaml.safe_load((tmp_path / "config").read_text())
    config["clusters"][0]["cluster"]["proxy-url"] = proxy.url
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    transport = Transport(Connection.of_context("here", str(tmp_path / "config")), "cluster here", Patience())

    transport.send(Call("GET", "/api/v1/pods", "listing", "list"))

    assert proxy.requests[-1].target == "http://cluster.example.com/api/v1/pods"


def test_a_token_is_asked_for_again_after_a_second_and_not_for_each_request(tmp_path, clock):
    write_kubeconfig(tmp_path, "http://127.0.0.1:9", "t1")
    asked = itertools.count()
    settings = load_settings("here", str(tmp_path / "config"))
    counted = replace(settings, authorization=lambda: (next(asked), settings.authorization())[1])
    connection = Connection(lambda: counted, lambda: clock.now)

    headers = [connection.open()[1] for _ in range(5)]
    clock.now = 1.0
    headers.append(connection.open()[1])

    assert headers == [{"authorization": "Bearer t1"}] * 6
    assert next(asked) == 2
