"""One router's row: `python -m scenarios.bench_traffic.one NAME`; the last line on standard output is the row as JSON.

The rig is here, the users and the runs are processes of their own, so that none of them waits for another's Python. It
must never take a time from anything but the run's own events, the wire at the backend and the users' answers.
"""

import json
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Self

from bluegreen.model.refs import Side
from scenarios.bench_traffic import table
from scenarios.bench_traffic.resolver import Resolver
from scenarios.bench_traffic.routers import BY_NAME, TTL, Subject
from scenarios.bench_traffic.tap import Tap
from scenarios.lab.console import say
from scenarios.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
BACK_RUNS, SLOW_BACK_RUNS = 3, 2
USERS, KEEPERS = 8, 4
HEALTHY = {"steps": [10, 50, 100], "hold": "1s"}
BAD_GREEN = {"steps": [50, 100], "hold": "45s"}
INTERRUPTED = 130
_SILENCE_SECONDS = 90.0
_TAIL_SECONDS = 1.0
_NAME = "www.shop.test."

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """What stands while a router is measured."""

    subject: Subject
    rig: Any
    tap: Tap | None
    resolver: Resolver | None
    runs: "Runs"

    def users(self, *, wait_for_green: bool) -> "Users":
        """Let users in."""
        plan: dict[str, Any] = {"users": USERS, "rate": self.subject.rate}
        if self.resolver is None:
            port = self.rig.proxy.port if hasattr(self.rig, "proxy") else self.rig.port
            return Users(plan | {"port": port})
        addresses = sys.modules[self.subject.module].ADDRESSES
        ports = {addresses[side]: self.rig.sides[side].port for side in Side}
        names = {"resolver": self.resolver.port, "name": _NAME, "ports": ports, "green": addresses[Side.GREEN]}
        return Users(plan | names | {"keepers": KEEPERS, "wait_for_green": wait_for_green})


class Runs:
    """The process that does the runs, and its events."""

    def __init__(self, plan: dict[str, Any]) -> None:
        words = [sys.executable, "-m", "scenarios.bench_traffic.shift", json.dumps(plan)]
        self._process = subprocess.Popen(
            words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._events.put(json.loads(line))
        self._events.put({"name": "process.ended", "at": time.monotonic(), "reason": "the process of the runs ended"})

    def begin(self, one: dict[str, Any]) -> None:
        """Start a run."""
        if self._process.stdin is None:
            raise AssertionError("it was started with a pipe")
        self._process.stdin.write(json.dumps(one) + "\n")
        self._process.stdin.flush()

    def events(self) -> Iterator[Event]:
        """Yield the events of the run until it is over.

        Raises:
            RuntimeError: it said nothing for long, or its process ended.
        """
        while True:
            try:
                event = self._events.get(timeout=_SILENCE_SECONDS)
            except queue.Empty:
                raise RuntimeError(f"the run said nothing for {_SILENCE_SECONDS:.0f} s") from None
            if event["name"] in {"process.ended", "run.crashed", "run.paused"}:
                raise RuntimeError(f"{event['name']}: {event.get('reason')}")
            yield event
            if event["name"] == "run.over":
                return

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait(10)


class Users:
    """The process of the users."""

    def __init__(self, plan: dict[str, Any]) -> None:
        words = [sys.executable, "-m", "scenarios.bench_traffic.users", json.dumps(plan)]
        self._process = subprocess.Popen(
            words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Make sure that it has ended."""
        self._process.kill()
        self._process.wait(10)

    def keep(self) -> None:
        """Let the keepers look for green."""
        if self._process.stdin is not None:
            self._process.stdin.write("keep\n")
            self._process.stdin.flush()

    def stop(self) -> list[tuple[float, str, str]]:
        """End them and return every answer: monotonic seconds, group, what it was."""
        said, _ = self._process.communicate(timeout=30)
        return [(at, group, what) for at, group, what in json.loads(said)]


@contextmanager
def staged(subject: Subject) -> Iterator[Stage]:
    """Set everything up for one router and take it down."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-traffic-")))
        rig = subject.open(directory)
        stack.callback(rig.close)
        tap = subject.tap(rig)
        if tap is not None:
            stack.callback(tap.close)
        resolver = _resolver(rig, directory) if subject.dns else None
        if resolver is not None:
            stack.callback(resolver.close)
        options = subject.options(rig, tap.port if tap else 0)
        urls = {str(side): server.url for side, server in rig.sides.items()}
        plan = {"router": subject.name, "options": options, "urls": urls, "directory": str(directory)}
        runs = Runs(plan)
        stack.callback(runs.close)
        yield Stage(subject, rig, tap, resolver, runs)


