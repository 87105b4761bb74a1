"""The live view of a run for a terminal: phases, weights, verdicts, what is waited for and how long.

`render` makes a renderable; the command line owns the console and redraws it. Every text is a rich Text, never
markup, so that a name of an object cannot style, link or move anything. rich is loaded on use.
"""

import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from bluegreen.model.durations import format_duration
from bluegreen.model.events import Event
from bluegreen.report.fold import Folding
from bluegreen.report.model import JudgementView, ObjectiveView, Outcome, PhaseState, PhaseView, RunView, StepView
from bluegreen.report.spark import sparkline
from bluegreen.report.waits import eta
from bluegreen.report.words import evidence, share, size

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.table import Table
    from rich.text import Text

MARKS = {
    PhaseState.WAITING: ("·", "dim"),
    PhaseState.RUNNING: ("●", "bold cyan"),
    PhaseState.DONE: ("✔", "green"),
    PhaseState.FAILED: ("✖", "bold red"),
    PhaseState.SKIPPED: ("-", "dim"),
}
VERDICTS = {
    "PASS": ("✔", "green"),
    "FAIL": ("✖", "bold red"),
    "INCONCLUSIVE": ("●", "yellow"),
    "PROBE_ERROR": ("!", "bold magenta"),
}
OUTCOMES = {
    Outcome.RUNNING: ("", "cyan"),
    Outcome.MIGRATED: ("✔ migrated", "bold green"),
    Outcome.REVERTED: ("✖ reverted", "bold red"),
    Outcome.PAUSED: ("● paused", "bold yellow"),
    Outcome.INTERRUPTED: ("● interrupted", "bold yellow"),
    Outcome.FAILED: ("✖ failed", "bold red"),
}
_WIDE = 100
_FIXED_LINES = 14
_PER_SECOND = 4


