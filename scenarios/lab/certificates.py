"""Keys, certificates and kubeconfigs of one cluster, made by the openssl program.

They exist so that both clusters are secured the way real ones are. Nothing here may leave the lab's directory, which
only root reads.
"""

import base64
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from scenarios.lab.console import run
from scenarios.lab.layout import API_SERVICE_IP, CLUSTERS, Cluster, kubeconfig
from scenarios.lab.state import write_atomically

DAYS = "3650"
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc")
# As kubeadm makes authorities. An API server checks the client's certificate at every request, and did so twice, for a
# fifth of all its time, when one authority that signs with a curve stood for clients and for the front proxy.
AUTHORITY_KEY = ("-newkey", "rsa:2048", "-noenc")


@dataclass(frozen=True, slots=True)
class Identity:
    """One certificate: file name, subject, what it is for, and who signs it."""

    file: str
    subject: str
    usage: str = "clientAuth"
    names: str = ""
    authority: str = "ca"


def _identities(cluster: Cluster) -> list[Identity]:
    names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost")
    api = ",".join(
        [*(f"DNS:{name}" for name in names), "IP:127.0.0.1", f"IP:{API_SERVICE_IP}", f"IP:{cluster.node_ip}"]
    )
    return [
        Identity("apiserver", "/CN=kube-apiserver", "serverAuth", api),
        Identity(
            "kubelet-server",
            f"/CN={cluster.node}",
            "serverAuth",
            f"DNS:{cluster.node},IP:{cluster.node_ip},IP:127.0.0.1",
        ),
        Identity("admin", "/O=system:masters/CN=lab-admin"),
        Identity("kubelet", f"/O=system:nodes/CN=system:node:{cluster.node}"),
        Identity("controller-manager", "/CN=system:kube-controller-manager"),
        Identity("scheduler", "/CN=system:kube-scheduler"),
        Identity("proxy", "/CN=system:kube-proxy"),
        Identity("apiserver-kubelet", "/O=system:masters/CN=apiserver-kubelet"),
        Identity("front-proxy", "/CN=front-proxy", authority="front-proxy-ca"),
    ]


def ensure(cluster: Cluster) -> None:
    """Make all keys and certificates of the cluster once; a half-made set of a killed run is thrown away."""
    final = cluster.path("pki")
    if final.exists():
        return
    fresh = cluster.path("pki.tmp")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True, mode=0o700)
    # The clusters' authorities must differ in name, or a program that trusts both could not tell them apart.
    _found(fresh, "ca", f"/CN=bluegreen-lab-{cluster.name}")
    _found(fresh, "front-proxy-ca", f"/CN=bluegreen-lab-{cluster.name}-front-proxy")
    for identity in _identities(cluster):
        _issue(fresh, identity)
    # `ecparam` and not `genpkey`: the API server reads public keys out of the older of the two forms only.
    run(
        ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "sa.key"],
        what="token key",
        cwd=fresh,
    )
    for identity in _identities(cluster):
        if identity.usage == "clientAuth" and identity.authority == "ca":
            _write_kubeconfig(cluster, fresh, identity.file)
    fresh.rename(final)


def _found(directory: Path, file: str, subject: str) -> None:
    """Make a certificate authority."""
    run(
        [
            "openssl", "req", "-x509", *AUTHORITY_KEY, "-days", DAYS, "-subj", subject,
            "-keyout", f"{file}.key", "-out", f"{file}.crt",
        ],
        what=f"certificate authority {file}", cwd=directory,
    )  # fmt: skip


def _issue(directory: Path, identity: Identity) -> None:
    extensions = ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", f"extendedKeyUsage={identity.usage}"]
    if identity.names:
        extensions += ["-addext", f"subjectAltName={identity.names}"]
    run(
        [
            "openssl", "req", "-x509", "-CA", f"{identity.authority}.crt", "-CAkey", f"{identity.authority}.key",
            *KEY, "-days", DAYS, "-subj", identity.subject, *extensions,
            "-keyout", f"{identity.file}.key", "-out", f"{identity.file}.crt",
        ],
        what=f"certificate {identity.file}", cwd=directory,
    )  # fmt: skip


def _document(entries: list[tuple[Cluster, Path, str]], current: str) -> str:
    """Return a kubeconfig (JSON is YAML) with one context per entry and everything embedded."""

    def data(path: Path) -> str:
        return base64.b64encode(path.read_bytes()).decode()

    clusters, users, contexts = [], [], []
    for cluster, pki, identity in entries:
        name = cluster.name
        clusters.append(
            {"name": name, "cluster": {"server": cluster.server, "certificate-authority-data": data(pki / "ca.crt")}}
        )
        pair = {
            "client-certificate-data": data(pki / f"{identity}.crt"),
            "client-key-data": data(pki / f"{identity}.key"),
        }
        users.append({"name": f"{name}-{identity}", "user": pair})
        contexts.append(
            {"name": name, "context": {"cluster": name, "user": f"{name}-{identity}", "namespace": "default"}}
        )
    config = {
        "apiVersion": "v1", "kind": "Config", "clusters": clusters, "users": users, "contexts": contexts,
        "current-context": current,
    }  # fmt: skip
    return json.dumps(config, indent=2) + "\n"


def _write_kubeconfig(cluster: Cluster, pki: Path, identity: str) -> None:
    write_atomically(pki / f"{identity}.kubeconfig", _document([(cluster, pki, identity)], cluster.name), 0o600)


def write_user_kubeconfig() -> None:
    """Write the one kubeconfig people and tests use; blue (`old`) is the current context."""
    text = _document([(cluster, cluster.path("pki"), "admin") for cluster in CLUSTERS], CLUSTERS[0].name)
    if not kubeconfig().exists() or kubeconfig().read_text() != text:
        write_atomically(kubeconfig(), text, 0o600)
