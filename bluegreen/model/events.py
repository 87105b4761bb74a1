"""What a run decided and did, as events: the only source of screen, log, report and notifications.

An event is a name with keys, never a sentence with data in it, and never holds a Secret's value.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        name: dotted name in the past tense or present state, such as step.started, weight.written, gate.judged.
        at: UTC time stamp, ISO 8601 with milliseconds.
        data: JSON-ready values.
    """

    name: str
    at: str
    data: dict[str, Any] = field(default_factory=dict)


class Emit(Protocol):
    """How a room tells what happened; never raises."""

    def __call__(self, name: str, /, **data: Any) -> None:
        """Record an event of that name with these JSON-ready values."""


def silent(_name: str, /, **_data: Any) -> None:
    """Tell nobody, as an Emit: somebody only looks, and there is no journal."""
