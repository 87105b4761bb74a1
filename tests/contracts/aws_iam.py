"""A small judge of IAM policies: whether a document lets somebody make a call. It knows what our policies use, no more.

What it does not know (NotAction, Deny, other operators) it refuses, so that a policy never passes by being unread.
"""

import json
from dataclasses import dataclass, field
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Call:
    """One call: action, ARNs of what it touches, and the values of condition keys."""

    action: str
    resources: tuple[str, ...]
    context: dict[str, tuple[str, ...]] = field(default_factory=dict)


def filled(policy, **values: str):
    """Return a policy with its words in capitals filled in."""
    text = json.dumps(policy)
    for word, value in values.items():
        assert word in text, f"the policy has no {word}"
        text = text.replace(word, value)
    return json.loads(text)


def allows(policy, call: Call) -> bool:
    return any(_lets(statement, call) for statement in policy["Statement"])


def actions(policy) -> set[str]:
    return {action for statement in policy["Statement"] for action in statement["Action"]}


def _lets(statement, call: Call) -> bool:
    assert set(statement) <= {"Sid", "Effect", "Action", "Resource", "Condition"}, statement
    assert statement["Effect"] == "Allow"
    return (
        call.action in statement["Action"]
        and all(any(fnmatchcase(arn, pattern) for pattern in statement["Resource"]) for arn in call.resources)
        and all(_holds(operator, keys, call) for operator, keys in statement.get("Condition", {}).items())
    )


def _holds(operator: str, keys, call: Call) -> bool:
    assert operator == "ForAllValues:StringEquals", operator
    return all(set(call.context.get(key, ())) <= set(wanted) for key, wanted in keys.items())
