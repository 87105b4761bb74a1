"""Reads a bundle directory back, as one that may have been edited, cut off or made to do harm.

Nothing outside the directory is ever opened; all reasons against a bundle are collected before it is refused.
"""

import functools
import hashlib
import itertools
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from bluegreen.exporter.bundle import Bundle, Report, make_bundle
from bluegreen.exporter.json_text import read_json_text
from bluegreen.exporter.layout import FORMAT, INDEX, MAX_INDEX_BYTES, MAX_INDEX_NODES, SEALED
from bluegreen.exporter.names import file_place
from bluegreen.exporter.rules import Action, Removal
from bluegreen.exporter.sealed import unseal
from bluegreen.exporter.yaml_in import MAX_BYTES, YamlRefusedError, load_yaml
from bluegreen.model.errors import InvalidInputError
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ObjectRef, ref_of

MAX_FILES = 200_000
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_TEXTS = frozenset({str})
_LONGEST_SHOWN = 256
"""Characters of a text of the index that an error quotes."""
_EDITED = "is not what was exported: edited or cut off"


Told = Callable[[Mapping[tuple[str, str], int]], None]
"""Told how many objects there are by kind, in lower case, and namespace: by their names in the index, so unchecked."""


def untold(_counts: Mapping[tuple[str, str], int]) -> None:
    """Do nothing, where nobody begins anything early."""


class Contents(msgspec.Struct, frozen=True):
    """What a bundle's directory holds, as plain data; it is judged, and nothing of it has to be refused any more.

    Attributes:
        namespaces: where the objects were.
        objects: the objects, opened Secrets among them; not to be printed.
        reports: those entries of the index that tell what rules did.
        storage_classes: names that claims ask for.
        source: UID of the cluster that it was exported from, empty when not known.
        withheld: Secrets that it names and does not hold.
        excluded: kinds that somebody chose to leave on blue.
    """

    namespaces: list[str]
    objects: list[dict[str, Any]]
    reports: list[dict[str, Any]]
    storage_classes: list[str]
    source: str
    withheld: list[str]
    excluded: list[str]

    def __repr__(self) -> str:
        return f"Contents({self.namespaces!r}, {len(self.objects)} objects)"


def read_bundle(
    directory: Path,
    hmac_key: bytes,
    told: Told = untold,
    *,
    edited: bool = False,
    identities: tuple[str, ...] = (),
    sealed: bool = False,
) -> Bundle:
    """Read a bundle.

    Args:
        directory: a directory that write_bundle made.
        hmac_key: key for the digests of Secrets that somebody put there.
        told: told what the index names before the files are read.
        edited: take files that differ from what was exported.
        identities: age identities that open encrypted Secrets.
        sealed: leave encrypted Secrets closed; they count as withheld.

    Raises:
        InvalidInputError: every reason why the bundle cannot be used; nothing of it is used then.
    """
    return bundle_of(contents(directory, told, edited=edited, identities=identities, sealed=sealed), hmac_key)


def bundle_of(found: Contents, hmac_key: bytes) -> Bundle:
    """Return contents as a bundle; see read_bundle."""
    return make_bundle(
        found.namespaces,
        ((obj, "") for obj in found.objects),
        lambda: itertools.chain.from_iterable(map(_reports, found.reports)),
        found.storage_classes,
        hmac_key,
        source=found.source,
        withheld=found.withheld,
        excluded=found.excluded,
    )


def contents(directory: Path, told: Told, *, edited: bool, identities: tuple[str, ...], sealed: bool) -> Contents:
    """Return what a bundle's directory holds; see read_bundle."""
    reasons: list[str] = []
    index = _read_index(directory)
    told(_counts(index, sealed=sealed))
    objects = [obj for entry in index["files"] if (obj := _read_object(directory, entry, reasons, edited=edited))]
    opening = _Opening(identities, edited=edited, sealed=sealed)
    secrets, withheld = _secrets(directory, index, reasons, opening)
    objects += secrets
    for entry in index["reports"]:
        _judge_report(entry, reasons)
    reasons += _stated_twice(objects)
    if reasons:
        hint = _hint(reasons, edited=edited)
        raise InvalidInputError("bundle.unreadable", f"reading the bundle {directory}", tuple(reasons), hint)
    return Contents(
        namespaces=index["namespaces"],
        objects=objects,
        reports=index["reports"],
        storage_classes=index["storageClasses"],
        source=str(index.get("source") or ""),
        withheld=withheld,
        excluded=index["excluded"],
    )


