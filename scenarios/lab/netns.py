"""One network namespace per cluster, joined to the machine by one cable (a veth pair).

Two kube-proxies and two kubelets do not fight this way, both clusters can use the same service addresses, and taking
the cable down cuts a whole cluster off. It must never change the machine's own forwarding, rules or routes.
"""

from pathlib import Path

from scenarios.lab import ownership
from scenarios.lab.console import run
from scenarios.lab.layout import SERVICE_CIDR, Cluster

RUN_NETNS = Path("/run/netns")


def _is_mount(path: Path) -> bool:
    return any(line.split()[4] == str(path) for line in Path("/proc/self/mountinfo").read_text().splitlines())


def _script(cluster: Cluster) -> str:
    inside = f"ip -n {cluster.netns}"
    return f"""set -e
ip netns add {cluster.netns}
ip link add {cluster.netns} type veth peer name eth0 netns {cluster.netns}
ip addr add {cluster.host_ip}/24 dev {cluster.netns}
ip link set {cluster.netns} up
{inside} addr add {cluster.node_ip}/24 dev eth0
{inside} link set lo up
{inside} link set eth0 up
# A service address needs a route before the kernel asks kube-proxy's rules. There is no default route on purpose:
# whoever wants the internet is told at once that there is none.
{inside} route add {SERVICE_CIDR} via {cluster.host_ip}
nsenter --net=/run/netns/{cluster.netns} sysctl -qw net.ipv4.ip_forward=1
"""


def healthy(cluster: Cluster) -> bool:
    """Tell whether the namespace and its cable are there (the cable may be down: see partition)."""
    return (RUN_NETNS / cluster.netns).exists() and Path(f"/sys/class/net/{cluster.netns}").exists()


def make(cluster: Cluster) -> None:
    """Make the namespace and the cable."""
    remove(cluster)
    run(["sh", "-c", _script(cluster)], what=f"network namespace {cluster.netns}")


def remove(cluster: Cluster) -> None:
    """Remove the cable and the namespace, whichever of them exists."""
    name = cluster.netns
    run(["sh", "-c", f"ip link del {name} 2>/dev/null; ip netns del {name} 2>/dev/null; true"], what=f"remove {name}")
    if (RUN_NETNS / name).exists():  # a file without a namespace behind it, left by a kill between two calls
        (RUN_NETNS / name).unlink()


def tidy() -> None:
    """Undo the directory and bind mount that the first `ip netns add` of a machine makes, if that was ours."""
    if str(RUN_NETNS) not in ownership.record().get("absent", []) or not RUN_NETNS.exists() or any(RUN_NETNS.iterdir()):
        return
    if _is_mount(RUN_NETNS):
        run(["umount", str(RUN_NETNS)], what="unmount /run/netns")
    RUN_NETNS.rmdir()


def partition(cluster: Cluster) -> None:
    """Cut the cluster off from the machine: API, S3 and users alike."""
    # The machine's end and not the inner one: the kernel would drop the inner routes with the inner end.
    run(["ip", "link", "set", cluster.netns, "down"], what=f"partition {cluster.name}")


def heal(cluster: Cluster) -> None:
    """Join the cluster again."""
    run(["ip", "link", "set", cluster.netns, "up"], what=f"heal {cluster.name}")


def partitioned(cluster: Cluster) -> bool:
    """Tell whether the cable is down."""
    flags = int(Path(f"/sys/class/net/{cluster.netns}/flags").read_text(), 16)
    return not flags & 1  # IFF_UP
