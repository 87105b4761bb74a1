"""Events become one view, whatever order, gaps and foreign values they come with."""

import json
import tracemalloc
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from test_report_story import Story, migrated, preparation, reverted, shift, step

from bluegreen.model.events import Event
from bluegreen.report.fold import Folding, fold
from bluegreen.report.html import html_report
from bluegreen.report.json_report import json_report
from bluegreen.report.lines import Lines
from bluegreen.report.live import render
from bluegreen.report.markdown import markdown_report
from bluegreen.report.model import Outcome, PhaseState
from bluegreen.report.reading import events_of
from bluegreen.report.status import status_lines


def states(view):
    return {phase.name: phase.state for phase in view.phases}


def test_a_status_says_what_green_has_now_not_only_how_far_it_came():
    def weights(events):
        return next(line.split(":", 1)[1].strip() for line in status_lines(fold(events)) if line.startswith("weights"))

    assert weights(migrated()) == "10% 50% 100%; green has 100% now"
    assert weights(reverted()).endswith("; green has 0% now")


def test_a_migrated_run():
    view = fold(migrated())

    assert (view.outcome, view.exit_code) == (Outcome.MIGRATED, 0)
    assert view.forward == (10, 50, 100)
    assert view.final and (view.final.blue, view.final.green) == (0, 100)
    assert set(states(view).values()) == {PhaseState.DONE}
    assert [(one.weight, one.verdict, one.passed) for one in view.steps] == [
        (10, "PASS", True),
        (50, "PASS", True),
        (100, "PASS", True),
    ]
    assert view.objects == 43
    assert dict(view.applied) == {"configured": 5, "created": 38}
    assert [one.stage for one in view.volumes] == ["backup", "restore"]
    assert all(check.equal for check in view.checks)
    assert view.broken is None


def test_a_reverted_run_names_what_broke():
    view = fold(reverted())

    assert (view.outcome, view.exit_code) == (Outcome.REVERTED, 3)
    assert view.forward == (10, 50)
    assert view.final and (view.final.blue, view.final.green) == (100, 0)
    assert view.broken
    assert (view.broken.objective, view.broken.samples, view.broken.bad) == ("users-availability", 96, 28)
    assert states(view)["shift"] is PhaseState.FAILED
    assert states(view)["bake"] is PhaseState.SKIPPED
    assert [(one.weight, one.verdict) for one in view.steps] == [(10, "PASS"), (50, "FAIL")]


def test_a_revert_without_judgements_takes_the_last_ones_of_the_gate():
    events = [Event(e.name, e.at, {"reason": "broken"}) if e.name == "revert.started" else e for e in reverted()]

    assert fold(events).broken == fold(reverted()).broken


def test_phases_of_the_shift_are_one_phase():
    story = Story()
    for name in ("shift-10", "judge-10"):
        story.phase(name, 2)
    assert states(fold(story.events))["shift"] is PhaseState.RUNNING

    story.phase("bake", 3)
    view = fold(story.events)
    assert states(view)["shift"] is PhaseState.DONE
    assert next(phase.seconds for phase in view.phases if phase.name == "shift") == 4


@pytest.mark.parametrize("last", ["routes-restore", "volumes-cancel"])
def test_what_puts_things_back_finishes_nothing(last):
    story = Story()
    story.tell("phase.started", phase="volumes")
    story.tell("phase.finished", phase="volumes", seconds=1.0, ok=False)
    story.phase(last, 1)
    story.tell("run.finished", outcome="failed", exit_code=1)
    view = fold(story.events)

    assert states(view)["volumes"] is PhaseState.FAILED
    assert states(view)["finish"] is PhaseState.SKIPPED
    assert states(view)[last] is PhaseState.DONE


def test_a_phase_that_was_refused_has_failed():
    story = Story()
    story.tell("phase.started", phase="verify")
    story.tell("phase.finished", 1, phase="verify", seconds=1, ok=False)
    story.tell("run.finished", outcome="failed", exit_code=1, reason="rows differ", next="look at green")
    view = fold(story.events)

    assert states(view)["verify"] is PhaseState.FAILED
    assert view.stop and (view.stop.reason, view.stop.next_step) == ("rows differ", "look at green")
    assert view.seconds == 1


