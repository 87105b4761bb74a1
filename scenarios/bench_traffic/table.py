"""What is promised of a router, and a row of the table from what was measured. Pure; it must never hide a miss."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scenarios.bench.figures import median

WRITE_MS = 100.0
BALANCER_LAST_SECONDS = 1.0
DNS_WRITE_MS = 1000.0
ALLOWANCE_SECONDS = 2.0
"""What a client that has just asked may need, as in bluegreen.traffic.settling."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way back.

    Attributes:
        verdict: monotonic seconds of the verdict FAIL.
        write: of the first write at the backend.
        last: of the last answer of green that a user got, None when none came after the verdict.
    """

    verdict: float
    write: float
    last: float | None


@dataclass(frozen=True, slots=True)
class Measured:
    """All runs of one router.

    Attributes:
        ways: the ways back.
        answers: how many answers users got in the healthy migration, by what it was: blue, green, lost, blue 500.
        back_answers: the same in the ways back.
        ttl: seconds that resolvers keep an answer during the migration, None for a balancer.
        about: further facts of the row.
    """

    ways: Sequence[Way]
    answers: Mapping[str, int]
    back_answers: Mapping[str, int]
    ttl: int | None
    about: Mapping[str, Any]


def row(router: str, got: Measured) -> dict[str, Any]:
    """Return the row of a router; `missed` names every target that was not reached."""
    writes = [(way.write - way.verdict) * 1000 for way in got.ways]
    lasts = [max(0.0, way.last - way.verdict) if way.last is not None else 0.0 for way in got.ways]
    lost = sum(count for what, count in got.answers.items() if what not in {"blue", "green"})
    limits = limits_of(got.ttl)
    figures = {"verdict_to_first_write_ms": (writes, 1), "verdict_to_last_wrong_answer_s": (lasts, 3)}
    return {
        "router": router,
        **{name: _spread(values, digits) for name, (values, digits) in figures.items()},
        "requests_lost": lost,
        "requests": sum(got.answers.values()),
        "requests_on_green": got.answers.get("green", 0),
        "runs_back": len(got.ways),
        "requests_back": dict(got.back_answers),
        "ttl_s": got.ttl,
        **got.about,
        "targets": limits,
        "missed": _missed(got, writes, lasts, lost, limits),
    }


def limits_of(ttl: int | None) -> dict[str, float]:
    """Return what each figure may be at most."""
    last = BALANCER_LAST_SECONDS if ttl is None else ttl + ALLOWANCE_SECONDS
    write = WRITE_MS if ttl is None else DNS_WRITE_MS
    return {"verdict_to_first_write_ms": write, "verdict_to_last_wrong_answer_s": last, "requests_lost": 0}


def _spread(values: Sequence[float], digits: int) -> dict[str, float | None]:
    if not values:
        return {"median": None, "max": None}
    return {"median": round(median(values), digits), "max": round(max(values), digits)}


def _missed(
    got: Measured, writes: Sequence[float], lasts: Sequence[float], lost: int, limits: Mapping[str, float]
) -> list[str]:
    """Return the targets that were missed; what was not measured is missed.

    Milliseconds are held to their target by the median, since a machine with two cores gives other processes a turn;
    the largest stands beside it. Answers and losses count one by one.
    """
    worst = {
        "verdict_to_first_write_ms": median(writes) if writes else None,
        "verdict_to_last_wrong_answer_s": max(lasts, default=None),
        "requests_lost": lost if got.answers.get("blue") and got.answers.get("green") else None,
    }
    missed = [name for name, value in worst.items() if value is None or value > limits[name]]
    if not any(what.startswith("green") for what in got.back_answers):
        missed.append("nobody was on green before the verdict")
    return missed


def failed(router: str, reason: str) -> dict[str, Any]:
    """Return the row of a router that could not be measured though it had to be."""
    return {"router": router, "missed": ["not measured"], "reason": reason}


def absent(router: str, reason: str) -> dict[str, Any]:
    """Return the row of a router that needs what this machine has not ready; it is no success and no miss."""
    return {"router": router, "not_measured": reason, "missed": []}


def table(rows: Sequence[Mapping[str, Any]], required: Sequence[str]) -> dict[str, Any]:
    """Return the whole table; `ok` only when every router that is required was measured and missed nothing."""
    measured = {row["router"] for row in rows if "not_measured" not in row}
    whole = set(required) <= measured and not any(row["missed"] for row in rows)
    return {"ok": whole, "rows": list(rows)}
