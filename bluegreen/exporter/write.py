"""Writes a Bundle as a directory that `kubectl apply -k` takes: one object per file, the same bytes every time.

All or nothing: the directory appears by a rename or not at all. A Secret is only named, or written encrypted (law 9).
"""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from bluegreen.exporter.bundle import Bundle, Item
from bluegreen.exporter.json_text import json_text, read_json_text
from bluegreen.exporter.layout import FORMAT, INDEX, KUSTOMIZATION, MAX_INDEX_BYTES, MAX_INDEX_NODES, SEALED
from bluegreen.exporter.names import file_name
from bluegreen.exporter.rules import Removal
from bluegreen.exporter.sealed import seal
from bluegreen.exporter.yaml_in import YamlRefusedError
from bluegreen.exporter.yaml_out import dump_yaml
from bluegreen.model.errors import InvalidInputError

_NAMED = 5


def write_bundle(bundle: Bundle, directory: Path, recipients: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Write a bundle.

    Args:
        bundle: what to write.
        directory: must not exist, be empty, or hold a bundle and nothing else; that bundle is replaced.
        recipients: age recipients that the Secrets are encrypted to; without one they are only named.

    Returns:
        the Secrets that were not written, as namespace/name.

    Raises:
        InvalidInputError: the directory exists and holds something else, or a recipient cannot be used.
    """
    _refuse_foreign(directory)
    secrets = tuple(item.obj for item in bundle.items if item.ref.kind == "Secret")
    sealed = seal(secrets, recipients) if secrets and recipients else b""
    directory.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
    try:
        withheld = _fill(bundle, work, sealed)
        work.chmod(0o755)
        _swap(work, directory)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return withheld


def _refuse_foreign(directory: Path) -> None:
    """Refuse a target that holds what an earlier export did not write: it would be gone afterwards."""
    what = f"writing the bundle to {directory}"
    if not directory.name or directory.is_symlink() or (directory.exists() and not directory.is_dir()):
        reason = "it is no directory that can be replaced as a whole"
        raise InvalidInputError("bundle.target", what, (reason,), "name another directory")
    names = {entry.name for entry in directory.iterdir()} if directory.is_dir() else set()
    if not names:
        return
    if INDEX not in names:
        reason = f"it is not empty and holds no {INDEX}"
        raise InvalidInputError("bundle.target", what, (reason,), "name an empty or new directory")
    foreign = sorted(names - _written_before(directory / INDEX))
    if foreign:
        more = f" and {len(foreign) - _NAMED} more" if len(foreign) > _NAMED else ""
        reason = f"besides a bundle it holds {', '.join(foreign[:_NAMED])}{more}, which an export would delete"
        hint = "give the bundle a directory of its own, such as a subdirectory; or move the others away"
        raise InvalidInputError("bundle.target", what, (reason,), hint)


def _written_before(index: Path) -> set[str]:
    """Return the names of the files that an earlier export wrote, as its index has them, if that can be read."""
    ours = {INDEX, KUSTOMIZATION, SEALED}
    try:
        content = read_json_text(index.read_bytes(), MAX_INDEX_BYTES, MAX_INDEX_NODES)
        return ours | {str(entry["file"]) for entry in content["files"]}
    except (YamlRefusedError, OSError, KeyError, TypeError):
        return ours


def _fill(bundle: Bundle, work: Path, sealed: bytes) -> tuple[str, ...]:
    written = [_write_item(item, work) for item in bundle.items if item.ref.kind != "Secret"]
    secrets = [f"{item.ref.namespace}/{item.ref.name}" for item in bundle.items if item.ref.kind == "Secret"]
    index = _index(bundle, written, [] if sealed else [*bundle.withheld, *secrets])
    if sealed:
        (work / SEALED).write_bytes(sealed)
        index["secrets"] = {"file": SEALED, "sha256": hashlib.sha256(sealed).hexdigest(), "names": secrets}
    _write(work / KUSTOMIZATION, dump_yaml(_kustomization(written)))
    _write(work / INDEX, json_text(index))
    return tuple(index["secretsNotWritten"])


def _write_item(item: Item, work: Path) -> dict[str, Any]:
    name = file_name(item.ref)
    data = dump_yaml(item.obj)
    (work / name).write_bytes(data)
    return {"file": name, "sha256": hashlib.sha256(data).hexdigest()}


def _kustomization(written: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [entry["file"] for entry in written],
    }


def _index(bundle: Bundle, written: list[dict[str, Any]], withheld: list[str]) -> dict[str, Any]:
    """Return the bundle's own table; blue's versions and keyed digests stay out, or the bytes would differ per run."""
    return {
        "apiVersion": "bluegreen.io/v1",
        "kind": "Bundle",
        "format": FORMAT,
        "source": bundle.source,
        "namespaces": list(bundle.namespaces),
        "storageClasses": list(bundle.storage_classes),
        **({"excluded": list(bundle.excluded)} if bundle.excluded else {}),
        "files": written,
        "secretsNotWritten": withheld,
        "reports": _reports(bundle),
    }


def _reports(bundle: Bundle) -> list[dict[str, Any]]:
    """Return what happened, each once with all objects that it happened to: mostly the same to thousands."""
    found: dict[Removal, list[str]] = {}
    for report in bundle.reports:
        ref = report.ref
        found.setdefault(report.removal, []).append(f"{ref.api_version} {ref.kind} {ref.namespace} {ref.name}")
    return [
        {
            "rule": removal.rule,
            "action": str(removal.action),
            "field": removal.path,
            "why": removal.why,
            "objects": objects,
        }
        for removal, objects in sorted(found.items(), key=lambda pair: (pair[0].rule, pair[0].path, pair[0].why))
    ]


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _swap(work: Path, directory: Path) -> None:
    """Put the new directory in the old one's place; between the two renames there is none, never half of one."""
    if not directory.exists():
        work.rename(directory)
        return
    old = work.with_name(work.name + ".old")
    directory.rename(old)
    work.rename(directory)
    shutil.rmtree(old, ignore_errors=True)
