"""One cluster behind the model's `Cluster` port: a thin face over calls, lists, writes and exec.

It must stay thin: what a migration means by an object is decided elsewhere.
"""

from collections.abc import Callable, Iterable, Iterator

from msgspec import structs

from bluegreen.kube import access, exec, raw, writes  # noqa: A004 - exec is the port's own word
from bluegreen.kube.calls import Call
from bluegreen.kube.discovery import discover
from bluegreen.kube.http import Connection, Transport
from bluegreen.kube.lists import list_objects
from bluegreen.kube.many import send_each
from bluegreen.kube.paths import Atlas
from bluegreen.kube.retry import Patience
from bluegreen.model.errors import NotFoundError
from bluegreen.model.ports import ApiResource, Application, Applied, ExecResult, Raw, RawAnswer
from bluegreen.model.refs import ClusterId, ObjectRef

# A wrong address shall be known soon; a cluster that was there once is worth waiting for.
OPENING_SECONDS = 15.0
OPENING_DROPS = 6  # two to three seconds of refused connections
DRY_RUN_DROPS = 3


class ClusterSession:
    """A cluster's API in raw objects; safe for at least 32 threads."""

    def __init__(self, transport: Transport, identity: ClusterId) -> None:
        self._transport = transport
        self._identity = identity
        self._atlas = Atlas(transport)

    @property
    def id(self) -> ClusterId:
        """Return identity, version and server, as read when the session was opened."""
        return self._identity

    def resources(self) -> tuple[ApiResource, ...]:
        """Return every resource that can be listed, read, created and deleted, in its preferred version."""
        found = discover(self._transport)
        self._atlas.remember(found)
        return found

    def get(self, ref: ObjectRef) -> Raw:
        """Return one object."""
        call = Call("GET", self._atlas.path(ref), f"reading {ref}", "get", secret=ref.kind == "Secret")
        return dict(self._transport.send(call))

    def list(self, resource: ApiResource, namespace: str = "", selector: str = "") -> Iterator[Raw]:
        """Yield objects page by page, apiVersion and kind filled in; a 410 restarts the list without repeats."""
        return list_objects(self._transport, resource, namespace, selector)

    def apply(self, obj: Raw, *, force: bool = False, dry_run: bool = False) -> Raw:
        """Server-side apply with our field manager; return the object as the server has it then.

        A dry run is given up after a few lost connections: a server that fails over an object does so each time.
        """
        call = writes.apply_call(self._atlas, obj, force=force, dry_run=dry_run)
        return dict(self._transport.send(call, self._patience(dry_run=dry_run)))

    def _patience(self, *, dry_run: bool) -> Patience:
        usual = self._transport.patience
        return structs.replace(usual, drops=DRY_RUN_DROPS) if dry_run else usual

    def apply_each(
        self,
        wanted: Iterable[Application],
        left: Callable[[], float | None] = lambda: None,
        *,
        dry_run: bool = False,
    ) -> Iterator[Applied]:
        """Apply many objects, many at a time, as `apply` does each; yield what came of them in the order they end."""
        return send_each(
            self._transport,
            wanted,
            lambda one: writes.apply_call(self._atlas, one.obj, force=one.force, dry_run=dry_run),
            left,
            self._patience(dry_run=dry_run),
        )

    def apply_status(self, obj: Raw) -> None:
        """Server-side apply of an object's status alone, which is taken over; the kind has that subresource."""
        self._transport.send(writes.status_call(self._atlas, obj))

    def create(self, obj: Raw) -> Raw:
        """Create an object; ConflictError when it exists."""
        return dict(self._transport.send(writes.create_call(self._atlas, obj)))

    def patch(self, ref: ObjectRef, patch: Raw) -> Raw:
        """Merge-patch an object."""
        return dict(self._transport.send(writes.patch_call(self._atlas, ref, patch)))

    def delete(self, ref: ObjectRef, uid: str) -> None:
        """Delete an object if its UID still is that one; an absent object is a success."""
        try:
            self._transport.send(writes.delete_call(self._atlas, ref, uid))
        except NotFoundError:
            return

    def exec(self, namespace: str, pod: str, container: str, command: tuple[str, ...], timeout: float) -> ExecResult:
        """Run a command in a container.

        Args:
            timeout: seconds.
        """
        return exec.run(self._transport, namespace, pod, container, command, timeout=timeout)

    def raw(self, path: str) -> RawAnswer:
        """Return what a path answers as text, such as /metrics; bounded in size and time."""
        return raw.read(self._transport, path)

    def may(self, verb: str, group: str, plural: str, namespace: str = "") -> bool:
        """Return whether we have that right."""
        return access.may(self._transport, verb, group, plural, namespace)


def open_cluster(context: str, kubeconfig: str | None = None, patience: Patience | None = None) -> ClusterSession:
    """Open the cluster of a kubeconfig context and read who it is.

    Args:
        context: name of the context.
        kubeconfig: path or path list; None for KUBECONFIG or ~/.kube/config.
        patience: budget of each later call; None for 120 s.

    Raises:
        RefusedError: unknown context, unusable credentials or certificate, or kube-system may not be read.
        TransientError: the API server does not answer.
    """
    patience = patience or Patience()
    connection = Connection.of_context(context, kubeconfig)
    transport = Transport(connection, f"cluster {context}", patience)
    return ClusterSession(transport, identify(transport, context, patience))


def identify(transport: Transport, context: str, patience: Patience) -> ClusterId:
    """Return who a cluster is: the UID of its kube-system namespace, its version and its address."""
    soon = structs.replace(patience, total=min(patience.total, OPENING_SECONDS), drops=OPENING_DROPS)
    version = transport.send(Call("GET", "/version", "reading the version", "get"), soon)
    what = "reading the cluster's identity (Namespace kube-system)"
    system = transport.send(Call("GET", "/api/v1/namespaces/kube-system", what, "get namespaces"), soon)
    return ClusterId(
        context=context,
        uid=str(system["metadata"]["uid"]),
        version=str(version.get("gitVersion", "")),
        server=transport.connection.server,
    )
