"""The time of the run and of its import, with the real command between the two clusters, over kill -9 and restart.

What holds is read from HAProxy, not from what the command says of itself. Time between two processes is made to pass
by an older stamp in the manifest, which is all that a new process knows of the first one.
"""

import json
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "chaos"))
from small import Small, pages

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

NAMES = ("gaps-time-traffic", "gaps-time-early", "gaps-time-import")
FIRST_NODE_PORT = 30040
ALL_BLUE, HALF, ALL_GREEN = (100, 0), (50, 50), (0, 100)


@pytest.fixture(scope="module")
def ports():
    with pages(NAMES, FIRST_NODE_PORT) as ports:
        yield ports


def began_long_ago(small):
    """Make the manifest say that the run began on another day."""
    (path,) = (small.place / "state").glob("*/migration.json")
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "created": "2026-01-01T00:00:00.000Z"}))


def killed_at(small, point):
    small.variables["BLUEGREEN_FAILPOINT"] = point
    running = small.migrate()
    assert small.ended(running) == -signal.SIGKILL, small.last()
    del small.variables["BLUEGREEN_FAILPOINT"]


def test_with_traffic_on_green_it_asks_a_person_and_remembers_the_answer(ports, tmp_path):
    with Small(tmp_path, NAMES[0], ports[NAMES[0]]) as small:
        killed_at(small, "judge-50.before")
        began_long_ago(small)
        waiting = small.migrate()
        assert "timeouts.overall" in small.told("run.paused")["data"]["reason"]
        small.judged(count=2)
        assert small.weights() == HALF
        waiting.send_signal(signal.SIGKILL)
        small.ended(waiting)

        small.variables["BLUEGREEN_FAILPOINT"] = "shift-100.before"
        asked = small.migrate()
        small.told("run.paused", count=2)
        assert small.command("resume")[0] == 0
        assert small.ended(asked) == -signal.SIGKILL, small.last()
        del small.variables["BLUEGREEN_FAILPOINT"]
        assert small.weights() == HALF

        assert small.ended(small.migrate()) == 0, small.last()
        assert small.weights() == ALL_GREEN
        assert len(small.events("run.paused")) == 2, "the answer was not asked for again"
        assert small.users.leave()["failed"] == 0


def test_before_traffic_it_fails_and_the_next_command_begins_anew(ports, tmp_path):
    with Small(tmp_path, NAMES[1], ports[NAMES[1]]) as small:
        killed_at(small, "start.before")
        began_long_ago(small)
        assert small.ended(small.migrate()) == 1, small.last()
        (end,) = small.events("run.finished")
        assert end["data"]["outcome"] == "failed"
        assert "run.out-of-time" in end["data"]["reason"]
        assert small.weights() == ALL_BLUE
        assert not small.events("weight.writing")
        assert small.ended(small.migrate()) == 0, small.last()
        assert small.weights() == ALL_GREEN


def test_an_import_without_time_stops_and_the_same_command_goes_on_with_it(ports, tmp_path):
    times = {"pause": "90s", "import": "1ms"}
    with Small(tmp_path, NAMES[2], ports[NAMES[2]], timeouts=times) as small:
        for number in (1, 2):
            assert small.ended(small.migrate()) == 4, small.last()
            paused = small.events("run.paused")
            assert len(paused) == number
            assert "timeouts.import" in paused[-1]["data"]["reason"]
        assert not small.events("run.finished")
        assert small.weights() == ALL_BLUE
