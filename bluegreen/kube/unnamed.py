"""Files without a name, for libraries that take a certificate or a key by its path only.

They lie in memory and are gone with the process, however it ends: a key on a disk would stay when it is killed. Where
the system has no such files they are temporary ones, removed when the interpreter ends.
"""

import atexit
import functools
import os
from pathlib import Path


@functools.cache
def path_of(text: bytes) -> str:
    """Return the path of a file that holds a text; it can be read as often as wanted, as long as this process lives.

    Args:
        text: what it holds, such as a key.
    """
    if not _in_memory():
        return _temporary(text)
    try:
        descriptor = os.memfd_create("bluegreen")  # never closed
    except OSError:  # such as one that a sandbox forbids
        return _temporary(text)
    with os.fdopen(descriptor, "wb", closefd=False) as file:
        file.write(text)
    return f"/proc/self/fd/{descriptor}"


def _in_memory() -> bool:
    return hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir()


def _temporary(text: bytes) -> str:
    import tempfile  # noqa: PLC0415 - costs start-up time, and is hardly ever wanted

    descriptor, name = tempfile.mkstemp(prefix="bluegreen-")
    atexit.register(Path(name).unlink, missing_ok=True)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
    return name
