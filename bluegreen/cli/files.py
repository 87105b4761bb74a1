"""Files that commands write: refused before any work is done for one that cannot be written."""

import os
from pathlib import Path

from bluegreen.model.errors import InvalidInputError


def cannot_write(path: Path, why: str) -> InvalidInputError:
    """Return the error that a file cannot be written.

    Args:
        path: the file.
        why: what the system says.
    """
    hint = "name a file in a directory that is there and may be written"
    return InvalidInputError("file.target", f"writing {path}", (why,), hint)


def check_target(path: Path) -> None:
    """Refuse, before any work is done for it, a file that cannot be written.

    Raises:
        InvalidInputError: it is a directory, or its directory is not there or may not be written.
    """
    if not path.name or path.is_dir():
        raise cannot_write(path, "it is a directory")
    if not path.parent.is_dir():
        raise cannot_write(path, f"there is no directory {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise cannot_write(path, f"{path.parent} may not be written")
