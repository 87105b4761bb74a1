"""Stand-ins for routers, probes and time, with faults that a test orders."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bluegreen.model.errors import ConflictError, NoSharesError, TransientError
from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side
from bluegreen.model.samples import Counts, NoData, Sample
from bluegreen.traffic.feed import Reading, Watch


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.wakers: list[Callable[[float], None]] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += max(seconds, 0.001)
        for waker in self.wakers:
            waker(self.now)


class Told:
    """An emit that remembers."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict]] = []

    def __call__(self, name: str, /, **data) -> None:
        self.events.append((name, data))

    def of(self, name: str) -> list[dict]:
        return [data for told, data in self.events if told == name]

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.events]


@dataclass
class FakeRouter:
    """A router with separate weights per side, as real ones have; its faults come from a list.

    A fault is "away" (nothing done), "cut" (receiver raised, then lost) or "" (works); the list is used up.
    """

    name: str = "shop"
    resolution: int = 100
    settle_seconds: float = 0.0
    raw: dict[Side, int] = field(default_factory=lambda: {Side.BLUE: 100, Side.GREEN: 0})
    faults: list[str] = field(default_factory=list)
    settles: list[bool] = field(default_factory=list)
    history: list[tuple[int, int]] = field(default_factory=list)
    raises: list[int] = field(default_factory=list)

    def _fault(self) -> str:
        return self.faults.pop(0) if self.faults else ""

    def read(self) -> Weights:
        if self._fault() == "away":
            raise TransientError("fake.away", "reading", "away")
        return self._shares()

    def _shares(self) -> Weights:
        blue, green = self.raw[Side.BLUE], self.raw[Side.GREEN]
        assert blue + green > 0, "0/0 is served"
        return Weights.for_green(round(100 * green / (blue + green)))

    def shift(self, to: Weights, expect: Weights) -> None:
        fault = self._fault()
        if fault == "away":
            raise TransientError("fake.away", "writing", "away")
        halfway = all(self.raw[side] == max(to.of(side), expect.of(side)) for side in Side)
        if self.raw == {side: to.of(side) for side in Side}:
            return
        if self._shares() != expect and not halfway:
            raise ConflictError("fake.conflict", f"shifting to {to}", f"serves {self._shares()}, not {expect}")
        for side in sorted(Side, key=lambda s: to.of(s) < self.raw[s]):
            if side is Side.GREEN and to.green > self.raw[side]:
                self.raises.append(to.green)
            self.raw[side] = to.of(side)
            self.history.append((self.raw[Side.BLUE], self.raw[Side.GREEN]))
            if fault == "cut":
                raise TransientError("fake.cut", "writing", "cut")

    def settled(self, to: Weights) -> bool:
        if self._fault() == "away":
            raise TransientError("fake.away", "asking", "away")
        return (self.settles.pop(0) if self.settles else True) and self._shares() == to

    def finalize(self) -> None:
        pass


@dataclass
class Returning(FakeRouter):
    """A router that says when nobody is served, and can be brought back from there."""

    beside: str = ""

    def read(self) -> Weights:
        if self.beside or not sum(self.raw.values()):
            raise NoSharesError("fake.no-shares", "reading", self.beside or "nobody is served", "bluegreen revert")
        return super().read()

    def bring_back(self) -> str:
        if (fault := self._fault()) in {"away", "cut"}:
            raise TransientError(f"fake.{fault}", "bringing back", fault)
        self.raw = {Side.BLUE: 100, Side.GREEN: 0}
        return self.beside


@dataclass
class FakeProbe:
    """A probe that answers from a function of the side."""

    name: str = "web"
    synthetic: bool = True
    answer: Callable[[Side], Sample] = lambda side: Counts(1, 0)
    closed: bool = False
    users: bool | None = None

    def __post_init__(self) -> None:
        if self.users is None:
            self.users = not self.synthetic

    def sample(self, side: Side) -> Sample:
        return self.answer(side)

    def close(self) -> None:
        self.closed = True


class FakeFeed:
    """A feed in fake time: each watch gives a sample per side at its interval."""

    def __init__(self, time: FakeTime, watches: Sequence[Watch]) -> None:
        self.readings: list[Reading] = []
        self.due = dict.fromkeys(range(len(watches)), time.now)
        self.watches, self.closed = watches, False
        time.wakers.append(self._wake)

    def _wake(self, now: float) -> None:
        for index, watch in enumerate(self.watches):
            while not self.closed and self.due[index] <= now:
                for side in Side:
                    at = self.due[index]
                    self.readings.append(Reading(watch.probe.name, side, watch.probe.sample(side), at))
                self.due[index] += watch.interval

    def drain(self) -> list[Reading]:
        readings, self.readings = self.readings, []
        return readings

    def close(self) -> None:
        self.closed = True


def nothing(side: Side) -> Sample:
    return NoData("nobody came")
