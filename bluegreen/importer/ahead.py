"""Lists of green that are read while blue is still being read and cleaned, so that nobody waits for them afterwards.

It only reads, and only saves time: a list that fails is no news here, since who needs it asks again and hears why.
"""

import contextlib
import functools
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self

from bluegreen.model.errors import BluegreenError
from bluegreen.model.ports import ApiResource, Cluster, Raw

Place = tuple[str, str, str]
_Job = tuple[Future[list[Raw]], Callable[[], list[Raw]]]


def begin(work: Callable[[], None]) -> threading.Thread:
    """Begin to read in a thread that an ending process does not wait for, as it would for a pool's."""
    thread = threading.Thread(target=work, name="ahead", daemon=True)
    thread.start()
    return thread


class ListsAhead:
    """Lists under way, as a context manager that leaves none of them running; a process that ends waits for none.

    Args:
        cluster: green.
        places: what to list, and in which namespaces.
        workers: lists read at a time.
    """

    def __init__(self, cluster: Cluster, places: Iterable[tuple[ApiResource, str]], workers: int = 4) -> None:
        self._lists: dict[Place, Future[list[Raw]]] = {}
        self._todo: SimpleQueue[_Job] = SimpleQueue()
        for resource, namespace in places:
            place = (resource.api_version, resource.kind, namespace)
            if place not in self._lists:
                self._lists[place] = Future()
                self._todo.put((self._lists[place], functools.partial(_list, cluster, resource, namespace)))
        self._threads = [begin(self._work) for _ in range(min(workers, len(self._lists)))]

    def _work(self) -> None:
        with contextlib.suppress(Empty):
            while job := self._todo.get_nowait():
                found, read = job
                try:
                    found.set_result(read())
                except BaseException as error:  # noqa: BLE001 - it is raised where the list is asked for
                    found.set_exception(error)

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
        with contextlib.suppress(Empty):
            while True:
                self._todo.get_nowait()[0].cancel()
        for thread in self._threads:
            thread.join()


def _list(cluster: Cluster, resource: ApiResource, namespace: str) -> list[Raw]:
    return list(cluster.list(resource, namespace))