def _counts(index: Mapping[str, Any], *, sealed: bool) -> Counter[tuple[str, str]]:
    """Return how many objects the index names of each kind in each namespace; what it says may be wrong."""
    entries, closed = index["files"], index.get("secrets")
    found = Counter(file_place(entry["file"]) for entry in entries if isinstance(entry, dict) and _is_name(entry))
    names = closed["names"] if closed and not sealed else ()
    found.update(("secret", str(name).partition("/")[0]) for name in names)
    return Counter({place: number for place, number in found.items() if place[1] in index["namespaces"]})


def _is_name(entry: Mapping[str, Any]) -> bool:
    return isinstance(entry.get("file"), str)


def _hint(reasons: list[str], *, edited: bool) -> str:
    """Return what to do about all reasons together."""
    if all(SEALED in reason or "identit" in reason for reason in reasons):
        return "name the file of the right key with --age-identity, or leave the Secrets closed: --without-secrets"
    if edited:
        return "correct those files; to give up what was edited, export again"
    by_hand = all(reason.endswith(_EDITED) for reason in reasons)
    return f"export again{', or take hand-edited files with --edited' if by_hand else ''}"


def _read_index(directory: Path) -> dict[str, Any]:
    path = directory / INDEX
    if not directory.is_dir():
        what = f"reading the bundle {directory}"
        raise InvalidInputError(
            "bundle.unreadable", what, ("there is no such directory",), "name what bluegreen export wrote"
        )
    if path.is_symlink() or not path.is_file():
        raise _unusable(directory, f"{INDEX} is missing: no bundle, or one that was cut off")
    try:
        index = read_json_text(path.read_bytes(), MAX_INDEX_BYTES, MAX_INDEX_NODES)
    except YamlRefusedError as error:
        raise _unusable(directory, f"{INDEX}: {error}") from None
    if not isinstance(index, dict) or index.get("kind") != "Bundle":
        raise _unusable(directory, f"{INDEX} describes no bundle")
    if index.get("format") != FORMAT:
        newer = isinstance(index.get("format"), int) and index["format"] > FORMAT
        then = "upgrade it" if newer else "export again with this one"
        raise _unusable(directory, f"it has format {index.get('format')!r}, this bluegreen reads {FORMAT}: {then}")
    index.setdefault("excluded", [])
    reasons = [f"{INDEX}: {key} is no list" for key in _LISTS if not isinstance(index.get(key), list)]
    reasons += [
        f"{INDEX}: {key} holds more than names"
        for key in _NAMES
        if not all(isinstance(name, str) for name in index.get(key) or ())
    ]
    closed = index.get("secrets")
    if closed is not None and not (isinstance(closed, dict) and isinstance(closed.get("names"), list)):
        reasons.append(f"{INDEX}: secrets is no map with a list of names")
    if reasons or len(index["files"]) > MAX_FILES:
        raise _unusable(directory, *reasons, *([] if reasons else [f"more than {MAX_FILES} files"]))
    return index


_NAMES = ("namespaces", "storageClasses", "secretsNotWritten", "excluded")
_LISTS = (*_NAMES, "files", "reports")


class _Opening(msgspec.Struct, frozen=True):
    """How to open encrypted Secrets."""

    identities: tuple[str, ...]
    edited: bool
    sealed: bool


def _secrets(directory: Path, index: dict[str, Any], reasons: list[str], how: _Opening) -> tuple[list[Raw], list[str]]:
    """Return the encrypted Secrets, opened, and the names of those that are not there."""
    withheld = list(index["secretsNotWritten"])
    entry = index.get("secrets")
    if entry is None:
        return [], withheld
    names = [str(name) for name in entry["names"]]
    if how.sealed:
        return [], [*withheld, *names]
    if not how.identities:
        reasons.append(f"{SEALED} holds {len(names)} encrypted Secrets: give --age-identity FILE, or --without-secrets")
        return [], withheld
    data = _read_file(directory, {**entry, "file": SEALED}, reasons, edited=how.edited)
    try:
        return (unseal(data, how.identities) if data is not None else []), withheld
    except InvalidInputError as error:
        reasons += error.reasons
        return [], withheld


def _unusable(directory: Path, *reasons: str) -> InvalidInputError:
    return InvalidInputError("bundle.unreadable", f"reading the bundle {directory}", reasons, "export again")


def _read_object(directory: Path, entry: Any, reasons: list[str], *, edited: bool) -> Raw | None:
    """Return the object of an entry; None, with a reason added, when it cannot be used."""
    data = _read_file(directory, entry, reasons, edited=edited)
    return None if data is None else _parse(entry["file"], data, reasons)


