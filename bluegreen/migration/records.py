"""What happened in an act of the shift, in the JSON form that the durable run stores, and back.

A form that cannot be read back is a bug, never a guess.
"""

from typing import Any, assert_never

from bluegreen.model.errors import BugError
from bluegreen.model.ports import Weights
from bluegreen.model.verdicts import Verdict
from bluegreen.slo.health import Health
from bluegreen.traffic.states import (
    BlueSeen,
    BudgetElapsed,
    Command,
    Input,
    Judged,
    Ordered,
    RouterRefused,
    RouterUnreachable,
    Settled,
    SettleTimedOut,
    Written,
)


def to_record(happened: Input) -> dict[str, Any]:
    """Return the JSON form of what happened."""
    name = type(happened).__name__
    match happened:
        case Written(served):
            return {"happened": name, "value": served.green}
        case Judged(verdict, over):
            return {"happened": name, "value": str(verdict), "over": over}
        case BlueSeen(health):
            return {"happened": name, "value": str(health)}
        case Ordered(command):
            return {"happened": name, "value": str(command)}
        case Settled() | SettleTimedOut() | BudgetElapsed() | RouterUnreachable() | RouterRefused():
            return {"happened": name, "value": None}
        case _:
            assert_never(happened)


_PLAIN = {kind.__name__: kind for kind in (Settled, SettleTimedOut, BudgetElapsed, RouterUnreachable, RouterRefused)}


def from_record(record: dict[str, Any]) -> Input:
    """Return what happened from its JSON form.

    Raises:
        BugError: the form is not ours.
    """
    name, value = record.get("happened"), str(record.get("value"))
    match name:
        case "Written":
            return Written(Weights.for_green(int(value)))
        case "Judged":
            return Judged(Verdict(value), over=record.get("over") is True)
        case "BlueSeen":
            return BlueSeen(Health(value))
        case "Ordered":
            return Ordered(Command(value))
        case str() if name in _PLAIN:
            return _PLAIN[name]()
        case _:
            raise BugError("run.bad-record", "reading what was recorded", repr(record))
