"""An ALB for the contract: moto behind a strict layer, and a small real HTTP proxy that follows the forward action.

For each request the proxy reads the action from the API and draws a target group by its weights; stickiness it does not
know. So what is proven is that the router writes actions that the API would take, and that users then land where these
say. Not proven: how soon a real balancer follows, how evenly it draws, and what it does while targets are ill.
"""

import itertools
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
from aws_elb_layer import ElbLayer, weights_of
from aws_iam import filled
from aws_layer import give_back, lend_credentials, moto_url, person
from rig_http import plain_client, two_servers

from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side
from bluegreen_adapters import alb_router

_NUMBERS = itertools.count()


class AlbRig:
    """A load balancer with a listener, a rule and two target groups; the route is the listener's default action."""

    deterministic = False
    slow = True
    kind = "listener"

    def __init__(self, directory) -> None:
        self._lent = lend_credentials()
        self.sides, self.layer = two_servers(), ElbLayer()
        self.person = person("elbv2", self.layer.url)
        self._make(next(_NUMBERS))
        self.layer.know(*self.groups.values())
        policy = alb_router.PERMISSIONS.policy
        self.layer.policy = filled(policy, LISTENER_ARN=self.listener, RULE_ARN=self.rule)
        self.proxy = _Proxy(self)

    def _make(self, number: int) -> None:
        cloud = person("ec2", moto_url())
        subnets = cloud.describe_subnets()["Subnets"]
        vpc = subnets[0]["VpcId"]
        made = self.person.create_load_balancer(Name=f"shop{number}", Subnets=[one["SubnetId"] for one in subnets[:2]])
        self.balancer = balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
        names = {side: f"{side}{number}" for side in Side}
        group = {"Protocol": "HTTP", "Port": 80, "VpcId": vpc, "TargetType": "ip"}
        create = self.person.create_target_group
        self.groups = {s: create(Name=n, **group)["TargetGroups"][0]["TargetGroupArn"] for s, n in names.items()}
        for arn in self.groups.values():
            self.person.register_targets(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.1", "Port": 80}])
        actions = self.actions(Weights(100, 0))
        listener = {"LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": 80, "DefaultActions": actions}
        self.listener = self.person.create_listener(**listener)["Listeners"][0]["ListenerArn"]
        condition = [{"Field": "path-pattern", "Values": ["/*"]}]
        rule = {"ListenerArn": self.listener, "Priority": 1, "Conditions": condition, "Actions": actions}
        self.rule = self.person.create_rule(**rule)["Rules"][0]["RuleArn"]

    def actions(self, weights: Weights, **more) -> list[dict]:
        """Return a forward action as a person would write it."""
        groups = [{"TargetGroupArn": self.groups[side], "Weight": weights.of(side)} for side in Side]
        return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups, **more}}]

    @property
    def arn(self) -> str:
        return self.listener if self.kind == "listener" else self.rule

    def settings(self, **more) -> dict[str, object]:
        groups = {str(side): arn for side, arn in self.groups.items()}
        return {self.kind: self.arn, **groups, "endpoint": self.layer.url, "settle": "1ms", **more}

    def open_router(self, **more):
        return alb_router.open_router("shop", self.settings(**more))

    def stored(self) -> list[dict]:
        """Return the actions."""
        client = self.layer.moto
        if self.kind == "listener":
            return client.describe_listeners(ListenerArns=[self.arn])["Listeners"][0]["DefaultActions"]
        return client.describe_rules(RuleArns=[self.arn])["Rules"][0]["Actions"]

    def tags(self) -> dict[str, str]:
        tags = self.person.describe_tags(ResourceArns=[self.arn])["TagDescriptions"][0]["Tags"]
        return {tag["Key"]: tag["Value"] for tag in tags}

    def put(self, actions: list[dict]) -> None:
        """Write as another person would."""
        if self.kind == "listener":
            self.person.modify_listener(ListenerArn=self.arn, DefaultActions=actions)
        else:
            self.person.modify_rule(RuleArn=self.arn, Actions=actions)

    def write_elsewhere(self, weights: Weights) -> None:
        self.put(self.actions(weights))

    def cut(self) -> None:
        self.layer.stop()

    def mend(self) -> None:
        self.layer.start()

    def visit(self, count: int) -> dict[str, int]:
        """Send requests on one kept connection; return how many each side answered, and failures."""
        seen = {"blue": 0, "green": 0, "failed": 0}
        with plain_client(timeout=10.0) as client:
            for _ in range(count):
                try:
                    answer = client.get(f"http://127.0.0.1:{self.proxy.port}/").text
                except httpx.TransportError:
                    answer = ""
                seen[answer if answer in seen else "failed"] += 1
        return seen

    def close(self) -> None:
        self.proxy.close()
        # The layer goes through all balancers of the account, and a page of them ends at 50.
        self.layer.moto.delete_load_balancer(LoadBalancerArn=self.balancer)
        self.layer.stop()
        for server in self.sides.values():
            server.stop()
        give_back(self._lent)


class AlbRuleRig(AlbRig):
    """The same, and the route is the rule."""

    kind = "rule"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.client = plain_client(timeout=10.0)  # of this thread alone: httpx mixes up connections that threads share

    def finish(self):
        self.client.close()
        super().finish()

    def log_message(self, *args):
        """Say nothing."""

    def do_GET(self):
        rig = self.server.rig
        weights = weights_of(next(one for one in rig.stored() if one["Type"] == "forward"))
        arn = random.choices(list(weights), list(weights.values()))[0]  # noqa: S311 - a draw, no secret
        side = next((side for side in Side if rig.groups[side] == arn), None)
        body = self.client.get(rig.sides[side].url).content if side else b"none"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, rig: AlbRig) -> None:
        self.rig = rig
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()
