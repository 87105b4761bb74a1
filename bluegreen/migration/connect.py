"""From a configuration to live parts: clusters, routers, probes, the mover. Every reason at once.

Somebody at 3 a.m. wants one list of what is wrong, not one error per attempt. Nothing is written here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from bluegreen.config.models import Migration
from bluegreen.kube.session import open_cluster
from bluegreen.migration.plugins import load_adapter
from bluegreen.model.errors import BluegreenError, InvalidInputError
from bluegreen.model.ports import Cluster, Probe, TrafficRouter, VolumeMover

T = TypeVar("T")


class Reasons:
    """Collects what is wrong, each with what to type next."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, error: BluegreenError) -> None:
        """Add an error in one line, or each of its reasons."""
        lines = error.reasons if isinstance(error, InvalidInputError) else (str(error),)
        hint = f" (next: {error.next_step})" if error.next_step else ""
        self.found += [f"{line}{hint}" for line in lines]

    def attempt(self, act: Callable[[], T]) -> T | None:
        """Return what act returns, or note its error and return None."""
        try:
            return act()
        except BluegreenError as error:
            self.add(error)
            return None

    def raise_if_any(self, what: str) -> None:
        """Raise everything that was found, as one error.

        Raises:
            InvalidInputError: something was found.
        """
        if self.found:
            raise InvalidInputError("preflight.refused", what, tuple(dict.fromkeys(self.found)))


@dataclass(frozen=True, slots=True)
class Parts:
    """The live parts of a migration."""

    blue: Cluster
    green: Cluster
    routers: tuple[TrafficRouter, ...]
    probes: Mapping[str, Probe]
    mover: VolumeMover | None


def open_clusters(config: Migration, reasons: Reasons) -> tuple[Cluster, Cluster]:
    """Open both clusters and make sure that they are two (law 8).

    Raises:
        InvalidInputError: one cannot be reached, or both are the same.
    """
    blue = reasons.attempt(lambda: open_cluster(config.from_context, config.from_kubeconfig or config.kubeconfig))
    green = reasons.attempt(lambda: open_cluster(config.to_context, config.to_kubeconfig or config.kubeconfig))
    if blue and green and blue.id.uid == green.id.uid:
        reasons.found.append(
            f"--from {config.from_context} and --to {config.to_context} are the same cluster "
            f"(kube-system UID {blue.id.uid}); name two different contexts, see: kubectl config get-contexts"
        )
    if not blue or not green or blue.id.uid == green.id.uid:
        reasons.raise_if_any("opening the clusters")
        raise AssertionError("a cluster is missing without a reason")
    return blue, green


def connect(config: Migration, reasons: Reasons) -> Parts:
    """Open every part that the configuration names; adds reasons for those that cannot be opened."""
    blue, green = open_clusters(config, reasons)
    routers, probes = connect_traffic(config, reasons)
    mover = reasons.attempt(lambda: _mover(config, blue, green)) if config.data else None
    return Parts(
        blue=blue,
        green=green,
        routers=routers,
        probes=probes,
        mover=mover,
    )


def connect_traffic(config: Migration, reasons: Reasons) -> tuple[tuple[TrafficRouter, ...], dict[str, Probe]]:
    """Open routers and probes, which need no cluster; adds reasons for those that cannot be opened."""
    routers = [reasons.attempt(lambda route=route: _router(route)) for route in config.routes]  # type: ignore[misc]
    probes = {
        probe.name: reasons.attempt(lambda probe=probe: _probe(probe))  # type: ignore[misc]
        for probe in config.probes
    }
    return tuple(router for router in routers if router), {name: probe for name, probe in probes.items() if probe}


def _router(route: Any) -> TrafficRouter:
    """Open a router and read it once, so that a wrong address is found now."""
    router: TrafficRouter = load_adapter("bluegreen.routers", route.router)(route.name, route.settings)
    router.read()
    return router


def _probe(probe: Any) -> Probe:
    """Open a probe."""
    opened: Probe = load_adapter("bluegreen.probes", probe.probe)(probe.name, probe.settings)
    return opened


def _mover(config: Migration, blue: Cluster, green: Cluster) -> VolumeMover:
    """Open the mover of the data section."""
    data = config.data
    if data is None:
        raise AssertionError("the caller has checked that there is a data section")
    mover: VolumeMover = load_adapter("bluegreen.movers", data.mover)(blue, green, data.settings, data.mover)
    return mover
