"""A listed object as JSON text, with the little that must be known before any object can be cleaned.

As maps and lists ten thousand objects take a quarter of a gigabyte, managedFields most of it; as text a tenth. So only
one object at a time is unpacked, and only what is left of it after cleaning stays. managedFields, which no green gets,
are let go before that; only a Service keeps them, for they say who chose its node ports. Pure.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from bluegreen.exporter import paths
from bluegreen.model.ports import Raw

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Packed:
    """An object that waits.

    Attributes:
        uid: its UID, empty when it has none.
        api_version: version that it was listed in.
        selecting: (namespace, name) of a Service that has a selector, None for all else.
        text: the object as JSON; not to be printed.
    """

    uid: str
    api_version: str
    selecting: tuple[str, str] | None
    text: bytes = field(repr=False)

    def unpack(self) -> Raw:
        """Return the object."""
        obj: Raw = msgspec.json.decode(self.text)
        return obj


def pack(obj: Raw) -> Packed:
    """Return an object packed."""
    meta = obj["metadata"]
    service = obj["kind"] == "Service" and obj["apiVersion"] == "v1"
    selects = service and paths.get(obj, "spec", "selector")
    place = (str(meta.get("namespace", "")), str(meta["name"])) if selects else None
    text = _encode(obj if service or "managedFields" not in meta else _without_managers(obj, meta))
    return Packed(str(meta.get("uid") or ""), str(obj["apiVersion"]), place, text)


def _without_managers(obj: Raw, meta: Raw) -> Raw:
    """Return an object whose managedFields are empty but still there, so that cleaning tells that they go."""
    return {**obj, "metadata": {**meta, "managedFields": None}}


def each_once(objects: Iterable[Packed], second_choice: tuple[str, ...]) -> list[Packed]:
    """Keep one of those that the same stored object is served as in two groups.

    Args:
        second_choice: beginnings of versions that give way to another.
    """
    found: dict[str, Packed] = {}
    for number, packed in enumerate(objects):
        uid = packed.uid or f"#{number}"
        if uid not in found or found[uid].api_version.startswith(second_choice):
            found[uid] = packed
    return list(found.values())


def one_by_one(objects: list[Packed]) -> Iterator[Packed]:
    """Yield the objects and let go of each: the list is empty at the end."""
    objects.reverse()
    while objects:
        yield objects.pop()
