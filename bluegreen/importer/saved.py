"""A plan in a file, to be looked at by a person or a pipeline and then applied as it is, or refused.

The file holds no Secret's value and no digest from which a short one could be guessed: a Secret is told by blue's
resourceVersion. A file that was edited or cut off is refused as a whole.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bluegreen.importer.decide import Verdict
from bluegreen.importer.diff import Change
from bluegreen.importer.plan import ImportPlan, PlanEntry
from bluegreen.importer.refusal import Cause
from bluegreen.importer.rewrite import Effect, Remark
from bluegreen.model.errors import InvalidInputError, clean_text
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ClusterId, ObjectRef

API_VERSION = "bluegreen/v1"
KIND = "ImportPlan"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan with all that is needed to make it again.

    Attributes:
        blue: where the objects come from.
        green: where they go.
        namespaces: namespaces on blue.
        selector: label selector.
        transform: what is rewritten, as JSON data.
        choices: what is exported at all, as JSON data.
        idle: whether the objects are applied asleep.
        server: whether green's API server judged each object.
        plan: the plan.
        left_out: objects that stay on blue, with the reason; not compared, for pods come and go.
        remarks: what a person should look at, such as a patch that matches nothing.
    """

    blue: ClusterId
    green: ClusterId
    namespaces: tuple[str, ...]
    selector: str
    transform: Mapping[str, Any]
    idle: bool
    server: bool
    plan: ImportPlan
    left_out: tuple[tuple[ObjectRef, str], ...] = ()
    remarks: tuple[Remark, ...] = ()
    choices: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the file's content, its sha256 included."""
        content: dict[str, Any] = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "format": FORMAT,
            "from": _cluster(self.blue),
            "to": _cluster(self.green),
            "namespaces": list(self.namespaces),
            "selector": self.selector,
            "transform": dict(self.transform),
            "export": dict(self.choices),
            "idle": self.idle,
            "dryRun": "server" if self.server else "client",
            "summary": {str(verdict): self.plan.count(verdict) for verdict in Verdict},
            "entries": [entry.to_json() for entry in self.plan.entries],
            "leftOut": [{**_named(ref), "reason": reason} for ref, reason in self.left_out],
            "warnings": [{"subject": r.subject, "field": r.field, "text": r.text} for r in self.remarks],
        }
        return {**content, "sha256": _sha256(content)}


def _cluster(cluster: ClusterId) -> dict[str, str]:
    return {"context": cluster.context, "uid": cluster.uid, "version": cluster.version, "server": cluster.server}


def _named(ref: ObjectRef) -> dict[str, str]:
    return {"apiVersion": ref.api_version, "kind": ref.kind, "namespace": ref.namespace, "name": ref.name}


def _sha256(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def read_saved(data: bytes, name: str) -> SavedPlan:
    """Return the plan of a file.

    Args:
        data: the file's bytes.
        name: the file as people call it.

    Raises:
        InvalidInputError: it is no plan, of another version, edited or cut off.
    """
    try:
        content = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        raise _unusable(name, "it is no JSON: no plan, or one that was cut off") from None
    if not isinstance(content, dict) or (content.get("apiVersion"), content.get("kind")) != (API_VERSION, KIND):
        raise _unusable(name, f"it is no {KIND} of {API_VERSION}")
    if content.get("format") != FORMAT:
        newer = isinstance(content.get("format"), int) and content["format"] > FORMAT
        then = "upgrade it" if newer else "plan again with this one"
        raise _unusable(name, f"it has format {content.get('format')!r}, this bluegreen reads {FORMAT}: {then}")
    if content.get("sha256") != _sha256({key: value for key, value in content.items() if key != "sha256"}):
        raise _unusable(name, "its sha256 is not that of its content: edited or cut off")
    try:
        return _saved(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _unusable(name, f"it is not what this bluegreen writes ({type(error).__name__})") from None


def _unusable(name: str, why: str) -> InvalidInputError:
    return InvalidInputError(
        "plan.unreadable", f"reading the plan {name}", (why,), "make it again: bluegreen plan --out"
    )


def _saved(content: Mapping[str, Any]) -> SavedPlan:
    green = ClusterId(**content["to"])
    return SavedPlan(
        blue=ClusterId(**content["from"]),
        green=green,
        namespaces=tuple(str(name) for name in content["namespaces"]),
        selector=str(content["selector"]),
        transform=content["transform"],
        idle=content["idle"] is True,
        server=content["dryRun"] == "server",
        plan=ImportPlan(green.uid, tuple(_entry(entry) for entry in content["entries"])),
        left_out=tuple((_ref(entry), str(entry["reason"])) for entry in content["leftOut"]),
        choices=content.get("export") or {},
        remarks=tuple(Remark(w["subject"], w["field"], w["text"]) for w in content.get("warnings") or ()),
    )


def _ref(data: Raw) -> ObjectRef:
    return ObjectRef(*(str(data[key]) for key in ("apiVersion", "kind", "namespace", "name")))


def _entry(data: Raw) -> PlanEntry:
    return PlanEntry(
        ref=_ref(data),
        wave=str(data["wave"]),
        verdict=Verdict(data["verdict"]),
        reason=str(data["reason"]),
        cause=None if data["cause"] is None else Cause(data["cause"]),
        changes=_changes(data),
        ours=data["ours"] is True,
        content=str(data["content"]),
        effects=tuple(Effect(str(effect["patch"]), _changes(effect)) for effect in data.get("patches") or ()),
        unjudged=str(data.get("unjudged") or ""),
    )


def _changes(data: Raw) -> tuple[Change, ...]:
    return tuple(Change(c["path"], c["expected"], c["actual"]) for c in data["changes"])


_WRITTEN = (Verdict.CREATE, Verdict.CHANGE)
_DONE = {Verdict.CREATE: "created", Verdict.CHANGE: "changed"}


def stale(then: Sequence[PlanEntry], now: Sequence[PlanEntry]) -> Iterator[str]:
    """Yield in one line each what is no longer as it was planned, nothing when the plan holds.

    What was planned and is done already is no contradiction: an apply that was cut short is finished by the same plan.
    """
    before, after = ({entry.ref: entry for entry in entries} for entries in (then, now))
    for ref in sorted(before.keys() | after.keys()):
        old, new = before.get(ref), after.get(ref)
        if old is None:
            yield f"{ref}: was not in the plan, it would be {_DONE.get(new.verdict, new.verdict) if new else ''}"
        elif new is None:
            yield f"{ref}: was {old.verdict}, blue no longer has it"
        else:
            yield from _moved(old, new)


def _moved(old: PlanEntry, new: PlanEntry) -> Iterator[str]:
    ref = old.ref
    if old.verdict in _WRITTEN and new.verdict is Verdict.EQUAL and old.content == new.content:
        return
    if (old.verdict, old.cause) != (new.verdict, new.cause):
        yield clean_text(f"{ref}: was {old.verdict}, is now {new.verdict} ({new.reason})")
    elif old.content != new.content:
        yield f"{ref}: blue's object is no longer the one that was planned"
    elif old.changes != new.changes:
        paths = sorted({change.path for change in {*old.changes} ^ {*new.changes}})
        yield clean_text(f"{ref}: green changed in {', '.join(paths)}")