def test_a_resume_clears_the_pause_and_counts_no_weight_twice():
    story = preparation()
    shift(story, 10, 0)
    story.tell("run.paused", reason="undecided", phase="judge-10", next="run it again")
    assert fold(story.events).outcome is Outcome.PAUSED

    story.tell("run.resumed", 600)
    story.tell("weight.written", route="shop", blue=90, green=10, from_blue=90, from_green=10)
    step(story, 50, 10)
    view = fold(story.events)

    assert view.outcome is Outcome.RUNNING
    assert view.stop is None
    assert view.resumed == 1
    assert view.forward == (10, 50)


def test_folding_in_pieces_is_folding_at_once():
    folding = Folding()
    for event in reverted():
        folding.add(event)
        folding.view()

    assert folding.view() == fold(reverted())


def test_a_long_run_keeps_a_bounded_series_with_its_ends():
    story = Story()
    one = {"objective": "o", "verdict": "PASS", "value": 1.0, "threshold": 0.9, "samples": 1, "bad": 0}
    for _ in range(9000):
        story.tell("gate.judged", 1, weight=10, verdict="PASS", judgements=[one])
    (objective,) = fold(story.events).objectives

    assert len(objective.series) <= 4000
    assert objective.series[-1].at - objective.series[0].at == 8999
    assert all(a.at < b.at for a, b in zip(objective.series, objective.series[1:], strict=False))


def test_lines_of_a_file_cut_by_a_crash():
    lines = [json.dumps({"name": e.name, "at": e.at, "data": e.data}) for e in migrated()]
    broken = [
        *lines[:5],
        "",
        "[1]",
        "null",
        '{"name": 3, "at": "", "data": {}}',
        "[" * 100_000,
        *lines[5:-1],
        lines[-1][:20],
    ]

    assert fold(events_of(broken)) == fold(migrated()[:-1])


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_WORDS = """
phase seconds weight verdict judgements blue green from_green objects by_kind left_out notes stage bytes_done
outcome exit_code reason steps namespaces name equal severity hold value threshold samples
"""
_KEYS = st.sampled_from(_WORDS.split())
_NAMES = st.sampled_from(sorted({event.name for event in [*migrated(), *reverted()]} | {"unheard.of"}))


@given(
    st.lists(
        st.builds(Event, _NAMES, st.text(max_size=5) | st.just("2026-11-24T17:03:04Z"), st.dictionaries(_KEYS, _JSON))
    )
)
def test_values_of_any_type_never_crash_a_reader(events):
    view = fold(events)

    assert asdict(view)
    assert json.loads(json_report(view), parse_constant=_refuse)
    assert html_report(view)
    assert markdown_report(view)
    assert status_lines(view)
    assert list(Console(width=80, height=24).render_lines(render(view, 1.0)))
    lines = Lines()
    assert all(line.isprintable() for event in events for line in lines.of(event))


@pytest.mark.parametrize(
    "event",
    [
        Event("weight.written", "", {"route": "shop", "blue": 0, "green": 10**9}),
        Event("weight.written", "", {"route": "shop", "blue": -(10**9), "green": -(10**9)}),
        Event("volume.progress", "", {"stage": "restore", "bytes_done": -(10**9), "bytes_total": 1}),
        Event("volume.progress", "", {"stage": "restore", "bytes_done": 10**9, "bytes_total": -1}),
    ],
)
def test_a_bar_is_never_longer_than_its_place(event):
    """Values of another version or a damaged file must not fill the memory of who looks at them."""
    tracemalloc.start()
    try:
        assert list(Console(width=80, height=24).render_lines(render(fold([event]), 1.0)))
        assert tracemalloc.get_traced_memory()[1] < 50 * 2**20
    finally:
        tracemalloc.stop()


def _refuse(constant):
    raise ValueError(constant)
