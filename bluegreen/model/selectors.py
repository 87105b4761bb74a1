"""Label selectors as kubectl writes them, run on this side: all objects are needed to follow what the chosen ones use.

Pure; it must answer as the API server's own selector would.
"""

import re
from collections.abc import Callable, Mapping

from bluegreen.model.errors import InvalidInputError

Matches = Callable[[Mapping[str, str]], bool]

_KEY = r"[A-Za-z0-9](?:[\w./-]*[A-Za-z0-9])?"
_SET = re.compile(rf"\s*({_KEY})\s+(in|notin)\s*\(([^()]*)\)\s*\Z")
_EQUAL = re.compile(rf"\s*({_KEY})\s*(==|=|!=)\s*([\w.-]*)\s*\Z")
_EXISTS = re.compile(rf"\s*(!?)\s*({_KEY})\s*\Z")
_COMMA = re.compile(r",(?![^()]*\))")


def parse_selector(text: str) -> Matches:
    """Return the test that a label selector stands for; an empty one matches everything.

    Args:
        text: such as app=shop,tier!=test,env in (a, b),!legacy.

    Raises:
        InvalidInputError: parts that cannot be read, all of them.
    """
    parts = _COMMA.split(text) if text.strip() else []
    tests = [(part, _requirement(part)) for part in parts]
    bad = tuple(f"cannot read {part.strip()!r}" for part, test in tests if test is None)
    if bad:
        raise InvalidInputError("selector.unreadable", f"reading the label selector {text!r}", bad, "kubectl get -l …")
    wanted = [test for _, test in tests if test is not None]
    return lambda labels: all(test(labels) for test in wanted)


def _requirement(text: str) -> Matches | None:
    if found := _SET.match(text):
        key, operator, values = found.groups()
        listed = frozenset(value.strip() for value in values.split(","))
        return lambda labels: (labels.get(key) in listed) if operator == "in" else (labels.get(key) not in listed)
    if found := _EQUAL.match(text):
        key, operator, value = found.groups()
        return lambda labels: (labels.get(key) != value) if operator == "!=" else (labels.get(key) == value)
    if found := _EXISTS.match(text):
        absent, key = found.groups()
        return lambda labels: (key not in labels) if absent else (key in labels)
    return None