def _resolver(rig: Any, directory: Path) -> Resolver:
    return Resolver(directory, free_port(), rig.authority.port, _NAME)


def healthy(stage: Stage) -> list[tuple[float, str, str]]:
    """Migrate under users; return their answers."""
    with stage.users(wait_for_green=False) as users:
        time.sleep(1.0)
        stage.runs.begin(HEALTHY)
        ended = list(stage.runs.events())[-1]
        if ended["outcome"] != "migrated":
            raise RuntimeError(f"a healthy migration ended {ended['outcome']}: {ended['reason']}")
        time.sleep(_TAIL_SECONDS + (TTL + 1.0 if stage.subject.dns else 0.0))
        return users.stop()


def back(stage: Stage) -> tuple[table.Way, list[tuple[float, str, str]]]:
    """Let green break at 50 % under users; return the way back and the answers."""
    manners = stage.rig.sides[Side.GREEN].manners
    with stage.users(wait_for_green=True) as users:
        time.sleep(0.5)
        stage.runs.begin(BAD_GREEN)
        verdict, first, outcome = _way_back(stage, users)
        if outcome != "reverted":
            raise RuntimeError(f"a run with a broken green ended {outcome}")
        time.sleep(_TAIL_SECONDS + (TTL + 1.0 if stage.subject.dns else 0.0))
        manners.status = 200
        answers = users.stop()
    last = max((at for at, group, what in answers if group == "user" and what.startswith("green")), default=None)
    return table.Way(verdict, first, last), answers


def _way_back(stage: Stage, users: Users) -> tuple[float, float, str]:
    """Follow one run; return the time of the verdict, of the first write after it, and the outcome."""
    verdict, told, outcome, broken = 0.0, 0.0, "", False
    # A name takes long to settle and to prove; green is judged meanwhile and need not wait for it.
    at_half = "weight.written" if stage.subject.dns else "step.settled"
    for event in stage.runs.events():
        if event["name"] == at_half and not broken:
            broken = True
            users.keep()
            time.sleep(2.5 * TTL if stage.subject.dns else 0.3)
            stage.rig.sides[Side.GREEN].manners.status = 500
        elif event["name"] == "gate.judged" and event["verdict"] == "FAIL" and not verdict:
            verdict = event["at"]
        elif event["name"] == "weight.written" and verdict and not told:
            told = event["at"]
        elif event["name"] == "run.over":
            outcome = event["outcome"]
    writes = [told] if stage.tap is None else stage.tap.writes
    return verdict, min((at for at in writes if at >= verdict), default=float("inf")), outcome


def measure(subject: Subject) -> dict[str, Any]:
    """Return the row of a router."""
    with staged(subject) as stage:
        ways = []
        back_answers: Counter[str] = Counter()
        kept: Counter[str] = Counter()
        for number in range(BACK_RUNS if subject.is_write and not subject.dns else SLOW_BACK_RUNS):
            way, answers = back(stage)
            say(subject.name, f"way back {number + 1}: first write after {(way.write - way.verdict) * 1000:.1f} ms")
            ways.append(way)
            back_answers.update(what for _, group, what in answers if group == "user")
            kept.update(_kept(answers))
        answers = healthy(stage)
        counted = Counter(what for _, _, what in answers)
        say(subject.name, f"healthy migration: {dict(counted)}")
        about, ttl = _about(subject, kept, answers), TTL if subject.dns else None
        got = table.Measured(ways, counted, back_answers, ttl, about)
        return table.row(subject.name, got)


def _kept(answers: Sequence[tuple[float, str, str]]) -> Counter[str]:
    """Return what those who never resolve again got."""
    return Counter(what for _, group, what in answers if group == "keeper")


def _about(subject: Subject, kept: Counter[str], answers: Sequence[tuple[float, str, str]]) -> dict[str, Any]:
    """Return the further facts of a row."""
    facts: dict[str, Any] = {"users": USERS, "requests_per_second_each": subject.rate}
    if subject.dns:
        facts["users_are"] = "ask a caching unbound before every request, connect anew"
        facts["keepers"] = KEEPERS
        facts["keepers_are"] = "connected once, never resolve again: they stay on their side until they reconnect"
        facts["keepers_back"] = dict(kept)
        facts["keepers_healthy"] = dict(_kept(answers))
    else:
        facts["users_are"] = "keep one connection each"
    facts["write_seen"] = "on the wire at the backend" if subject.is_write else "by weight.written, read back (TLS)"
    return facts | ({"plays": subject.plays} if subject.plays else {})


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Measure the router that the command line names."""
    name = sys.argv[1]
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        found = measure(BY_NAME[name])
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever it is, the row must say that it was not measured
        found = table.failed(name, f"{type(error).__name__}: {error}")
    print(json.dumps(found), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
