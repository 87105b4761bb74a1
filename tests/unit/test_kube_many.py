"""Many applies at a time from one thread, against a small server that misbehaves on purpose."""

import collections
import os
import select
import signal
import threading
import time

import pytest
from test_kube_http import Answer, Clock, serving, status

from bluegreen.kube import multiplex
from bluegreen.kube.multiplex import CONNECTIONS, GATHER_SECONDS
from bluegreen.model.errors import ConflictError, NotFoundError, RefusedError, TransientError
from bluegreen.model.ports import Application


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def serve(tmp_path, clock):
    yield from serving(tmp_path, clock)


def pod(number, kind="Pod"):
    return Application({"apiVersion": "v1", "kind": kind, "metadata": {"name": f"p{number}", "namespace": "shop"}})


def echo(request, count):
    return Answer(body=request.body)


def names_of(outcomes):
    return {number: answer["metadata"]["name"] for number, answer in outcomes}


def test_each_object_is_sent_once_and_its_answer_comes_under_its_number(serve):
    cluster, server = serve(echo)

    found = list(cluster.apply_each(pod(n) for n in range(200)))

    assert names_of(found) == {n: f"p{n}" for n in range(200)}
    sent = collections.Counter(r.path for r in server.requests if r.method == "PATCH")
    assert sent == {f"/api/v1/namespaces/shop/pods/p{n}": 1 for n in range(200)}


