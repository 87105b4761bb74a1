"""From a configuration to live parts: clusters, routers, probes, the mover. Every reason at once.

Somebody at 3 a.m. wants one list of what is wrong, not one error per attempt. Nothing is written here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from inspect import signature
from typing import Any

from bluegreen.config.models import Migration
from bluegreen.kube.objects import Objects, open_objects
from bluegreen.migration.plugins import load_adapter
from bluegreen.migration.reasons import Reasons
from bluegreen.migration.scope import open_pair
from bluegreen.migration.sides import SideClusters
from bluegreen.model.errors import clean_text
from bluegreen.model.ports import CheckedProbe, Cluster, Probe, TrafficRouter, VolumeMover


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
    contexts = config.from_context, config.to_context
    kubeconfigs = config.from_kubeconfig or config.kubeconfig, config.to_kubeconfig or config.kubeconfig
    blue, green = open_pair(contexts, kubeconfigs, reasons)
    if not blue or not green:
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
    """Open routers and probes, which need no side's cluster; adds reasons for those that cannot be opened.

    Args:
        config: the configuration.
        reasons: takes what is wrong.
    """
    routers = [reasons.attempt(lambda route=route: _router(route, config)) for route in config.routes]  # type: ignore[misc]
    probes = {
        probe.name: reasons.attempt(lambda probe=probe: open_probe(probe, config))  # type: ignore[misc]
        for probe in config.probes
    }
    return tuple(router for router in routers if router), {name: probe for name, probe in probes.items() if probe}


def _router(route: Any, config: Migration) -> TrafficRouter:
    """Open a router and read it once, so that a wrong address is found now."""
    router = open_router(route, config)
    router.read()
    return router


def open_router(route: Any, config: Migration) -> TrafficRouter:
    """Open the router of a route without asking it anything.

    One whose weights are in a Kubernetes object asks for it by a third parameter, `open_objects`.
    """
    factory = load_adapter("bluegreen.routers", route.router)
    asks = "open_objects" in signature(factory).parameters
    more = {"open_objects": partial(_open_objects, config)} if asks else {}
    router: TrafficRouter = factory(route.name, route.settings, **more)
    return router


def _open_objects(config: Migration, context: str, kubeconfig: str | None, seconds: float) -> Objects:
    """Open single objects of any context; the file is the router's own, else the side's of that context, else ours."""
    sides = {config.to_context: config.to_kubeconfig, config.from_context: config.from_kubeconfig}
    return open_objects(context, kubeconfig or sides.get(context) or config.kubeconfig, seconds)


def open_probe(probe: Any, config: Migration) -> Probe:
    """Open a probe without asking it anything.

    One that looks into the clusters asks for them by a third parameter, `clusters`.
    """
    factory = load_adapter("bluegreen.probes", probe.probe)
    more = {"clusters": SideClusters(config)} if "clusters" in signature(factory).parameters else {}
    opened: Probe = factory(probe.name, probe.settings, **more)
    return opened


def blind(probes: Mapping[str, Probe]) -> tuple[str, ...]:
    """Return every reason why a probe could not measure, for plan time only: a way back must not wait for it."""
    checked = ((name, _faults(probe)) for name, probe in probes.items() if isinstance(probe, CheckedProbe))
    return tuple(f"probe {name!r}: {reason}" for name, reasons in checked for reason in reasons)


def _faults(probe: CheckedProbe) -> tuple[str, ...]:
    try:
        return tuple(probe.check())
    except Exception as error:  # noqa: BLE001 - a probe that cannot even check itself is not one to believe
        return (f"it cannot check itself: {clean_text(f'{type(error).__name__}: {error}')}",)


def _mover(config: Migration, blue: Cluster, green: Cluster) -> VolumeMover:
    """Open the mover of the data section."""
    data = config.data
    if data is None:
        raise AssertionError("the caller has checked that there is a data section")
    mover: VolumeMover = load_adapter("bluegreen.movers", data.mover)(blue, green, data.settings, data.mover)
    return mover
