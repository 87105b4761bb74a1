"""What happened in an act is stored and read back the same; errors do to a run what the laws say."""

import threading
from pathlib import Path

import pytest

from bluegreen.migration.context import Run, Stop
from bluegreen.migration.limits import Limits
from bluegreen.migration.orders import Orders
from bluegreen.migration.perform import perform
from bluegreen.migration.records import from_record, to_record
from bluegreen.model.errors import BugError, RefusedError, TransientError
from bluegreen.model.ports import Weights
from bluegreen.model.verdicts import Verdict
from bluegreen.slo.health import Health
from bluegreen.traffic.states import (
    BlueSeen,
    BudgetElapsed,
    Command,
    Judged,
    Ordered,
    RouterRefused,
    RouterUnreachable,
    Settled,
    SettleTimedOut,
    Written,
)

HAPPENED = [
    Written(Weights.for_green(50)),
    Settled(),
    SettleTimedOut(),
    BudgetElapsed(),
    RouterRefused(),
    RouterUnreachable(),
    *[Judged(verdict, over=over) for verdict in Verdict for over in (False, True)],
    *[BlueSeen(health) for health in Health],
    *[Ordered(command) for command in Command],
]


@pytest.mark.parametrize("happened", HAPPENED, ids=str)
def test_what_happened_is_read_back_the_same(happened):
    assert from_record(to_record(happened)) == happened


def test_a_foreign_record_is_a_bug():
    with pytest.raises(BugError):
        from_record({"happened": "Sneezed"})


def run_with(clock=None):
    """Return a run without any real part; time passes as its waits do."""
    run = Run.__new__(Run)
    told, now = [], [0.0]
    run.journal = lambda name, /, **data: told.append((name, data))
    run.stop, run.phase, run.traffic_moved, run.crashed = Stop(), "start", False, False
    run.shifting, run.followed, run.orders = False, "", Orders(Path("/nonexistent/orders.jsonl"))
    run.clock = clock or (lambda: now[0])
    run.limits, run.closing = Limits(run.clock), False
    return run, told, now


def in_thread(act):
    """Run something that may park for ever; return the thread."""
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    return thread


def test_a_refusal_before_traffic_is_recorded():
    run, _, _ = run_with()

    def act(_run):
        raise RefusedError("x.refused", "doing it", "no", "type this")

    assert perform(run, "import", act)["refused"]["next"] == "type this"


def test_a_refusal_after_traffic_pauses_and_is_not_recorded():
    run, told, _ = run_with()
    run.traffic_moved = True
    results = []

    def act(_run):
        raise RefusedError("x.refused", "doing it", "no")

    in_thread(lambda: results.append(perform(run, "shift-50", act)))

    assert run.stop.ended.wait(5)
    assert run.stop.ending.outcome == "paused"
    assert run.stop.ending.exit_code == 4
    assert results == []
    assert told[-1][0] == "run.paused"


def test_an_unforeseen_error_parks_and_is_not_recorded():
    run, told, _ = run_with()
    results = []
    in_thread(lambda: results.append(perform(run, "import", lambda _run: 1 / 0)))

    assert run.stop.ended.wait(5)
    assert run.crashed
    assert results == []
    assert told[-1][0] == "run.crashed"


def test_transient_errors_are_tried_again_and_their_budget_starts_with_the_first():
    run, told, now = run_with()
    tries = []

    def act(_run):
        tries.append(1)
        if len(tries) == 1:
            now[0] += 1000.0  # a long wait inside the step is no failure
        if len(tries) < 3:
            raise TransientError("x.busy", "doing it", "busy", retry_after=0.001)
        return {"done": True}

    assert perform(run, "volumes", act) == {"done": True}
    assert [name for name, _ in told] == ["step.retried", "step.retried"]


def test_a_stop_parks_at_the_next_wait():
    run, told, _ = run_with()
    after = []

    def act(run):
        run.sleep(30)
        after.append("went on")

    in_thread(lambda: perform(run, "judge-10", act))
    run.stop.asked.set()

    assert run.stop.ended.wait(5)
    assert run.stop.ending.exit_code == 130
    assert after == []
    assert told[-1][0] == "run.interrupted"


def test_a_full_disk_still_parks():
    run, _, _ = run_with()

    def full(name, /, **data):
        raise OSError(28, "No space left on device")

    run.journal = full
    in_thread(lambda: perform(run, "import", lambda _run: 1 / 0))

    assert run.stop.ended.wait(5)
