"""An HTTPRoute as values: which backendRefs are the sides', their shares, and the same rules with other shares.

Pure. It must never guess which backend is meant, nor leave a rule in doubt: where users of the route would go to
anything but the two sides in the asked shares, it says so and how to mend it.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bluegreen.model.ports import Raw, Weights
from bluegreen.model.refs import Side
from bluegreen_adapters.shares import percent

API_VERSION = "gateway.networking.k8s.io/v1"
KIND = "HTTPRoute"
DEFAULT_WEIGHT = 1

Operation = Mapping[str, Any]
Chosen = Sequence[int | str]


class UnfitRouteError(Exception):
    """The route is not one whose two shares could be moved.

    Attributes:
        code: code of the error that people see.
        why: the reason.
        patch: JSON patch that would mend it; a person decides that.
    """

    def __init__(self, code: str, why: str, *patch: Operation) -> None:
        super().__init__(code)
        self.code, self.why, self.patch = code, why, patch


@dataclass(frozen=True, slots=True)
class Backend:
    """What a backendRef must refer to.

    Attributes:
        name: name of the object.
        namespace: its namespace; empty for the route's.
        kind: its kind, such as Service or ServiceImport.
        group: API group of the kind; empty for the core group.
        port: port; None for whichever the one backendRef has.
    """

    name: str
    namespace: str = ""
    kind: str = "Service"
    group: str = ""
    port: int | None = None

    def is_meant_by(self, ref: Mapping[str, Any], home: str) -> bool:
        """Return whether a backendRef of a route in the namespace `home` refers to it."""
        there = (ref.get("group", ""), ref.get("kind", "Service"), ref.get("namespace") or home, ref["name"])
        here = (self.group, self.kind, self.namespace or home, self.name)
        return there == here and self.port in {None, ref.get("port")}

    def __str__(self) -> str:
        port = f":{self.port}" if self.port is not None else ""
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {where}{self.name}{port}"


@dataclass(frozen=True, slots=True)
class Split:
    """Where the two sides stand in one rule, and with what weights.

    Attributes:
        rule: index of the rule.
        places: index of each side's backendRef.
        weights: raw weight of each side.
    """

    rule: int
    places: Mapping[Side, int]
    weights: Mapping[Side, int]

    def __str__(self) -> str:
        return f"rule {self.rule} has {self.weights[Side.BLUE]}/{self.weights[Side.GREEN]}"


def weight_of(ref: Mapping[str, Any]) -> int:
    """Return the weight of a backendRef; one that has none counts 1."""
    return int(ref.get("weight", DEFAULT_WEIGHT))


def splits(route: Raw, backends: Mapping[Side, Backend], chosen: Chosen = ()) -> tuple[Split, ...]:
    """Return every rule whose shares are moved.

    Args:
        route: the HTTPRoute.
        backends: what each side's backendRef refers to.
        chosen: index or name of each rule; empty for every rule that has both sides.

    Raises:
        UnfitRouteError: a rule cannot be split, or there is none.
    """
    home, rules = route["metadata"]["namespace"], route["spec"].get("rules") or []
    if chosen:
        return tuple(
            _split(n, rules[n], _places(n, rules[n], backends, home), backends) for n in _numbers(rules, chosen)
        )
    placed = [(n, rule, _places(n, rule, backends, home)) for n, rule in enumerate(rules)]
    found = [_split(n, rule, places, backends) for n, rule, places in placed if not _is_elsewhere(rule, places)]
    if not found:
        told = f"no rule has both {backends[Side.BLUE]} and {backends[Side.GREEN]}; there are: {_told(rules)}"
        raise UnfitRouteError("gateway.no-backends", told)
    return tuple(found)


def shares(found: Sequence[Split]) -> Mapping[Side, int]:
    """Return the raw weights that all the rules agree in, be it on different scales.

    Raises:
        UnfitRouteError: nobody is served in a rule, or the rules differ.
    """
    for split in found:
        if not sum(split.weights.values()):
            raise UnfitRouteError("gateway.serves-nothing", f"{split}: nobody is served", *_all_blue([split]))
    first = found[0].weights
    if any(s.weights[side] * first[side.other] != s.weights[side.other] * first[side] for s in found for side in Side):
        told = "; ".join(str(split) for split in found)
        raise UnfitRouteError("gateway.rules-differ", f"the rules have different shares: {told}", *_all_blue(found))
    return first


def served(found: Sequence[Split]) -> Weights:
    """Return the shares in whole per cent.

    Raises:
        UnfitRouteError: see shares.
    """
    now = percent(shares(found))
    if now is None:
        raise AssertionError("shares has refused 0/0")
    return now


def with_weights(route: Raw, found: Iterable[Split], to: Weights) -> list[Raw]:
    """Return the route's rules with those weights, everything else as it is."""
    rules: list[Raw] = copy.deepcopy(route["spec"]["rules"])
    for split in found:
        for side, place in split.places.items():
            rules[split.rule]["backendRefs"][place]["weight"] = to.of(side)
    return rules


