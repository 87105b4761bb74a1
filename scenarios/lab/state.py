"""The lab's memory: which processes it started and what it has put into each cluster.

One JSON file, replaced atomically at each change, so a kill at any moment leaves the old or the new one. It must
never hold a secret, and a process id in it is believed only together with the start time the kernel gave that
process.
"""

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scenarios.lab.console import say
from scenarios.lab.layout import lab

LOCK = Path("/run/bluegreen-lab.lock")
_mutex = threading.Lock()


def _file() -> Path:
    return lab() / "state.json"


def read() -> dict[str, Any]:
    """Return the state; empty when there is none or it is unreadable."""
    try:
        state = json.loads(_file().read_text())
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


@contextmanager
def changing() -> Iterator[dict[str, Any]]:
    """Give the state to change and write it when the block ends well."""
    with _mutex:
        state = read()
        yield state
        fresh = _file().with_suffix(".tmp")
        fresh.write_text(json.dumps(state, indent=1, sort_keys=True))
        fresh.replace(_file())


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old text or the new one, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.tmp")
    fresh.touch(mode=mode)
    fresh.write_text(text)
    fresh.replace(path)


@contextmanager
def locked() -> Iterator[None]:
    """Hold the machine's one lab: a second `up` waits for the first and then only verifies."""
    handle = _lock()
    try:
        yield
    finally:
        os.close(handle)


def _lock() -> int:
    while True:
        handle = os.open(LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("lab", "another command works on the lab, waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        # A `down` we waited for has removed the file, and the next command would lock a new one.
        if LOCK.exists() and os.fstat(handle).st_ino == LOCK.stat().st_ino:
            return handle
        os.close(handle)
