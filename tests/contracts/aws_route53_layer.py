"""The rules of Route 53 that moto does not know: exact DELETE, weights, equal TTLs, PENDING before INSYNC.

Each batch is tried change by change on a copy; only a batch that holds as a whole reaches moto. Messages are those that
AWS was seen to send. What name servers answer is the last state whose change is in sync.
"""

import re
import time
from xml.etree import ElementTree as ET

from aws_iam import Call
from aws_layer import PERSON, Layer, Refusal, Request

NS = "https://route53.amazonaws.com/doc/2013-04-01/"
SIGNED = {"authorization": f"AWS4-HMAC-SHA256 Credential={PERSON}/20260101/us-east-1/route53/aws4_request, Signature=0"}
CHANGED = f"""<?xml version="1.0"?><{{tag}} xmlns="{NS}"><ChangeInfo><Id>/change/{{id}}</Id><Status>{{status}}</Status>
<SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt></ChangeInfo></{{tag}}>"""
KEY = "route53:ChangeResourceRecordSets"
HEAVIEST = 255
ET.register_namespace("", NS)


class Route53Layer(Layer):
    """Route 53 as it is.

    Attributes:
        pending: seconds until a change is in sync; None for not before release.
        compares_weights: whether a DELETE with another weight is refused.
    """

    def __init__(self) -> None:
        self.pending, self.compares_weights = 0.0, True
        self._changes: dict[str, tuple[float, str, list]] = {}
        super().__init__()

    def call_of(self, request: Request) -> Call:
        if match := re.fullmatch(r"/2013-04-01/change/(\w+)/?", request.path):
            return Call("route53:GetChange", (f"arn:aws:route53:::change/{match[1]}",))
        match = re.fullmatch(r"/2013-04-01/hostedzone/(\w+)/rrset/?", request.path)
        if match is None:
            return Call(f"route53:Other {request.path}", ())
        zone = (f"arn:aws:route53:::hostedzone/{match[1]}",)
        if request.method == "GET":
            return Call("route53:ListResourceRecordSets", zone)
        batch = _batch(request.body)
        context = {
            f"{KEY}NormalizedRecordNames": tuple(record["Name"].rstrip(".").lower() for _, record, _ in batch),
            f"{KEY}RecordTypes": tuple(record["Type"] for _, record, _ in batch),
            f"{KEY}Actions": tuple(action for action, _, _ in batch),
        }
        return Call(KEY, zone, context)

    def answer(self, request: Request, call: Call) -> str:
        if call.action == "route53:GetChange":
            return self._change(call.resources[0].rpartition("/")[2])
        if call.action != KEY:
            return self.forward(request)
        zone = call.resources[0].rpartition("/")[2]
        before = self._listed(zone)
        after = self._tried(before, _batch(request.body))
        self.forward(Request("POST", request.path, "", _store(before, after), {**request.headers}))
        change = f"C{len(self._changes) + 1:012d}"
        ready = time.monotonic() + self.pending if self.pending is not None else float("inf")
        self._changes[change] = (ready, zone, [record for record, _ in self._listed(zone).values()])
        return CHANGED.format(tag="ChangeResourceRecordSetsResponse", id=change, status="PENDING")

    def release(self) -> None:
        """Bring every change in sync."""
        with self.lock:
            self._changes = {key: (0.0, *rest) for key, (_, *rest) in self._changes.items()}

    def served(self, zone: str, name: str, kind: str) -> list[dict]:
        """Return the record sets that name servers answer from."""
        with self.lock:
            ready = [rows for at, of, rows in self._changes.values() if of == zone and at <= time.monotonic()]
        return [one for one in (ready[-1] if ready else []) if (one["Name"], one["Type"]) == (name, kind)]

    def _change(self, change: str) -> str:
        if change not in self._changes:
            raise Refusal("NoSuchChange", f"Could not find resource with ID: {change}", 404)
        status = "INSYNC" if self._changes[change][0] <= time.monotonic() else "PENDING"
        return CHANGED.format(tag="GetChangeResponse", id=change, status=status)

    def _listed(self, zone: str) -> dict:
        """Return what moto has in the zone."""
        text = self.forward(Request("GET", f"/2013-04-01/hostedzone/{zone}/rrset", "maxitems=300", "", SIGNED))
        found = [(_record(one), one) for one in _parsed(text).iter(f"{{{NS}}}ResourceRecordSet")]
        return {_key(record): (record, one) for record, one in found}

    def _tried(self, before: dict, batch: list) -> dict:
        now, refused = dict(before), []
        for action, record, element in batch:
            if fault := self._fault(now, action, record):
                refused.append(fault)
            elif action == "DELETE":
                del now[_key(record)]
            else:
                now[_key(record)] = (record, element)
        if refused:
            raise Refusal("InvalidChangeBatch", f"[{', '.join(refused)}]")
        return now

    def _fault(self, now: dict, action: str, record: dict) -> str:
        told = f"[name='{record['Name']}', type='{record['Type']}', set-identifier='{record.get('SetIdentifier')}']"
        there = now.get(_key(record), (None,))[0]
        if action == "DELETE":
            if there is None:
                return f"Tried to delete resource record set {told} but it was not found"
            if self._compared(there) != self._compared(record):
                why = "the values provided do not match the current values"
                return f"Tried to delete resource record set {told} but {why}"
            return ""
        if action == "CREATE" and there is not None:
            return f"Tried to create resource record set {told} but it already exists"
        return _form(record) or _beside(record, [one for key, (one, _) in now.items() if key != _key(record)])

    def _compared(self, record: dict) -> dict:
        return {key: value for key, value in record.items() if key != "Weight" or self.compares_weights}


