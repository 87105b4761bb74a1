"""Orders from other terminals and ways back, with the real command between the two clusters.

What holds is read from HAProxy and from users who count, not from what the command says of itself.
"""

import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from small import Small, pages

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]

NAMES = ("chaos-orders", "chaos-abort", "chaos-revert")
FIRST_NODE_PORT = 30000  # none of those up to 30085 is drawn by a server itself
ALL_BLUE, HALF, ALL_GREEN = (100, 0), (50, 50), (0, 100)
LONG = {"hold": "60s", "budget": "90s"}


@pytest.fixture(scope="module")
def ports():
    with pages(NAMES, FIRST_NODE_PORT) as ports:
        yield ports


def test_paused_killed_resumed_promoted_and_taken_back_route_by_route(ports, tmp_path):
    # Long enough that a pause comes in time on a busy machine.
    steps = [{"weight": 50, "approve": True, "hold": "8s"}, {"weight": 100, "hold": "1s"}]
    with Small(tmp_path, NAMES[0], ports[NAMES[0]], routes=("page", "second"), steps=steps) as small:
        small.changes["routes"] = [
            route | ({"after": "page"} if route["name"] == "second" else {}) for route in small.config()["routes"]
        ]
        small.write_config()
        first = small.migrate()
        waits_for_an_approval(small, 1)
        first_watch, watched = small.beside("status", "-w")
        assert small.command("promote")[0] == 0
        paused_at_half(small)
        first.send_signal(signal.SIGKILL)
        assert small.ended(first) == -signal.SIGKILL
        assert first_watch.wait(20) == 1
        assert "pause" in watched.read_text()

        second = small.migrate()
        does_not_go_on_by_itself(small)
        second_watch, _ = small.beside("status", "-w", "-o", "json")
        assert small.command("resume")[0] == 0
        waits_for_an_approval(small, 2)
        assert (small.weights("page"), small.weights("second")) == (ALL_GREEN, ALL_BLUE)
        assert small.command("promote")[0] == 0
        assert small.ended(second) == 0
        assert second_watch.wait(20) == 0
        assert (small.weights("page"), small.weights("second")) == (ALL_GREEN, ALL_GREEN)

        goes_back_route_by_route(small)
        assert small.users.leave()["failed"] == 0


def waits_for_an_approval(small, times):
    told = small.told("run.paused", count=times, reason="step 50 needs a person's approval")
    assert "promote" in told["data"]["next"]
    assert not small.events("step.started", routes=["page" if times == 1 else "second"])


def paused_at_half(small):
    """Pause it at 50 %: held well beyond its 8 seconds, judged once a second all the while."""
    small.judged()
    assert small.command("pause")[0] == 0
    told = small.told("run.paused", phase="ask-page-50", count=2)
    assert told["data"]["reason"].startswith("pause ordered by ")
    small.judged(count=10)
    assert small.weights() == HALF
    code, said = small.command("status")
    assert code == 0
    assert "pause ordered by" in said


def does_not_go_on_by_itself(small):
    """Law 5: an order outlives the process that heard it."""
    small.told("run.resumed")
    told = small.told("run.paused", phase="ask-page-50", count=3)
    assert told["data"]["reason"].startswith("pause ordered by ")
    small.judged(count=10)
    assert small.weights() == HALF
    assert small.weights("second") == ALL_BLUE
    assert not small.events("weight.writing", green=100)


def goes_back_route_by_route(small):
    code, said = small.command("revert", "--route", "nonesuch")
    assert code == 2, said
    code, said = small.command("revert", "--route", "second")
    assert code == 0, said
    assert (small.weights("page"), small.weights("second")) == (ALL_GREEN, ALL_BLUE)
    before = len(small.events("weight.written"))
    code, said = small.command("revert", "--gradual")
    assert code == 0, said
    assert (small.weights("page"), small.weights("second")) == (ALL_BLUE, ALL_BLUE)
    written = [event["data"] for event in small.events("weight.written")[before:] if event["data"]["changed"]]
    assert [(data["route"], data["green"]) for data in written] == [("page", 50), ("page", 0)]
    assert small.served() == {"blue": 20, "green": 0, "failed": 0}


def test_aborted_at_half_everybody_is_on_blue(ports, tmp_path):
    with Small(tmp_path, NAMES[1], ports[NAMES[1]], **LONG) as small:
        running = small.migrate()
        small.judged()
        assert small.weights() == HALF
        assert small.command("abort")[0] == 0
        assert small.ended(running) == 3
        assert small.weights() == ALL_BLUE
        assert small.served() == {"blue": 20, "green": 0, "failed": 0}
        assert "abort ordered by" in small.events("run.finished", outcome="reverted")[0]["data"]["reason"]
        code, said = small.command("pause")
        assert code == 1, said
        assert small.users.leave()["failed"] == 0


def test_revert_lets_the_run_go_back_itself(ports, tmp_path):
    """Two writers are a defect: the second command only tells the first."""
    with Small(tmp_path, NAMES[2], ports[NAMES[2]], **LONG) as small:
        running = small.migrate()
        small.judged()
        code, said = small.command("revert", "--gradual")
        assert code == 5, said
        assert small.weights() == HALF
        code, said = small.command("revert")
        assert code == 0, said
        assert small.weights() == ALL_BLUE
        assert small.ended(running) == 3
        assert len(small.events("run.finished")) == 1
        assert small.served() == {"blue": 20, "green": 0, "failed": 0}
        assert small.users.leave()["failed"] == 0
