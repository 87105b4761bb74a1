"""Routes, probes and objectives that a first configuration proposes, as data with the reason of each. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bluegreen.assess.entrances import Entrance, Exposed
from bluegreen.assess.landscape import Landscape
from bluegreen.migration import starter_places as places
from bluegreen.migration.starter_text import TODO, Value

MOST_PROBES = 6
# So short that a prefix, a number and a suffix still make a DNS label of it.
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Hints:
    """What a person told beforehand.

    Attributes:
        socket: runtime socket of the HAProxy in front of both, empty when not told.
        backend: its backend, empty when not told.
    """

    socket: str = ""
    backend: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A route or probe.

    Attributes:
        name: name in the file.
        adapter: router or probe.
        settings: its settings.
        why: one comment each.
    """

    name: str
    adapter: str
    settings: dict[str, Value]
    why: tuple[str, ...]


@dataclass(slots=True)
class _Names:
    """Gives names that are DNS labels and not taken."""

    taken: set[str] = field(default_factory=set)

    def give(self, text: str) -> str:
        label = re.sub(r"[^a-z0-9]+", "-", text.lower())[:_LONGEST].strip("-") or "x"
        name, number = label, 2
        while name in self.taken:
            name, number = f"{label}-{number}", number + 1
        self.taken.add(name)
        return name


def routes(land: Landscape, hints: Hints) -> tuple[Part, ...]:
    """Return a route for each namespace that users reach, one for all where one backend was told."""
    reached = sorted({one.namespace for one in land.entrances} | {one.namespace for one in land.exposed})
    wanted = reached[:1] if hints.backend else reached
    names = _Names()
    return tuple(_route(namespace, names.give(namespace), land, hints) for namespace in wanted or land.namespaces[:1])


def _route(namespace: str, name: str, land: Landscape, hints: Hints) -> Part:
    hosts = [one for one in land.entrances if one.namespace == namespace or hints.backend]
    opened = [one for one in land.exposed if one.namespace == namespace or hints.backend]
    words = [f"{one.host or 'any host'} of {one.via}" for one in hosts] + [f"{one} ({one.kind})" for one in opened]
    why = f"Users reach this by {some(words)}." if words else f"Nothing open to the outside was found in {namespace}."
    settings: dict[str, Value] = {
        "socket": hints.socket or TODO,
        "backend": hints.backend or TODO,
        "blue": "blue",
        "green": "green",
    }
    return Part(name, "haproxy", settings, (why,))


def some(words: Sequence[str], most: int = 5) -> str:
    """Return the first of some words and how many more there are."""
    return ", ".join(words[:most]) + (f", and {len(words) - most} more" if len(words) > most else "")


def users(proposed: Sequence[Part]) -> tuple[Part, ...]:
    """Return a probe of each route's own counters."""
    alone = len(proposed) == 1
    return tuple(
        Part("users" if alone else f"users-{route.name}", "haproxy", dict(route.settings), ()) for route in proposed
    )


def own_requests(land: Landscape) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """Return probes that see both sides without users, and in words what was left out beyond the first few."""
    names, covered = _Names({"users"}), {(one.namespace, one.service) for one in land.entrances}
    found = [*_of_entrances(land, names), *_of_services(land, covered, names)] or [_of_pods(land, names)]
    return tuple(found[:MOST_PROBES]), tuple(part.name for part in found[MOST_PROBES:])


def _of_entrances(land: Landscape, names: _Names) -> Iterator[Part]:
    for one in land.entrances:
        place = places.of_entrance(one, land)
        settings: dict[str, Value] = {side: _url(at, one.path, tls=place.tls) for side, at in _sides(place)}
        if one.host:
            settings["send"] = {"Host": TODO if one.host.startswith("*") else one.host}
        yield Part(names.give(f"web-{one.host or one.namespace}"), "http", _trusting(settings, place), _why(one, place))


def _why(one: Entrance, place: places.Places) -> tuple[str, ...]:
    notes = [f"{one.host or 'any host'} of {one.via}; {place.why}."]
    if one.host.startswith("*"):
        notes.append("The host is a wildcard: write one name that is served.")
    if place.tls:
        notes.append("Each side is asked by its address, so its certificate cannot be checked: verify is false.")
    return tuple(notes)


def _of_services(land: Landscape, covered: set[tuple[str, str]], names: _Names) -> Iterator[Part]:
    for one in land.exposed:
        if (one.namespace, one.name) not in covered and one.ports:
            yield _of_service(one, places.of_service(one, land), names)


def _of_service(one: Exposed, place: places.Places, names: _Names) -> Part:
    name = names.give(f"web-{one.name}" if place.http else f"tcp-{one.name}")
    if not place.http:
        return Part(
            name, "tcp", dict(_sides(place)), (f"{place.why}.", "It is only seen whether the port takes connections.")
        )
    settings: dict[str, Value] = {side: _url(at, "/", tls=place.tls) for side, at in _sides(place)}
    return Part(name, "http", _trusting(settings, place), (f"{place.why}.",))


def _of_pods(land: Landscape, names: _Names) -> Part:
    """Return the probe that is left where nothing open can be asked."""
    why = (
        "Nothing open was found that could be asked, so the pods of both sides are looked at: users' counters know "
        "nothing of a blue that has no users, and nothing goes back onto a blue that is not known to be healthy. "
        "Better is a probe of http that asks both sides for a page."
    )
    return Part(names.give("pods"), "kubernetes", {"namespaces": land.namespaces}, (why,))


def _sides(place: places.Places) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("blue", place.blue), ("green", place.green)


def _url(at: str, path: str, *, tls: bool) -> str:
    return TODO if at == TODO else f"{'https' if tls else 'http'}://{at}{path}"


def _trusting(settings: dict[str, Value], place: places.Places) -> dict[str, Value]:
    return settings | ({"verify": False} if place.tls else {})
