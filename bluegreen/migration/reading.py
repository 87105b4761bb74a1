"""A bundle that is read while the rest of an import is being prepared, and what it says of itself even earlier.

It must load little before it begins: the process that reads loads for itself what it needs.
"""

import os
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluegreen.migration import beside

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
        self._counts: Future[Counts] = Future()
        # What comes through a pipe, such as a key from a password store, can be read once only. (Path.is_file raises
        # where the name is too long for one, as that of a key given in its place.)
        repeatable = identity is None or os.path.isfile(identity)  # noqa: PTH113
        self._beside = beside.begin(self._read_beside) if repeatable else None

    def counts(self) -> Counts:
        """Return how many objects there are by kind, in lower case, and namespace; none where it cannot be read.

        It is what the index says, so unchecked, and waited for until that is read. It may be asked for once.
        """
        if self._beside is None:
            return self._counts.result()
        import msgspec  # noqa: PLC0415 - loaded on use

        said = self._beside.word()
        told = msgspec.msgpack.decode(said, type=list[tuple[str, str, int]]) if said else ()
        return {(kind, namespace): number for kind, namespace, number in told}

    def bundle(self) -> "Bundle":
        """Return the bundle; it may be asked for once.

        Raises:
            InvalidInputError: every reason why it cannot be used.
        """
        if self._beside is not None:
            try:
                if (found := self._beside.result()) is not None:
                    return _unpacked(found)
            finally:
                self._beside.end()
        from bluegreen.exporter.read import read_bundle  # noqa: PLC0415 - loaded on use

        try:
            return read_bundle(self._directory, os.urandom(32), self._tell, **self._how())
        finally:
            self._tell({})

    def _tell(self, counts: Counts) -> None:
        if not self._counts.done():
            self._counts.set_result(counts)

    def _how(self) -> dict[str, Any]:
        from bluegreen.exporter.sealed import read_identities  # noqa: PLC0415 - loaded on use

        identities = read_identities(self._identity) if self._identity else ()
        return {"edited": self._edited, "identities": identities, "sealed": self._sealed}

    def _read_beside(self, say: beside.Say) -> bytes:
        import msgspec  # noqa: PLC0415 - loaded on use

        from bluegreen.exporter.read import contents  # noqa: PLC0415

        def told(counts: Counts) -> None:
            say(msgspec.msgpack.encode([(*place, number) for place, number in counts.items()]))

        return msgspec.msgpack.encode(contents(self._directory, told, **self._how()))


def _unpacked(found: bytes) -> "Bundle":
    import msgspec  # noqa: PLC0415 - loaded on use

    from bluegreen.exporter.read import Contents, bundle_of  # noqa: PLC0415

    return bundle_of(msgspec.msgpack.decode(found, type=Contents), os.urandom(32))
