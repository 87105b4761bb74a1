"""Images that green may not be able to pull, from what both clusters say; no registry is asked, nothing pulled. Pure.

What cannot be known this way (whether credentials are good, whether a node reaches the registry) is said, not guessed.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from bluegreen.assess.pods import containers, named_secrets
from bluegreen.assess.wider import Wider
from bluegreen.model.findings import Finding, Severity
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ref_of

# A kubelet tells at most this many images of its node (nodeStatusMaxImages), so a full list proves no absence.
_TOLD_AT_MOST = 50
_DOCKER = "docker.io"
_PULL_WORDS = ("pull image", "ErrImagePull", "ImagePullBackOff", "pulling image")


@dataclass(frozen=True, slots=True)
class Image:
    """An image as a container names it.

    Attributes:
        written: as it is written.
        registry: host, with port where there is one.
        full: with registry, path and tag as the nodes tell it.
        policy: imagePullPolicy, or what it is when none is written.
    """

    written: str
    registry: str
    full: str
    policy: str


def image_of(written: str, policy: str) -> Image:
    """Return an image as the container runtime understands its name.

    Args:
        written: name in the container.
        policy: imagePullPolicy, empty when none is written.
    """
    first, slash, rest = written.partition("/")
    has_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    registry, path = (first, rest) if has_host else (_DOCKER, written)
    if registry == _DOCKER and "/" not in path:
        path = f"library/{path}"
    tagged = "@" in path or ":" in path.rpartition("/")[2]
    full = f"{registry}/{path}" if tagged else f"{registry}/{path}:latest"
    return Image(written, registry, full, policy or ("Always" if full.endswith(":latest") else "IfNotPresent"))


def _images(obj: Raw) -> list[Image]:
    named = (c for c in containers(obj) if c.get("image"))
    found = {image_of(str(c["image"]), str(c.get("imagePullPolicy") or "")) for c in named}
    return sorted(found, key=lambda image: (image.written, image.policy))


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What green's nodes say that they hold."""

    nodes: int
    sure: bool
    held: dict[str, int]

    @classmethod
    def of(cls, wider: Wider) -> "_Shelf":
        lists = [(node.get("status") or {}).get("images") or [] for node in wider.green.nodes()]
        held: dict[str, int] = {}
        for images in lists:
            for name in {str(name) for image in images for name in image.get("names") or ()}:
                held[name] = held.get(name, 0) + 1
        sure = bool(lists) and all(0 < len(images) < _TOLD_AT_MOST for images in lists)
        return cls(len(lists), sure, held)

    def everywhere(self, image: Image) -> bool:
        return bool(self.nodes) and self.held.get(image.full, 0) == self.nodes


def never_pulled(wider: Wider) -> Iterator[Finding]:
    """Find images that may not be pulled and that not every node of green holds."""
    shelf = _Shelf.of(wider)
    for obj in wider.moved if shelf.nodes else ():
        for image in _images(obj):
            if image.policy == "Never" and not shelf.everywhere(image):
                count = shelf.held.get(image.full, 0)
                yield Finding(
                    "image-never-pulled",
                    Severity.BLOCKER if shelf.sure and not count else Severity.WARNING,
                    str(ref_of(obj)),
                    f"{image.written} is never pulled (imagePullPolicy Never), and {count} of {shelf.nodes} nodes "
                    f"of the target say that they hold it{_doubt(shelf)}",
                    "load it on the target's nodes, or let it be pulled",
                )


def _doubt(shelf: _Shelf) -> str:
    return "" if shelf.sure else f" (a node tells {_TOLD_AT_MOST} images at most, so it may hold more)"


def local_registries(wider: Wider) -> Iterator[Finding]:
    """Find images of a registry that only blue has: a Service, a node's address, the node itself."""
    shelf, addresses = _Shelf.of(wider), _addresses(wider.blue.objects.get("Node", ()))
    for obj in wider.moved:
        for image in _images(obj):
            why = _local(image.registry, addresses)
            held = shelf.everywhere(image) and image.policy != "Always"
            if why and image.policy != "Never" and not held:
                yield Finding(
                    "image-registry-local",
                    Severity.WARNING,
                    str(ref_of(obj)),
                    f"{image.written} comes from {image.registry}, {why}; nodes of the target would not find it there",
                    f"copy it to a registry of both, and map it: transform.images: {{{image.registry}: <registry>}}",
                )


