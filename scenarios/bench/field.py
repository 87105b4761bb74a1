"""The bench's own namespaces on both clusters: made, filled, and removed without a trace.

It must never touch a namespace whose name does not begin as the bench's do.
"""

import json
import time
from collections.abc import Iterable

from scenarios.bench import objects, wire
from scenarios.cluster import CONTEXTS, OLD, everywhere, get, kubectl, wait_established
from scenarios.lab.console import LabError, say
from scenarios.lab.layout import Cluster, cluster

PREFIX = "bench-"
MIXED, LARGE, TINY = PREFIX + "mixed", PREFIX + "large", PREFIX + "tiny"
SIZES = {MIXED: 3000, LARGE: 7000}
"""Namespaces with objects of all ten kinds."""
TINY_SIZE = 3000
GONE_SECONDS = 900
EVERY_SECONDS = 2.0


def prepare() -> None:
    """Remove what an earlier run left, and put all objects on blue.

    Raises:
        LabError: a cluster does not take them.
    """
    remove()
    everywhere(CONTEXTS, _define)
    make_namespaces(OLD, *SIZES, TINY)
    for namespace, count in SIZES.items():
        fill(cluster(OLD), namespace, objects.mixed(namespace, count))
    fill(cluster(OLD), TINY, objects.small(TINY, TINY_SIZE))


def _define(context: str) -> None:
    kubectl(context, "apply", "--server-side", "-f", "-", stdin=json.dumps(objects.definition()))
    wait_established(context, objects.DEFINITION_NAME)
    for _ in range(30):
        if objects.GROUP in kubectl(context, "api-resources", f"--api-group={objects.GROUP}", "-o", "name"):
            return
        time.sleep(1)
    raise LabError(f"{context}: {objects.DEFINITION_NAME} is not served")


def make_namespaces(context: str, *names: str) -> None:
    """Make empty namespaces."""
    items = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names]
    kubectl(context, "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))


def fill(where: Cluster, namespace: str, made: Iterable[objects.Raw]) -> None:
    """Create the objects of a namespace."""
    requests = [wire.creation(objects.collection(obj["kind"], namespace), obj) for obj in made]
    seconds = wire.send_all(where, requests)
    say(where.name, f"{len(requests)} objects in {namespace} in {seconds:.0f} s")


def collections(namespaces: Iterable[str]) -> list[str]:
    """Return the paths of everything in those namespaces."""
    return [objects.collection(kind, namespace) for namespace in namespaces for kind in objects.PLURALS]


def remove() -> None:
    """Remove every namespace of the bench and its definition from both clusters, and wait until they are gone."""
    everywhere(CONTEXTS, _remove)


def _remove(context: str) -> None:
    names = _left(context)
    if names:
        say(context, f"removing {', '.join(names)}")
        kubectl(context, "delete", "namespace", *names, "--wait=false", "--ignore-not-found")
    deadline = time.monotonic() + GONE_SECONDS
    while left := _left(context):
        if time.monotonic() > deadline:
            raise LabError(f"{context}: still there: {', '.join(left)}", hint=f"kubectl --context {context} get ns")
        time.sleep(EVERY_SECONDS)
    kubectl(context, "delete", "crd", objects.DEFINITION_NAME, "--ignore-not-found", "--timeout=60s")


def _left(context: str) -> list[str]:
    names = [item["metadata"]["name"] for item in get(context, "namespaces")["items"]]
    return [name for name in names if name.startswith(PREFIX)]
