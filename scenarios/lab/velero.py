"""Velero of one cluster: what `velero install` would create, with the lab's own settings.

Both clusters share one bucket, each through its own address. It must never keep real credentials: the lab's S3 keys
are constants.
"""

import json
from typing import Any

from scenarios.lab.build import program
from scenarios.lab.console import run
from scenarios.lab.layout import S3_BUCKET, S3_PASSWORD, S3_PORT, S3_USER, Cluster, kubeconfig
from scenarios.lab.standard_images import VELERO_AWS_IMAGE, VELERO_IMAGE
from scenarios.lab.state import write_atomically

SERVER_FLAGS = (
    "--store-validation-frequency=10s",
    "--item-operation-sync-frequency=2s",
    # It finalizes one Restore at a time and waits ten minutes by itself for a claim that a test has taken away.
    "--resource-timeout=60s",
    # its defaults are meant for a busy production API server
    "--client-qps=300",
    "--client-burst=600",
)


def _install(cluster: Cluster) -> list[str]:
    secret = cluster.path("etc", "s3-credentials")
    write_atomically(secret, f"[default]\naws_access_key_id={S3_USER}\naws_secret_access_key={S3_PASSWORD}\n", 0o600)
    location = f"region=us-east-1,s3ForcePathStyle=true,s3Url=http://{cluster.host_ip}:{S3_PORT}"
    requests = [
        f"--{pod}-pod-{kind}"
        for pod in ("velero", "node-agent")
        for kind in ("cpu-request", "mem-request", "cpu-limit", "mem-limit")
    ]
    sizes = ["10m", "48Mi", "0", "0"] * 2
    return [
        str(program("k134", "velero")), "--kubeconfig", str(kubeconfig()), "--kubecontext", cluster.name, "install",
        "--dry-run", "--output", "json", "--namespace", "velero", "--provider", "aws",
        "--bucket", S3_BUCKET, "--secret-file", str(secret), "--image", VELERO_IMAGE, "--plugins", VELERO_AWS_IMAGE,
        "--backup-location-config", location, "--use-node-agent", "--use-volume-snapshots=false",
        "--kubelet-root-dir", str(cluster.path("kubelet")),
        *[word for pair in zip(requests, sizes, strict=True) for word in pair],
    ]  # fmt: skip


def documents(cluster: Cluster) -> tuple[str, str]:
    """Return Velero's definitions, and all else, each as a JSON list to apply in this order."""
    items = json.loads(run(_install(cluster), what=f"{cluster.name}: velero install --dry-run"))["items"]
    definitions: list[dict[str, Any]] = []
    rest: list[dict[str, Any]] = []
    for item in items:
        item.get("metadata", {}).pop("creationTimestamp", None)
        item.pop("status", None)
        (definitions if item["kind"] == "CustomResourceDefinition" else rest).append(_tuned(item))
    return _list(definitions), _list(rest)


def _list(items: list[dict[str, Any]]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def _tuned(item: dict[str, Any]) -> dict[str, Any]:
    match item["kind"]:
        case "BackupStorageLocation":
            # The server looks once a minute, a constant of its; a period of a minute would often miss every second
            # look.
            item["spec"] |= {"backupSyncPeriod": "5s", "validationFrequency": "10s"}
        case "Deployment":
            item["spec"]["template"]["spec"]["containers"][0]["args"] += SERVER_FLAGS
            item["spec"]["strategy"] = {"type": "Recreate"}
        case _:
            pass
    return item
