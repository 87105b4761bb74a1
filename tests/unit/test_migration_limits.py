"""The time of the run and of its import: counted across processes, held against the laws, and never silent."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from fake_api import FakeApi, quiet
from fake_traffic import FakeRouter
from msgspec.structs import replace
from shift_run import Shift, config
from test_importer_apply import obj, served, with_status
from test_migration_run import in_thread, run_with

from bluegreen.importer.apply import ApplyFailedError, ApplyOptions, apply_objects
from bluegreen.importer.order import Phase as ImportPhase
from bluegreen.migration import workflow
from bluegreen.migration.begin import resume
from bluegreen.migration.limits import Limits, spent_since
from bluegreen.migration.orders import give
from bluegreen.migration.perform import perform
from bluegreen.migration.store import Manifest, Store
from bluegreen.model.errors import OutOfTimeError, RefusedError, TransientError
from bluegreen.model.refs import ClusterId, ObjectRef, Side, ref_of
from bluegreen.model.samples import Counts
from bluegreen.model.verdicts import Verdict
from bluegreen.traffic.states import Command, Judged, Ordered, Phase

HOUR = 3600.0


class Hand:
    """A clock that only a test moves."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def bounded(run, now, **more):
    """Give a run limits, and waits that take no time but its own."""
    run.limits = Limits(run.clock, **more)
    asked = run.stop.asked

    class Waits:
        set, is_set = asked.set, asked.is_set

        def wait(self, seconds):
            now[0] += seconds
            return asked.is_set()

    run.stop.asked = Waits()
    return run


def at(hour, second=0):
    return f"2026-01-01T{hour:02d}:00:{second:02d}.000Z"


@pytest.mark.parametrize(
    ("last", "now", "seconds"),
    [
        ("", at(3), 2 * HOUR),
        (at(2), at(3), 2 * HOUR),
        (at(2), at(1), HOUR),  # the clock was set back: what was used stays used
        ("", at(0), 0.0),
    ],
)
def test_what_earlier_processes_used_counts(last, now, seconds):
    assert spent_since(at(1), last, now) == seconds


def test_time_that_was_used_before_is_gone():
    clock = Hand()
    limits = Limits(clock, overall=4 * HOUR, spent=3 * HOUR)
    assert limits.left == HOUR
    clock.now += HOUR - 1
    assert not limits.over()
    clock.now += 1
    assert limits.over()
    assert limits.left == 0
    limits.lifted = True
    assert not limits.over()
    limits.require()


def test_each_process_gives_the_import_its_time_anew_but_not_each_try():
    clock = Hand()
    limits = Limits(clock, phases={"import": 600.0})
    limits.enter("assess")
    limits.require()
    limits.enter("import")
    clock.now += 600
    with pytest.raises(OutOfTimeError, match=r"import\.out-of-time"):
        limits.require()
    limits.enter("start")
    limits.require()


def test_before_traffic_the_run_ends_with_an_error_and_is_recorded():
    run, told, now = run_with()
    bounded(run, now, overall=10.0)
    acts = []

    def act(run):
        acts.append(now[0])
        run.sleep(60.0)
        raise AssertionError("it went on")

    refused = perform(run, "volumes", act)["refused"]
    assert refused["code"] == "run.out-of-time"
    assert "no traffic has moved" in refused["why"]
    assert now[0] == 10.0, "a wait ends with the limit"
    assert perform(run, "start", act)["refused"]["code"] == "run.out-of-time"
    assert acts == [0.0], "no further step begins"
    run.closing = True
    assert perform(run, "routes-restore", lambda run: run.sleep(1.0)) == {}, "what puts things back is still done"
    assert told == []


def test_the_import_stops_in_its_time_tries_included_and_is_not_recorded():
    run, told, now = run_with()
    bounded(run, now, phases={"import": 20.0})
    results = []

    def act(_run):
        raise TransientError("import.unreachable", "applying objects to new (7 of 9 failed)", "ConfigMap a/b: reset")

    in_thread(lambda: results.append(perform(run, "import", act)))
    assert run.stop.ended.wait(10)
    ending = run.stop.ending
    assert (ending.outcome, ending.exit_code, results) == ("paused", 4, [])
    assert "timeouts.import, 20s" in ending.reason
    assert "7 of 9 failed" in ending.reason
    assert "same command again" in ending.next_step
    assert now[0] <= 20.0
    assert told[-1][0] == "run.paused"


