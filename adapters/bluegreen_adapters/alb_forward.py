"""The forward action of a listener or rule: which target group has which weight, and the same with other weights. Pure.

Everything else of the actions is kept as it is: authentication before the forward, stickiness, groups without weight.
It must never guess: an action in another form is said to be one, and not changed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bluegreen.model.refs import Side

Action = Mapping[str, Any]
_OWNER, _GREEN = "owner", "green"


@dataclass(frozen=True, slots=True)
class Forward:
    """The actions of a listener or rule.

    Attributes:
        actions: all actions, as the API has them.
        groups: ARN of the target group of each side.
    """

    actions: Sequence[Action]
    groups: Mapping[Side, str]

    @property
    def _all(self) -> dict[str, int]:
        """Return the weight of each target group that is forwarded to."""
        action = next((one for one in self.actions if one["Type"] == "forward"), {})
        listed = action.get("ForwardConfig", {}).get("TargetGroups", ())
        if not listed and "TargetGroupArn" in action:
            return {action["TargetGroupArn"]: 1}
        return {one["TargetGroupArn"]: int(one.get("Weight", 1)) for one in listed}

    @property
    def weights(self) -> dict[Side, int]:
        """Return the weight of each side; a group that is not there has none."""
        return {side: self._all.get(arn, 0) for side, arn in self.groups.items()}

    @property
    def absent(self) -> tuple[Side, ...]:
        """Return the sides whose group is not in the action; the balancer does not check their targets' health."""
        return tuple(side for side, arn in self.groups.items() if arn not in self._all)

    @property
    def sticky_seconds(self) -> int:
        """Return for how long a client stays with its target group whatever the weights are, 0 for not at all."""
        action = next((one for one in self.actions if one["Type"] == "forward"), {})
        sticky = action.get("ForwardConfig", {}).get("TargetGroupStickinessConfig", {})
        return int(sticky.get("DurationSeconds", 0)) if sticky.get("Enabled") else 0

    def fault(self) -> tuple[str, str] | None:
        """Return why this says no weights of ours and what to do, None when it does."""
        if not any(one["Type"] == "forward" for one in self.actions):
            kinds = ", ".join(str(one["Type"]) for one in self.actions) or "nothing"
            return f"it does not forward to target groups, but does {kinds}", "name the rule that forwards"
        others = [arn for arn, weight in self._all.items() if weight and arn not in self.groups.values()]
        if others:
            told = ", ".join(short(arn) for arn in others)
            return f"other target groups take traffic, too: {told}", "give them weight 0, or name them as blue or green"
        if not any(self._all.values()):
            return "every target group has weight 0", "give the one that shall serve a weight"
        return None

    def with_weights(self, weights: Mapping[Side, int]) -> list[dict[str, Any]]:
        """Return the actions with those weights, as the API takes them."""
        return [self._forward(one, weights) if one["Type"] == "forward" else _taken(one) for one in self.actions]

    def _forward(self, action: Action, weights: Mapping[Side, int]) -> dict[str, Any]:
        """Return a forward action; the API refuses one group named beside several."""
        given = {arn: weights[side] for side, arn in self.groups.items()}
        listed = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in (self._all | given).items()]
        rest = {key: value for key, value in action.items() if key != "TargetGroupArn"}
        return {**rest, "ForwardConfig": {**action.get("ForwardConfig", {}), "TargetGroups": listed}}


def _taken(action: Action) -> dict[str, Any]:
    """Return an action as it may be written; the API never shows a client secret, and must be told to keep it."""
    if "AuthenticateOidcConfig" not in action:
        return dict(action)
    return {**action, "AuthenticateOidcConfig": {**action["AuthenticateOidcConfig"], "UseExistingClientSecret": True}}


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose the weights are for now, as the value of a tag.

    Attributes:
        owner: who writes them.
        green: share that was written last.
    """

    owner: str
    green: int

    def text(self) -> str:
        """Return the value of the tag; it may hold letters, digits, spaces and + - = . _ : / @."""
        return f"{_OWNER}={self.owner} {_GREEN}={self.green}"

    @classmethod
    def parse(cls, text: str) -> "Mark":
        """Return the mark of a tag's value.

        Raises:
            ValueError: it is not one of ours.
        """
        match = re.fullmatch(rf"{_OWNER}=(\S+) {_GREEN}=(\d+)", text)
        if not match:
            raise ValueError(f"the tag is no mark of ours: {text}")
        return cls(match[1], int(match[2]))


def short(arn: str) -> str:
    """Return the part of an ARN that people know: targetgroup/shop-green/0123456789abcdef."""
    return arn.rpartition(":")[2]
