"""What Envoy would do with the next request: the weighted clusters of a route and the runtime keys over their weights.

Pure: answers of the admin interface in, values out. A runtime value counts before the weight of the config, cluster by
cluster. It must never guess: Envoy ignores a value such as 50% and takes the config's weight, reads 0x10 as 16, and
answers 404 to everybody when the weights come to more than 32 bits; so anything but a plain whole number is refused.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side
from bluegreen_adapters.shares import holds, percent

LARGEST_SUM = 2**32 - 1
OWNER_KEY = "bluegreen.owner"
NO_ADMIN_LAYER = "its runtime has no admin layer, so weights cannot be written"
ADD_ADMIN_LAYER = "in Envoy's config, last of layered_runtime.layers: {name: admin, admin_layer: {}}"
_WHOLE = re.compile(r"\d{1,20}")
_HEALTHY_EDS = frozenset({"HEALTHY", "DEGRADED", "UNKNOWN"})
_FAILED = ("failed_active_health_check", "failed_outlier_check", "pending_dynamic_removal", "pending_active_hc")


class UnusableError(ValueError):
    """What Envoy has cannot be shifted.

    Attributes:
        code: last part of the error's code.
        why: the reason.
        next_step: what to change.
    """

    def __init__(self, code: str, why: str, next_step: str) -> None:
        super().__init__(code, why, next_step)
        self.code, self.why, self.next_step = code, why, next_step


@dataclass(frozen=True, slots=True)
class Value:
    """One runtime key.

    Attributes:
        text: the value that counts, empty when the key is not set.
        above: name of a layer that counts before the admin layer and sets the key, empty when there is none.
    """

    text: str = ""
    above: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """One cluster of a weighted route.

    Attributes:
        name: name of the cluster.
        configured: weight of the config.
        value: what the runtime says.
    """

    name: str
    configured: int
    value: Value

    @property
    def weight(self) -> int:
        """Return the weight that counts."""
        return int(self.value.text) if self.value.text else self.configured


@dataclass(frozen=True, slots=True)
class Runtime:
    """The runtime of one Envoy.

    Attributes:
        prefix: runtime_key_prefix of the route.
        layers: names of the layers, the last one counts first.
        admin: index of the layer that the admin interface writes.
        entries: each key as /runtime has it.
    """

    prefix: str
    layers: tuple[str, ...]
    admin: int
    entries: Mapping[str, Mapping[str, Any]]

    @classmethod
    def parse(cls, prefix: str, answer: Mapping[str, Any], bootstrap: Mapping[str, Any]) -> "Runtime":
        """Return the runtime from the answers of /runtime and of /config_dump for the bootstrap.

        A layered_runtime without layers is one admin layer; no layered_runtime at all is none.

        Raises:
            UnusableError: no layer can be written.
        """
        layers = tuple(answer.get("layers", ()))
        kinds = bootstrap.get("layered_runtime", {}).get("layers") or [{"admin_layer": {}} for _ in layers]
        admin = next((index for index, kind in enumerate(kinds) if "admin_layer" in kind), -1)
        if admin < 0:
            raise UnusableError("no-admin-layer", NO_ADMIN_LAYER, ADD_ADMIN_LAYER)
        return cls(prefix, layers, admin, answer.get("entries", {}))

    def value(self, key: str) -> Value:
        """Return what the runtime says under a key below the prefix."""
        entry = self.entries.get(f"{self.prefix}.{key}", {})
        above = (
            name
            for name, text in list(zip(self.layers, entry.get("layer_values", ()), strict=False))[self.admin + 1 :]
            if text
        )
        return Value(str(entry.get("final_value", "")), next(above, ""))


@dataclass(frozen=True, slots=True)
class Look:
    """What Envoy serves now.

    Attributes:
        pair: the cluster of each side.
        owner: whose mark is set, empty when there is none.
        started: when this process was started, as Envoy says it.
        without_hosts: reason per side that has no host which can take requests.
    """

    pair: Mapping[Side, Target]
    owner: str
    started: str
    without_hosts: Mapping[Side, str]

    @property
    def weights(self) -> Mapping[Side, int]:
        """Return the raw weight of each side; nobody is served when they come to more than Envoy adds up."""
        weights = {side: target.weight for side, target in self.pair.items()}
        return weights if sum(weights.values()) <= LARGEST_SUM else dict.fromkeys(Side, 0)

    @property
    def served(self) -> Weights | None:
        """Return the shares in whole per cent, None when nobody is served."""
        return percent(self.weights)

    def holds(self, to: Weights) -> bool:
        """Return whether the weights are exactly those shares."""
        return holds(self.weights, to)

    @property
    def from_config(self) -> bool:
        """Return whether the runtime says nothing, so that the config's weights count."""
        return not any(target.value.text for target in self.pair.values())

    @property
    def told(self) -> str:
        """Return what is served in words."""
        return ", ".join(
            f"{target.name} has weight {target.weight} of the {'runtime' if target.value.text else 'config'}"
            for target in self.pair.values()
        )


