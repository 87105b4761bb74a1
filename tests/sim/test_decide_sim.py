"""Ten thousand migrations with faults: routers away or cut, sick clusters, blind probes, crashes, impatient people.

The real functions write weights on routers that can fail between their two halves. After every transition the laws
are asserted on what the routers really serve, not on what the machine believes. BLUEGREEN_SIM_SEED gives another seed.
"""

import os
import random
import sys
import time
from collections import Counter
from pathlib import Path

from bluegreen.migration import stages
from bluegreen.model.errors import BluegreenError, RefusedError
from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side
from bluegreen.model.verdicts import Verdict
from bluegreen.slo.health import BlueHealth, Health
from bluegreen.traffic.decide import action, decide
from bluegreen.traffic.pace import Pace
from bluegreen.traffic.states import (
    GOING_BACK,
    Action,
    BlueSeen,
    BudgetElapsed,
    Command,
    Judged,
    Ordered,
    Phase,
    RouterRefused,
    RouterUnreachable,
    Settled,
    SettleTimedOut,
    State,
    Written,
    may_scale_blue_down,
    start,
    target,
)
from bluegreen.traffic.steps import Step
from bluegreen.traffic.weights import revert, settle, shift

sys.path.insert(0, str(Path(__file__).parent.parent / "unit"))
from fake_traffic import FakeRouter, FakeTime

SEED = int(os.environ.get("BLUEGREEN_SIM_SEED", "20"))
RUNS = int(os.environ.get("BLUEGREEN_SIM_RUNS", "10000"))
LONGEST = 400


def dice_of(run) -> random.Random:
    return random.Random(f"{SEED} {run}")  # noqa: S311 - a simulation, no secret


class Killed(BaseException):
    """The process is gone, as by kill -9."""


class World:
    """Two clusters, one or two routes, people and bad luck."""

    def __init__(self, dice: random.Random) -> None:
        self.dice, self.time = dice, FakeTime()
        self.pace = Pace(self.time.clock, self._sleep)
        weights = sorted(dice.sample(range(1, 100), dice.randint(0, 3)))
        self.misery = dice.choice([0.0, 0.02, 0.1, 0.3])
        self.routers = [FakeRouter(name) for name in ("dns", "balancer")[: dice.randint(1, 2)]]
        groups = dice.choice([[()], [(router.name,) for router in self.routers]])
        self.steps = tuple(
            Step(weight, settle_timeout=1.0, approve=dice.random() < 0.2, routes=group)
            for group in groups
            for weight in [*weights, 100]
        )
        self.green_bad = dice.random() < 0.4
        self.blue = Health.HEALTHY
        self.blind = False

    def luck(self, scale: float = 1.0) -> bool:
        return self.dice.random() < self.misery * scale

    def shake(self) -> None:
        """Let something happen behind everybody's back."""
        if self.luck(0.3):
            self.green_bad = not self.green_bad
        if self.luck(0.3):
            self.blue = self.dice.choice(list(Health))
        elif self.dice.random() < 0.3:
            self.blue = Health.HEALTHY
        self.blind = self.luck()
        for router in self.routers:
            router.faults = [self.dice.choice(["away", "cut"]) if self.luck() else "" for _ in range(6)]
            if self.luck(0.1):
                green = self.dice.randint(0, 100)
                router.raw = {Side.BLUE: 100 - green, Side.GREEN: green}  # somebody else writes

    def emit(self, name: str, /, **data) -> None:
        """Die at any event, which is between any two effects."""
        if self.luck(0.05):
            raise Killed

    def _sleep(self, seconds: float) -> None:
        self.time.sleep(seconds)
        if self.luck(0.05):
            raise Killed

    def act(self, state: State):
        """Do what a state asks for and return what happened."""
        match action(state):
            case Action.WRITE:
                return self._write(state)
            case Action.SETTLE:
                settled = settle(self.moved(state), target(state, self.steps), 1.0, self.pace, self.emit)
                return Settled() if settled else SettleTimedOut()
            case Action.JUDGE:
                return self._judge()
            case Action.CHECK_BLUE | Action.CALL:
                return BlueSeen(self.blue)
            case Action.REVERT:
                return self._revert()
            case Action.ASK:
                commands = [Command.RESUME] * 3 + [Command.PROMOTE, Command.ABORT]
                return self.dice.choice([Ordered(self.dice.choice(commands)), self._judge()])

    def moved(self, state: State) -> list[FakeRouter]:
        """Return the routers that the present step moves."""
        return list(stages.routers_of(self.steps[state.step], self.routers))

    def _write(self, state: State):
        before = stages.before(state, self.steps)
        try:
            shift(self.moved(state), target(state, self.steps), before, self.emit)
        except RefusedError:
            return RouterRefused()
        except BluegreenError:
            return self.dice.choice([RouterUnreachable(), BudgetElapsed()])
        return Written(target(state, self.steps))

    def _judge(self) -> Judged:
        over = self.dice.random() < 0.5
        if self.blind:
            return Judged(self.dice.choice([Verdict.PROBE_ERROR, Verdict.INCONCLUSIVE]), over)
        if self.green_bad:
            return Judged(self.dice.choice([Verdict.FAIL, Verdict.INCONCLUSIVE]), over)
        return Judged(self.dice.choice([Verdict.PASS, Verdict.PASS, Verdict.INCONCLUSIVE]), over)

    def _revert(self):
        try:
            back = revert(self.routers, lambda: BlueHealth(self.blue), pace=self.pace, within=5.0, emit=self.emit)
        except BluegreenError:
            return RouterUnreachable()
        finally:
            touched = any(router.history for router in self.routers)
            assert self.blue is Health.HEALTHY or not touched, "law 4: sent back onto a blue that is not healthy"
        return Written(Weights(100, 0)) if back.reverted else BlueSeen(back.blue.health)

    def served(self) -> list[tuple[int, int]]:
        return [(router.raw[Side.BLUE], router.raw[Side.GREEN]) for router in self.routers]


