"""The only room that knows the Kubernetes client: sessions, discovery, paged lists, server-side apply, exec.

It speaks raw dictionaries and the model's errors outward, never typed client models (they reject unknown fields), and
decides nothing about a migration. `open_cluster` is its door.
"""

from bluegreen.kube.kubeconfig import is_plain, list_contexts
from bluegreen.kube.session import ClusterSession, open_cluster

__all__ = ["ClusterSession", "is_plain", "list_contexts", "open_cluster"]
