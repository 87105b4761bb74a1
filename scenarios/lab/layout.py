"""Names, addresses and directories of the lab, in one place.

Every other module asks here, so that two modules can not disagree about a path. It must never touch the disk: what it
returns is only where things would be.
"""

import os
from dataclasses import dataclass
from pathlib import Path

SERVICE_CIDR = "10.96.0.0/16"
API_SERVICE_IP = "10.96.0.1"
DNS_IP = "10.96.0.10"
S3_PORT = 7070
S3_BUCKET = "velero"
S3_USER = "lab-access"
S3_PASSWORD = "lab-secret-key"  # noqa: S105 - guards nothing: the server listens on the lab's own addresses only
SHOP_PORT = 18080
SHOP_NODE_PORT = 30080
CGROUP = "bluegreen-lab"
GO_DIR = Path(__file__).parent / "go"
MANIFESTS = Path(__file__).parent / "manifests"


@dataclass(frozen=True, slots=True)
class Cluster:
    """What differs between the two clusters; everything else is the same on purpose."""

    name: str
    number: int
    version: str
    module: str
    storage_class: str

    @property
    def netns(self) -> str:
        """Name of the network namespace that holds the whole cluster."""
        return f"bg-{self.name}"

    @property
    def host_ip(self) -> str:
        """Address of the machine's end of the cable."""
        return f"10.201.{self.number}.1"

    @property
    def node_ip(self) -> str:
        """Address of the one node, API server included."""
        return f"10.201.{self.number}.2"

    @property
    def pod_cidr(self) -> str:
        """Range of the pods of the whole cluster; the node owns the first /24 of it."""
        return f"10.{243 + self.number}.0.0/16"

    @property
    def node_pod_cidr(self) -> str:
        """Range of the one node: the first /24 is what the controller manager hands out first."""
        return f"10.{243 + self.number}.0.0/24"

    @property
    def node(self) -> str:
        """Name of the one node."""
        return f"{self.name}-1"

    @property
    def server(self) -> str:
        """URL of the API server."""
        return f"https://{self.node_ip}:6443"

    @property
    def root(self) -> Path:
        """Directory of everything this cluster writes."""
        return lab() / self.name

    def path(self, *parts: str) -> Path:
        """Return a path below the cluster's directory."""
        return self.root.joinpath(*parts)

    def log(self, part: str) -> Path:
        """Log file of one part."""
        return self.path("log", f"{part}.log")

    @property
    def containerd_socket(self) -> Path:
        """Socket of the cluster's own containerd; unix sockets allow 107 characters."""
        return self.path("run", "containerd.sock")


OLD = Cluster("old", 1, "1.34.4", "k134", "lab-standard")
NEW = Cluster("new", 2, "1.37.2", "k137", "lab-fast")
CLUSTERS = (OLD, NEW)


def lab() -> Path:
    """Directory of the running lab."""
    return Path(os.environ.get("BLUEGREEN_LAB_DIR") or "/var/lib/bluegreen-lab")


def cache() -> Path:
    """Directory of what survives `down`: programs and images."""
    return Path(os.environ.get("BLUEGREEN_LAB_CACHE") or Path.home() / ".cache" / "bluegreen-lab")


def kubeconfig() -> Path:
    """Kubeconfig with the contexts `old` and `new`."""
    return lab() / "kubeconfig"


def shared(*parts: str) -> Path:
    """Return a path of the parts that serve both clusters (S3, HAProxy)."""
    return lab().joinpath("shared", *parts)


def haproxy_socket() -> Path:
    """Runtime socket of HAProxy, level admin."""
    return lab() / "haproxy" / "admin.sock"


def cluster(name: str) -> Cluster:
    """Return the cluster of that name or raise KeyError."""
    return {item.name: item for item in CLUSTERS}[name]
