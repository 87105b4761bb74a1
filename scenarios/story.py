"""What a scenario promises (scenario.yaml), and whether what happened keeps it.

Pure but for reading the file. It must never supply a result itself: an expectation that a file does not state is not
checked, and a value that was not measured never passes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent


class StoryError(Exception):
    """A scenario.yaml that can not be understood; holds all reasons."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Smallest and largest accepted count."""

    min: int = 0
    max: int | None = None

    def accepts(self, value: int) -> bool:
        """Tell whether value is within."""
        return self.min <= value and (self.max is None or value <= self.max)

    def __str__(self) -> str:
        return f"at least {self.min}" if self.max is None else f"{self.min} to {self.max}"


@dataclass(frozen=True, slots=True)
class Expect:
    """What must come out; None means that the scenario does not care.

    Attributes:
        exit: exit code of the command.
        outcome: as the report states it.
        weights: green's weights that were written, in order.
        final: share of each side that HAProxy serves at the end, in per cent.
        requests: what users sent.
        failed: what users saw fail.
        equal_data: rows and digest on blue and green are the same, and there are some.
        named_in_report: at least one of these words is in the report.
    """

    exit: int
    outcome: str
    weights: list[int] | None = None
    final: dict[str, int] | None = None
    requests: Bounds | None = None
    failed: Bounds | None = None
    equal_data: bool = False
    named_in_report: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """One scenario: its folder, what to prepare, and what must come out."""

    name: str
    title: str
    steps: str
    expect: Expect
    green: tuple[Path, ...] = ()
    rate: float = 40.0
    limit_seconds: float = 900.0

    @property
    def config(self) -> Path:
        """Template of the migration's bluegreen.yaml."""
        return HERE / self.name / "bluegreen.yaml"


@dataclass(frozen=True, slots=True)
class Measured:
    """What really happened."""

    exit: int
    outcome: str | None
    weights: list[int] | None
    final: dict[str, int]
    load: Mapping[str, Any]
    blue: tuple[int, str] | None
    green: tuple[int, str] | None
    seconds: float
    report: Path | None
    report_text: str = ""

    @property
    def equal(self) -> bool:
        """Whether both databases answered with the same rows and digest."""
        return self.blue is not None and self.blue == self.green

    def line(self) -> dict[str, Any]:
        """Return the last line of a run."""
        return {
            "outcome": self.outcome,
            "weights": self.weights,
            "requests": self.load.get("requests"),
            "failed": self.load.get("failed"),
            "rows_blue": self.blue and self.blue[0],
            "rows_green": self.green and self.green[0],
            "checksum_equal": self.equal,
            "seconds": round(self.seconds, 1),
            "report": str(self.report) if self.report else None,
        }


def names() -> list[str]:
    """Return all scenarios."""
    return sorted(path.parent.name for path in HERE.glob("*/scenario.yaml"))


def read(name: str) -> Story:
    """Return the scenario of that name.

    Raises:
        StoryError: there is none, or its file can not be understood.
    """
    path = HERE / name / "scenario.yaml"
    if not path.is_file():
        raise StoryError(f"there is no scenario {name!r}; there are: {', '.join(names())}")
    given = yaml.safe_load(path.read_text(encoding="utf-8"))
    expect = dict(given.pop("expect", {}))
    problems = [f"unknown key {key!r}" for key in _unknown(given, Story, {"name", "expect"})]
    problems += [f"unknown key expect.{key}" for key in _unknown(expect, Expect, set())]
    problems += [f"{key} is missing" for key in ("title", "steps") if key not in given]
    problems += [f"expect.{key} is missing" for key in ("exit", "outcome") if key not in expect]
    if problems:
        raise StoryError(f"{path}: {'; '.join(problems)}")
    for key in ("requests", "failed"):
        if key in expect:
            expect[key] = Bounds(**expect[key])
    expect["named_in_report"] = tuple(expect.get("named_in_report", ()))
    given["green"] = tuple(path.parent / item for item in given.get("green", ()))
    return Story(name=name, expect=Expect(**expect), **given)


def _unknown(given: Mapping[str, Any], form: Any, inner: set[str]) -> list[str]:
    return sorted(set(given) - ({item.name for item in fields(form)} - inner))


def mismatches(expect: Expect, got: Measured) -> list[str]:
    """Return each promise that was not kept, with what was expected and what came instead."""
    pairs: list[tuple[str, Any, Any]] = [("exit code", expect.exit, got.exit), ("outcome", expect.outcome, got.outcome)]
    if expect.weights is not None:
        pairs.append(("weights written", expect.weights, got.weights))
    if expect.final is not None:
        pairs.append(("weights served at the end", expect.final, got.final))
    wrong = [f"{what}: expected {want}, got {have}" for what, want, have in pairs if want != have]
    for what, bounds in (("requests", expect.requests), ("failed", expect.failed)):
        count = got.load.get(what)
        if bounds is not None and (count is None or not bounds.accepts(count)):
            wrong.append(f"{what}: expected {bounds}, got {count}")
    if expect.equal_data and not (got.equal and got.blue and got.blue[0]):
        wrong.append(f"data: expected the same rows on both sides, got blue {got.blue}, green {got.green}")
    if expect.named_in_report and not any(word in got.report_text for word in expect.named_in_report):
        wrong.append(f"report: expected one of {', '.join(expect.named_in_report)} in it, got {got.report}")
    return wrong
