"""Frees one object from what only blue can mean, rule by rule, and says what was removed and why.

Pure: the same object and context give the same answer, the input is never changed, and cleaning what is clean changes
nothing more.
"""

from collections.abc import Callable, Iterator
from typing import assert_never

import msgspec

from bluegreen.exporter.catalogue import BoundRule, rules_for
from bluegreen.exporter.conditions import CleanContext, group_kind
from bluegreen.exporter.paths import find, strip, strip_one
from bluegreen.exporter.procedures import PROCEDURES
from bluegreen.exporter.rules import Action, Removal, Rule
from bluegreen.model.ports import Raw


class Cleaned(msgspec.Struct, frozen=True):
    """What cleaning made of an object.

    Attributes:
        obj: the cleaned copy, None when the object is left out.
        removals: what was done, in the order of the rules.
    """

    obj: Raw | None
    removals: tuple[Removal, ...]


def copy_json(obj: Raw) -> Raw:
    """Return a deep copy of JSON data (through the C encoder, several times as fast as copy.deepcopy)."""
    copied: Raw = msgspec.json.decode(msgspec.json.encode(obj))
    return copied


def clean(obj: Raw, context: CleanContext, again: Callable[[], Raw] | None = None) -> Cleaned:
    """Return what is left of an object for another cluster.

    Args:
        obj: raw object as the API serves it, or a manifest; not changed.
        context: what must be known beside the object.
        again: makes the same object once more, where that is quicker than a copy.
    """
    rules = rules_for(group_kind(obj))
    for bound in rules.leave_out:
        if bound.test(obj, context):
            return Cleaned(None, (bound.removal,))
    copy = again() if again else copy_json(obj)
    removals: list[Removal] = []
    for bound in rules.worth_trying(obj):
        if not bound.test(obj, context):
            continue
        if bound.place and bound.rule.action is Action.STRIP:
            if strip_one(copy, bound.lead):
                removals.append(bound.removal)
        else:
            removals += _carry_out(bound, obj, copy, context)
    return Cleaned(copy, tuple(removals))


def _carry_out(bound: BoundRule, obj: Raw, copy: Raw, context: CleanContext) -> Iterator[Removal]:
    rule = bound.rule
    match rule.action:
        case Action.KEEP | Action.REPORT if bound.place:
            yield bound.removal
        case Action.STRIP:
            yield from (_removal(rule, path, "") for path in strip(copy, bound.steps))
        case Action.KEEP | Action.REPORT:
            yield from (_removal(rule, match.path, "") for match in find(obj, bound.steps))
        case Action.REWRITE:
            yield from (_removal(rule, path, why) for path, why in PROCEDURES[rule.id](obj, copy, context))
        case Action.LEAVE_OUT:
            raise AssertionError("objects were left out before")
        case _:
            assert_never(rule.action)


def _removal(rule: Rule, path: str, why: str) -> Removal:
    """Return what was done, as one value for all objects that it happened to: most lose the same few fields."""
    key = (rule.id, path, why)
    found = _shared.get(key)
    if found is None:
        found = Removal(rule.id, rule.action, path, why or rule.reason)
        if len(_shared) < _MOST_SHARED:
            _shared[key] = found
    return found


_shared: dict[tuple[str, str, str], Removal] = {}
_MOST_SHARED = 65_536