def test_when_both_are_over_the_run_has_failed():
    run, _, now = run_with()
    bounded(run, now, overall=5.0, phases={"import": 5.0})

    def act(_run):
        now[0] += 5.0
        raise OutOfTimeError("import.out-of-time", "applying", "3 of 9 are not done")

    assert perform(run, "import", act)["refused"]["code"] == "run.out-of-time"


def test_an_abort_that_is_heard_between_steps_or_tries_is_a_refusal_and_no_crash(tmp_path):
    run, _, now = run_with()
    bounded(run, now)
    run.orders.path = tmp_path / "orders.jsonl"

    def act(_run):
        give(run.orders.path, Command.ABORT, "ana@desk", at(1))
        raise TransientError("x.busy", "doing it", "busy")

    assert perform(run, "import", act)["refused"]["code"] == "run.aborted"
    assert perform(run, "start", act)["refused"]["code"] == "run.aborted"
    run.closing = True
    assert perform(run, "routes-restore", lambda _run: None) == {}
    assert not run.crashed


def configs(count):
    return [obj("Namespace", "shop", namespace=""), *(obj("ConfigMap", f"c{i}") for i in range(count))]


def test_an_import_without_time_names_what_is_not_done_and_goes_on_later():
    clock, green = Hand(), FakeApi()
    apply = green.apply

    def slow(body, **more):
        clock.now += 1.0
        return apply(body, **more)

    green.apply = slow

    def options(end):
        return ApplyOptions("m1", clock, lambda _: None, workers=1, end=end)

    with pytest.raises(OutOfTimeError) as failed:
        apply_objects(green, configs(6), ImportPhase.IMPORT, options(3.0), quiet)
    assert failed.value.why == "4 of 7 are not done: ConfigMap shop/c2, ConfigMap shop/c3, ConfigMap shop/c4 and 1 more"
    done = len(green.writes)
    assert done == 3
    apply_objects(green, configs(6), ImportPhase.IMPORT, options(1000.0), quiet)
    assert len(green.writes) == 7, "what was there was not written again"


def test_what_was_not_answered_in_time_is_named():
    clock = Hand()

    class Silent(FakeApi):
        def apply_each(self, *args, **more):
            for number, answer in super().apply_each(*args, **more):
                if answer["metadata"]["name"] == "c0":
                    clock.now = 10.0
                else:
                    yield number, answer

    with pytest.raises(OutOfTimeError, match="2 of 3 are not done: ConfigMap shop/c0, ConfigMap shop/c1"):
        apply_objects(Silent(), configs(2), ImportPhase.IMPORT, ApplyOptions("m1", clock, clock, end=5.0), quiet)


def test_a_status_that_hangs_is_not_waited_for():
    hangs = threading.Event()
    green = FakeApi(extra=(served("Run", "status"),))
    green.apply_status = lambda _obj: hangs.wait(60)
    options = ApplyOptions("m1", time.monotonic, lambda _: None, end=time.monotonic() + 5.0)
    began = time.monotonic()
    try:
        with pytest.raises(OutOfTimeError, match="1 of 2 are not done: Run shop/a"):
            apply_objects(green, [with_status("Run", "a"), *configs(1)[1:]], ImportPhase.IMPORT, options, quiet)
        assert time.monotonic() - began < 30
    finally:
        hangs.set()


def test_a_status_still_to_be_written_is_not_begun_when_the_time_is_over():
    green = FakeApi(extra=(served("Run", "status"),))
    options = ApplyOptions("m1", lambda: 0.0, lambda _: None)
    run = with_status("Run", "a")
    apply_objects(green, [run], ImportPhase.IMPORT, options, quiet)
    green.objects[ref_of(run)].pop("status")
    written = list(green.writes)

    with pytest.raises(OutOfTimeError, match="1 of 1 are not done: Run shop/a"):
        apply_objects(green, [run], ImportPhase.IMPORT, replace(options, end=0.0), quiet)

    assert green.writes == written