class LiveView:
    """Redraws a run on a console that the command line owns; a context manager that gives the terminal back."""

    def __init__(self, console: "Console", clock: Callable[[], float] = time.time) -> None:
        from rich.live import Live  # noqa: PLC0415 - rich is for terminals only

        self._folding = Folding()
        self._clock = clock
        self._lock = threading.Lock()
        self._live = Live(
            console=console, get_renderable=self._render, refresh_per_second=_PER_SECOND, vertical_overflow="crop"
        )

    def __enter__(self) -> Self:
        """Take the terminal."""
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Draw the last state and give the terminal back."""
        self._live.__exit__(kind, error, trace)

    def update(self, event: Event) -> None:
        """Take one event; the next redraw shows it."""
        with self._lock:
            self._folding.add(event)

    def _render(self) -> "LiveRun":
        with self._lock:
            return LiveRun(self._folding.view(), self._clock())


class LiveRun:
    """A renderable that fits itself to the width and height of the console."""

    def __init__(self, view: RunView, now: float) -> None:
        self._view = view
        self._now = now

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        view, now, width = self._view, self._now, options.max_width
        yield _head(view, now)
        yield from _phases(view, now, width)
        yield _bar(view, width)
        if view.steps or view.planned_steps:
            yield _steps(view)
        if view.objectives:
            yield _objectives(view, width, max(1, console.size.height - _FIXED_LINES))
        if view.volumes and not view.steps:
            yield _volumes(view)
        yield from _waiting(view, now)
        for moment in view.notices[-2:]:
            yield _line(("  ", ""), (moment.words, "yellow"))


def render(view: RunView, now: float) -> LiveRun:
    """Return the live view.

    Args:
        view: the run as folded so far.
        now: seconds since 1970, for times that are still running.
    """
    return LiveRun(view, now)


def _line(*parts: tuple[str, str]) -> "Text":
    from rich.text import Text  # noqa: PLC0415 - rich is for terminals only

    line = Text(no_wrap=True, overflow="ellipsis")
    for words, style in parts:
        line.append(words, style or None)
    return line


def _head(view: RunView, now: float) -> "Text":
    mark, style = OUTCOMES[view.outcome]
    took = view.seconds if view.seconds is not None else now - (view.started or now)
    parts = [
        (f"{view.blue.context} ", "bold blue"),
        (f"{view.blue.version} ", "dim"),
        ("→ ", ""),
        (f"{view.green.context} ", "bold green"),
        (f"{view.green.version}  ", "dim"),
        (f"{format_duration(max(0.0, took))}  ", "bold"),
        (f"{mark}  " if mark else "", style),
        (view.migration, "dim"),
    ]
    return _line(*parts)


def _phases(view: RunView, now: float, width: int) -> "Iterator[Text]":
    line = _line()
    for phase in view.phases:
        mark, style = MARKS[phase.state]
        took = "" if phase.state in (PhaseState.WAITING, PhaseState.SKIPPED) else f" {_took(phase, now)}"
        words = f"{mark} {phase.name}{took}  "
        if line.cell_len + len(words) > width:
            yield line
            line = _line()
        line.append(words, style)
    yield line


def _took(phase: PhaseView, now: float) -> str:
    running = phase.state is PhaseState.RUNNING and phase.started is not None
    return format_duration(max(0.0, now - (phase.started or now) if running else phase.seconds))


def _bar(view: RunView, width: int) -> "Text":
    final = view.final
    blue, green = (final.blue, final.green) if final else (100, 0)
    room = max(10, min(60, width - 24))
    cut = min(room, max(0, round(room * green / 100)))
    if green:
        cut = max(1, cut)
    if blue:
        cut = min(room - 1, cut)
    return _line(
        (f"blue {blue:>3}% ", "bold blue"),
        ("█" * (room - cut), "blue"),
        ("▒" * cut, "green"),
        (f" {green:>3}% green", "bold green"),
    )


def _steps(view: RunView) -> "Text":
    parts = [("steps ", "dim")]
    known = {step.weight: step for step in view.steps}
    for weight in sorted({*known, *view.planned_steps}):
        mark, style = _step_mark(known.get(weight))
        parts.append((f" {weight}% {mark} ", style))
    return _line(*parts)


def _step_mark(step: StepView | None) -> tuple[str, str]:
    if step is None:
        return MARKS[PhaseState.WAITING]
    if step.passed:
        return MARKS[PhaseState.DONE]
    return VERDICTS["FAIL"] if step.verdict == "FAIL" else MARKS[PhaseState.RUNNING]


def _objectives(view: RunView, width: int, room: int) -> "Table":
    from rich.table import Table  # noqa: PLC0415

    wide = width >= _WIDE
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("objective", no_wrap=True, overflow="ellipsis", max_width=32 if wide else 20)
    table.add_column("verdict", no_wrap=True)
    for title in ("good", "asked", "samples"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("evidence", no_wrap=True)
    ordered = sorted(view.objectives, key=lambda one: one.latest.verdict != "FAIL")
    for objective in ordered[:room]:
        table.add_row(*_objective(objective, 24 if wide else 8))
    if len(ordered) > room:
        table.add_row(_line((f"and {len(ordered) - room} more", "dim")))
    return table


def _objective(objective: ObjectiveView, points: int) -> tuple[Any, ...]:
    latest = objective.latest
    mark, style = VERDICTS.get(latest.verdict, ("?", ""))
    return (
        _line((objective.name, "")),
        _line((f"{mark} {latest.verdict}", style)),
        _line((share(latest.value), "bold")),
        _line((share(latest.threshold), "")),
        _line((f"{latest.samples:,}", "")),
        _line((_evidence(latest), ""), (sparkline(objective, points), "cyan")),
    )


def _evidence(judgement: JudgementView) -> str:
    if judgement.evidence is None:
        return ""
    return f"{evidence(judgement.evidence):<7} "


def _volumes(view: RunView) -> "Text":
    volume = view.volumes[-1]
    parts = [("volumes ", "dim"), (f"{volume.stage} ", "bold"), (f"{volume.phase} ", "")]
    if volume.bytes_total:
        done = max(0.0, min(1.0, volume.bytes_done / volume.bytes_total))
        filled = round(20 * done)
        parts += [("█" * filled, "cyan"), ("░" * (20 - filled), "dim")]
        parts.append((f" {size(volume.bytes_done)} of {size(volume.bytes_total)} ", ""))
    return _line(*parts, (volume.message, "dim"))


def _waiting(view: RunView, now: float) -> "list[Text]":
    lines = []
    if view.waiting:
        lines.append(_line(("waiting for ", "dim"), (view.waiting, "")))
    what = eta(view, now)
    if what:
        lines.append(_line(("next ", "dim"), (what, "")))
    broken = next((one.latest for one in view.objectives if one.latest.verdict == "FAIL"), None)
    if broken is not None:
        lines.append(_line(("✖ ", "bold red"), (broken.reason, "red"), (f"  {broken.example}", "dim")))
    if view.stop is not None and view.stop.next_step:
        lines.append(_line(("next ", "dim"), (view.stop.next_step, "bold")))
    return lines
