"""The Bundle: what was exported, as a value that does not change, with a digest of each object and of all.

Digests of Secrets are keyed, so that a short password cannot be guessed from one; the bundle itself holds the values
in memory and is never printed.
"""

import functools
import hashlib
import itertools
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from bluegreen.exporter.rules import Action, Removal
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ObjectRef, ref_of


class Item(msgspec.Struct, frozen=True):
    """One exported object, which is not printed.

    Attributes:
        ref: its name.
        obj: the cleaned object; not to be changed, not to be printed.
        resource_version: blue's version of it at the time, empty for a bundle read from disk.
    """

    ref: ObjectRef
    obj: Raw
    resource_version: str

    def __repr__(self) -> str:
        return f"Item({self.ref!r}, {self.resource_version!r})"


class Report(NamedTuple):
    """What a person should know about one object: what was removed, left out, kept on purpose or not found.

    Attributes:
        ref: the object.
        removal: rule, field and reason.
    """

    ref: ObjectRef
    removal: Removal


def reports_on(ref: ObjectRef, removals: Iterable[Removal]) -> Iterable[Report]:
    """Return a report of each removal; there are a hundred thousand: each is made as Report(...) does, by one call."""
    return map(_report, zip(itertools.repeat(ref), removals, strict=False))


_report = functools.partial(tuple.__new__, Report)


def note(ref: ObjectRef, rule: str, action: Action, path: str, why: str) -> Report:
    """Return a report that no cleaning rule makes.

    Args:
        ref: the object.
        rule: stable name, as a rule's id.
        action: what was done.
        path: field, empty for the whole object.
        why: reason in words.
    """
    return Report(ref, Removal(rule, action, path, why))


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything that was exported from a set of namespaces.

    Attributes:
        namespaces: the namespaces, sorted.
        items: the objects, sorted by reference.
        tell: returns what rules did and what was left out, in any order; most who have a bundle never ask.
        storage_classes: names that claims and claim templates ask for; they are mapped, never exported.
        key: key of the digests of Secrets; not to be printed.
        source: UID of the cluster that it was exported from, empty when not known.
        withheld: Secrets that a bundle on disk names and does not hold, as namespace/name.
        excluded: kinds (Kind.group) that somebody chose to leave on blue: that they are not here says nothing of them.
    """

    namespaces: tuple[str, ...]
    items: tuple[Item, ...]
    tell: Callable[[], Iterable[Report]] = field(repr=False, compare=False)
    storage_classes: tuple[str, ...]
    key: bytes = field(repr=False)
    source: str = ""
    withheld: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    @property
    def objects(self) -> tuple[Raw, ...]:
        """Return the objects in the bundle's order."""
        return tuple(item.obj for item in self.items)

    @property
    def reports(self) -> tuple[Report, ...]:
        """Return what rules did and what was left out, sorted by reference; made each time, for few ask."""
        return _in_order(self.tell())

    def reports_of(self, action: Action) -> tuple[Report, ...]:
        """Return those of the reports that tell of one action."""
        return _in_order(report for report in self.tell() if report.removal.action is action)

    @property
    def digest(self) -> str:
        """Return one digest over the references and digests of all objects; made each time, for few ask."""
        whole = hashlib.sha256()
        for item in self.items:
            ref = item.ref
            line = f"{ref.api_version} {ref.kind} {ref.namespace} {ref.name} {digest_of(item.obj, self.key)}\n"
            whole.update(line.encode())
        return whole.hexdigest()


def _in_order(reports: Iterable[Report]) -> tuple[Report, ...]:
    return tuple(sorted(reports, key=lambda r: (r.ref, r.removal.rule, r.removal.path)))


def canonical(obj: Raw) -> bytes:
    """Return the one JSON text of an object: keys sorted, no spaces, UTF-8."""
    return msgspec.json.encode(obj, order="sorted")


def digest_of(obj: Raw, key: bytes) -> str:
    """Return the digest of an object in hex.

    Args:
        obj: raw object.
        key: key of the HMAC that Secrets get.
    """
    text = canonical(obj)
    if obj.get("kind") == "Secret":
        import hmac  # noqa: PLC0415 - who imports a bundle asks for no digest

        return hmac.new(key, text, hashlib.sha256).hexdigest()
    return hashlib.sha256(text).hexdigest()


def make_bundle(
    namespaces: Iterable[str],
    objects: Iterable[tuple[Raw, str]],
    tell: Callable[[], Iterable[Report]],
    storage_classes: Iterable[str],
    key: bytes,
    *,
    source: str = "",
    withheld: Iterable[str] = (),
    excluded: Iterable[str] = (),
) -> Bundle:
    """Return the bundle of objects, each given with blue's resourceVersion; order of the input does not matter.

    Args:
        namespaces: where they were.
        objects: the cleaned objects.
        tell: returns the reports each time that it is asked.
        storage_classes: names that claims ask for.
        key: key of the digests of Secrets.
        source: see Bundle.
        withheld: see Bundle.
        excluded: see Bundle.
    """
    items = (Item(ref_of(obj), obj, version) for obj, version in objects)
    return Bundle(
        namespaces=tuple(sorted(namespaces)),
        items=tuple(sorted(items, key=operator.attrgetter("ref"))),
        tell=tell,
        storage_classes=tuple(sorted(set(storage_classes))),
        key=key,
        source=source,
        withheld=tuple(sorted(withheld)),
        excluded=tuple(sorted(excluded)),
    )
