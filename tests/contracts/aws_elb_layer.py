"""The rules of Elastic Load Balancing that moto does not know: weights 0 to 999, forms of an action, health of targets.

moto calls every target healthy; here a group that no action names is unused, one that was just named is being checked
the first time that somebody asks, and one that a test has taken ill is unhealthy.
"""

import re
from urllib.parse import parse_qs

from aws_iam import Call
from aws_layer import Layer, Refusal, Request, moto_url, person

_ELB = "elasticloadbalancing"
_TOUCHED = re.compile(r"RuleArn|ListenerArn|ResourceArns\.member\.\d+")
_KEYS = re.compile(r"Tags\.member\.\d+\.Key|TagKeys\.member\.\d+")
_ACTION = re.compile(r"((?:Default)?Actions\.member\.\d+)\.(.+)")
_WEIGHT = re.compile(r"ForwardConfig\.TargetGroups\.member\.\d+\.Weight")
_GROUP = re.compile(r"ForwardConfig\.TargetGroups\.member\.\d+\.TargetGroupArn")
_HEAVIEST, _MOST_GROUPS, _LONGEST = 999, 5, 604800


class ElbLayer(Layer):
    """Elastic Load Balancing as it is.

    Attributes:
        ill: ARNs of target groups whose targets are unhealthy.
    """

    def __init__(self) -> None:
        self.ill, self._known, self._named = set(), set(), None
        self.moto = person("elbv2", moto_url())
        super().__init__()

    def call_of(self, request: Request) -> Call:
        form = _form(request)
        # Calls that only look know no single resources.
        looks = form["Action"].startswith("Describe")
        touched = () if looks else tuple(value for key, value in form.items() if _TOUCHED.fullmatch(key))
        keys = tuple(value for key, value in form.items() if _KEYS.fullmatch(key))
        return Call(f"{_ELB}:{form['Action']}", touched, {"aws:TagKeys": keys})

    def answer(self, request: Request, call: Call) -> str:
        form = _form(request)
        if form["Action"] in {"ModifyRule", "ModifyListener"}:
            self._check(form)
        text = self.forward(request)
        if form["Action"] == "DescribeTargetHealth":
            return self._health(form["TargetGroupArn"], text)
        if not form["Action"].startswith("Describe"):
            self._named = None
        return text

    def _check(self, form: dict[str, str]) -> None:
        actions: dict[str, dict[str, str]] = {}
        for key, value in form.items():
            if match := _ACTION.fullmatch(key):
                actions.setdefault(match[1], {})[match[2]] = value
        if not actions:
            raise Refusal("ValidationError", "no action is given")
        for action in actions.values():
            _check_action(action)

    def _health(self, group: str, text: str) -> str:
        """Return the answer of moto with the state that the targets have."""
        if self._named is None:
            self._named = self._used()
        if group not in self._named:
            return _with_state(text, "unused", "Target.NotInUse")
        fresh = group not in self._known
        self._known.add(group)
        if fresh:
            return _with_state(text, "initial", "Elb.InitialHealthChecking")
        return _with_state(text, "unhealthy", "Target.FailedHealthChecks") if group in self.ill else text

    def know(self, *groups: str) -> None:
        """Let groups have been checked for a while."""
        self._known.update(groups)

    def _used(self) -> set[str]:
        """Return every target group that an action names."""
        found: set[str] = set()
        for balancer in self.moto.describe_load_balancers()["LoadBalancers"]:
            listeners = self.moto.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
            for listener in listeners:
                rules = self.moto.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
                found.update(arn for rule in rules for action in rule["Actions"] for arn in weights_of(action))
        return found


def weights_of(action: dict) -> dict[str, int]:
    """Return the weight of each target group of an action, as the balancer reads it."""
    listed = action.get("ForwardConfig", {}).get("TargetGroups", ())
    if not listed and "TargetGroupArn" in action:
        return {action["TargetGroupArn"]: 1}
    return {one["TargetGroupArn"]: int(one.get("Weight", 1)) for one in listed}


def _form(request: Request) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(request.body, keep_blank_values=True).items()}


def _check_action(action: dict[str, str]) -> None:
    if "AuthenticateOidcConfig.Issuer" in action:
        keeps = action.get("AuthenticateOidcConfig.UseExistingClientSecret") == "true"
        if not keeps and "AuthenticateOidcConfig.ClientSecret" not in action:
            raise Refusal("InvalidLoadBalancerAction", "You must specify a client secret")
    if action["Type"] != "forward":
        return
    weights = [int(value) for key, value in action.items() if _WEIGHT.fullmatch(key)]
    groups = [value for key, value in action.items() if _GROUP.fullmatch(key)]
    if any(not 0 <= weight <= _HEAVIEST for weight in weights):
        raise Refusal("ValidationError", f"the weights {weights} must be between 0 and 999")
    if "TargetGroupArn" in action and not groups:
        return
    if len(weights) != len(groups) or not any(weights):
        raise Refusal("ValidationError", "each target group must have a weight, and one of them more than 0")
    if len(set(groups)) != len(groups) or len(groups) > _MOST_GROUPS:
        raise Refusal("TooManyTargetGroups", "a target group is there twice, or there are more than 5")
    if "TargetGroupArn" in action and groups != [action["TargetGroupArn"]]:
        raise Refusal("InvalidLoadBalancerAction", "a single target group is named beside others")
    _check_stickiness(action)


def _check_stickiness(action: dict[str, str]) -> None:
    head = "ForwardConfig.TargetGroupStickinessConfig."
    if action.get(f"{head}Enabled") == "true" and not 1 <= int(action.get(f"{head}DurationSeconds", 0)) <= _LONGEST:
        raise Refusal("ValidationError", "stickiness needs a duration between 1 and 604800 seconds")


def _with_state(text: str, state: str, reason: str) -> str:
    new = f"<State>{state}</State><Reason>{reason}</Reason>"
    assert "<State>healthy</State>" in text or "<TargetHealth>" not in text, text
    return text.replace("<State>healthy</State>", new)
