"""Which resources a cluster serves, each once and in its preferred version.

Aggregated discovery answers in two requests; servers without it are walked group by group. It never reads objects.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bluegreen.kube.calls import JSON, Call
from bluegreen.kube.http import Transport
from bluegreen.kube.paths import group_path, resource_of
from bluegreen.model.errors import NotFoundError, TransientError
from bluegreen.model.ports import ApiResource

_AGGREGATED = ",".join(
    [f"{JSON};g=apidiscovery.k8s.io;v={v};as=APIGroupDiscoveryList" for v in ("v2", "v2beta1")] + [JSON]
)
NEEDED_VERBS = frozenset({"list", "get", "create", "delete"})
# The same stored objects under two groups: (group, plural) is left out when the other group serves them.
SERVED_TWICE = {
    ("", "events"): "events.k8s.io",
    ("extensions", "ingresses"): "networking.k8s.io",
    ("extensions", "networkpolicies"): "networking.k8s.io",
    ("extensions", "daemonsets"): "apps",
    ("extensions", "deployments"): "apps",
    ("extensions", "replicasets"): "apps",
}


def discover(transport: Transport) -> tuple[ApiResource, ...]:
    """Return every resource whose objects can be listed, read, created and deleted, sorted.

    Raises:
        TransientError: the server, or an API behind it, does not answer.
    """
    found: dict[tuple[str, str], ApiResource] = {}
    for root in ("/api", "/apis"):
        for resource in _served(transport, root):
            # Versions come in the server's order of preference: the first that serves a resource is it.
            found.setdefault((_group(resource), resource.plural), resource)
    return tuple(sorted(_once(found), key=lambda r: (_group(r), r.plural)))


def _once(found: dict[tuple[str, str], ApiResource]) -> Iterator[ApiResource]:
    for (group, plural), resource in found.items():
        twin = SERVED_TWICE.get((group, plural))
        if resource.verbs >= NEEDED_VERBS and not (twin is not None and (twin, plural) in found):
            yield resource


def _group(resource: ApiResource) -> str:
    return resource.api_version.rpartition("/")[0]


def _served(transport: Transport, root: str) -> Iterator[ApiResource]:
    answer = transport.send(Call("GET", root, "discovering what is served", "get", accept=_AGGREGATED))
    match answer.get("kind"):
        case "APIGroupDiscoveryList":
            yield from _from_aggregated(answer)
        case "APIVersions":
            for version in answer.get("versions") or []:
                yield from _from_list(transport, version)
        case _:
            for version in _preferred_first(answer):
                yield from _from_list(transport, version)


def _from_aggregated(answer: dict[str, Any]) -> Iterator[ApiResource]:
    for group in answer.get("items") or []:
        name = (group.get("metadata") or {}).get("name", "")
        for version in group.get("versions") or []:
            api_version = f"{name}/{version['version']}" if name else str(version["version"])
            for entry in version.get("resources") or []:
                # A resource without a kind of its own is only there for its subresources.
                if (entry.get("responseKind") or {}).get("kind"):
                    yield ApiResource(
                        api_version=api_version,
                        kind=str(entry["responseKind"]["kind"]),
                        plural=str(entry["resource"]),
                        namespaced=entry.get("scope") == "Namespaced",
                        verbs=frozenset(entry.get("verbs") or ()),
                        subresources=frozenset(str(s["subresource"]) for s in entry.get("subresources") or ()),
                    )


def _preferred_first(groups: dict[str, Any]) -> Iterator[str]:
    for group in groups.get("groups") or []:
        preferred = (group.get("preferredVersion") or {}).get("groupVersion")
        versions = [str(version["groupVersion"]) for version in group.get("versions") or []]
        yield from sorted(versions, key=lambda version: version != preferred)


def _from_list(transport: Transport, api_version: str) -> Iterator[ApiResource]:
    call = Call("GET", group_path(api_version), f"discovering what {api_version} serves", "get")
    try:
        listing = transport.send(call)
    except NotFoundError:
        return
    except TransientError as error:
        # A dead API service must be named: its objects would silently be left out.
        error.next_step = f"kubectl get apiservice | grep False; the API service of {api_version} does not answer"
        raise
    entries = listing.get("resources") or []
    for entry in entries:
        if "/" not in entry["name"]:
            yield replace(resource_of(api_version, entry), subresources=_below(str(entry["name"]), entries))


def _below(plural: str, entries: list[dict[str, Any]]) -> frozenset[str]:
    """Return the subresources of a resource; a plain list holds them as entries named plural/subresource."""
    names = (str(entry["name"]).partition("/") for entry in entries)
    return frozenset(sub for name, _, sub in names if name == plural and sub)
