"""Label selectors as kubectl and objects write them, run on this side: all objects are needed to follow what they use.

Pure; it must answer as the API server's own selector would.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

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


def label_selector(selector: Mapping[str, Any]) -> Matches:
    """Return the test that a LabelSelector of an object stands for; an empty one matches everything.

    Args:
        selector: matchLabels and matchExpressions, either of which may be missing. An operator that Kubernetes does
            not have matches nothing: the server would have refused it.
    """
    wanted: Mapping[str, str] = selector.get("matchLabels") or {}
    tests = [_expression(one) for one in selector.get("matchExpressions") or ()]
    return lambda labels: wanted.items() <= labels.items() and all(test(labels) for test in tests)


def _expression(one: Mapping[str, Any]) -> Matches:
    key, values = str(one.get("key")), frozenset(one.get("values") or ())
    match one.get("operator"):
        case "In":
            return lambda labels: labels.get(key) in values
        case "NotIn":
            return lambda labels: labels.get(key) not in values
        case "Exists":
            return lambda labels: key in labels
        case "DoesNotExist":
            return lambda labels: key not in labels
        case _:
            return lambda _labels: False
