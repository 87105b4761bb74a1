"""Charts as numbers: where lines, marks and labels stand, in per cent of the plot, origin at the top left.

The template draws them, so that every label is escaped there and text keeps its size on a narrow screen.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from bluegreen.model.durations import format_duration
from bluegreen.report.model import ObjectiveView, PhaseState, PhaseView, RunView, Sight
from bluegreen.report.words import share

_TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_MOST_TICKS = 6
_MOST_POINTS = 400
_LABEL_ROOM = 7.0
_LABEL_HEIGHT = 15.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A label at a place."""

    x: float
    y: float
    words: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """One plot.

    Attributes:
        lines: polylines, each as the points attribute of SVG.
        area: polygon below the first line, empty for none.
        across: heights of horizontal guides.
        down: places of vertical guides.
        ticks: labels below the plot.
        scale: labels beside the plot.
        marks: labels in the plot.
    """

    lines: tuple[str, ...]
    area: str
    across: tuple[float, ...]
    down: tuple[float, ...]
    ticks: tuple[Mark, ...]
    scale: tuple[Mark, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class _Span:
    """The time that a plot shows."""

    start: float
    end: float

    def x(self, at: float) -> float:
        return round(100 * (at - self.start) / max(0.001, self.end - self.start), 3)

    def ticks(self) -> tuple[Mark, ...]:
        length = self.end - self.start
        pace = next((tick for tick in _TICKS if length / tick <= _MOST_TICKS), _TICKS[-1])
        count = min(int(length / pace), 2 * _MOST_TICKS)
        return tuple(Mark(self.x(self.start + i * pace), 100, _clock(i * pace)) for i in range(count + 1))


def _clock(seconds: float) -> str:
    return (
        "0s" if seconds == 0 else format_duration(seconds).replace(".0s", "s").replace("m00s", "m").replace("h00m", "h")
    )


def _span(view: RunView) -> _Span | None:
    """Return the time of the shift: from its first sign until weights rest or the run ends."""
    starts = [step.started for step in view.steps] + [point.at for point in view.weights]
    if not starts or view.last is None:
        return None
    return _Span(min(starts), max(view.last, min(starts) + 1))


def weight_chart(view: RunView) -> Chart | None:
    """Return green's weight over time with a mark at the end of every step; None when no traffic was moved."""
    span = _span(view)
    if span is None or not view.weights:
        return None
    levels = [(span.start, 0 if view.weights[0].forward else 100)]
    levels += [(point.at, point.green) for point in view.weights]
    corners = _corners(levels, span)
    line = " ".join(f"{x},{y}" for x, y in corners)
    return Chart(
        lines=(line,),
        area=f"0,100 {line} 100,100",
        across=(0.0, 50.0, 100.0),
        down=(),
        ticks=span.ticks(),
        scale=(Mark(0, 0, "100%"), Mark(0, 50, "50%"), Mark(0, 100, "0%")),
        marks=(*_plateaus(levels, span), *_verdicts(view, span)),
    )


def _corners(levels: list[tuple[float, int]], span: _Span) -> list[tuple[float, float]]:
    corners: list[tuple[float, float]] = []
    for at, green in levels:
        x = span.x(at)
        if corners:
            corners.append((x, corners[-1][1]))
        corners.append((x, 100.0 - green))
    corners.append((100.0, corners[-1][1]))
    return corners


def _plateaus(levels: list[tuple[float, int]], span: _Span) -> Iterable[Mark]:
    ends = [at for at, _ in levels[1:]] + [span.end]
    for (at, green), end in zip(levels, ends, strict=True):
        left, right = span.x(at), span.x(end)
        if green and right - left >= _LABEL_ROOM:
            yield Mark((left + right) / 2, 100.0 - green, f"{green}%", "level low" if green > 50 else "level")  # noqa: PLR2004 - upper half


def _verdicts(view: RunView, span: _Span) -> Iterable[Mark]:
    for step in view.steps:
        if step.ended is not None and step.verdict:
            kind = f"verdict {step.verdict.lower().replace('_', '-')}"
            yield Mark(min(100.0, span.x(step.ended)), 100.0 - step.weight, step.verdict, kind)


def objective_chart(view: RunView, objective: ObjectiveView) -> Chart | None:
    """Return the share of good requests over time against what is asked; None without two samples."""
    span = _span(view)
    seen = [sight for sight in objective.series if sight.judgement.value is not None]
    if span is None or len(seen) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    threshold = objective.latest.threshold
    lowest = min([_value(sight) for sight in seen] + ([threshold] if threshold is not None else []))
    floor = max(0.0, lowest - max(0.15 * (1 - lowest), 0.0005))
    runs = [list(group) for _, group in groupby(_thin(seen), key=lambda sight: sight.weight)]
    asked = () if threshold is None else (_y(threshold, floor),)
    return Chart(
        lines=tuple(
            " ".join(f"{span.x(one.at)},{_y(_value(one), floor)}" for one in run) for run in runs if len(run) > 1
        ),
        area="",
        across=asked,
        down=tuple(span.x(run[0].at) for run in runs),
        ticks=span.ticks(),
        scale=tuple(_scale(threshold, floor)),
        marks=tuple(_bad(seen, span, floor)),
    )


def _scale(threshold: float | None, floor: float) -> Iterable[Mark]:
    """Yield the labels beside the plot; one that would touch the objective's own gives way."""
    asked = None if threshold is None else _y(threshold, floor)
    for y, value in ((0.0, 1.0), (100.0, floor)):
        if asked is None or abs(asked - y) >= _LABEL_HEIGHT:
            yield Mark(0, y, share(value))
    if asked is not None:
        yield Mark(0, asked, share(threshold), "asked")


def _bad(seen: list[Sight], span: _Span, floor: float) -> Iterable[Mark]:
    """Yield the first moment of each FAIL."""
    before = ""
    for sight in seen:
        verdict = sight.judgement.verdict
        if verdict != before and verdict == "FAIL":
            yield Mark(span.x(sight.at), _y(_value(sight), floor), verdict, "verdict fail")
        before = verdict


def _value(sight: Sight) -> float:
    value = sight.judgement.value
    return 1.0 if value is None else min(1.0, max(0.0, value))


def _y(value: float, floor: float) -> float:
    return round(100 * (1 - value) / (1 - floor), 3)


def _thin(seen: list[Sight]) -> list[Sight]:
    """Return at most some hundred of the points, the last one among them."""
    step = -(-len(seen) // _MOST_POINTS)
    return seen[::-1][::step][::-1]


@dataclass(frozen=True, slots=True)
class PhaseBar:
    """One phase as a bar in a waterfall of working time."""

    name: str
    state: str
    left: float
    width: float
    took: str


def phase_bars(view: RunView) -> tuple[PhaseBar, ...]:
    """Return the phases one below the other, each starting where the one before ended."""
    seconds = [_so_far(view, phase) for phase in view.phases]
    total = sum(seconds) or 1.0
    bars, left = [], 0.0
    for phase, spent in zip(view.phases, seconds, strict=True):
        width = 100 * spent / total
        took = format_duration(spent) if phase.state not in ("waiting", "skipped") else phase.state
        bars.append(PhaseBar(phase.name, phase.state.value, round(left, 2), round(width, 2), took))
        left += width
    return tuple(bars)


def _so_far(view: RunView, phase: PhaseView) -> float:
    """Return the seconds of a phase; of one that still runs, those since its start."""
    if phase.state is PhaseState.RUNNING and phase.started is not None and view.last is not None:
        return max(phase.seconds, view.last - phase.started)
    return phase.seconds
