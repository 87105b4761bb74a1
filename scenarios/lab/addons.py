"""What runs inside each cluster: DNS, dynamic volumes, Velero.

Everything is applied server-side under one field manager, so a second `up` changes nothing that is as it should be.
"""

import hashlib
from string import Template

from scenarios.lab import state, velero
from scenarios.lab.api import get_json
from scenarios.lab.console import run, wait_until
from scenarios.lab.images import BUSYBOX_IMAGE
from scenarios.lab.layout import DNS_IP, MANIFESTS, Cluster, kubeconfig, lab
from scenarios.lab.standard_images import COREDNS_IMAGE, PROVISIONER_IMAGE


def kubectl(cluster: Cluster, *words: str, stdin: str | None = None) -> str:
    """Run the lab's kubectl against one cluster."""
    argv = [str(lab() / "bin" / "kubectl"), "--kubeconfig", str(kubeconfig()), "--context", cluster.name]
    # its own cache: the person's ~/.kube stays as it is
    argv += ["--cache-dir", str(lab() / "kubectl-cache"), *words]
    return run(argv, what=f"{cluster.name}: kubectl {words[0]}", stdin=stdin, log=cluster.log("kube-apiserver"))


def _manifests(cluster: Cluster) -> str:
    values = {
        "dns_ip": DNS_IP, "coredns_image": COREDNS_IMAGE, "busybox_image": BUSYBOX_IMAGE,
        "provisioner_image": PROVISIONER_IMAGE,
        "storage_class": cluster.storage_class, "volumes": str(cluster.path("volumes")),
    }  # fmt: skip
    return "\n---\n".join(
        Template((MANIFESTS / name).read_text()).substitute(values) for name in ("coredns.yaml", "local-path.yaml")
    )


def _apply(cluster: Cluster, documents: str) -> None:
    kubectl(
        cluster,
        "apply",
        "--server-side",
        "--force-conflicts",
        "--field-manager=bluegreen-lab",
        "-f",
        "-",
        stdin=documents,
    )


def ensure(cluster: Cluster) -> None:
    """Apply what is not applied yet, in this incarnation of the cluster."""
    base, (definitions, rest) = _manifests(cluster), velero.documents(cluster)
    digest = hashlib.sha256(f"{base}{definitions}{rest}".encode()).hexdigest()[:16]
    if state.read().get("applied", {}).get(cluster.name) == digest:
        return
    _apply(cluster, base)
    _apply(cluster, definitions)
    wait_until(
        lambda: _undefined(cluster),
        what=f"{cluster.name}: Velero's kinds",
        seconds=30,
        log=cluster.log("kube-apiserver"),
    )
    _apply(cluster, rest)
    with state.changing() as now:
        now.setdefault("applied", {})[cluster.name] = digest


def _undefined(cluster: Cluster) -> str:
    try:
        kinds = get_json(cluster, "/apis/velero.io/v1").get("resources", [])
    except OSError as error:
        return str(error)
    return "" if any(kind["name"] == "backupstoragelocations" for kind in kinds) else "velero.io/v1 is not served yet"
