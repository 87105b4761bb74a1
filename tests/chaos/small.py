"""A migration of some seconds: one page without data, its own namespace, node port, HAProxy, users and state directory.

The command, both clusters, HAProxy and every request are real. Nothing here touches the shop or the lab's HAProxy, so
it can run beside them. Everything that it starts it ends by process, everything that it makes it removes by name.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import yaml

from scenarios.cluster import CONTEXTS, NEW, OLD, environment, everywhere, kubectl
from scenarios.lab.layout import cluster
from scenarios.ports import free_port
from scenarios.run import program

ROOT = Path(__file__).resolve().parents[2]
SERVERS = {"blue": OLD, "green": NEW}
LIMIT_SECONDS = 120.0

PAGE = """
import hashlib, os, sys, time
sys.path.insert(0, "/opt/shop")
from http_server import identity, serve
mood = {"now": "well"}
def route(path):
    if path.startswith("/mood/"):
        mood["now"] = path.rsplit("/", 1)[1]
        return 200, mood
    if mood["now"] == "sick":
        return 500, mood
    row = {"id": int(path.rsplit("/", 1)[1]), "name": "thing", "price": 3, "note": "chaos"}
    text = "|".join(str(value) for value in row.values())
    row["checksum"] = hashlib.md5(text.encode()).hexdigest()
    return 200, {"item": row, "web": identity()}
serve(8080, route, lambda: (200, {"status": "ready"}))
"""

HAPROXY = """
global
    stats socket {dir}/admin.sock mode 600 level admin
defaults
    mode http
    timeout connect 1s
    timeout client 30s
    timeout server 5s
    timeout http-keep-alive 10s
    retries 0
    no option redispatch
    http-reuse safe
"""
ROUTE = """
frontend {name}
    bind 127.0.0.1:{port}
    default_backend {name}
backend {name}
    balance roundrobin
    server blue {blue} weight 100
    server green {green} weight 0
"""


def manifest(namespace, node_port):
    """Return the page and its namespace as one list."""
    labels, meta = {"app": "page"}, {"name": "page", "namespace": namespace}
    host = {"name": "HOST_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}
    container = {
        "name": "page",
        "image": "bluegreen-lab/shop:1",
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", PAGE],
        "env": [host],
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "24Mi"}},
    }
    pod = {"containers": [container], "terminationGracePeriodSeconds": 1}
    template = {"metadata": {"labels": labels}, "spec": pod}
    ports = [{"name": "http", "port": 80, "targetPort": "http", "nodePort": node_port}]
    items = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": meta,
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta,
            "spec": {"type": "NodePort", "selector": labels, "ports": ports},
        },
    ]
    return {"apiVersion": "v1", "kind": "List", "items": items}


@contextmanager
def pages(names, first):
    """Let a page serve on blue for each name, on node ports from the first one on; return name to node port."""
    ports = {name: first + number for number, name in enumerate(names)}
    try:
        remove(names, wait=True)
        lists = [item for name, port in ports.items() for item in manifest(name, port)["items"]]
        kubectl(OLD, "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": lists}))
        for name in names:
            kubectl(OLD, "-n", name, "rollout", "status", "deployment/page", "--timeout=90s")
        for port in ports.values():
            wait_until(lambda port=port: answers(f"http://{cluster(OLD).node_ip}:{port}/items/1"))
        yield ports
    finally:
        remove(names, wait=False)


def remove(names, *, wait):
    """Remove the namespaces from both clusters, if they are there."""
    words = ("delete", "namespace", *names, "--ignore-not-found", f"--wait={str(wait).lower()}")
    everywhere(CONTEXTS, lambda context: kubectl(context, *words))


def answers(url):
    """Tell whether a page is served ten times in a row; a node port lags behind its pod a little."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with suppress(OSError):
        return all(opener.open(url, timeout=2).status == 200 for _ in range(10))
    return False


