"""Opens both clusters and makes a first configuration from what they show; nothing is written anywhere."""

from dataclasses import dataclass
from importlib.metadata import entry_points

from bluegreen.assess.landscape import survey
from bluegreen.migration.scope import Scope, open_both
from bluegreen.migration.starter import Head, open_places, starter
from bluegreen.migration.starter_watch import Hints


@dataclass(frozen=True, slots=True)
class Started:
    """A first configuration.

    Attributes:
        text: the file.
        open_lines: lines, from 1, where something is still to be filled in.
        gaps: what could not be read, with the reason.
    """

    text: str
    open_lines: tuple[int, ...]
    gaps: tuple[str, ...]


def start(scope: Scope, kubeconfigs: dict[str, str], hints: Hints, day: str) -> Started:
    """Look at both clusters and propose a configuration.

    Args:
        scope: contexts, kubeconfig files and namespaces; without namespaces all that hold workloads.
        kubeconfigs: keys and paths of the kubeconfig files that were named, to be written down.
        hints: what a person told of the router.
        day: date, for the first line.

    Raises:
        InvalidInputError: a cluster cannot be opened, both are the same, or there is nothing to move.
    """
    blue, green = open_both(scope, named=False)
    land = survey(blue, green, scope.namespaces)
    text = starter(land, Head(day, kubeconfigs, _routers(), hints))
    return Started(text, open_places(text), land.gaps)


def _routers() -> tuple[str, ...]:
    return tuple(sorted({point.name for point in entry_points(group="bluegreen.routers")}))
