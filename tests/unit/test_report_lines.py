"""Plain lines: one an event, thinned where events come by the hundred, and nothing that a terminal would obey."""

import json

from test_report_story import HOSTILE, Story, migrated, reverted

from bluegreen.model.events import Event
from bluegreen.report.lines import Lines, json_line

AT = "2026-11-24T17:03:04.000Z"


def lines_of(events):
    lines = Lines()
    return [line for event in events for line in lines.of(event)]


def test_many_objects_make_few_lines_and_the_sum_is_told():
    told = [line for line in lines_of(migrated()) if "object.applied" in line]

    assert len(told) == 2
    assert told[-1].endswith("43 objects")


def test_the_gate_is_told_every_five_seconds_and_on_change():
    told = [line for line in lines_of(reverted()) if "gate.judged" in line]

    assert [line.split()[5] for line in told] == ["INCONCLUSIVE", "INCONCLUSIVE", "PASS", "INCONCLUSIVE", "FAIL"]
    assert "users-availability FAIL, 70.83% good, 99% asked, 96 samples, 28 bad" in told[-1]


def test_a_line_starts_with_time_and_name():
    assert lines_of(migrated())[0] == (
        "17:03:04 run.started      old v1.34.4 to new v1.37.2, namespaces shop, steps 10,50,100, data policy copy"
    )


def test_what_is_waited_for_is_told_by_name_or_number():
    said = [
        {"objects": ["Deployment shop/web"]},
        {"objects": 3, "first": "Deployment shop/web: 0 of 2 ready"},
        {"objects": 0, "first": ""},
    ]

    assert [line.split(None, 2)[2] for line in lines_of(Event("ready.waiting", AT, data) for data in said)] == [
        "for Deployment shop/web",
        "for 3 objects, first Deployment shop/web: 0 of 2 ready",
        "everything is ready",
    ]


def test_unknown_events_are_told_by_their_keys():
    (line,) = lines_of([Event("moon.rose", AT, {"phase": "full", "craters": [1], "n": 3})])

    assert line == "17:03:04 moon.rose        phase=full n=3"


def test_hostile_texts_stay_on_one_line_without_control_characters():
    for line in lines_of(reverted(f"{HOSTILE}\n\r\x1b]0;x\x07")):
        assert line.isprintable()
        assert len(line) < 600


def test_json_lines_are_whole_events_on_one_ascii_line():
    story = Story()
    story.tell("notice", text="a\nb\x1b[31m")
    line = json_line(story.events[0])

    assert line.isascii()
    assert "\n" not in line
    assert json.loads(line) == {"at": "2026-11-24T17:03:04.000Z", "event": "notice", "text": "a\nb\x1b[31m"}
