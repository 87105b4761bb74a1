"""kill -9 between effect and record at every stage of the way back: the same command still goes back, and once."""

import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "chaos"))
from small import Small, pages

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

NAME, NODE_PORT = "crash-back", 30030
POINTS = ("judge-50.acted", "judge-50.recorded", "check-blue-50.recorded", "revert-50.before", "revert-50.acted")


@pytest.fixture(scope="module")
def port():
    with pages((NAME,), NODE_PORT) as ports:
        yield ports[NAME]


def test_killed_on_the_way_back_it_still_goes_back(port, tmp_path):
    with Small(tmp_path, NAME, port) as small:
        for number, point in enumerate(POINTS):
            small.variables["BLUEGREEN_FAILPOINT"] = point
            running = small.migrate()
            if number == 0:
                small.told("weight.written", green=50)
                small.mood("green", "sick")
            assert small.ended(running) == -signal.SIGKILL, (point, small.last())
        del small.variables["BLUEGREEN_FAILPOINT"]
        assert small.ended(small.migrate()) == 3

        assert small.weights() == (100, 0)
        assert small.served() == {"blue": 20, "green": 0, "failed": 0}
        (end,) = small.events("run.finished")
        assert end["data"]["outcome"] == "reverted"
        assert "bad" in end["data"]["reason"]