def _addresses(nodes: tuple[Raw, ...]) -> frozenset[str]:
    return frozenset(
        str(one.get("address")) for node in nodes for one in (node.get("status") or {}).get("addresses") or ()
    )


def _local(registry: str, addresses: frozenset[str]) -> str:
    """Return why a registry is a cluster's own, empty when it is not, as far as its name tells."""
    host = registry.rpartition(":")[0] if ":" in registry.rpartition("]")[2] else registry
    host = host.strip("[]")
    try:
        if ipaddress.ip_address(host).is_loopback:
            return "the node itself"
    except ValueError:
        pass
    if host == "localhost":
        return "the node itself"
    if host in addresses:
        return "the address of a node of blue"
    if host.endswith((".svc", ".svc.cluster.local", ".cluster.local")):
        return "a Service of blue"
    return "" if "." in host or ":" in host else "a name without a domain"


def pull_secrets(wider: Wider) -> Iterator[Finding]:
    """Find Secrets for pulling that are neither moved nor on green."""
    moved = {(str(o["metadata"].get("namespace")), str(o["metadata"]["name"])) for o in wider.moved if _is_secret(o)}
    for words, namespace, name in named_secrets(wider.moved):
        if (namespace, name) not in moved | wider.secrets:
            yield Finding(
                "pull-secret-missing",
                Severity.WARNING,
                words,
                f"it pulls images with Secret {namespace}/{name}, which is neither moved nor on the target; "
                "a kubelet pulls without it then",
                "create it on the target before the migration, or take the name out",
            )


def _is_secret(obj: Raw) -> bool:
    return bool(obj["kind"] == "Secret")


def failing_pulls(wider: Wider) -> Iterator[Finding]:
    """Find images, or registries of images, that green's kubelets failed to pull lately."""
    failed = [text for text in wider.failed if any(word in text for word in _PULL_WORDS)]
    told: set[str] = set()
    for obj in wider.moved if failed else ():
        for image in _images(obj):
            same = next((text for text in failed if _names(text, image)), "")
            near = next((text for text in failed if f'"{image.registry}/' in text), "")
            if same or (near and image.registry not in told):
                told |= set() if same else {image.registry}
                what = f"{image.written}" if same else f"another image of {image.registry} (as {image.written} is)"
                yield Finding(
                    "image-pull-failing",
                    Severity.WARNING,
                    str(ref_of(obj)),
                    f"the target failed to pull {what} within its last hour of events: {_cut(same or near)}",
                    "look at it with: kubectl get events -A --field-selector reason=Failed",
                )


def _names(text: str, image: Image) -> bool:
    return any(f'"{name}"' in text for name in (image.written, image.full))


def _cut(text: str, limit: int = 160) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def looked_at(wider: Wider) -> Iterator[Finding]:
    """Say what was looked at, and what was not."""
    shelf = _Shelf.of(wider)
    images = {image.full: image for obj in wider.moved for image in _images(obj)}
    if not images or not shelf.nodes:
        return
    held = sum(shelf.everywhere(image) for image in images.values())
    rest = sorted({image.registry for image in images.values() if not shelf.everywhere(image)})
    yield Finding(
        "images-looked-at",
        Severity.INFO,
        f"{len(images)} image{'' if len(images) == 1 else 's'}",
        f"{held} are on every node of the target already"
        + (
            f"; the others come from {', '.join(rest)}. Names, pull policies, pull Secrets and "
            if rest
            else "; names and "
        )
        + "failed pulls of the target were looked at; whether its nodes reach the registries, whether credentials are "
        "good, and for which processors images are built was not",
        "pull them once on a node of the target (crictl pull), or start the workloads there before traffic moves",
    )
