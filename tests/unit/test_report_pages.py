"""JSON, HTML and Markdown say the same, and no name becomes markup in any of them."""

import json
import re
from html.parser import HTMLParser

import pytest
from test_report_story import HOSTILE, Story, migrated, preparation, reverted, shift, step

from bluegreen.report.charts import objective_chart, phase_bars, weight_chart
from bluegreen.report.ending import headline, next_steps, spans, why
from bluegreen.report.fold import fold
from bluegreen.report.html import html_report
from bluegreen.report.json_report import json_report
from bluegreen.report.markdown import markdown_report
from bluegreen.report.status import status_lines
from bluegreen.report.words import share, size


def paused():
    story = preparation()
    step(story, 10, 0)
    shift(story, 50, 10)
    story.tell("run.paused", 300, reason="undecided for 5m", next="run the same command again")
    return story.events


PAUSED = paused()


class Tags(HTMLParser):
    """Collects tags and attributes."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.open = set(), set(), []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_the_json_report_of_a_reverted_run():
    report = json.loads(json_report(fold(reverted())))

    assert (report["apiVersion"], report["kind"]) == ("bluegreen/v1", "Report")
    assert (report["outcome"], report["exit_code"]) == ("reverted", 3)
    assert report["weights"] == [10, 50]
    assert report["final_weights"] == {"blue": 100, "green": 0}
    because = report["reverted_because"]
    assert (because["objective"], because["threshold"], because["samples"], because["bad"]) == (
        "users-availability",
        0.99,
        96,
        28,
    )
    assert round(because["value"], 4) == 0.7083
    assert because["weight"] == 50
    assert [one["verdict"] for one in report["steps"]] == ["PASS", "FAIL"]
    assert report["from"] == {"context": "old", "version": "v1.34.4"}


def test_the_json_report_of_a_migrated_run():
    report = json.loads(json_report(fold(migrated())))

    assert report["weights"] == report["planned_weights"] == [10, 50, 100]
    assert report["final_weights"] == {"blue": 0, "green": 100}
    assert report["reverted_because"] is None
    assert report["objects"] == {"applied": 43, "by_action": {"configured": 5, "created": 38}}
    assert {one["name"]: one["equal"] for one in report["checks"]} == {"objects": True, "rows": True}


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (migrated(), "Migrated: green serves all users"),
        (reverted(), "Reverted: blue serves all users"),
        (PAUSED, "Paused for a person: blue serves 50%, green 50% of users"),
        (migrated()[:60], "Running: no traffic was moved"),
        ([], "Running: no traffic was moved"),
    ],
)
def test_every_reader_starts_with_the_same_headline(events, said):
    view = fold(events)

    assert headline(view) == said
    assert said in html_report(view)
    assert said in markdown_report(view)
    assert any(said in line for line in status_lines(view))
    assert json.loads(json_report(view))["headline"] == said


def test_the_reason_has_objective_value_threshold_and_samples():
    said = why(fold(reverted()))

    assert said.startswith(
        "With green at 50%, users-availability broke: only 70.83% of requests were good where 99% is asked"
    )
    assert "(28 bad of 96 samples)" in said


def test_a_pause_tells_how_to_go_on():
    assert next_steps(fold(PAUSED)) == ("run the same command again",)


@pytest.mark.parametrize("events", [migrated(), reverted(), PAUSED, migrated()[:60], []])
def test_the_page_is_self_contained(events):
    page = html_report(fold(events))
    found = Tags(page)

    assert found.tags.isdisjoint({"script", "link", "img", "iframe", "object", "a", "form"})
    assert not any(name.startswith("on") or name in {"src", "href"} for name in found.attributes)
    assert "url(" not in page
    assert "@import" not in page
    assert "http" not in re.sub(r"http-equiv", "", page)


def test_hostile_names_are_only_ever_text():
    view = fold(reverted(HOSTILE + "\"'><img src=x onerror=alert(1)>"))
    page = html_report(view)

    assert Tags(page).tags.isdisjoint({"script", "img"})
    assert "&lt;script&gt;alert(1)" in page
    assert "\x1b" not in page + markdown_report(view) + "".join(status_lines(view))
    assert "<script>" not in markdown_report(view)


def test_lone_surrogates_and_reversed_text_cannot_spoil_a_file_or_a_line():
    view = fold(reverted("\ud800\u202e\u2028"))

    for text in (html_report(view), json_report(view), markdown_report(view), "".join(status_lines(view))):
        assert text.encode()
        assert not set(text) & {"\u202e", "\u2028"}


def test_back_quotes_from_outside_open_no_code_span():
    assert spans("type `x` now") == (("type ", False), ("x", True), (" now", False))
    assert spans("it said ` and") == (("it said ` and", False),)

    text = markdown_report(fold(reverted("` <b>@all</b> [x](http://y)")))
    assert r"\<b\>\@all\</b\> \[x\]\(http://y\)" in text


def test_the_weight_chart_draws_every_step_and_verdict():
    chart = weight_chart(fold(reverted()))

    assert chart
    assert [mark.words for mark in chart.marks if mark.kind.startswith("verdict")] == ["PASS", "FAIL"]
    assert chart.lines[0].endswith("100.0,100.0")
    assert weight_chart(fold([])) is None


def test_the_objective_chart_shows_the_threshold_and_stays_inside():
    view = fold(reverted())
    chart = objective_chart(view, view.objectives[0])

    assert chart
    assert [mark.words for mark in chart.scale if mark.kind == "asked"] == ["99%"]
    points = [float(number) for line in chart.lines for pair in line.split() for number in pair.split(",")]
    assert all(0 <= number <= 100 for number in points)


def test_phases_form_a_waterfall():
    bars = phase_bars(fold(reverted()))

    assert [bar.left for bar in bars] == sorted(bar.left for bar in bars)
    assert abs(sum(bar.width for bar in bars) - 100) < 0.1
    assert bars[-1].took == "skipped"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "no data"),
        (1.0, "100%"),
        (0.0, "0%"),
        (0.99, "99%"),
        (0.7083, "70.83%"),
        (0.99996, "99.996%"),
        (0.9999999, "99.999%"),
        (0.5, "50%"),
    ],
)
def test_a_share_that_is_not_all_never_reads_as_all(value, said):
    assert share(value) == said


def test_sizes():
    assert [size(count) for count in (0, 1023, 1024, 42_000_000)] == ["0 B", "1023 B", "1.0 KiB", "40.1 MiB"]


def test_a_whole_run_without_any_known_event_still_has_pages():
    story = Story()
    story.tell("unheard.of", x=1)

    assert html_report(fold(story.events))