def wait_until(condition, seconds=30.0, say=lambda: "", pause=0.05):
    """Return the condition's first true value, or fail."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {seconds} s: {say()}"
        time.sleep(pause)
    return found


class Users:
    """People who load the page all the time, over kept connections, and count what fails."""

    def __init__(self, port, rate):
        words = ["--url", f"http://127.0.0.1:{port}", "--rate", str(rate), "--seconds", "300"]
        argv = [sys.executable, "-m", "scenarios.load", *words]
        self.process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.summary = {}

    def leave(self):
        """Stop them and return what they saw."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            said, _ = self.process.communicate(timeout=30)
            self.summary = json.loads(said.strip().splitlines()[-1])
        return self.summary


class Small:
    """One migration of one page with what stands around it, as a context manager.

    Args:
        place: directory of its own.
        namespace: of the page.
        node_port: of the page, the same on both sides.
        routes: names of the routes; each has a frontend and a backend of its own in the one HAProxy.
        changes: top-level keys of bluegreen.yaml that are other than usual.
    """

    def __init__(self, place, namespace, node_port, routes=("page",), rate=30, **changes):
        self.place, self.namespace, self.node_port, self.routes = place, namespace, node_port, routes
        self.socket = str(place / "admin.sock")
        self.ports = {name: free_port() for name in routes}
        self.rate, self.changes, self.said, self._stack = rate, changes, [], ExitStack()
        self.variables, self.users, self.haproxy = {}, None, None

    def __enter__(self):
        self._start_haproxy()
        self._stack.callback(end, self.haproxy)
        self.users = Users(self.ports[self.routes[0]], self.rate)
        self._stack.callback(end, self.users.process)
        self.write_config()
        return self

    def __exit__(self, *_error):
        self._stack.close()
        sys.stdout.write(f"{self.last()}\n")  # pytest shows it where the test failed

    def write_config(self):
        """Write bluegreen.yaml with the changes."""
        (self.place / "bluegreen.yaml").write_text(yaml.safe_dump({**self.config(), **self.changes}))

    def config(self):
        """Return the usual configuration."""
        routes = [{"name": name, "router": "haproxy", "with": self.route(name)} for name in self.routes]
        web = {side: f"{self.url(side)}/items/1" for side in SERVERS}
        return {
            "apiVersion": "bluegreen/v1",
            "kind": "Migration",
            "from": OLD,
            "to": NEW,
            "namespaces": [self.namespace],
            "steps": [50, 100],
            "hold": "1s",
            "bake": "1s",
            "budget": "60s",
            "timeouts": {"pause": "90s"},
            "routes": routes,
            "probes": [
                {"name": "web", "probe": "http", "interval": "100ms", "with": {**web, "timeout": "1s"}},
                {"name": "users", "probe": "haproxy", "interval": "250ms", "with": self.route(self.routes[0])},
            ],
            "objectives": [
                {"name": "web", "probe": "web", "good": "99%", "minSamples": 10},
                {"name": "users", "probe": "users", "good": "99%", "minSamples": 10},
            ],
        }

    def route(self, name):
        """Return the settings of a route, good for the probe of its counters, too."""
        return {"socket": self.socket, "backend": name, "timeout": "1s"}

    def url(self, side):
        """Return where a side's page answers without a load balancer."""
        return f"http://{cluster(SERVERS[side]).node_ip}:{self.node_port}"

    def mood(self, side, mood):
        """Make a side's page sick or well."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        opener.open(f"{self.url(side)}/mood/{mood}", timeout=5).read()

    def _start_haproxy(self):
        addresses = {side: self.url(side).removeprefix("http://") for side in SERVERS}
        text = HAPROXY.format(dir=self.place)
        text += "".join(ROUTE.format(name=name, port=port, **addresses) for name, port in self.ports.items())
        (self.place / "haproxy.cfg").write_text(text)
        with (self.place / "haproxy.log").open("wb") as log:
            argv = ["/usr/sbin/haproxy", "-db", "-f", str(self.place / "haproxy.cfg")]
            self.haproxy = subprocess.Popen(argv, stdout=log, stderr=log)
        wait_until(lambda: Path(self.place / "admin.sock").exists(), say=(self.place / "haproxy.log").read_text)

    def ask_haproxy(self, command, path=None):
        """Return HAProxy's own answer to one command."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(3)
            connection.connect(path or str(self.place / "admin.sock"))
            connection.sendall(f"{command}\n".encode())
            answer = b""
            while block := connection.recv(65536):
                answer += block
        return answer.decode()

    def weights(self, route=None, path=None):
        """Return (blue, green) as HAProxy serves them now."""
        name = route or self.routes[0]
        answers = [self.ask_haproxy(f"get weight {name}/{side}", path) for side in SERVERS]
        return tuple(int(answer.split()[0]) for answer in answers)

    def served(self, count=20, route=None):
        """Return who answers that many requests of ours through HAProxy: side, or failed."""
        seen = dict.fromkeys((*SERVERS, "failed"), 0)
        sides = {cluster(context).node_ip: side for side, context in SERVERS.items()}
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        for number in range(1, count + 1):
            side = "failed"
            with suppress(OSError):
                url = f"http://127.0.0.1:{self.ports[route or self.routes[0]]}/items/{number}"
                side = sides[json.load(opener.open(url, timeout=5))["web"]["host"]]
            seen[side] += 1
        return seen

    @property
    def environment(self):
        return {**environment(), "BLUEGREEN_STATE_DIR": str(self.place / "state"), **self.variables}

    def migrate(self, *words):
        """Start the migration, or go on with it; it is ended with this object."""
        argv = [program(), "migrate", *words, "--yes", "--log-format", "json"]
        log = self.place / f"said-{len(self.said)}"
        self.said.append(log)
        with log.open("wb") as out:
            process = subprocess.Popen(argv, cwd=self.place, env=self.environment, stdout=out, stderr=out)
        self._stack.callback(end, process)
        return process

    def command(self, *words, seconds=60):
        """Run another command of bluegreen beside it; return its exit code and what it said."""
        done = subprocess.run(
            [program(), *words], cwd=self.place, env=self.environment, capture_output=True, text=True,
            check=False, timeout=seconds,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def beside(self, *words):
        """Start another command and let it run; its output goes into a file."""
        out = self.place / f"beside-{words[0]}"
        with out.open("wb") as file:
            process = subprocess.Popen(
                [program(), *words], cwd=self.place, env=self.environment, stdout=file, stderr=file
            )
        self._stack.callback(end, process)
        return process, out

    def events(self, name="", **data):
        """Return the journal's events of a name whose data hold these values."""
        found = [path.read_text() for path in (self.place / "state").glob("*/events.jsonl")]
        events = [json.loads(line) for text in found for line in text.split("\n")[:-1] if name in line]
        return [e for e in events if name in ("", e["name"]) and data.items() <= e["data"].items()]

    def told(self, name, seconds=60.0, count=1, **data):
        """Wait until the journal holds an event (so many of them); return the last."""
        return wait_until(lambda: self.events(name, **data)[count - 1 :], seconds, self.last)[-1]

    def judged(self, weight=50, count=1, seconds=60.0):
        """Wait until green was judged (so many times more) at that weight."""
        known = len(self.events("gate.judged", weight=weight))
        return self.told("gate.judged", seconds, known + count, weight=weight)

    def ended(self, process, seconds=LIMIT_SECONDS):
        """Wait for the command; return its exit code."""
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds} s: {self.last()}") from None

    def last(self):
        """Return what was said last, for a failed test."""
        told = "\n".join(json.dumps(event)[:300] for event in self.events()[-12:])
        return told + "".join(path.read_text()[-1500:] for path in self.said[-1:])


def end(process):
    """End a process of ours, whatever it does."""
    if process.poll() is None:
        os.kill(process.pid, signal.SIGCONT)
        process.kill()
        process.wait(10)
