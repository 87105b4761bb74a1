"""Every reason at once: what is wrong is collected, and told as one error.

Only our own errors are collected; what else is raised goes on.
"""

from collections.abc import Callable
from typing import TypeVar

from bluegreen.model.errors import BluegreenError, InvalidInputError

T = TypeVar("T")


class Reasons:
    """Collects what is wrong, each with what to type next."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, error: BluegreenError) -> None:
        """Add an error in one line, or each of its reasons."""
        lines = error.reasons if isinstance(error, InvalidInputError) else (str(error),)
        hint = f" (next: {error.next_step})" if error.next_step else ""
        self.found += [f"{line}{hint}" for line in lines]

    def attempt(self, act: Callable[[], T]) -> T | None:
        """Return what act returns, or note its error and return None."""
        try:
            return act()
        except BluegreenError as error:
            self.add(error)
            return None

    def raise_if_any(self, what: str) -> None:
        """Raise everything that was found, as one error.

        Raises:
            InvalidInputError: something was found.
        """
        if self.found:
            raise InvalidInputError("preflight.refused", what, tuple(dict.fromkeys(self.found)))
