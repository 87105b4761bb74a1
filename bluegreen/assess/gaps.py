"""What could not be read of a cluster is a gap with its reason, never an error and never silence."""

from collections.abc import Callable
from typing import TypeVar

from bluegreen.model.errors import BluegreenError

T = TypeVar("T")


def attempt(read: Callable[[], T], words: str, gaps: dict[str, str]) -> T | None:
    """Return what was read, or note why it could not be and return None."""
    try:
        return read()
    except BluegreenError as error:
        gaps[words] = str(error)
        return None
