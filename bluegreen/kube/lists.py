"""Paged lists that survive a compacted continue token without repeating an object.

Pages are streamed, so ten thousand objects never stand in memory at once; only their UIDs do.
"""

from collections.abc import Iterator

from bluegreen.kube.calls import Call
from bluegreen.kube.http import Transport
from bluegreen.kube.paths import collection_path
from bluegreen.model.errors import RefusedError, TransientError
from bluegreen.model.ports import ApiResource, Raw

PAGE = 500
"""Objects of the first page, as kubectl asks for."""
LARGEST_PAGE, _PAGE_BYTES = 2000, 2 * 1024 * 1024
"""Later pages have more where objects are so small that more fit into these bytes: each page costs a wait."""
RESTARTS = 5


def list_objects(transport: Transport, resource: ApiResource, namespace: str, selector: str) -> Iterator[Raw]:
    """Yield the objects of a resource, apiVersion and kind filled in.

    Args:
        transport: cluster to read.
        resource: what to list.
        namespace: one namespace, empty for all.
        selector: label selector, empty for all.

    Raises:
        TransientError: the server could not be read to the end, or dropped the list again and again.
    """
    seen: set[str] = set()
    for _ in range(RESTARTS):
        try:
            yield from _one_pass(transport, _call(resource, namespace, selector), resource, seen)
        except RefusedError as error:
            # 410: the snapshot behind the continue token is gone; start over and skip what was handed out.
            if error.code != "kube.gone":
                raise
        else:
            return
    what = f"listing {resource.plural} in {transport.where}"
    raise TransientError("kube.list-expired", what, f"the list expired {RESTARTS} times before its end")


def _call(resource: ApiResource, namespace: str, selector: str) -> Call:
    where = f" in namespace {namespace}" if namespace else ""
    return Call(
        "GET",
        collection_path(resource, namespace),
        f"listing {resource.plural}{where}",
        "list",
        query={"limit": str(PAGE)} | ({"labelSelector": selector} if selector else {}),
        secret=resource.kind == "Secret",
    )


def _one_pass(transport: Transport, first: Call, resource: ApiResource, seen: set[str]) -> Iterator[Raw]:
    query = first.query
    while True:
        call = Call("GET", first.path, first.what, first.verb, query=query, secret=first.secret)
        page, size = transport.measured(call)
        items = page.get("items") or []
        for item in items:
            meta = item.get("metadata") or {}
            uid = str(meta.get("uid") or f"{meta.get('namespace')}/{meta.get('name')}")
            if uid not in seen:
                seen.add(uid)
                item["apiVersion"], item["kind"] = resource.api_version, resource.kind
                yield item
        token = (page.get("metadata") or {}).get("continue") or ""
        if not token:
            return
        fitting = _PAGE_BYTES * len(items) // max(size, 1)
        query = {**first.query, "limit": str(min(max(fitting, PAGE), LARGEST_PAGE)), "continue": token}
