"""kubelet and kube-proxy of one cluster's one node.

The kubelet works in a cgroup, a root directory and log directories of its own, so that two of them share one machine.
It must never reserve or limit anything of the machine itself.
"""

import json

from scenarios.lab import cgroups
from scenarios.lab.build import program
from scenarios.lab.layout import CGROUP, DNS_IP, Cluster
from scenarios.lab.processes import Part
from scenarios.lab.state import write_atomically


def _kubelet_config(cluster: Cluster) -> str:
    pki = cluster.path("pki")
    return json.dumps(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": cluster.node_ip,
            "authentication": {"x509": {"clientCAFile": f"{pki}/ca.crt"}, "anonymous": {"enabled": False}},
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": f"{pki}/kubelet-server.crt",
            "tlsPrivateKeyFile": f"{pki}/kubelet-server.key",
            "clusterDomain": "cluster.local",
            "clusterDNS": [DNS_IP],
            "resolvConf": str(cluster.path("etc", "resolv.conf")),
            "containerRuntimeEndpoint": f"unix://{cluster.containerd_socket}",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{CGROUP}/{cluster.name}",
            "failCgroupV1": False,
            "failSwapOn": False,
            "enforceNodeAllocatable": [],
            "podLogsDir": str(cluster.path("pods-log")),
            "volumePluginDir": str(cluster.path("kubelet", "volume-plugins")),
            "makeIPTablesUtilChains": False,
            # Images can not be pulled again, and the machine's disk is not the lab's: no collection, no eviction.
            "imageGCHighThresholdPercent": 100,
            "evictionHard": {
                "memory.available": "0%",
                "nodefs.available": "0%",
                "nodefs.inodesFree": "0%",
                "imagefs.available": "0%",
            },
            "maxPods": 200,
            "registryPullQPS": 0,
            "eventRecordQPS": 50,
            "kubeAPIQPS": 200,
            "kubeAPIBurst": 400,
            "nodeStatusUpdateFrequency": "5s",
            "syncFrequency": "10s",
            "healthzBindAddress": "127.0.0.1",
            "logging": {"verbosity": 0},
        },
        indent=1,
    )


def kubelet(cluster: Cluster) -> Part:
    """Write kubelet's files and return how to start it."""
    cgroups.make(cluster.name)
    config = cluster.path("etc", "kubelet.json")
    write_atomically(config, _kubelet_config(cluster))
    # Pods with dnsPolicy Default get this; the machine's own servers can not be reached from in there.
    write_atomically(cluster.path("etc", "resolv.conf"), f"nameserver {DNS_IP}\n")
    argv = [
        str(program(cluster.module, "kubelet")), f"--config={config}",
        f"--kubeconfig={cluster.path('pki', 'kubelet.kubeconfig')}",
        f"--root-dir={cluster.path('kubelet')}", f"--cert-dir={cluster.path('kubelet', 'pki')}",
        f"--hostname-override={cluster.node}", f"--node-ip={cluster.node_ip}",
    ]  # fmt: skip
    return Part("kubelet", argv, cluster, configs=[config])


def kube_proxy(cluster: Cluster) -> Part:
    """Return kube-proxy; the conntrack limits are the machine's, so it is told to leave them alone."""
    argv = [
        str(program(cluster.module, "kube-proxy")), f"--kubeconfig={cluster.path('pki', 'proxy.kubeconfig')}",
        "--proxy-mode=nftables", f"--cluster-cidr={cluster.pod_cidr}", f"--hostname-override={cluster.node}",
        "--conntrack-max-per-core=0", "--conntrack-min=0",
        "--bind-address=127.0.0.1", "--healthz-bind-address=127.0.0.1:10256",
        "--metrics-bind-address=127.0.0.1:10249", "--v=0",
    ]  # fmt: skip
    return Part("kube-proxy", argv, cluster)
