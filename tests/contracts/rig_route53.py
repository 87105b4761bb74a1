"""Route 53 for the contract: moto behind a strict layer, a small DNS server that draws, two real servers behind it.

The draw is ours: on each question the responder picks one of the record sets that the API has stored and that are in
sync, by their weights. So what is proven is that the router writes weights that Route 53 would take, in the order and
batches that it would take, and that users then land where these weights say. Not proven: how Route 53 itself draws, how
long it takes to be in sync, and what it answers when health checks fail.
"""

import random
import socket
import threading

import dns.message
import dns.rdatatype
import dns.rrset
from aws_iam import filled
from aws_layer import give_back, lend_credentials, person
from aws_route53_layer import Route53Layer
from rig_http import VisitedByName, two_servers

from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side
from bluegreen_adapters import route53_router
from bluegreen_adapters.dns_answers import Authority

NAME = "www.shop.test."
ADDRESSES = {Side.BLUE: "192.0.2.1", Side.GREEN: "192.0.2.2"}
SIX = {Side.BLUE: "2001:db8::1", Side.GREEN: "2001:db8::2"}


def pair(weights: Weights, kind: str = "A", ttl: int = 300, values=ADDRESSES, **more) -> list[dict]:
    """Return the two record sets as a person would write them."""
    rows = [(side, {"TTL": ttl, "ResourceRecords": [{"Value": values[side]}]}) for side in Side]
    return [
        {"Name": NAME, "Type": kind, "SetIdentifier": str(side), "Weight": weights.of(side), **row, **more}
        for side, row in rows
    ]


class Route53Rig(VisitedByName):
    """A hosted zone with a pair of weighted records."""

    addresses = ADDRESSES
    deterministic = False
    slow = True

    def __init__(self, directory, *, records=None) -> None:
        self._lent = lend_credentials()
        self.sides, self.layer = two_servers(), Route53Layer()
        self.person = person("route53", self.layer.url)
        made = self.person.create_hosted_zone(Name="shop.test.", CallerReference=str(self.layer.port))
        self.zone = made["HostedZone"]["Id"].rpartition("/")[2]
        self.put("CREATE", *(pair(Weights(100, 0)) if records is None else records))
        policy = route53_router.PERMISSIONS.policy
        self.layer.policy = filled(policy, ZONE_ID=self.zone, RECORD_NAME=NAME.rstrip("."))
        self.responder = Responder(self)
        self.authority = Authority("127.0.0.1", self.responder.port, NAME, 2.0)

    def settings(self, **more) -> dict[str, object]:
        return {"zone_id": self.zone, "record": NAME, "endpoint": self.layer.url, **more}

    def open_router(self, **more):
        return route53_router.open_router("shop", self.settings(**more))

    def put(self, action: str, *records: dict) -> None:
        """Write as another person would."""
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record} for record in records]}
        if records:
            self.person.change_resource_record_sets(HostedZoneId=self.zone, ChangeBatch=batch)

    def stored(self) -> list[dict]:
        """Return what is in the zone at the name and at its mark."""
        rows = self.person.list_resource_record_sets(HostedZoneId=self.zone)["ResourceRecordSets"]
        return [row for row in rows if row["Name"].endswith(NAME)]

    def write_elsewhere(self, weights: Weights) -> None:
        self.put("UPSERT", *[{**row, "Weight": weights.of(Side(row["SetIdentifier"]))} for row in self.pairs()])

    def pairs(self) -> list[dict]:
        return [row for row in self.stored() if "SetIdentifier" in row]

    def cut(self) -> None:
        self.layer.stop()

    def mend(self) -> None:
        self.layer.start()

    def close(self) -> None:
        self.responder.close()
        self.layer.stop()
        for server in self.sides.values():
            server.stop()
        give_back(self._lent)


class Responder:
    """A name server that answers a question with one of the weighted records, drawn by weight."""

    def __init__(self, rig: Route53Rig) -> None:
        self.rig, self.socket = rig, socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self.socket.close()

    def _serve(self) -> None:
        while True:
            try:
                data, client = self.socket.recvfrom(4096)
                self.socket.sendto(self._answer(dns.message.from_wire(data)).to_wire(), client)
            except OSError:
                return

    def _answer(self, query):
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        rows = self.rig.layer.served(self.rig.zone, question.name.to_text().lower(), kind)
        answer = dns.message.make_response(query)
        weights = [int(row["Weight"]) for row in rows]
        if any(weights):
            row = random.choices(rows, weights)[0]  # noqa: S311 - a draw, no secret
            answer.answer.append(
                dns.rrset.from_text(question.name, int(row["TTL"]), "IN", kind, *row["ResourceRecords"])
            )
        return answer
