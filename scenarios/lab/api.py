"""A few reads of the API servers for the lab's own waiting, by the standard library.

kubectl costs a process per question. It must never be used by the product, which has its own client.
"""

import http.client
import json
import ssl
from typing import Any

from scenarios.lab.layout import Cluster

API_PORT, KUBELET_PORT = 6443, 10250


def get(cluster: Cluster, path: str, port: int = API_PORT, timeout: float = 5.0) -> tuple[int, str]:
    """Return status and body of one GET with the admin's certificate; raise OSError when nobody answers."""
    pki = cluster.path("pki")
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    connection = http.client.HTTPSConnection(cluster.node_ip, port, context=context, timeout=timeout)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except http.client.HTTPException as error:
        raise OSError(f"broken answer: {error!r}") from error
    finally:
        connection.close()


def get_json(cluster: Cluster, path: str) -> dict[str, Any]:
    """Return the object at the path, empty when it is not there."""
    status, body = get(cluster, path)
    if status == http.client.NOT_FOUND:
        return {}
    if status != http.client.OK:
        raise OSError(f"GET {path}: HTTP {status}")
    document = json.loads(body)
    return document if isinstance(document, dict) else {}
