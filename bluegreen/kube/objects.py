"""Single objects of a cluster that is not a side of the migration: read one, patch one, within a short time.

A route may live in a third cluster, where we may touch that one object and no more. So this asks for nothing else: no
identity, no lists, no deletes; what needs law 8 opens the cluster itself.
"""

from bluegreen.kube import writes
from bluegreen.kube.calls import Call
from bluegreen.kube.http import Connection, Transport
from bluegreen.kube.paths import Atlas
from bluegreen.kube.retry import Patience
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ObjectRef


class Objects:
    """Reads and patches objects by reference; safe for many threads."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._atlas = Atlas(transport)

    def get(self, ref: ObjectRef) -> Raw:
        """Return one object."""
        call = Call("GET", self._atlas.path(ref), f"reading {ref}", "get", secret=ref.kind == "Secret")
        return dict(self._transport.send(call))

    def patch(self, ref: ObjectRef, patch: Raw) -> Raw:
        """Merge-patch an object; a resourceVersion in the patch's metadata is its precondition."""
        return dict(self._transport.send(writes.patch_call(self._atlas, ref, patch)))


def open_objects(context: str, kubeconfig: str | None, seconds: float) -> Objects:
    """Return the objects of a kubeconfig context; the cluster is asked nothing yet.

    Args:
        context: name of the context.
        kubeconfig: path or path list; None for KUBECONFIG or ~/.kube/config.
        seconds: budget of each later call, its repeats included.

    Raises:
        RefusedError: unknown context, or unusable file or credentials.
    """
    connection = Connection.of_context(context, kubeconfig)
    return Objects(Transport(connection, f"cluster {context}", Patience(total=seconds, one=seconds)))
