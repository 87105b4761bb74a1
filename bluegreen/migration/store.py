"""Where a migration lives on disk: one directory with manifest, events, workflow state and reports.

The manifest pins what the run was started with, so that a resume under another config is noticed.
No Secret's value is ever written here (law 9).
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bluegreen.model.errors import NotFoundError, RefusedError
from bluegreen.model.refs import ClusterId

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a migration was started with.

    Attributes:
        id: DNS-1123 name of the migration.
        blue: cluster that serves before.
        green: cluster that shall serve.
        namespaces: what moves.
        steps: weights of green, in order.
        config_digest: sha256 of the effective config.
        created: UTC time stamp.
        schema: version of this directory's layout.
    """

    id: str
    blue: ClusterId
    green: ClusterId
    namespaces: tuple[str, ...]
    steps: tuple[int, ...]
    config_digest: str
    created: str
    schema: int = SCHEMA


def default_root(env: dict[str, str]) -> Path:
    """Return the state directory: BLUEGREEN_STATE_DIR, else below XDG_STATE_HOME."""
    if env.get("BLUEGREEN_STATE_DIR"):
        return Path(env["BLUEGREEN_STATE_DIR"])
    base = env.get("XDG_STATE_HOME") or str(Path(env.get("HOME", "/root")) / ".local/state")
    return Path(base) / "bluegreen"


def new_id(blue: str, green: str, stamp: str) -> str:
    """Return a DNS-1123 label from both contexts and a time stamp, short enough to derive names from it."""
    parts = [re.sub(r"[^a-z0-9]+", "-", context.lower()).strip("-")[:12].strip("-") or "x" for context in (blue, green)]
    return "-".join([*parts, re.sub(r"[^0-9]", "", stamp)[2:14]])


@dataclass(frozen=True, slots=True)
class Store:
    """The directory of one migration."""

    path: Path

    @property
    def events(self) -> Path:
        """Return the file of events, one JSON object a line."""
        return self.path / "events.jsonl"

    @property
    def orders(self) -> Path:
        """Return the file of orders, one JSON object a line."""
        return self.path / "orders.jsonl"

    @property
    def database(self) -> str:
        """Return the URL of the workflow's own SQLite database."""
        return f"sqlite:///{self.path / 'workflow.sqlite'}"

    def write_manifest(self, manifest: Manifest) -> None:
        """Make the directory and write the manifest, whole or not at all."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(self.path / "migration.json", json.dumps(asdict(manifest), indent=2) + "\n")

    def manifest(self) -> Manifest:
        """Return the manifest.

        Raises:
            RefusedError: written by a newer bluegreen, or unreadable.
        """
        file = self.path / "migration.json"
        try:
            data = json.loads(file.read_text())
            if data["schema"] != SCHEMA:
                raise RefusedError(
                    "state.other-schema",
                    f"reading {file}",
                    f"written by another bluegreen (schema {data['schema']}, this one knows {SCHEMA})",
                    "install that bluegreen and run the same command again, or: bluegreen revert",
                )
            return _manifest_of(data)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RefusedError("state.unreadable", f"reading {file}", repr(error), f"look at {self.path}") from error

    def outcome(self) -> str:
        """Return how the migration ended, empty while it has not."""
        return str(next((e["data"]["outcome"] for e in self.raw_events() if e["name"] == "run.finished"), ""))

    def raw_events(self) -> Iterator[dict[str, Any]]:
        """Yield the recorded events, newest first; a line cut by a crash is left out."""
        if not self.events.exists():
            return
        for line in reversed(self.events.read_text().split("\n")):
            try:
                yield json.loads(line)
            except ValueError:
                continue


def _manifest_of(data: dict[str, Any]) -> Manifest:
    """Build the manifest from its JSON form."""
    return Manifest(
        **{
            **data,
            "blue": ClusterId(**data["blue"]),
            "green": ClusterId(**data["green"]),
            "namespaces": tuple(data["namespaces"]),
            "steps": tuple(data["steps"]),
        }
    )


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file whole or not at all, durable before this returns."""
    temporary = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def stores(root: Path) -> list[Store]:
    """Return the migrations below a state directory, newest first."""
    found = [Store(file.parent) for file in root.glob("*/migration.json")]
    return sorted(found, key=lambda store: (store.path / "migration.json").stat().st_mtime_ns, reverse=True)


def pick(root: Path, name: str | None) -> Store:
    """Return the migration of that name, or the newest.

    Raises:
        NotFoundError: there is none; names those that are known.
    """
    found = stores(root)
    if name is None and found:
        return found[0]
    for store in found:
        if store.path.name == name:
            return store
    known = ", ".join(store.path.name for store in found) or "none"
    raise NotFoundError(
        "state.no-migration",
        f"looking for a migration below {root}",
        f"known: {known}",
        "bluegreen migrate, or --state-dir",
    )
