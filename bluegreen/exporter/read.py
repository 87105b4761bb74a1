"""Reads a bundle directory back, as one that may have been edited, cut off or made to do harm.

Nothing outside the directory is ever opened; all reasons against a bundle are collected before it is refused.
"""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bluegreen.exporter.bundle import Bundle, Report, make_bundle
from bluegreen.exporter.clean import Removal
from bluegreen.exporter.rules import Action
from bluegreen.exporter.sealed import SEALED, unseal
from bluegreen.exporter.write import FORMAT, INDEX
from bluegreen.exporter.yaml_in import MAX_BYTES, YamlRefusedError, load_yaml
from bluegreen.model.errors import InvalidInputError
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ObjectRef, ref_of

MAX_FILES = 200_000
_INDEX_BYTES = 512 * 1024 * 1024
_INDEX_NODES = 50 * MAX_FILES
"""Some forty reports for each object."""
_EDITED = "is not what was exported: edited or cut off"


def read_bundle(
    directory: Path, hmac_key: bytes, *, edited: bool = False, identities: tuple[str, ...] = (), sealed: bool = False
) -> Bundle:
    """Read a bundle.

    Args:
        directory: a directory that write_bundle made.
        hmac_key: key for the digests of Secrets that somebody put there.
        edited: take files that differ from what was exported.
        identities: age identities that open encrypted Secrets.
        sealed: leave encrypted Secrets closed; they count as withheld.

    Raises:
        InvalidInputError: every reason why the bundle cannot be used; nothing of it is used then.
    """
    reasons: list[str] = []
    index = _read_index(directory)
    objects = [obj for entry in index["files"] if (obj := _read_object(directory, entry, reasons, edited=edited))]
    opening = _Opening(identities, edited=edited, sealed=sealed)
    secrets, withheld = _secrets(directory, index, reasons, opening)
    objects += secrets
    reports = [report for entry in index["reports"] for report in _reports(entry, reasons)]
    reasons += _stated_twice(objects)
    if reasons:
        all_edited = all(reason.endswith(_EDITED) for reason in reasons)
        hint = f"export again{', or take hand-edited files with --edited' if all_edited else ''}"
        raise InvalidInputError("bundle.unreadable", f"reading the bundle {directory}", tuple(reasons), hint)
    return make_bundle(
        index["namespaces"],
        ((obj, "") for obj in objects),
        reports,
        index["storageClasses"],
        hmac_key,
        source=str(index.get("source") or ""),
        withheld=withheld,
    )


def _read_index(directory: Path) -> dict[str, Any]:
    path = directory / INDEX
    if path.is_symlink() or not path.is_file():
        raise _unusable(directory, f"{INDEX} is missing: no bundle, or one that was cut off")
    try:
        index = load_yaml(path.read_bytes(), max_bytes=_INDEX_BYTES, max_nodes=_INDEX_NODES)
    except YamlRefusedError as error:
        raise _unusable(directory, f"{INDEX}: {error}") from None
    if not isinstance(index, dict) or index.get("kind") != "Bundle":
        raise _unusable(directory, f"{INDEX} describes no bundle")
    if index.get("format") != FORMAT:
        raise _unusable(directory, f"it has format {index.get('format')!r}, this bluegreen reads {FORMAT}: upgrade it")
    reasons = [f"{INDEX}: {key} is no list" for key in _LISTS if not isinstance(index.get(key), list)]
    reasons += [
        f"{INDEX}: {key} holds more than names"
        for key in _NAMES
        if not all(isinstance(name, str) for name in index.get(key) or ())
    ]
    if reasons or len(index["files"]) > MAX_FILES:
        raise _unusable(directory, *reasons, *([] if reasons else [f"more than {MAX_FILES} files"]))
    return index


_LISTS = ("namespaces", "storageClasses", "files", "reports", "secretsNotWritten")
_NAMES = ("namespaces", "storageClasses", "secretsNotWritten")


@dataclass(frozen=True, slots=True)
class _Opening:
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
    names = [str(name) for name in (entry.get("names") if isinstance(entry, dict) else None) or ()]
    if how.sealed:
        return [], [*withheld, *names]
    if not how.identities:
        reasons.append(f"{SEALED} holds {len(names)} encrypted Secrets: give --age-identity FILE, or --without-secrets")
        return [], withheld
    data = _read_file(
        directory, {**entry, "file": SEALED} if isinstance(entry, dict) else entry, reasons, edited=how.edited
    )
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
    if not isinstance(name, str) or Path(name).name != name or "\\" in name or name in ("", ".", ".."):
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
    found: Raw = obj
    return found


def _stated_twice(objects: list[Raw]) -> list[str]:
    seen: set[ObjectRef] = set()
    twice: list[str] = []
    for obj in objects:
        ref = ref_of(obj)
        if ref in seen:
            twice.append(f"{ref} is there twice")
        seen.add(ref)
    return twice


def _reports(entry: Any, reasons: list[str]) -> list[Report]:
    """Return the reports of an entry, one for each object."""
    try:
        removal = Removal(str(entry["rule"]), Action(entry["action"]), str(entry["field"]), str(entry["why"]))
        return [Report(ObjectRef(*text.split(" ")), removal) for text in entry["objects"]]
    except (KeyError, TypeError, ValueError, AttributeError):
        reasons.append(f"{INDEX}: a report is not what this bluegreen writes")
        return []
