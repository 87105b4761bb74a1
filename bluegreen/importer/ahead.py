"""Lists of green that are read while blue is still being read and cleaned, so that nobody waits for them afterwards.

It only reads, and only saves time: a list that fails is no news here, since who needs it asks again and hears why.
"""

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from bluegreen.model.errors import BluegreenError
from bluegreen.model.ports import ApiResource, Cluster, Raw

Place = tuple[str, str, str]


class ListsAhead:
    """Lists under way, as a context manager that leaves none of them running.

    Args:
        cluster: green.
        places: what to list, and in which namespaces.
        workers: lists read at a time.
    """

    def __init__(self, cluster: Cluster, places: Iterable[tuple[ApiResource, str]], workers: int = 4) -> None:
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="ahead")
        self._lists: dict[Place, Future[list[Raw]]] = {
            (resource.api_version, resource.kind, namespace): self._pool.submit(_list, cluster, resource, namespace)
            for resource, namespace in places
        }

    def take(self, resource: ApiResource, namespace: str) -> list[Raw] | None:
        """Return the objects of a kind in a namespace once they are read; None when they were not asked for or failed.

        They are handed out once: a later look shall see what is there then.
        """
        found = self._lists.pop((resource.api_version, resource.kind, namespace), None)
        try:
            return found.result() if found else None
        except BluegreenError:
            return None

    def __enter__(self) -> Self:
        """Return the lists."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give up what has not begun, and wait for the rest."""
        self._pool.shutdown(cancel_futures=True)


def _list(cluster: Cluster, resource: ApiResource, namespace: str) -> list[Raw]:
    return list(cluster.list(resource, namespace))
