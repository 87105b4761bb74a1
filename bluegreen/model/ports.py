"""The ports: what the core asks of a real thing, as Protocols of few methods.

Rules live in the core, an adapter fills the gap. Every port has one contract suite in tests/contracts/.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from bluegreen.model.errors import BluegreenError
from bluegreen.model.events import Event
from bluegreen.model.refs import ClusterId, ObjectRef, Side

if TYPE_CHECKING:
    from bluegreen.model.samples import Sample

Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Weights:
    """Share of traffic per side in per cent; they sum to 100, so 0/0 cannot be said (law 2)."""

    blue: int
    green: int

    def __post_init__(self) -> None:
        if self.blue < 0 or self.green < 0 or self.blue + self.green != 100:  # noqa: PLR2004 - per cent
            raise ValueError(f"weights must be 0 or more and sum to 100, not {self.blue}/{self.green}")

    @classmethod
    def for_green(cls, green: int) -> "Weights":
        """Return the weights that give green that many per cent."""
        return cls(blue=100 - green, green=green)

    def of(self, side: Side) -> int:
        """Return the weight of a side."""
        return self.green if side is Side.GREEN else self.blue


class TrafficRouter(Protocol):
    """A thing that splits traffic by weight.

    Attributes:
        name: name of the route in the config.
        resolution: largest number of steps between 0 and 100 % that the backend can hold (256 for HAProxy).
        settle_seconds: shortest time after which a written weight can have taken effect.
    """

    name: str
    resolution: int
    settle_seconds: float

    def read(self) -> Weights:
        """Return the weights served now.

        Raises:
            TransientError: the backend cannot be reached.
            RefusedError: the backend or server name does not exist, or serves nothing (0/0).
        """

    def shift(self, to: Weights, expect: Weights) -> None:
        """Write absolute weights if those served still are the expected ones; receiver first, then sender.

        Being asked for what is already served is a success without a write.

        Raises:
            ConflictError: neither `expect` nor `to` is what is served: somebody else wrote.
            TransientError: nothing, or only the receiver's raise, was written; calling again is safe.
        """

    def settled(self, to: Weights) -> bool:
        """Return whether the written weights have taken effect at the backend."""

    def finalize(self) -> None:
        """Drop what only the migration needed (marks, lowered TTLs); the weights stay."""


@runtime_checkable
class CachedRouter(Protocol):
    """A router whose answers are kept by others for a while, as DNS records are; `settle_seconds` says how long.

    A router that has no such method serves everybody as soon as it is written.
    """

    def prepare(self) -> float:
        """Lower the TTL to that of the migration and leave the weights as they are; idempotent.

        Returns:
            Seconds, from now, until nobody holds an answer with the old TTL any more; 0 when that time is over.

        Raises:
            ConflictError: somebody else's mark is there.
            TransientError: nothing was written; calling again is safe.
        """


@runtime_checkable
class MarkedRouter(Protocol):
    """A router that leaves a mark where it writes, so that a second writer is noticed."""

    def marked_by(self) -> str:
        """Return whose mark is there now, empty when there is none.

        Raises:
            TransientError: the backend cannot be reached.
        """


@runtime_checkable
class ReturningRouter(Protocol):
    """A router that can go back to blue from where `read` raises NoSharesError; for the way back alone.

    Attributes:
        name: name of the route in the config.
    """

    name: str

    def bring_back(self) -> str:
        """Give blue 100 and green 0 whatever is served, blue first, and read them back; idempotent.

        Returns:
            What still keeps blue from serving alone, with what to type; empty when nothing does.

        Raises:
            TransientError: blue cannot receive now, or the backend cannot be reached; calling again is safe.
            RefusedError: blue cannot receive until a person mends it; green keeps what it has.
        """


@dataclass(frozen=True, slots=True)
class Drawn:
    """How often each side was drawn at one server; `other` counts answers that were neither side."""

    blue: int
    green: int
    other: int = 0


@runtime_checkable
class SampledRouter(Protocol):
    """A router that draws at random at servers which can be asked directly, so that its weights can be proven."""

    @property
    def servers(self) -> tuple[str, ...]:
        """Return each server that answers."""

    def draw(self, server: str, count: int) -> Drawn:
        """Ask one server that many times, past every cache.

        Raises:
            TransientError: it does not answer.
        """


class Probe(Protocol):
    """A source of samples.

    Attributes:
        name: name of the probe in the config.
        synthetic: whether it makes its own requests.
        users: whether what it counts are requests of real users. Only those show where users are; and a probe whose
            answer is no users' can speak of a side that nobody uses, as blue is while green serves alone.
    """

    name: str
    synthetic: bool
    users: bool

    def sample(self, side: Side) -> "Sample":
        """Return what was seen of a side since the last call; bounded in time, never raises for a bad target."""

    def close(self) -> None:
        """Release connections."""


@runtime_checkable
class CheckedProbe(Protocol):
    """A probe that can tell before a migration begins whether it could measure at all.

    Nothing beside good requests reads as no errors, so a misspelled source must be found before it is believed.
    """

    def check(self) -> tuple[str, ...]:
        """Return every reason why it cannot measure, each with what to write; empty is good."""


@dataclass(frozen=True, slots=True)
class VolumeRequest:
    """What a mover shall bring across.

    Attributes:
        id: DNS-1123 name that is unique to migration and attempt; every object of the mover derives from it.
        namespaces: namespaces whose claims are moved.
        storage_classes: name on blue to name on green.
        pods: pods that mount the claims on blue, as (namespace, name, labels) with the claims' names.
    """

    id: str
    namespaces: tuple[str, ...]
    storage_classes: Mapping[str, str]
    pods: tuple["VolumePod", ...]


@dataclass(frozen=True, slots=True)
class VolumePod:
    """A pod on blue that mounts claims."""

    namespace: str
    name: str
    labels: Mapping[str, str]
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MoveStatus:
    """Where a move stands.

    Attributes:
        stage: one of the mover's own stages, such as backup, sync, restore, release.
        phase: phase in the words of the tool that does it (Velero's status.phase).
        done: everything is restored and released.
        failed: it ended and will not go on by itself.
        message: one sentence.
        bytes_done: bytes moved so far in this stage.
        bytes_total: bytes of this stage as far as known.
    """

    stage: str
    phase: str
    done: bool
    failed: bool
    message: str = ""
    bytes_done: int = 0
    bytes_total: int = 0


class VolumeMover(Protocol):
    """Brings the data of claims from blue to green while nothing of the application runs on green."""

    def check(self) -> tuple[str, ...]:
        """Return every reason why a move cannot work now (missing server, unavailable storage); empty is good."""

    def poll(self, request: VolumeRequest) -> MoveStatus:
        """Do the next idempotent piece of work and say where the move stands; safe after a crash at any point."""

    def cancel(self, request: VolumeRequest) -> None:
        """Stop the move and remove what it created on green; idempotent, bounded in time.

        Raises:
            TransientError: it has not stopped in time; the next step says what to type, for nobody calls again.
            ConflictError: what it created is in use.
        """

    def describe(self, request: VolumeRequest) -> tuple[str, ...]:
        """Return in plain words what a move will do to both clusters, for the plan."""


class Notifier(Protocol):
    """Tells somebody outside about one event."""

    def post(self, event: Event) -> None:
        """Post one event; raises TransientError when it could not be delivered."""


@dataclass(frozen=True, slots=True)
class ApiResource:
    """One resource that a cluster serves, in its preferred version.

    Attributes:
        api_version: group/version, or v1.
        kind: kind.
        plural: resource name in URLs.
        namespaced: whether objects live in namespaces.
        verbs: what may be done with it.
        subresources: names of its subresources, such as status and scale; None when nobody asked.
    """

    api_version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: frozenset[str]
    subresources: frozenset[str] | None = None

    @property
    def group_kind(self) -> str:
        """Return Kind.group as kubectl writes it, Kind alone for the core group."""
        group = self.api_version.rpartition("/")[0]
        return f"{self.kind}.{group}" if group else self.kind


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a command in a container printed and how it ended."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What a path that is no object answered.

    Attributes:
        text: the body.
        date: the server's own clock, as its Date header has it (whole seconds); empty when it sent none.
    """

    text: str
    date: str = ""


class Application(NamedTuple):
    """An object to apply.

    Attributes:
        obj: the fields that we want to own.
        force: take fields over from other managers.
    """

    obj: Raw
    force: bool = False


Applied = tuple[int, Raw | BluegreenError]
"""The number of an application, and the object as the server has it then, or why it refused it."""


class Cluster(Protocol):
    """One cluster's API in raw objects; implemented by the kube room, taken by adapters and other rooms.

    Every method raises TransientError, NotFoundError, ConflictError or RefusedError of bluegreen.model.errors.
    """

    @property
    def id(self) -> ClusterId:
        """Return identity, version and server of the cluster."""

    def resources(self) -> tuple[ApiResource, ...]:
        """Return every listable resource in its preferred version."""

    def get(self, ref: ObjectRef) -> Raw:
        """Return one object."""

    def list(self, resource: ApiResource, namespace: str = "", selector: str = "") -> Iterator[Raw]:
        """Yield objects page by page, apiVersion and kind filled in; a 410 restarts the list without repeats."""

    def apply(self, obj: Raw, *, force: bool = False, dry_run: bool = False) -> Raw:
        """Server-side apply with our field manager; return the object as the server has it then.

        Raises:
            ConflictError: another manager owns a field and force is False.
        """

    def apply_each(
        self,
        wanted: Iterable[Application],
        left: Callable[[], float | None] = lambda: None,
        *,
        dry_run: bool = False,
    ) -> Iterator[Applied]:
        """Apply many objects, many at a time, as `apply` does each; yield what came of them in the order they end.

        Args:
            wanted: what to apply; taken one by one as there is room.
            left: seconds until nothing more is begun or waited for; None for no end.
            dry_run: let the server check everything and store nothing.
        """

    def apply_status(self, obj: Raw) -> None:
        """Server-side apply of an object's status alone, which is taken over; the kind has that subresource."""

    def create(self, obj: Raw) -> Raw:
        """Create an object; ConflictError when it exists."""

    def patch(self, ref: ObjectRef, patch: Raw) -> Raw:
        """Merge-patch an object."""

    def delete(self, ref: ObjectRef, uid: str) -> None:
        """Delete an object if its UID still is that one (law 6); an absent object is a success."""

    def exec(self, namespace: str, pod: str, container: str, command: tuple[str, ...], timeout: float) -> ExecResult:
        """Run a command in a container.

        Args:
            timeout: seconds.
        """

    def raw(self, path: str) -> RawAnswer:
        """Return what a path of the server answers as text, such as /metrics; bounded in size and time.

        Args:
            path: path with query, already escaped.

        Raises:
            RefusedError: no right, or more text than we take.
        """

    def may(self, verb: str, group: str, plural: str, namespace: str = "") -> bool:
        """Return whether we have that right (SelfSubjectAccessReview)."""
