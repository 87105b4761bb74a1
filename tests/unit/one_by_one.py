"""Applies of many for a cluster that is no server: one after the other, each as the cluster's own apply does it."""

from collections.abc import Callable, Iterable, Iterator

from bluegreen.model.errors import BluegreenError
from bluegreen.model.ports import Application, Applied, Cluster


class OneByOne:
    """Gives a cluster `apply_each` where it has `apply`; what subclasses and wrappers change there counts here too."""

    def apply_each(
        self: Cluster,
        wanted: Iterable[Application],
        left: Callable[[], float | None] = lambda: None,
        *,
        dry_run: bool = False,
    ) -> Iterator[Applied]:
        things = enumerate(wanted)
        while left() != 0:
            number, one = next(things, (-1, None))
            if one is None:
                return
            try:
                yield number, self.apply(one.obj, force=one.force, dry_run=dry_run)
            except BluegreenError as error:
                yield number, error
