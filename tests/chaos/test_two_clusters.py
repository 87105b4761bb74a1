"""What breaks while the real command migrates between the two clusters: each fault with the law that it must obey.

What HAProxy serves and what users met decides, not what the command says of itself.
"""

import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from scenarios.cluster import NEW, OLD, get

sys.path.insert(0, str(Path(__file__).parent))
from faults import ApiBetween, SocketBetween, WallClock, cut_from_page, no_way_to, second_addresses
from small import Small, pages, wait_until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]

KINDS = ("gone", "hangs", "api", "partition", "blue", "cutoff", "clock")
NAMES = {kind: f"chaos-{kind}" for kind in KINDS}
FIRST_NODE_PORT = 30010
ALL_BLUE, HALF, ALL_GREEN = (100, 0), (50, 50), (0, 100)
LONG = {"hold": "60s", "budget": "90s"}
ON_BLUE = {"blue": 20, "green": 0, "failed": 0}
ON_GREEN = {"blue": 0, "green": 20, "failed": 0}
TWO_HOURS = 7200


@pytest.fixture(scope="module")
def ports():
    with pages(tuple(NAMES.values()), FIRST_NODE_PORT) as ports:
        yield ports


@pytest.fixture
def small(ports, tmp_path, request):
    """Return a migration for a test that names its kind and what of the configuration is other than usual."""
    kind, changes = request.param
    name = NAMES[kind]
    with Small(tmp_path, name, ports[name], **changes) as small:
        yield small


def kind(name, **changes):
    return pytest.mark.parametrize("small", [(name, changes)], ids=[name], indirect=True)


@kind("gone", hold="2s")
def test_a_router_that_is_gone_at_a_step_is_held_and_gone_on_with_once_it_is_back(small):
    """The socket's file vanishes, as in a restart; HAProxy goes on serving. Weights stay, nobody loses a request."""
    real, aside = small.place / "admin.sock", small.place / "aside.sock"
    small.changes["objectives"] = small.config()["objectives"][:1]  # the counters are behind the same socket
    small.write_config()
    running = small.migrate()
    small.judged()
    real.rename(aside)
    told = small.told("step.retried")
    assert "no such socket" in told["data"]["reason"]
    small.judged(count=2)
    assert small.weights(path=str(aside)) == HALF
    assert running.poll() is None
    aside.rename(real)
    assert small.ended(running) == 0
    assert small.weights() == ALL_GREEN
    assert small.served() == ON_GREEN
    assert small.users.leave()["failed"] == 0


@kind("hangs", **LONG)
def test_a_socket_that_hangs_holds_up_no_judging_and_the_way_back_comes_when_it_answers(small):
    between = SocketBetween(small.place / "between.sock", small.socket)
    route = {"name": "page", "router": "haproxy", "with": {**small.route("page"), "socket": between.path}}
    small.changes["routes"] = [route]
    small.write_config()
    running = small.migrate()
    small.told("phase.started", phase="start")
    between.hang()
    small.told("step.retried", step="shift-50", count=2)
    small.judged(count=2)  # green is judged although its weight cannot be written
    assert small.weights() == ALL_BLUE
    between.mend()
    small.told("step.settled", weight=50)
    assert small.weights() == HALF

    between.hang()
    small.mood("green", "sick")
    small.told("revert.retried", count=2)
    assert small.weights() == HALF
    between.mend()
    assert small.ended(running) == 3
    between.close()
    assert small.weights() == ALL_BLUE
    assert small.served() == ON_BLUE
    met = small.users.leave()
    assert set(met["failures"]) == {"status 500"}, met  # green's own answers, nothing of ours


@kind("api")
def test_an_api_that_fails_and_throttles_during_the_import_makes_nothing_twice_and_loses_nothing(small):
    between = ApiBetween(small.place, NEW)
    small.changes["toKubeconfig"] = between.kubeconfig()
    small.write_config()
    between.on.set()
    running = small.migrate()
    assert small.ended(running) == 0
    between.close()
    assert {status for _, _, status in between.failed} == {429, 500, 503}
    assert not heeded_too_little(between)
    assert {item["kind"] for item in get(NEW, "deployment,service", "-n", small.namespace)["items"]} == {
        "Deployment",
        "Service",
    }
    assert small.weights() == ALL_GREEN
    assert small.users.leave()["failed"] == 0