def _parsed(text: str):
    return ET.fromstring(text)  # noqa: S314 - it comes from boto and moto, on loopback


def _batch(body: str) -> list:
    changes = _parsed(body).iter(f"{{{NS}}}Change")
    pairs = [(one.find(f"{{{NS}}}Action").text, one.find(f"{{{NS}}}ResourceRecordSet")) for one in changes]
    return [(action, _record(element), element) for action, element in pairs]


def _record(element) -> dict:
    record = {}
    for part in element:
        tag = part.tag.rpartition("}")[2]
        inner = sorted("".join(text.itertext()).strip() for text in part)
        record[tag] = tuple(inner) if len(part) else (part.text or "")
    return {**record, "Name": record["Name"].rstrip(".").lower() + "."}


def _key(record: dict) -> tuple:
    return record["Name"], record["Type"], record.get("SetIdentifier")


def _form(record: dict) -> str:
    """Return what is wrong with a record by itself."""
    weight = int(record.get("Weight", 0))
    if not 0 <= weight <= HEAVIEST:
        return f"Invalid value for weight: {weight}; it must be between 0 and 255"
    if ("Weight" in record) != ("SetIdentifier" in record):
        return "a weight and a set identifier must be given together"
    if ("AliasTarget" in record) == ("ResourceRecords" in record) or ("AliasTarget" in record) == ("TTL" in record):
        return "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords]]"
    return ""


def _beside(record: dict, others: list[dict]) -> str:
    """Return why a record cannot be there beside the others of its name."""
    told = f"RRSet with DNS name {record['Name']}, type {record['Type']}, SetIdentifier {record.get('SetIdentifier')}"
    same = [one for one in others if one["Name"] == record["Name"]]
    if any((one["Type"] == "CNAME") != (record["Type"] == "CNAME") for one in same):
        return f"{told} is not permitted as it conflicts with other records with the same DNS name"
    siblings = [one for one in same if one["Type"] == record["Type"]]
    if any(("Weight" in one) != ("Weight" in record) for one in siblings):
        return f"{told} cannot be created as a non-weighted set exists with the same name and type."
    ttls = {one["TTL"] for one in [*siblings, record] if "TTL" in one}
    return f"{told} cannot be created as weighted sets must contain the same TTL." if len(ttls) > 1 else ""


def _store(before: dict, after: dict) -> str:
    """Return the batch that brings moto there; its DELETE takes all of a set identifier, so all are put back."""
    rows = [("DELETE", element) for key, (_, element) in before.items() if key not in after]
    rows += [
        ("UPSERT", one) for key, (record, one) in after.items() if record.get("SetIdentifier") or before.get(key) != one
    ]
    root = ET.Element(f"{{{NS}}}ChangeResourceRecordSetsRequest")
    changes = ET.SubElement(ET.SubElement(root, f"{{{NS}}}ChangeBatch"), f"{{{NS}}}Changes")
    for action, element in rows:
        change = ET.SubElement(changes, f"{{{NS}}}Change")
        ET.SubElement(change, f"{{{NS}}}Action").text = action
        change.append(element)
    return ET.tostring(root, encoding="unicode")
