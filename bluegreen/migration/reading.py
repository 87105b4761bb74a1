"""A bundle that is read while the rest of an import is being prepared, and what it says of itself even earlier.

It must load little before it begins: the process that reads loads for itself what it needs.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bluegreen.migration.beside import Beside, Say

if TYPE_CHECKING:
    from bluegreen.exporter.bundle import Bundle

Counts = Mapping[tuple[str, str], int]


class Reading:
    """The bundle of a directory, which is read from when this is made.

    Args:
        directory: what `bluegreen export` wrote.
        identity: file with the age identity of encrypted Secrets.
        edited: take files that were changed by hand.
        without_secrets: leave encrypted Secrets closed.
    """

    def __init__(self, directory: Path, identity: Path | None, *, edited: bool, without_secrets: bool) -> None:
        self._directory = directory
        self._identity = identity
        self._edited = edited
        self._sealed = without_secrets
        self._beside = Beside(self._read)

    def counts(self) -> Counts:
        """Return how many objects there are by kind, in lower case, and namespace; none where it cannot be read.

        It is what the index says, so unchecked, and known before the files are read. One thread may ask, once.
        """
        import msgspec  # noqa: PLC0415 - loaded on use

        said = self._beside.word()
        told = msgspec.msgpack.decode(said, type=list[tuple[str, str, int]]) if said else ()
        return {(kind, namespace): number for kind, namespace, number in told}

    def bundle(self) -> "Bundle":
        """Return the bundle.

        Raises:
            InvalidInputError: every reason why it cannot be used.
        """
        import msgspec  # noqa: PLC0415 - loaded on use

        from bluegreen.exporter.read import Contents, bundle_of  # noqa: PLC0415

        found = bundle_of(msgspec.msgpack.decode(self._beside.result(), type=Contents), os.urandom(32))
        self._beside.end()  # the other process took its memory down meanwhile
        return found

    def _read(self, say: Say) -> bytes:
        import msgspec  # noqa: PLC0415 - loaded on use

        from bluegreen.exporter.read import contents  # noqa: PLC0415
        from bluegreen.exporter.sealed import read_identities  # noqa: PLC0415

        def told(counts: Counts) -> None:
            say(msgspec.msgpack.encode([(*place, number) for place, number in counts.items()]))

        keys = read_identities(self._identity) if self._identity else ()
        found = contents(self._directory, told, edited=self._edited, identities=keys, sealed=self._sealed)
        return msgspec.msgpack.encode(found)
