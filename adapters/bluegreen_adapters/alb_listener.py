"""One listener or rule of an Application Load Balancer through the API: its actions, its tag, its targets' health.

The listener's default action and a rule are changed by different calls that mean the same. It must never change
anything but the actions: ports, certificates and conditions are not sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bluegreen.model.errors import NotFoundError
from bluegreen.model.refs import Side
from bluegreen_adapters.alb_forward import Forward, short
from bluegreen_adapters.aws_calls import Aws

TAG = "bluegreen"
_UNCHECKED = "Target.HealthCheckDisabled"


@dataclass(frozen=True, slots=True)
class Health:
    """How many targets of a group can serve.

    Attributes:
        healthy: how many pass their check, or are not checked by a person's choice.
        others: state and reason of the others, each told once.
    """

    healthy: int
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listener:
    """A listener's default action, or a rule.

    Attributes:
        aws: the API.
        arn: ARN of the listener or rule.
        groups: ARN of the target group of each side.
    """

    aws: Aws
    arn: str
    groups: Mapping[Side, str]

    @property
    def where(self) -> str:
        """Return it for people."""
        return short(self.arn)

    @property
    def is_rule(self) -> bool:
        """Return whether it is a rule."""
        return ":listener-rule/" in self.arn

    def forward(self) -> Forward:
        """Return its actions."""
        what = f"reading {self.where}"
        if self.is_rule:
            found = self._ask("describe_rules", what, RuleArns=[self.arn])["Rules"]
        else:
            found = self._ask("describe_listeners", what, ListenerArns=[self.arn])["Listeners"]
        if not found:
            raise NotFoundError("alb.no-listener", what, "there is none", "see the ARN in the route's settings")
        return Forward(found[0]["Actions" if self.is_rule else "DefaultActions"], self.groups)

    def write(self, actions: list[dict[str, Any]]) -> None:
        """Replace the actions; one call."""
        what = f"writing {self.where}"
        if self.is_rule:
            self._ask("modify_rule", what, RuleArn=self.arn, Actions=actions)
        else:
            self._ask("modify_listener", what, ListenerArn=self.arn, DefaultActions=actions)

    def tag(self) -> str:
        """Return the value of our tag, empty when there is none."""
        answer = self._ask("describe_tags", f"reading the tags of {self.where}", ResourceArns=[self.arn])
        tags = [tag for one in answer["TagDescriptions"] for tag in one["Tags"]]
        return next((str(tag["Value"]) for tag in tags if tag["Key"] == TAG), "")

    def set_tag(self, value: str) -> None:
        """Write our tag."""
        tags = [{"Key": TAG, "Value": value}]
        self._ask("add_tags", f"tagging {self.where}", ResourceArns=[self.arn], Tags=tags)

    def drop_tag(self) -> None:
        """Remove our tag."""
        self._ask("remove_tags", f"untagging {self.where}", ResourceArns=[self.arn], TagKeys=[TAG])

    def health(self, side: Side) -> Health:
        """Return how many targets of a side can serve, as the load balancer sees them."""
        what = f"asking for the health of {short(self.groups[side])}"
        answer = self._ask("describe_target_health", what, TargetGroupArn=self.groups[side])
        states = [one["TargetHealth"] for one in answer["TargetHealthDescriptions"]]
        good = [one["State"] == "healthy" or one.get("Reason") == _UNCHECKED for one in states]
        bad = {
            f"{one['State']} {one.get('Reason', '')}".strip()
            for one, well in zip(states, good, strict=True)
            if not well
        }
        return Health(sum(good), tuple(sorted(bad)))

    def _ask(self, method: str, what: str, **more: Any) -> Any:
        return self.aws.ask(method, what, **more)
