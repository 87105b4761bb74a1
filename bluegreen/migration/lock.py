"""One process per pair of clusters on this machine.

The kernel's file lock ends with the process, so a crash leaves nothing to clean. It is no fence: router
writes are compare-and-set on top of it.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import socket
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from bluegreen.model.errors import LockedError

_LOOKS, _LOOK_SECONDS = 3, 0.05


class MigrationLock:
    """Holds the lock of everything that is done between two clusters, as a context manager."""

    def __init__(self, root: Path, clusters: Iterable[str], since: str) -> None:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        pair = hashlib.sha256("\n".join(sorted(clusters)).encode()).hexdigest()[:12]
        self._path = root / f"{pair}.lock"
        self._since = since
        self._fd = -1

    def __enter__(self) -> Self:
        """Take the lock.

        Raises:
            LockedError: another process has it; names who, where and since when.
        """
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._take()
        except OSError as error:
            holder = os.read(self._fd, 4096).decode(errors="replace")
            os.close(self._fd)
            raise LockedError(
                "run.locked",
                f"taking {self._path}",
                f"held by {_describe(holder)}",
                "wait for it or stop that process with Ctrl-C; look at it with: bluegreen status",
            ) from error
        os.ftruncate(self._fd, 0)
        mine = {"pid": os.getpid(), "host": socket.gethostname(), "since": self._since}
        os.pwrite(self._fd, json.dumps(mine).encode(), 0)
        return self

    def _take(self) -> None:
        """Take it; a look by `taken` lasts a moment and must not turn anybody away."""
        for _ in range(_LOOKS):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            time.sleep(_LOOK_SECONDS)
        fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def taken(self) -> bool:
        """Return whether a process on this machine has it."""
        if not self._path.exists():
            return False
        fd = os.open(self._path, os.O_RDONLY)
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            return False
        finally:
            os.close(fd)

    def hold(self) -> None:
        """Take the lock until this process ends; the kernel gives it back then."""
        self.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the lock back."""
        os.close(self._fd)


def _describe(holder: str) -> str:
    """Return the holder in words."""
    try:
        data = json.loads(holder)
        return f"process {data['pid']} on {data['host']} since {data['since']}"
    except (ValueError, KeyError):
        return "another process"
