"""A rig per probe for the one contract of probes, each against real servers on loopback.

A rig says what its probe can `sees` of a server's manners; what it cannot see, it must not call bad.
"""

import httpx
from rig_dns import QUESTION, two_name_servers
from rig_haproxy import HaproxyRig
from rig_http import plain_client, two_servers
from rig_prometheus import PrometheusRig

from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side
from bluegreen.model.samples import Counts
from bluegreen_adapters import dns_probe, haproxy_probe, http_probe, tcp_probe

TIMEOUT = 2.0
EVERYTHING = frozenset({"status", "breaks_off", "delay"})


def total(samples):
    """Return the good and the bad ones of some samples."""
    counts = [sample for sample in samples if isinstance(sample, Counts)]
    return sum(sample.good for sample in counts), sum(sample.bad for sample in counts)


class HttpProbeRig:
    """The HTTP probe makes its own requests."""

    sees = EVERYTHING

    def __init__(self, directory) -> None:
        self.sides = two_servers()

    def open_probe(self, **more):
        urls = {str(side): server.url for side, server in self.sides.items()}
        return http_probe.open_probe("p", {**urls, "timeout": TIMEOUT, **more})

    def see(self, probe, side, count):
        return [probe.sample(side) for _ in range(count)]

    def blind(self):
        return self.open_probe(blue="http://no-such-name.invalid/", green="http://no-such-name.invalid/")

    def close(self):
        for server in self.sides.values():
            server.stop()


class HaproxyProbeRig:
    """The HAProxy probe sees what users do."""

    sees = EVERYTHING

    def __init__(self, directory) -> None:
        self.haproxy = HaproxyRig(directory)
        self.sides = self.haproxy.sides

    def open_probe(self, **more):
        probe = haproxy_probe.open_probe("p", self.haproxy.settings(timeout=TIMEOUT, **more))
        for side in Side:
            probe.sample(side)
        return probe

    def see(self, probe, side, count):
        self.haproxy.write_elsewhere(Weights.for_green(100 if side is Side.GREEN else 0))
        self.haproxy.visit(count)
        return [probe.sample(side)]

    def blind(self):
        probe = self.open_probe()
        self.haproxy.cut()
        return probe

    def close(self):
        self.haproxy.close()


class TcpProbeRig:
    """The TCP probe makes its own connections, and sees nothing of what is said over them."""

    sees = frozenset()

    def __init__(self, directory) -> None:
        self.sides = two_servers()

    def open_probe(self, **more):
        targets = {str(side): f"127.0.0.1:{server.port}" for side, server in self.sides.items()}
        return tcp_probe.open_probe("p", {**targets, "timeout": TIMEOUT, **more})

    def see(self, probe, side, count):
        return [probe.sample(side) for _ in range(count)]

    def blind(self):
        return self.open_probe(blue="no-such-name.invalid:80", green="no-such-name.invalid:80")

    def close(self):
        for server in self.sides.values():
            server.stop()


class DnsProbeRig(TcpProbeRig):
    """The DNS probe asks its own questions; an answer with a fault is a status of 500 and more."""

    sees = EVERYTHING

    def __init__(self, directory) -> None:
        self.sides = two_name_servers()

    def open_probe(self, **more):
        servers = {str(side): f"127.0.0.1:{server.port}" for side, server in self.sides.items()}
        return dns_probe.open_probe("p", {**servers, "query": QUESTION, "timeout": TIMEOUT, **more})

    def blind(self):
        return self.open_probe(blue="255.255.255.255:53", green="255.255.255.255:53")


class PrometheusProbeRig:
    """The Prometheus probe sees what a gateway counts of its users; the gateway is the rig."""

    sees = EVERYTHING

    def __init__(self, directory) -> None:
        self.sides, self.prometheus = two_servers(), PrometheusRig()

    def open_probe(self, **more):
        probe = self.prometheus.open_probe(**more)
        for side in Side:
            probe.sample(side)
        return probe

    def see(self, probe, side, count):
        with plain_client(timeout=TIMEOUT) as client:
            good = sum(self._answers(client, side) for _ in range(count))
        self.prometheus.count(str(side), good=good, bad=count - good)
        return [probe.sample(side)]

    def _answers(self, client, side):
        try:
            return client.get(self.sides[side].url).status_code == 200
        except httpx.TransportError:
            return False

    def blind(self):
        probe = self.open_probe()
        self.prometheus.stop()
        return probe

    def close(self):
        self.prometheus.close()
        for server in self.sides.values():
            server.stop()