def weighted_routes(node: Any) -> Iterator[Mapping[str, Any]]:
    """Yield each weighted_clusters of a dump of route configurations, wherever it stands."""
    if isinstance(node, dict):
        if isinstance(found := node.get("weighted_clusters"), dict):
            yield found
        for part in node.values():
            yield from weighted_routes(part)
    elif isinstance(node, list):
        for part in node:
            yield from weighted_routes(part)


def pair_of(dump: Any, runtime: Runtime, names: Mapping[Side, str]) -> dict[Side, Target]:
    """Return the cluster of each side in the routes that listen to the prefix.

    Args:
        dump: route configurations as /config_dump has them.
        runtime: the runtime keys.
        names: name of the cluster of each side.

    Raises:
        UnusableError: no such route, a cluster missing in it, another one that takes traffic, or weights that differ.
    """
    routes = list(weighted_routes(dump))
    pairs = [_pair(route, runtime, names) for route in routes if route.get("runtime_key_prefix") == runtime.prefix]
    if not pairs:
        raise _no_route(routes, runtime.prefix, names)
    if any(_weights(pair) != _weights(pairs[0]) for pair in pairs):
        keys = " and ".join(f"{runtime.prefix}.{name}" for name in names.values())
        raise UnusableError(
            "routes-differ",
            f"{len(pairs)} routes have that prefix and different weights in the config",
            f"set both runtime keys once by hand: {keys}",
        )
    return pairs[0]


def _pair(route: Mapping[str, Any], runtime: Runtime, names: Mapping[Side, str]) -> dict[Side, Target]:
    targets = [_target(cluster, runtime) for cluster in route.get("clusters", ())]
    found = {side: [target for target in targets if target.name == name] for side, name in names.items()}
    known = ", ".join(sorted(target.name for target in targets))
    if missing := [names[side] for side, own in found.items() if not own]:
        why = f"no cluster {' and '.join(missing)} in the weighted route; there are: {known}"
        raise UnusableError("no-cluster", why, "name them in the route's settings as in Envoy's config")
    if any(len(own) > 1 for own in found.values()):
        raise UnusableError("twice", f"a cluster stands twice in the weighted route: {known}", "name each once")
    if others := [target.name for target in targets if target.name not in names.values() and target.weight]:
        raise UnusableError(
            "other-clusters",
            f"other clusters take traffic, too: {', '.join(others)}",
            f"give them weight 0, in Envoy's config or under the runtime key {runtime.prefix}.{others[0]}",
        )
    return {side: own[0] for side, own in found.items()}


def _target(cluster: Mapping[str, Any], runtime: Runtime) -> Target:
    name = cluster.get("name", "")
    value = runtime.value(name)
    if value.text and not _WHOLE.fullmatch(value.text):
        key = f"{runtime.prefix}.{name}"
        why = f"the runtime key {key} holds no whole number, so its weight is not sure"
        raise UnusableError("not-a-number", why, f"set {key} to a whole number, or to nothing to remove it")
    return Target(name, int(cluster.get("weight", 0)), value)


def _weights(pair: Mapping[Side, Target]) -> list[int]:
    return [pair[side].weight for side in Side]


def _no_route(routes: list[Mapping[str, Any]], prefix: str, names: Mapping[Side, str]) -> UnusableError:
    both = set(names.values())
    if any(not r.get("runtime_key_prefix") and both <= {c.get("name") for c in r.get("clusters", ())} for r in routes):
        why = "a route has both clusters, but no runtime_key_prefix: its weights cannot be changed while it runs"
        return UnusableError("no-prefix", why, f"in Envoy's config, in weighted_clusters: runtime_key_prefix: {prefix}")
    known = sorted({route["runtime_key_prefix"] for route in routes if route.get("runtime_key_prefix")})
    why = f"no route has that runtime_key_prefix; there are: {', '.join(known) or 'none'}"
    return UnusableError("no-route", why, "set prefix as runtime_key_prefix stands in Envoy's weighted_clusters")


def without_hosts(answer: Mapping[str, Any], names: Mapping[Side, str]) -> dict[Side, str]:
    """Return why a side can take no requests, for each that cannot.

    Args:
        answer: what /clusters answers as JSON.
        names: name of the cluster of each side.
    """
    clusters = {cluster["name"]: cluster.get("host_statuses", []) for cluster in answer.get("cluster_statuses", ())}
    reasons = {side: _hosts_fault(clusters.get(name)) for side, name in names.items()}
    return {side: reason for side, reason in reasons.items() if reason}


def _hosts_fault(hosts: list[Mapping[str, Any]] | None) -> str:
    if hosts is None:
        return "Envoy knows no such cluster"
    if not hosts:
        return "it has no host (yet)"
    return "" if any(map(_is_healthy, hosts)) else "none of its hosts is healthy"


def _is_healthy(host: Mapping[str, Any]) -> bool:
    status = host.get("health_status", {})
    eds = status.get("eds_health_status", "UNKNOWN")
    return eds in _HEALTHY_EDS and not any(status.get(word) for word in _FAILED)
