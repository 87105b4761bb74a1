"""containerd of one cluster: its configuration, its network plugins, its mounts.

Each cluster has its own root, state, socket and runc directory, so that nothing of a containerd that the machine may
already run is ever seen or changed.
"""

import json
from pathlib import Path

from scenarios.lab.console import run
from scenarios.lab.images import PAUSE_IMAGE
from scenarios.lab.layout import Cluster
from scenarios.lab.processes import Part
from scenarios.lab.state import write_atomically

CNI_PLUGINS = "/usr/lib/cni"
SHIM_SOCKETS = Path("/run/containerd/s")


def _config(cluster: Cluster) -> str:
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    return f"""version = 2
root = "{cluster.path("containerd")}"
state = "{cluster.path("run", "containerd")}"
# snapshotters that would each probe the disk and complain, and the one that would make /opt/containerd
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp",
]
[grpc]
  address = "{cluster.containerd_socket}"
[{cri}]
  sandbox_image = "{PAUSE_IMAGE}"
  # Without CAP_SYS_RESOURCE no process may lower its OOM score, and every sandbox dies with
  # "can't get final child's PID from pipe: EOF".
  restrict_oom_score_adj = true
  # the mounts of pod namespaces stay below the lab's directory
  netns_mounts_under_state_dir = true
  tolerate_missing_hugetlb_controller = true
  disable_apparmor = true
  stream_server_address = "127.0.0.1"
[{cri}.cni]
  bin_dir = "{CNI_PLUGINS}"
  conf_dir = "{cluster.path("etc", "cni")}"
[{cri}.containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"
[{cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[{cri}.containerd.runtimes.runc.options]
  Root = "{cluster.path("run", "runc")}"
  SystemdCgroup = false
"""


def _network(cluster: Cluster) -> str:
    bridge = {
        "type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": True, "hairpinMode": True,
        "ipam": {
            "type": "host-local", "dataDir": str(cluster.path("cni")), "ranges": [[{"subnet": cluster.node_pod_cidr}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }  # fmt: skip
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    return json.dumps({"cniVersion": "0.4.0", "name": cluster.netns, "plugins": [bridge, portmap]}, indent=1)


def part(cluster: Cluster) -> Part:
    """Write containerd's files and return how to start it."""
    config = cluster.path("etc", "containerd.toml")
    write_atomically(config, _config(cluster))
    write_atomically(cluster.path("etc", "cni", "10-bridge.conflist"), _network(cluster))
    cluster.path("run").mkdir(parents=True, exist_ok=True)
    return Part(
        "containerd", ["/usr/bin/containerd", "--config", str(config), "--log-level", "warn"], cluster, configs=[config]
    )


def ready(cluster: Cluster) -> str:
    """Return why containerd does not answer yet, "" when it does."""
    if not cluster.containerd_socket.exists():
        return "no socket"
    try:
        run(
            ["ctr", "--address", str(cluster.containerd_socket), "--connect-timeout", "2s", "version"],
            what="ctr version",
        )
    except Exception as error:  # noqa: BLE001 - any reason is a reason to ask again
        return str(error)[-200:]
    return ""


def share_mounts(cluster: Cluster) -> None:
    """Make kubelet's directory a shared mount: Velero's node agent must see what is mounted after it started."""
    directory = cluster.path("kubelet")
    directory.mkdir(parents=True, exist_ok=True)
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    if any(line.split()[4] == str(directory) for line in lines):
        return
    run(
        ["sh", "-c", f"mount --bind {directory} {directory} && mount --make-rshared {directory}"],
        what=f"share {directory}",
    )


def shim_sockets(cluster: Cluster) -> list[Path]:
    """Return the sockets of the cluster's shims: killed shims leave them behind in a directory of the whole machine."""
    found = []
    for file in cluster.path("run", "containerd").glob("io.containerd.runtime.v2.task/*/*/address"):
        socket = Path(file.read_text().strip().removeprefix("unix://"))
        if socket.parent == SHIM_SOCKETS:
            found.append(socket)
    return found
