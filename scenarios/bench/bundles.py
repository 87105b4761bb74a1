"""The same objects for everybody: what `bluegreen export` wrote, as files for kubectl and as bodies for plain HTTPS."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyrage
import yaml

from scenarios.bench import objects, wire

SEALED = "secrets.yaml.age"
_OWN = frozenset({"bluegreen-bundle.yaml", "kustomization.yaml"})


def new_key(path: Path) -> str:
    """Write a new age identity to a file and return its recipient; it guards made-up values only."""
    identity = pyrage.x25519.Identity.generate()
    path.write_text(f"{identity}\n", encoding="utf-8")
    return str(identity.to_public())


def open_secrets(bundle: Path, key: Path) -> bytes:
    """Return the text of a bundle's Secrets."""
    identity = pyrage.x25519.Identity.from_str(key.read_text(encoding="utf-8").strip())
    text: bytes = pyrage.decrypt((bundle / SEALED).read_bytes(), [identity])
    return text


def files_for(bundle: Path, key: Path, old: str, new: str, target: Path) -> Path:
    """Copy a bundle's files for kubectl, with a namespace renamed and the Secrets open; return their directory."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    texts = {path.name: path.read_bytes() for path in bundle.glob("*.yaml") if path.name not in _OWN}
    for name, text in {**texts, "secrets.yaml": open_secrets(bundle, key)}.items():
        (target / name).write_bytes(text.replace(f'"{old}"'.encode(), f'"{new}"'.encode()))
    return target


def requests_of(files: Path, namespace: str) -> list[wire.Request]:
    """Return the server-side applies of files, bodies ready; what belongs to no namespace is left out."""
    found = [obj for path in sorted(files.iterdir()) for obj in _objects(path)]
    inside = [obj for obj in found if obj["metadata"].get("namespace") == namespace]
    return [wire.application(objects.collection(obj["kind"], namespace), obj, "bench-plain") for obj in inside]


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    document = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
    yield from document["items"] if document["kind"] == "List" else [document]