def test_a_refusal_is_told_rather_than_the_time():
    clock, green = Hand(), FakeApi()
    green.refuse[ObjectRef("v1", "Namespace", "", "shop")] = RefusedError("kube.forbidden", "applying", "no")
    with pytest.raises(ApplyFailedError):
        apply_objects(green, configs(2), ImportPhase.IMPORT, ApplyOptions("m1", clock, clock, end=5.0), quiet)


def late(shift, clock, hours=4):
    """Give a shift a limit by a clock of its own, so that the rest of it runs as always."""
    shift.run.limits = Limits(clock, overall=hours * HOUR)
    return shift


def test_with_traffic_on_green_the_weights_stay_and_a_person_is_asked(tmp_path):
    clock = Hand()
    shift = late(Shift(tmp_path, hold="60s", budget="90s"), clock).begin().in_phase(Phase.JUDGING)
    clock.now = 4 * HOUR
    shift.in_phase(Phase.PAUSED)
    shift.until(lambda: shift.events("run.paused"))
    assert "timeouts.overall, 4h00m" in shift.events("run.paused")[0]["reason"]
    assert shift.green == 50
    looks = len(shift.events("gate.judged"))
    shift.until(lambda: len(shift.events("gate.judged")) > looks + 1)
    shift.answer = lambda side: Counts(10, 10) if side is Side.GREEN else Counts(20, 0)
    assert shift.ended() is Phase.REVERTED, "it goes on judging, and a green that fails goes back"


@pytest.mark.parametrize("command", [Command.RESUME, Command.PROMOTE])
def test_a_person_s_word_lifts_the_limit(tmp_path, command):
    clock = Hand()
    shift = late(Shift(tmp_path, hold="1s"), clock).begin().in_phase(Phase.JUDGING)
    clock.now = 5 * HOUR
    shift.in_phase(Phase.PAUSED)
    shift.order(command)
    assert shift.ended() is Phase.DONE
    assert len(shift.events("notice")) == 1
    assert len([state for state in shift.states if state.phase is Phase.PAUSED]) == 1


def test_while_a_step_waits_for_its_approval_it_is_told_once(tmp_path):
    clock = Hand()
    shift = (
        late(Shift(tmp_path, steps=[50, {"weight": 100, "approve": True}]), clock).begin().in_phase(Phase.WAITING, 1)
    )
    clock.now = 5 * HOUR
    shift.until(lambda: shift.events("notice"))
    shift.order(Command.PROMOTE)
    assert shift.ended() is Phase.DONE
    assert len(shift.events("notice")) == 1


def test_a_bake_is_held_too(tmp_path):
    clock = Hand()
    shift = late(Shift(tmp_path, bake="60s"), clock).begin().in_phase(Phase.BAKING, 1)
    clock.now = 5 * HOUR
    shift.in_phase(Phase.PAUSED, 1)
    assert shift.green == 100
    shift.order(Command.ABORT)
    assert shift.ended() is Phase.REVERTED


def test_a_weight_that_does_not_settle_is_not_waited_for_longer(tmp_path):
    clock = Hand()
    routers = [FakeRouter(settles=[False] * 100_000)]
    shift = late(Shift(tmp_path, routers=routers), clock).begin().in_phase(Phase.SETTLING)
    clock.now = 5 * HOUR
    shift.in_phase(Phase.PAUSED)
    shift.order(Command.ABORT)
    assert shift.ended() is Phase.REVERTED


def prepared_at(tmp_path, created, **more):
    """Return what a process finds that goes on with a run which began then."""
    store = Store(tmp_path / "m-1")
    cluster = ClusterId("old", "uid", "v1", "https://x")
    store.write_manifest(Manifest("m-1", cluster, cluster, ("shop",), (50, 100), "d", created))
    parts = SimpleNamespace(blue=None, green=None, routers=(), probes={}, mover=None)
    loaded = SimpleNamespace(config=config(**more))
    return SimpleNamespace(unfinished=store, parts=parts, loaded=loaded, bundle=None)


