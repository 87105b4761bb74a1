"""etcd, API server, controller manager and scheduler of one cluster: how each is started.

Flags are the plain ones of a small real cluster, with certificates and RBAC, so that what is learned here holds
elsewhere.
"""

from scenarios.lab.build import program
from scenarios.lab.layout import SERVICE_CIDR, Cluster
from scenarios.lab.processes import Part


def etcd(cluster: Cluster) -> Part:
    """Return etcd, reachable only inside the cluster's namespace."""
    argv = [
        "/usr/bin/etcd", "--name", "lab", "--data-dir", str(cluster.path("etcd")),
        "--listen-client-urls", "http://127.0.0.1:2379", "--advertise-client-urls", "http://127.0.0.1:2379",
        "--listen-peer-urls", "http://127.0.0.1:2380", "--initial-advertise-peer-urls", "http://127.0.0.1:2380",
        "--initial-cluster", "lab=http://127.0.0.1:2380", "--log-level", "warn", "--logger", "zap",
        # A lab may lose its data with the machine's power; `up` makes a new one after a reboot.
        "--unsafe-no-fsync", "--quota-backend-bytes", "2147483648",
    ]  # fmt: skip
    return Part("etcd", argv, cluster, {"ETCD_UNSUPPORTED_ARCH": ""})


def api_server(cluster: Cluster) -> Part:
    """Return the API server."""
    pki = cluster.path("pki")
    argv = [
        str(program(cluster.module, "kube-apiserver")), "--etcd-servers=http://127.0.0.1:2379",
        f"--advertise-address={cluster.node_ip}", "--secure-port=6443", f"--service-cluster-ip-range={SERVICE_CIDR}",
        "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true",
        f"--client-ca-file={pki}/ca.crt", f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--kubelet-client-certificate={pki}/apiserver-kubelet.crt",
        f"--kubelet-client-key={pki}/apiserver-kubelet.key",
        f"--kubelet-certificate-authority={pki}/ca.crt",
        # By its address: `kubectl logs` would look the node's name up in a DNS that does not know it.
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki}/sa.key", f"--service-account-signing-key-file={pki}/sa.key",
        f"--requestheader-client-ca-file={pki}/front-proxy-ca.crt", "--requestheader-allowed-names=front-proxy",
        "--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={pki}/front-proxy.crt", f"--proxy-client-key-file={pki}/front-proxy.key",
        "--profiling=false", "--v=0",
    ]  # fmt: skip
    return Part("kube-apiserver", argv, cluster)


def controller_manager(cluster: Cluster) -> Part:
    """Return the controller manager."""
    pki = cluster.path("pki")
    kubeconfig = pki / "controller-manager.kubeconfig"
    argv = [
        str(program(cluster.module, "kube-controller-manager")), f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}", f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false", "--use-service-account-credentials=true", "--allocate-node-cidrs=true",
        f"--cluster-cidr={cluster.pod_cidr}", f"--service-cluster-ip-range={SERVICE_CIDR}",
        f"--root-ca-file={pki}/ca.crt",
        f"--service-account-private-key-file={pki}/sa.key", f"--cluster-signing-cert-file={pki}/ca.crt",
        f"--cluster-signing-key-file={pki}/ca.key",
        f"--flex-volume-plugin-dir={cluster.path('flex-volumes')}",
        # A thousand Deployments at once shall not keep it busy for minutes, beside whatever is measured next.
        "--kube-api-qps=200", "--kube-api-burst=400",
        # Counting anew, it may not know yet of a pod that was just taken, and what is used is then told wrongly.
        "--resource-quota-sync-period=12h",
        f"--requestheader-client-ca-file={pki}/front-proxy-ca.crt", "--v=0",
    ]  # fmt: skip
    return Part("kube-controller-manager", argv, cluster)


def scheduler(cluster: Cluster) -> Part:
    """Return the scheduler."""
    kubeconfig = cluster.path("pki", "scheduler.kubeconfig")
    argv = [
        str(program(cluster.module, "kube-scheduler")), f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}", "--bind-address=127.0.0.1", "--leader-elect=false", "--v=0",
    ]  # fmt: skip
    return Part("kube-scheduler", argv, cluster)
