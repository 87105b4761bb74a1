"""The live view fits its terminal, says what is waited for, and no name can style or move anything."""

import io

import pytest
from rich.console import Console
from test_report_story import HOSTILE, Story, migrated, preparation, reverted, shift

from bluegreen.report.fold import fold
from bluegreen.report.live import LiveView, render
from bluegreen.report.reading import instant
from bluegreen.report.waits import eta


def drawn(events, width=80, height=24, after=0.5, **options):
    console = Console(width=width, height=height, file=io.StringIO(), **options)
    console.print(render(fold(events), instant(events[-1]) + after))
    return console.file.getvalue()


@pytest.mark.parametrize("size", [(80, 24), (200, 60), (40, 12)])
def test_it_fits_at_every_moment(size):
    events = reverted()
    for end in range(1, len(events) + 1, 5):
        lines = drawn(events[:end], *size).splitlines()
        assert len(lines) <= size[1]
        assert all(len(line.rstrip()) <= size[0] for line in lines)


def test_many_objectives_fit_too_with_the_broken_one_in_sight():
    story = Story()
    for number in range(40):
        verdict = "FAIL" if number == 39 else "PASS"
        one = {"objective": f"o-{number}", "verdict": verdict, "value": 0.5, "threshold": 0.9, "samples": 1, "bad": 0}
        story.tell("gate.judged", weight=10, verdict=verdict, judgements=[one])
    text = drawn(story.events)

    assert len(text.splitlines()) <= 24
    assert "o-39" in text
    assert "and 30 more" in text


def test_it_shows_phases_weights_and_verdicts():
    text = drawn(reverted())

    assert "✖ reverted" in text
    assert "✔ volumes 41s" in text
    assert "✖ shift" in text
    assert "blue 100%" in text
    assert "✖ FAIL" in text
    assert "70.83%" in text


def test_markup_and_control_characters_are_inert():
    text = drawn(preparation(HOSTILE).events + reverted(HOSTILE), force_terminal=True, color_system=None)

    assert "\x1b[31m" not in text
    assert "[bold red]" in drawn(reverted(HOSTILE), 200)


def test_colours_are_off_when_asked(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    assert "\x1b[3" not in drawn(migrated(), force_terminal=True)


def test_the_wait_is_estimated_from_the_rate_of_samples():
    story = Story()
    shift(story, 10, 0)
    for second in range(1, 6):
        story.judged(10, "INCONCLUSIVE", second, second * 10, bad=0)

    said = eta(fold(story.events), story.now)

    assert said.startswith("10% held for 6.3s, at least 3.7s more")
    assert "20 more samples to decide, about 2.0s" in said
    assert "pauses in 4m54s if undecided" in said


def test_the_volumes_are_estimated_from_their_rate():
    story = Story()
    story.tell("phase.started", phase="volumes")
    for done in (0, 10, 20):
        story.tell("volume.progress", 5, stage="restore", phase="InProgress", bytes_done=done, bytes_total=100)

    assert eta(fold(story.events), story.now) == "restore done in about 40s"
    assert eta(fold(migrated()), 0) == ""


def test_the_live_view_draws_what_it_is_told_and_gives_the_terminal_back():
    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=24)
    events = migrated()
    with LiveView(console, clock=lambda: instant(events[-1])) as live:
        for event in events:
            live.update(event)

    assert "migrated" in console.file.getvalue()
    assert console.file.getvalue().rstrip("\n").endswith("\x1b[?25h")