def ago(hours):
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_a_restart_counts_from_the_first_start(tmp_path):
    run = resume(prepared_at(tmp_path, ago(3)))
    assert HOUR * 0.9 < run.limits.left < HOUR * 1.0001
    again = resume(prepared_at(tmp_path, ago(3), timeouts={"overall": "2h", "import": "90s"}))
    assert again.limits.over()
    assert again.limits.phases == {"import": 90.0}


def test_a_clock_that_was_set_back_gives_no_time_back(tmp_path):
    prepared = prepared_at(tmp_path, ago(-2))
    event = {"name": "run.started", "at": ago(-5), "data": {}}
    prepared.unfinished.events.write_text(json.dumps(event) + "\n")
    assert resume(prepared).limits.spent == pytest.approx(3 * HOUR, abs=60)


def replaying(monkeypatch, shift, records):
    """Let the workflow find these records, as after a restart; what is not recorded is done now, and told."""
    done = []

    def recorded(run, name, act):
        done.append(name)
        return records.get(name, {})

    monkeypatch.setattr(workflow, "_recorded", recorded)
    monkeypatch.setattr(workflow, "PREPARATION", ())
    shift.run.manifest = SimpleNamespace(id="m-1")
    shift.run.shifting = False
    return done


def test_the_word_of_a_person_is_known_after_a_restart(tmp_path, monkeypatch):
    shift, now = late(Shift(tmp_path), Hand(), hours=0), []
    replaying(monkeypatch, shift, {})
    records = iter(
        [
            {"happened": "BudgetElapsed", "value": None, "late": True},
            {"happened": "Ordered", "value": "resume", "late": True},
            {"happened": "Ordered", "value": "abort", "late": False},
            {"happened": "BlueSeen", "value": "healthy", "late": False},
            {"happened": "Written", "value": 0, "late": False},
        ]
    )

    def recorded(run, name, act):
        now.append((name, run.limits.over()))
        return next(records)

    monkeypatch.setattr(workflow, "_recorded", recorded)
    assert workflow._shift(shift.run).phase is Phase.REVERTED
    assert now[:3] == [("shift-50", True), ("ask-50", True), ("shift-50", False)]
    assert shift.run.limits.lifted


def test_an_order_before_the_time_was_over_lifts_nothing():
    limits = Limits(Hand(), overall=5.0)
    limits.answered(Ordered(Command.RESUME), late=False)
    limits.answered(Ordered(Command.PAUSE), late=True)
    limits.answered(Judged(Verdict.PASS), late=True)
    assert not limits.lifted
    limits.answered(Ordered(Command.PROMOTE), late=True)
    assert limits.lifted


def test_a_shift_that_is_refused_before_traffic_moves_ends_the_run_as_failed(tmp_path, monkeypatch):
    shift = Shift(tmp_path)
    done = replaying(monkeypatch, shift, {"shift-50": {"refused": {"code": "run.out-of-time"}}})
    ended = workflow._all_of_it(shift.run, "m-1")
    assert (ended["outcome"], ended["phase"], ended["refused"]["code"]) == ("failed", "shift-50", "run.out-of-time")
    assert done == ["shift-50"]
    assert shift.run.closing


def test_before_the_first_write_the_shift_is_refused(tmp_path):
    clock = Hand()
    shift = late(Shift(tmp_path, steps=[{"weight": 50, "approve": True}, 100]), clock)
    errors = []
    drive = shift._drive

    def caught():
        try:
            drive()
        except RefusedError as error:
            errors.append(error.code)

    shift.thread = threading.Thread(target=caught, daemon=True)
    shift.begin().in_phase(Phase.WAITING)
    shift.until(lambda: shift.events("gate.judged"))
    clock.now = 5 * HOUR
    shift.until(lambda: errors)
    assert errors == ["run.out-of-time"]
    assert shift.green == 0
