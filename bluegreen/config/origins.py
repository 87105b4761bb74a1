"""Where each value came from, so that nobody has to guess which of four places won.

The order is flag, environment, file, default. An origin names a place, never a value.
"""

import enum
from collections.abc import Mapping

import msgspec

from bluegreen.config.problems import Path


class OriginKind(enum.StrEnum):
    """The four places, strongest first."""

    FLAG = "flag"
    ENV = "env"
    FILE = "file"
    DEFAULT = "default"


class Origin(msgspec.Struct, frozen=True):
    """Where one value came from.

    Attributes:
        kind: which of the four places.
        name: the flag, the variable or the file; empty for a default.
        line: line in the file, 0 elsewhere.
    """

    kind: OriginKind
    name: str = ""
    line: int = 0

    def __str__(self) -> str:
        if self.kind is OriginKind.FILE:
            return f"{self.name}:{self.line}"
        return f"{self.kind} {self.name}".strip()


DEFAULT = Origin(OriginKind.DEFAULT)


def origin_of(path: Path, origins: Mapping[Path, Origin]) -> Origin:
    """Return the origin of a value: its own, or that of the scalar it was expanded from, else the default."""
    for end in range(len(path), 0, -1):
        if path[:end] in origins:
            return origins[path[:end]]
    return DEFAULT
