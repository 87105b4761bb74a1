"""Where a run stands, in a few plain lines for `bluegreen status`."""

from collections.abc import Iterator

from bluegreen.model.durations import format_duration
from bluegreen.report.ending import headline, next_steps, why
from bluegreen.report.model import JudgementView, PhaseState, RunView
from bluegreen.report.reading import stamp
from bluegreen.report.words import amount, share


def status_lines(view: RunView) -> tuple[str, ...]:
    """Return the lines; each is label and text."""
    return tuple(f"{label + ':':<11}{said}" for label, said in _facts(view) if said)


def _facts(view: RunView) -> Iterator[tuple[str, str]]:
    yield "migration", view.migration
    yield "from", f"{view.blue.context} {view.blue.version}".strip()
    yield "to", f"{view.green.context} {view.green.version}".strip()
    yield "status", headline(view)
    yield "why", why(view)
    yield "started", _started(view)
    yield "phases", " ".join(f"{one.name}={one.state}" for one in view.phases if one.state is not PhaseState.WAITING)
    yield "weights", _weights(view)
    for objective in view.objectives:
        yield "objective", judgement_words(objective.latest)
    for step in next_steps(view):
        yield "next", step


def _weights(view: RunView) -> str:
    """Return the steps that were taken and, by route where they differ, what green has now."""
    last = {point.route: point.green for point in view.weights}
    if not last:
        return ""
    same = len({*last.values()}) == 1
    now = f"{next(iter(last.values()))}%" if same else ", ".join(f"{route} {green}%" for route, green in last.items())
    return f"{' '.join(f'{weight}%' for weight in view.forward) or 'none'}; green has {now} now"


def judgement_words(one: JudgementView) -> str:
    """Return a judgement with its numbers in one clause."""
    return (
        f"{one.objective} {one.verdict}, {share(one.value)} good, {share(one.threshold)} asked, "
        f"{amount(one.samples, 'sample')}, {one.bad:,} bad"
    )


def _started(view: RunView) -> str:
    if view.started is None:
        return ""
    took = f", took {format_duration(view.seconds)}" if view.seconds is not None else ""
    return f"{stamp(view.started)}{took}"
