"""Green is opened, and what it has of a bundle is listed, while the bundle itself is still being read.

It only reads, and only saves time: that green cannot be opened is told when it is asked for, after all that is wrong
with the bundle. Its thread keeps nobody from ending. A cluster whose credentials come from a program is opened when it
is asked for and not before: nobody shall be asked for a password because of a bundle that cannot be used.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future

from bluegreen.importer.ahead import ListsAhead, begin
from bluegreen.importer.live import WORTH_A_LIST
from bluegreen.model.ports import ApiResource, Cluster


class EarlyTarget:
    """Green, opened in a thread of its own.

    Args:
        opening: opens it; where it imports something, the thread does.
        renamed: namespaces on blue to those on green.
        counts: waits until it is known how many objects there are by kind, in lower case, and namespace on blue, and
            returns it.
        at_once: whether to begin now; else it is opened where it is first asked for, and nothing is listed early.
    """

    def __init__(
        self,
        opening: Callable[[], Cluster],
        renamed: Mapping[str, str],
        counts: Callable[[], Mapping[tuple[str, str], int]],
        *,
        at_once: bool,
    ) -> None:
        self._opening = opening
        self._renamed = renamed
        self._counts = counts
        self._at_once = at_once
        self._green: Future[Cluster] = Future()
        self._resources: Future[tuple[ApiResource, ...]] = Future()
        self._lists: Future[ListsAhead | None] = Future()
        if at_once:
            begin(self._work)

    def _work(self) -> None:
        try:
            green = self._opening()
        except BaseException as error:  # noqa: BLE001 - it is raised where green is asked for
            self._green.set_exception(error)
            return
        self._green.set_result(green)
        try:
            self._resources.set_result(green.resources())
        except BaseException as error:  # noqa: BLE001 - it is raised where they are asked for
            self._resources.set_exception(error)
            self._lists.set_result(None)
            return
        lists = None
        try:
            with contextlib.suppress(RuntimeError):  # no thread begins any more where the process ends meanwhile
                lists = ListsAhead(green, self._places(self._resources.result()))
        finally:
            self._lists.set_result(lists)

    def _places(self, resources: Sequence[ApiResource]) -> Iterator[tuple[ApiResource, str]]:
        """Yield what an import will ask for: the quotas of the namespaces, and kinds of which there are many."""
        counts = self._counts()
        quotas = (r for r in resources if (r.api_version, r.kind) == ("v1", "ResourceQuota"))
        spaces = sorted({self._renamed.get(namespace, namespace) for _, namespace in counts})
        yield from ((resource, namespace) for resource in quotas for namespace in spaces)
        for (kind, namespace), number in counts.items():
            if number >= WORTH_A_LIST:
                alike = (r for r in resources if r.namespaced and r.kind.lower() == kind)
                yield from ((resource, self._renamed.get(namespace, namespace)) for resource in alike)

    def green(self) -> Cluster:
        """Return green once it is open.

        Raises:
            InvalidInputError: no context is named, or green cannot be reached.
        """
        if not self._at_once and not self._green.done():
            self._green.set_result(self._opening())
        return self._green.result()

    def resources(self) -> tuple[ApiResource, ...]:
        """Return what green serves; call it after `green`.

        Raises:
            TransientError, RefusedError: it does not say.
        """
        return self._resources.result() if self._at_once else self.green().resources()

    def lists(self) -> ListsAhead | None:
        """Return the lists that are under way; None where they could not be begun. Call it after `green`."""
        return self._lists.result() if self._at_once else None