def _numbers(rules: Sequence[Raw], chosen: Chosen) -> list[int]:
    """Return the index of each chosen rule, in order."""
    names = {rule["name"]: number for number, rule in enumerate(rules) if rule.get("name")}
    known = {**{number: number for number in range(len(rules))}, **names}
    missing = [str(key) for key in chosen if key not in known]
    if missing:
        has = f"the route has rules 0 to {len(rules) - 1}" + (f", named {', '.join(names)}" if names else "")
        raise UnfitRouteError("gateway.no-rule", f"no rule {', '.join(missing)}; {has}")
    return sorted({known[key] for key in chosen})


def _places(number: int, rule: Raw, backends: Mapping[Side, Backend], home: str) -> dict[Side, int]:
    """Return where each side stands in a rule."""
    refs, places = rule.get("backendRefs") or [], {}
    for side, backend in backends.items():
        meant = [index for index, ref in enumerate(refs) if backend.is_meant_by(ref, home)]
        if len(meant) > 1:
            why = f"rule {number} has {backend} {len(meant)} times; set the port of {side}, or make it one"
            raise UnfitRouteError("gateway.ambiguous", why)
        if meant:
            places[side] = meant[0]
    return places


def _is_elsewhere(rule: Raw, places: Mapping[Side, int]) -> bool:
    """Return whether a rule is none of ours; one that sends to blue only is: it would stay there at 100 % green."""
    only_blue = Side.BLUE in places and Side.GREEN not in places
    return len(places) < len(Side) and not (only_blue and weight_of(rule["backendRefs"][places[Side.BLUE]]))


def _split(number: int, rule: Raw, places: Mapping[Side, int], backends: Mapping[Side, Backend]) -> Split:
    refs = rule.get("backendRefs") or []
    for side in Side:
        if side not in places:
            raise _without(number, refs, side, places, backends)
    others = [i for i, ref in enumerate(refs) if i not in places.values() and weight_of(ref)]
    if others:
        names = ", ".join(f"{refs[i].get('kind', 'Service')} {refs[i]['name']} ({weight_of(refs[i])})" for i in others)
        zero = [_operation("add", number, f"{index}/weight", 0) for index in others]
        raise UnfitRouteError("gateway.other-backends", f"rule {number} also sends to {names}", *zero)
    return Split(number, places, {side: weight_of(refs[place]) for side, place in places.items()})


def _without(
    number: int, refs: Sequence[Raw], side: Side, places: Mapping[Side, int], backends: Mapping[Side, Backend]
) -> UnfitRouteError:
    """Return an error for a rule that has no backendRef of a side, with the one to add."""
    if side.other not in places:
        return UnfitRouteError("gateway.no-backends", f"rule {number} has neither side; it has: {_told_refs(refs)}")
    twin = refs[places[side.other]]
    backend = backends[side]
    given = {"group": backend.group, "kind": backend.kind, "name": backend.name, "namespace": backend.namespace}
    port = backend.port or twin.get("port")
    ref = {key: value for key, value in given.items() if value} | ({"port": port} if port else {}) | {"weight": 0}
    stays = f"rule {number} sends to {side.other} ({backends[side.other]}) and has no backendRef for {side} ({backend})"
    patch = _operation("add", number, "-", ref)
    return UnfitRouteError("gateway.half-rule", f"{stays}: it would stay where it is; or leave it out by rules", patch)


def _all_blue(found: Iterable[Split]) -> list[Operation]:
    hundred = Weights.for_green(0)
    return [
        _operation("add", split.rule, f"{split.places[side]}/weight", hundred.of(side))
        for split in found
        for side in Side
    ]


def _operation(op: str, rule: int, path: str, value: object) -> Operation:
    return {"op": op, "path": f"/spec/rules/{rule}/backendRefs/{path}", "value": value}


def _told(rules: Sequence[Raw]) -> str:
    return "; ".join(f"rule {n}: {_told_refs(rule.get('backendRefs') or [])}" for n, rule in enumerate(rules)) or "none"


def _told_refs(refs: Sequence[Raw]) -> str:
    parts = [f"{ref.get('kind', 'Service')} {ref['name']}:{ref.get('port', '-')}" for ref in refs]
    return ", ".join(parts) or "no backend"
