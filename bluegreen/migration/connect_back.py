"""The live parts of a way back: what opens is used, what does not open keeps nothing else from blue.

Who goes back is in a hurry and wants every route that can be had. It must never make blue look better than it is: a
probe that does not open is one that sees nothing (law 4), and is not left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bluegreen.config.models import Migration
from bluegreen.config.models import Probe as Named
from bluegreen.migration.connect import open_probe, open_router
from bluegreen.migration.look import chosen
from bluegreen.model.errors import BluegreenError, InvalidInputError, clean_text
from bluegreen.model.ports import Probe, TrafficRouter
from bluegreen.model.refs import Side
from bluegreen.model.samples import Broken, Sample


@dataclass(slots=True)
class Blind:
    """A probe that could not be opened; it says so of both sides.

    Attributes:
        name: name of the probe.
        reason: why it could not.
    """

    name: str
    reason: str
    synthetic: bool = True
    users: bool = False

    def sample(self, side: Side) -> Sample:  # noqa: ARG002 - it sees neither
        """Return that nothing can be seen."""
        return Broken(self.reason)

    def close(self) -> None:
        """Release nothing."""


@dataclass(frozen=True, slots=True)
class Back:
    """What a way back works with.

    Attributes:
        routers: the routes that were opened; none was asked anything yet.
        left: why each other one was not, by its name.
        probes: every probe of the configuration, blind where it could not be opened.
    """

    routers: tuple[TrafficRouter, ...]
    left: Mapping[str, str]
    probes: Mapping[str, Probe]


def connect_back(config: Migration, names: Sequence[str]) -> Back:
    """Open the routes that shall go back and every probe; other routes are not touched.

    Args:
        config: the configuration.
        names: routes, all of them when empty.

    Raises:
        InvalidInputError: a name that no route has, or no route could be opened; all reasons.
    """
    routers, left = [], dict[str, str]()
    for route in chosen(config, names):
        try:
            routers.append(open_router(route, config))
        except Exception as error:  # noqa: BLE001 - a fault of one adapter must not keep the other routes on green
            left[route.name] = _words(error)
    if left and not routers:
        raise InvalidInputError("preflight.refused", "opening the routes", tuple(left.values()))
    return Back(tuple(routers), left, {probe.name: _probe(probe, config) for probe in config.probes})


def _probe(probe: Named, config: Migration) -> Probe:
    """Open a probe, or put a blind one into its place."""
    try:
        return open_probe(probe, config)
    except Exception as error:  # noqa: BLE001 - whatever a third party's probe raises, the routes must go back
        return Blind(probe.name, _words(error))


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, BluegreenError) else clean_text(f"{type(error).__name__}: {error}")
