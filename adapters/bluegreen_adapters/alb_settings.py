"""Settings of the ALB router: which listener or rule, which target groups, by whose mark."""

import re
from collections.abc import Mapping

from bluegreen.model.refs import Side
from bluegreen_adapters import dns_settings
from bluegreen_adapters.alb_listener import Listener
from bluegreen_adapters.aws_calls import Access, open_aws
from bluegreen_adapters.options import Options

_SETTLE = 5.0
_ARN = r"arn:aws[a-z-]*:elasticloadbalancing:(?P<region>[a-z0-9-]+):\d{12}:"
_PLACES = {"listener": "listener/app/", "rule": "listener-rule/app/"}


def open_listener(name: str, options: Mapping[str, object]) -> tuple[Listener, str, float, bool]:
    """Return the listener or rule, the owner of the mark, seconds to settle, and whether stickiness is accepted."""
    given = Options("router alb", name, options)
    arn = _place(given)
    groups = {side: _arn(given, str(side), "targetgroup/", None) for side in Side}
    if groups[Side.BLUE] and groups[Side.BLUE] == groups[Side.GREEN]:
        given.refuse("green", "is the same target group as blue")
    owner, settle = dns_settings.owner(given), given.seconds("settle", _SETTLE)
    sticky = given.flag("sticky", default=False)
    region = re.match(_ARN, arn)
    access = Access.read(given, region["region"] if region else "none")
    given.finish()
    return Listener(open_aws("elbv2", access, "alb"), arn, groups), owner, settle, sticky


def _place(given: Options) -> str:
    """Return the ARN of the one that is named."""
    found = [arn for arn in (_arn(given, key, part, "") for key, part in _PLACES.items()) if arn]
    if len(found) != 1 and not any(fault.startswith(tuple(_PLACES)) for fault in given.faults):
        given.refuse("listener", "or rule must be given, and only one of them")
    return found[0] if found else ""


def _arn(given: Options, key: str, part: str, default: str | None) -> str:
    text = given.text(key, default)
    if text and not re.match(_ARN + part, text):
        given.refuse(key, f"must be an ARN of an application load balancer's {part.partition('/')[0]}")
        return ""
    return text