def _read_file(directory: Path, entry: Any, reasons: list[str], *, edited: bool) -> bytes | None:
    """Return the bytes of an entry's file; None, with a reason added, when it cannot be used."""
    name = entry.get("file") if isinstance(entry, dict) else None
    if not isinstance(name, str) or "/" in name or "\\" in name or name in ("", ".", ".."):
        reasons.append(f"{name!r} is no plain file name")
        return None
    data = _plain_bytes(f"{directory}/{name}")
    if data is None:
        reasons.append(f"{name} is missing, unreadable or no plain file")
        return None
    if len(data) > MAX_BYTES:
        reasons.append(f"{name} is larger than {MAX_BYTES} bytes")
        return None
    if not edited and hashlib.sha256(data).hexdigest() != entry.get("sha256"):
        reasons.append(f"{name} {_EDITED}")
        return None
    return data


def _plain_bytes(path: str) -> bytes | None:
    """Return the bytes of a plain file, one too many at most; None for anything else, which is not even waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, ValueError):
        return None
    try:
        found = os.fstat(descriptor)
        return os.read(descriptor, min(found.st_size, MAX_BYTES) + 1) if stat.S_ISREG(found.st_mode) else None
    finally:
        os.close(descriptor)


def _parse(name: str, data: bytes, reasons: list[str]) -> Raw | None:
    try:
        obj = load_yaml(data)
        ref_of(obj)
    except YamlRefusedError as error:
        reasons.append(f"{name}: {error}")
        return None
    except (TypeError, KeyError):
        reasons.append(f"{name} holds no object with apiVersion, kind and metadata.name")
        return None
    faults = list(_faults(obj))
    reasons += [f"{name}: {fault}" for fault in faults]
    found: Raw = obj
    return None if faults else found


def _faults(obj: Raw) -> Iterator[str]:
    """Yield what no API server takes in what an object says of itself; the rest is the server's to judge."""
    meta = obj["metadata"]
    for where, text in (("apiVersion", obj["apiVersion"]), ("kind", obj["kind"]), ("metadata.name", meta["name"])):
        if type(text) is not str or not text or not text.isprintable():
            yield f"{where} {text!r} is no text, empty or not printable"
    namespace = meta.get("namespace")
    if namespace is not None and not (isinstance(namespace, str) and _is_label(namespace)):
        yield f"metadata.namespace {namespace!r} is no name of a namespace"
    # A name is a step of a path in the API: these would lead elsewhere (apimachinery pkg/api/validation/path).
    name = str(meta["name"])
    if "/" in name or "%" in name or name in (".", ".."):
        yield f"metadata.name {meta['name']!r} may not be . or .. and not hold / or %"
    for where in ("labels", "annotations"):
        pairs = meta.get(where)
        if pairs is not None and not (isinstance(pairs, dict) and _TEXTS.issuperset(map(type, pairs.values()))):
            yield f"metadata.{where} is no map of texts"


@functools.lru_cache
def _is_label(text: str) -> bool:
    return _LABEL.fullmatch(text) is not None


def _stated_twice(objects: list[Raw]) -> list[str]:
    refs = [ref_of(obj) for obj in objects]
    if len(set(refs)) == len(refs):
        return []
    return [f"{ref} is there twice" for ref, number in Counter(refs).items() for _ in range(number - 1)]


def _judge_report(entry: Any, reasons: list[str]) -> None:
    """Add a reason for each report of an entry that cannot be read."""
    rule = entry.get("rule") if isinstance(entry, dict) else None
    what = f"{INDEX}: the report of {_shown(rule)}"
    try:
        _removal(entry)
        texts = list(entry["objects"])
    except (KeyError, TypeError, ValueError):
        reasons.append(f"{what} cannot be read")
        return
    reasons += [f"{what} on {_shown(repr(text))} cannot be read" for text in texts if not _is_ref(text)]


def _reports(entry: Any) -> Iterator[Report]:
    """Return the reports of an entry, one for each object; most who read a bundle never ask."""
    removal = _removal(entry)
    return (Report(ObjectRef(*text.split(" ", _SPACES)), removal) for text in entry["objects"])


def _removal(entry: Any) -> Removal:
    return Removal(str(entry["rule"]), Action(entry["action"]), str(entry["field"]), str(entry["why"]))


_SPACES = len(ObjectRef._fields) - 1
"""Those that part the text of a reference; its name may hold more (those of roles and bindings may)."""


def _is_ref(text: Any) -> bool:
    return isinstance(text, str) and text.count(" ") >= _SPACES


def _shown(text: Any) -> str:
    return str(text)[:_LONGEST_SHOWN]
