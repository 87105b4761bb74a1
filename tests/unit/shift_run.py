"""The shift of one run as the durable workflow does it, without DBOS and without clusters: acts, orders, the gate."""

import threading
import time

from fake_traffic import FakeProbe, FakeRouter

from bluegreen.config.models import Migration
from bluegreen.migration import traffic
from bluegreen.migration.context import Run, Stop
from bluegreen.migration.limits import Limits
from bluegreen.migration.orders import Orders, give
from bluegreen.migration.stages import steps_of
from bluegreen.model.errors import TransientError
from bluegreen.model.refs import Side
from bluegreen.model.samples import Counts
from bluegreen.traffic.decide import action, decide
from bluegreen.traffic.states import TERMINAL, start

NOW = "2026-01-01T00:00:00.000Z"


def config(**more):
    given_ = {
        "from": "old",
        "to": "new",
        "namespaces": ["shop"],
        "steps": [50, 100],
        "hold": "200ms",
        "bake": "200ms",
        "budget": "60s",
        "routes": [{"name": "shop", "router": "fake"}],
        "probes": [{"name": "web", "probe": "fake", "interval": "20ms"}],
        "objectives": [{"name": "ok", "probe": "web", "good": "99%", "minSamples": 5}],
        **more,
    }
    return Migration.model_validate(given_)


class Shift:
    """The shift of one run with fake routers and probes, in a thread, its states and events to look at."""

    def __init__(self, tmp_path, answer=lambda side: Counts(20, 0), routers=None, probes=None, **more):
        self.answer, self.told, self.states = answer, [], []
        self.orders = tmp_path / "orders.jsonl"
        self.routers = routers or [FakeRouter()]
        self.run = Run.__new__(Run)
        fields = {
            "config": config(**more),
            "routers": tuple(self.routers),
            "probes": probes or {"web": FakeProbe(answer=self._answer)},
            "journal": lambda name, /, **data: self.told.append((name, data)),
            "orders": Orders(self.orders),
            "stop": Stop(),
            "clock": time.monotonic,
            "traffic_moved": False,
            "shifting": True,
            "phase": "",
            "crashed": False,
            "resumed": False,
            "followed": "",
            "why": "",
            "failure": "",
            "blue_seen": None,
            "limits": Limits(),
            "closing": False,
        }
        for key, value in fields.items():
            setattr(self.run, key, value)
        self.thread = threading.Thread(target=self._drive, daemon=True)

    def _answer(self, side):
        return self.answer(side)  # looked up anew each time, since tests change it

    def _drive(self):
        steps = steps_of(self.run.config)
        state = start(steps)
        self.states.append(state)
        while state.phase not in TERMINAL:
            self.run.followed = ""
            try:
                happened = traffic.act(self.run, action(state), state, steps)
            except TransientError as error:  # as bluegreen.migration.perform does, without its long waits
                self.told.append(("step.retried", {"reason": str(error)}))
                time.sleep(0.2)
                continue
            self.run.limits.answered(happened, late=self.run.limits.over())
            state = decide(state, happened, steps)
            self.run.orders.done.add(self.run.followed)
            self.states.append(state)

    def begin(self):
        self.thread.start()
        return self

    def until(self, condition, seconds=30):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, (self.states[-3:], [name for name, _ in self.told][-10:])
            time.sleep(0.005)

    def in_phase(self, phase, step=0):
        self.until(lambda: [(state.phase, state.step) for state in self.states[-1:]] == [(phase, step)])
        return self

    def order(self, command):
        return give(self.orders, command, "ana@desk", NOW)

    def ended(self):
        self.until(lambda: not self.thread.is_alive())
        return self.states[-1].phase

    def events(self, name):
        return [data for told, data in self.told if told == name]

    @property
    def green(self):
        return self.routers[0].raw[Side.GREEN]