@pytest.mark.parametrize(("number", "gathers"), [(200, True), (CONNECTIONS // 2, False)])
def test_answers_are_gathered_while_many_are_under_way_and_a_few_are_taken_at_once(serve, monkeypatch, number, gathers):
    pauses, pause = [], select.select

    def paused(reading, writing, failing, seconds):
        pauses.append(seconds)
        return pause(reading, writing, failing, seconds)

    monkeypatch.setattr(multiplex.select, "select", paused)
    cluster, _ = serve(echo)
    assert len(list(cluster.apply_each(pod(n) for n in range(number)))) == number
    assert (GATHER_SECONDS in pauses) is gathers


def test_nothing_asked_for_is_nothing_sent(serve):
    cluster, server = serve(echo)

    assert list(cluster.apply_each([])) == []
    assert server.requests == []


def test_force_and_dry_run_are_said_for_each(serve):
    cluster, server = serve(echo)

    list(cluster.apply_each([Application(pod(0).obj, force=True), pod(1)], dry_run=True))

    asked = {r.path[-2:]: r.target for r in server.requests if r.method == "PATCH"}
    assert "force=true" in asked["p0"]
    assert "force=false" in asked["p1"]
    assert all("dryRun=All" in target for target in asked.values())


def test_a_server_of_http_1_gets_so_many_at_a_time_and_no_more(serve):
    lock, now, most = threading.Lock(), [0], [0]

    def script(request, count):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.02)
        with lock:
            now[0] -= 1
        return Answer(body=request.body)

    cluster, _ = serve(script)

    assert len(list(cluster.apply_each(pod(n) for n in range(150)))) == 150
    assert 2 < most[0] <= CONNECTIONS


def test_objects_are_taken_as_there_is_room(serve):
    answering = threading.Event()
    taken = []

    def script(request, count):
        answering.wait(30)
        return Answer(body=request.body)

    cluster, _ = serve(script)

    def wanted():
        for number in range(500):
            taken.append(number)
            yield pod(number)

    outcomes = cluster.apply_each(wanted())
    threading.Timer(0.5, answering.set).start()
    next(outcomes)
    assert len(taken) <= 2 * CONNECTIONS
    assert len(list(outcomes)) == 499


def test_what_is_refused_for_good_is_not_tried_again_and_the_others_are_done(serve):
    refusals = {
        "p1": status(409, "Conflict", "conflict with helm: .spec.replicas", causes=[]),
        "p2": status(422, "Invalid", "spec.containers: Required value"),
        "p3": status(404, "NotFound", "namespaces shop not found"),
        "p4": status(403, "Forbidden", "no"),
    }
    cluster, server = serve(lambda r, n: refusals.get(r.path[-2:]) or Answer(body=r.body))

    found = dict(cluster.apply_each(pod(n) for n in range(6)))

    kinds = [ConflictError, RefusedError, NotFoundError, RefusedError]
    assert [type(found[n]) for n in range(1, 5)] == kinds
    assert names_of((n, found[n]) for n in (0, 5)) == {0: "p0", 5: "p5"}
    assert len([r for r in server.requests if r.method == "PATCH"]) == 6


def test_a_server_that_has_enough_is_waited_for_and_not_sent_more(serve, clock):
    waiting, most = set(), [0]

    def script(request, count):
        if count < 2:
            waiting.add(request.path)
            most[0] = max(most[0], len(waiting))
            return Answer(429, {}, {"Retry-After": "7"})
        waiting.discard(request.path)
        return Answer(body=request.body)

    cluster, server = serve(script, total=10_000)  # the clock adds up what all of them sleep

    found = names_of(cluster.apply_each(pod(n) for n in range(60)))

    assert found == {n: f"p{n}" for n in range(60)}
    assert len(clock.slept) == 120
    assert min(clock.slept) >= 7
    assert most[0] <= CONNECTIONS, "what waits counts as under way"
    assert len([r for r in server.requests if r.method == "PATCH"]) == 180


def test_what_the_connection_swallowed_is_sent_again(serve):
    cluster, server = serve(lambda r, n: Answer(body=r.body, cut=n == 0 and r.path.endswith("7")))

    assert names_of(cluster.apply_each(pod(n) for n in range(40))) == {n: f"p{n}" for n in range(40)}
    assert len([r for r in server.requests if r.method == "PATCH"]) == 44


def test_a_server_that_stays_broken_is_told_for_each_object(serve, clock):
    cluster, _ = serve(lambda r, n: Answer(503))

    found = dict(cluster.apply_each(pod(n) for n in range(3)))

    assert [type(found[n]) for n in range(3)] == [TransientError] * 3
    assert "applying Pod shop/p1 in cluster here" in str(found[1])


def test_credentials_that_are_refused_on_the_way_are_renewed(serve, tmp_path):
    good = {"Bearer t1"}

    def script(request, count):
        if request.path.endswith("/p30") and count == 0:
            good.add("Bearer t2")  # both are good while the file changes, which it does as a whole, as on a node
            (tmp_path / "fresh").write_text("t2")
            (tmp_path / "fresh").rename(tmp_path / "token")
            good.remove("Bearer t1")
        held = request.headers.get("Authorization", request.headers.get("authorization", ""))
        if held not in good:
            return status(401, "Unauthorized", "expired")
        return Answer(body=request.body)

    cluster, _ = serve(script)

    assert names_of(cluster.apply_each(pod(n) for n in range(300))) == {n: f"p{n}" for n in range(300)}


def test_a_kind_that_is_not_served_fails_alone(serve):
    cluster, _ = serve(echo)

    found = dict(cluster.apply_each([pod(0), pod(1, kind="Ufo"), pod(2)]))

    assert isinstance(found[1], RefusedError | NotFoundError)
    assert names_of((n, found[n]) for n in (0, 2)) == {0: "p0", 2: "p2"}


def test_a_write_that_hangs_is_not_waited_for_when_the_time_is_over(serve):
    hangs = threading.Event()

    def script(request, count):
        if request.path.endswith("/p3"):
            hangs.wait(60)
        return Answer(body=request.body)

    cluster, _ = serve(script)
    end = time.monotonic() + 5.0
    began = time.monotonic()
    try:
        found = dict(cluster.apply_each((pod(n) for n in range(10)), lambda: max(0.0, end - time.monotonic())))
        assert time.monotonic() - began < 30
    finally:
        hangs.set()
    assert set(found) == set(range(10)) - {3}


def test_nothing_is_begun_when_the_time_is_over(serve):
    cluster, server = serve(echo)

    assert list(cluster.apply_each((pod(n) for n in range(10)), lambda: 0.0)) == []
    assert server.requests == []


def test_ctrl_c_is_heard_while_the_server_is_silent(serve):
    hangs = threading.Event()

    def script(request, count):
        hangs.wait(60)
        return Answer(body=request.body)

    cluster, _ = serve(script)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            list(cluster.apply_each([pod(0)]))
        assert time.monotonic() - began < 30, "half a second, and what a busy machine needs"
    finally:
        hangs.set()
