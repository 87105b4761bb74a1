"""One name of a hosted zone through the API of Route 53: look, replace, and ask whether a change is served.

Weights, TTL and mark go in one batch, which Route 53 makes as a whole or not at all. It deletes exactly what was seen
and creates what shall be; so a batch fails when somebody has written since. What it must never do is UPSERT, which
overwrites whatever is there.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bluegreen.model.errors import ConflictError, RefusedError
from bluegreen.model.refs import Side
from bluegreen_adapters.aws_calls import Aws
from bluegreen_adapters.route53_mark import MARK_TTL
from bluegreen_adapters.route53_records import TYPES, Found, RecordSet, changes, plain_name

_PAGE = "100"
_GONE = ("values provided do not match", "was not found", "already exists", "non-weighted set exists")


@dataclass(frozen=True, slots=True)
class Zone:
    """One name of a hosted zone.

    Attributes:
        aws: the API.
        zone: id of the hosted zone.
        name: absolute name of the record.
        mark: absolute name of the mark.
        sides: set identifier of each side.
    """

    aws: Aws
    zone: str
    name: str
    mark: str
    sides: Mapping[Side, str]

    @property
    def where(self) -> str:
        """Return the record, for people."""
        return f"{self.name} in hosted zone {self.zone}"

    def find(self) -> Found:
        """Return what is at the name and its mark; two requests."""
        sets = tuple(one for one in self._at(self.name, "A") if one["Type"] in TYPES)
        marks = tuple(one for one in self._at(self.mark, "TXT") if one["Type"] == "TXT")
        return Found(sets, marks, self.sides)

    def marked(self, found: Found, text: str) -> Found:
        """Return the same with another mark, or with none for an empty text."""
        record = {
            "Name": self.mark,
            "Type": "TXT",
            "TTL": MARK_TTL,
            "ResourceRecords": [{"Value": f'"{text}"'}],
        }
        return replace(found, marks=(record,) if text else ())

    def write(self, before: Found, after: Found) -> str:
        """Replace one by the other and return the id of the change.

        Raises:
            ConflictError: what is there is no longer `before`.
        """
        what = f"writing {self.where}"
        batch = {"Comment": "bluegreen", "Changes": changes(before, after)}
        try:
            answer = self._ask("change_resource_record_sets", what, HostedZoneId=self.zone, ChangeBatch=batch)
        except RefusedError as error:
            if error.code == "aws.InvalidChangeBatch" and any(part in error.why for part in _GONE):
                why = f"somebody wrote between our look and our write: {error.why}"
                raise ConflictError("route53.raced", what, why, "bluegreen traffic show; then resume") from None
            raise
        return str(answer["ChangeInfo"]["Id"])

    def in_sync(self, change: str) -> bool:
        """Return whether every name server of Route 53 serves a change."""
        answer = self._ask("get_change", f"asking whether {self.where} is served", Id=change)
        return bool(answer["ChangeInfo"]["Status"] == "INSYNC")

    def _at(self, name: str, kind: str) -> list[RecordSet]:
        """Return every record set of exactly that name; Route 53 lists on from it."""
        start, found = {"StartRecordName": name, "StartRecordType": kind}, []
        while True:
            page = self._ask(
                "list_resource_record_sets", f"reading {name}", HostedZoneId=self.zone, MaxItems=_PAGE, **start
            )
            found += [one for one in page["ResourceRecordSets"] if plain_name(one["Name"]) == name]
            if not page["IsTruncated"] or plain_name(page["NextRecordName"]) != name:
                return found
            keys = {"NextRecordName", "NextRecordType", "NextRecordIdentifier"} & page.keys()
            start = {key.replace("Next", "Start"): page[key] for key in keys}

    def _ask(self, method: str, what: str, **more: Any) -> Any:
        return self.aws.ask(method, what, **more)

    def pairing(self, simple: RecordSet) -> str:
        """Return the command that turns a simple record into a pair that serves the same users as before."""
        bare = {key: value for key, value in simple.items() if key not in {"SetIdentifier", "Weight"}}
        blue = {**bare, "SetIdentifier": self.sides[Side.BLUE], "Weight": 100}
        new = {"AliasTarget": {**simple["AliasTarget"], "DNSName": "GREEN_NAME"}} if "AliasTarget" in simple else {}
        values = {"ResourceRecords": [{"Value": "GREEN_VALUE"}]} if "ResourceRecords" in simple else new
        green = {**blue, **values, "SetIdentifier": self.sides[Side.GREEN], "Weight": 0}
        rows = [("DELETE", bare), ("CREATE", blue), ("CREATE", green)]
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record} for action, record in rows]}
        given = f"--hosted-zone-id {self.zone} --change-batch '{json.dumps(batch)}'"
        return f"fill in where green is and type: aws route53 change-resource-record-sets {given}"