def heeded_too_little(between):
    """Return the calls that were made again before the second that Retry-After asked for was over."""
    throttled = {(method, path) for method, path, status in between.failed if status == 429}
    assert throttled
    return [call for call in throttled if between.tries[call][1] - between.tries[call][0] < 1.0]


@kind("partition", **LONG)
def test_a_green_that_is_cut_off_at_half_is_left_and_users_fail_no_longer(small):
    running = small.migrate()
    small.judged()
    assert small.weights() == HALF
    with cut_from_page(NEW, small.node_port):
        assert small.ended(running) == 3
        assert small.weights() == ALL_BLUE
        assert small.served() == ON_BLUE
    met = small.users.leave()
    assert 0 < met["failed"] < met["requests"] / 4
    assert small.events("run.finished", outcome="reverted")


@kind("blue", **LONG)
def test_a_blue_that_dies_at_half_takes_nobody_back_until_it_is_well(small):
    """Law 4: back only onto a healthy blue; a person is called meanwhile."""
    running = small.migrate()
    small.judged()
    small.mood("blue", "sick")
    wait_until(lambda: small.judged()["data"]["blue"] == "sick")
    assert small.command("abort")[0] == 0
    told = small.told("run.paused")
    assert "blue is unhealthy" in told["data"]["reason"]
    small.told("blue.checked", count=3)
    assert small.weights() == HALF
    assert running.poll() is None
    assert not small.events("weight.writing", green=0)
    small.mood("blue", "well")
    assert small.ended(running) == 3
    assert small.weights() == ALL_BLUE
    assert small.served() == ON_BLUE
    met = small.users.leave()
    assert set(met["failures"]) == {"status 500"}, met  # blue's own answers


@kind("cutoff", hold="4s", budget="40s")  # one slow answer on a busy machine needs a hundred good ones beside it
def test_a_probe_host_that_is_cut_off_neither_passes_nor_goes_back(small):
    """Law 3: a broken probe never reverts alone and never passes; the users' counters stay good all the while."""
    addresses = {OLD: "10.201.1.77", NEW: "10.201.2.77"}
    with second_addresses(addresses):
        web, users = small.config()["probes"]
        urls = dict(zip(("blue", "green"), addresses.values(), strict=True))
        web["with"] |= {side: f"http://{address}:{small.node_port}/items/1" for side, address in urls.items()}
        small.changes["probes"] = [web, users]
        small.write_config()
        running = small.migrate()
        small.judged()
        with no_way_to(addresses.values()):
            told = small.told("run.paused", seconds=90)
            assert "web" in told["data"]["reason"]
            assert "no route from here" in told["data"]["reason"]
            wait_until(lambda: small.judged()["data"]["verdict"] == "PROBE_ERROR")
            small.judged(count=3)
            assert small.weights() == HALF
            assert running.poll() is None
            assert not small.events("step.passed")
            assert not small.events("revert.started")
        assert small.command("resume")[0] == 0
        assert small.ended(running) == 0
    assert small.weights() == ALL_GREEN
    assert small.users.leave()["failed"] == 0


@kind("clock", hold="3s", bake="2s")
def test_a_clock_that_is_set_back_passes_nothing_early_and_holds_nothing_for_ever(small):
    """Law 10: durations are monotonic; the time of day is for people. It is set back twice and forward once."""
    clock = WallClock(small.place)
    clock.set(f"+{TWO_HOURS}")
    small.variables = clock.variables
    running = small.migrate()
    small.judged(50)
    began = time.monotonic()
    clock.set("+0")
    small.judged(100)
    clock.set(f"+{TWO_HOURS}")
    small.told("phase.started", phase="bake")
    clock.set("+0")
    assert small.ended(running) == 0, "which waits far less than the two hours"
    assert time.monotonic() - began > 6.0  # what is left of 3 s at 50 %, 3 s at 100 %, 2 s of bake
    assert all(event["data"]["seconds"] >= 3.0 for event in small.events("step.passed"))
    stamps = [event["at"] for event in small.events()]
    assert sum(after < before for before, after in pairwise(stamps)) == 2, "was it set back?"
    assert small.command("status")[0] == 0
    assert small.weights() == ALL_GREEN
    assert small.users.leave()["failed"] == 0
