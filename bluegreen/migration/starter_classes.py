"""Which class of green takes the place of a class of blue that green has not. Pure.

A guess is made only where one answer stands out, and is told with its reason; else it is left to a person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bluegreen.assess.landscape import Class


@dataclass(frozen=True, slots=True)
class Proposal:
    """One entry of a transform.

    Attributes:
        source: name on blue.
        target: name on green, empty where a person must choose.
        why: the reason, in words.
    """

    source: str
    target: str
    why: str


def propose(used: Sequence[str], blue: Mapping[str, Class], green: Mapping[str, Class]) -> tuple[Proposal, ...]:
    """Return an entry for each class that is used on blue and is not on green.

    Args:
        used: names that objects on blue use.
        blue: classes of blue.
        green: classes of green.
    """
    return tuple(_propose(name, blue.get(name), green) for name in used if name not in green)


def _propose(name: str, source: Class | None, green: Mapping[str, Class]) -> Proposal:
    there = f"green has no {name}; it has {', '.join(sorted(green)) or 'none at all'}"
    same = sorted(one for one, kind in green.items() if source and kind.driver and kind.driver == source.driver)
    default = sorted(one for one, kind in green.items() if kind.default)
    for found, why in (
        (same, f"the only one there by {source.driver if source else ''}, as on blue"),
        (default, "green's default"),
        (sorted(green), "the only one there"),
    ):
        if len(found) == 1:
            return Proposal(name, found[0], f"{there}; {found[0]} is {why}")
    return Proposal(name, "", f"{there}; choose one, or create {name} there")