def assert_laws(world: World, before: State, happened, after: State, untouched) -> None:
    """Assert the laws on what is really served."""
    story = f"{before} {happened} {after} {world.served()}"
    for router in world.routers:
        assert all(blue + green > 0 for blue, green in router.history), f"law 2: {story}"
        assert max(router.raises, default=0) <= before.earned, f"law 1: {story}"
        router.history.clear()
        router.raises.clear()
    if may_scale_blue_down(after) and not may_scale_blue_down(before):
        assert Phase.BAKING in {before.phase, before.resume}, f"law 1: {story}"
    if isinstance(happened, Judged) and happened.verdict in {Verdict.INCONCLUSIVE, Verdict.PROBE_ERROR}:
        assert untouched == world.served(), f"law 3: {story}"
        assert before.phase in GOING_BACK or after.phase not in GOING_BACK, f"law 3: {story}"
    if after.phase is Phase.REVERTED:
        assert all(green == 0 < blue for blue, green in world.served()), f"law 4: {story}"
    if after.phase is Phase.REVERTING and before.phase is not Phase.REVERTING:
        assert happened == BlueSeen(Health.HEALTHY), f"law 4: {story}"


def migrate(dice: random.Random) -> str:
    """Run one migration and return how it ended."""
    world = World(dice)
    state = start(world.steps)
    for _ in range(LONGEST):
        world.shake()
        untouched = world.served()
        if world.luck(0.1):
            happened = Ordered(dice.choice(list(Command)))
        else:
            try:
                happened = world.act(state)
            except Killed:
                assert_laws(world, state, None, state, untouched)
                continue  # started again: the state is durable, the act was not recorded and is done anew
        after = decide(state, happened, world.steps)
        assert_laws(world, state, happened, after, untouched)
        state = after
        if action(state) is Action.STOP:
            return state.phase.value
    return f"still {state.phase.value}"


def test_ten_thousand_migrations_obey_the_laws():
    began, ends = time.process_time(), Counter()
    for number in range(RUNS):
        try:
            ends[migrate(dice_of(number))] += 1
        except BaseException as error:
            error.add_note(f"BLUEGREEN_SIM_SEED={SEED}, run {number}")
            raise
    took = time.process_time() - began  # a busy machine is no fault of the code
    print(f"BLUEGREEN_SIM_SEED={SEED} {dict(ends)} in {took:.1f} s of processor time")  # noqa: T201 - what was simulated
    assert ends["done"] > RUNS * 0.2
    assert ends["reverted"] > RUNS * 0.2
    assert took < 60


def test_without_misery_a_good_green_arrives_and_a_bad_one_goes_back():
    for number in range(500):
        dice = dice_of(f"calm {number}")
        world = World(dice)
        world.misery, state, passes = 0.0, start(world.steps), 0
        while action(state) is not Action.STOP:
            happened = world.act(state)
            passes += isinstance(happened, Judged) and happened.verdict is Verdict.PASS
            if isinstance(happened, Ordered):
                happened = Ordered(Command.PROMOTE if state.phase is Phase.WAITING else Command.RESUME)
            state = decide(state, happened, world.steps)
        assert state.phase is (Phase.REVERTED if world.green_bad else Phase.DONE)
        assert world.green_bad or passes >= len(world.steps) + 1
