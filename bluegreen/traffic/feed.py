"""Samples of both sides, each probe at its own interval, in threads that cannot hold up the judge.

A probe that hangs only silences itself; one that raises is Broken. Nothing here judges.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Protocol

from bluegreen.model.errors import clean_text
from bluegreen.model.ports import Probe
from bluegreen.model.refs import Side
from bluegreen.model.samples import Broken, Sample


@dataclass(frozen=True, slots=True)
class Watch:
    """A probe and how often it looks.

    Attributes:
        probe: source of samples; `sample` is called for both sides at the same time.
        interval: seconds from the start of one sample of a side to the next.
    """

    probe: Probe
    interval: float = 1.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One sample, of which probe and side, and when it was there (monotonic seconds)."""

    probe: str
    side: Side
    sample: Sample
    at: float


class Feed(Protocol):
    """Where the judge gets its samples from."""

    def drain(self) -> list[Reading]:
        """Return every reading since the last call."""

    def close(self) -> None:
        """Stop sampling."""


OpenFeed = Callable[[Sequence[Watch], Callable[[], float]], Feed]


class ThreadedFeed:
    """One thread per probe and side.

    Args:
        watches: what to sample.
        clock: monotonic seconds.
    """

    def __init__(self, watches: Sequence[Watch], clock: Callable[[], float]) -> None:
        self._clock = clock
        self._readings: SimpleQueue[Reading] = SimpleQueue()
        self._done = threading.Event()
        self._threads = [
            threading.Thread(
                target=self._sample, args=(watch, side), name=f"probe-{watch.probe.name}-{side}", daemon=True
            )
            for watch in watches
            for side in Side
        ]
        for thread in self._threads:
            thread.start()

    def drain(self) -> list[Reading]:
        """Return every reading since the last call."""
        readings = []
        while True:
            try:
                readings.append(self._readings.get_nowait())
            except Empty:
                return readings

    def close(self) -> None:
        """Stop sampling; a sample under way is not waited for, its thread ends with it."""
        self._done.set()

    def _sample(self, watch: Watch, side: Side) -> None:
        if not watch.probe.synthetic:
            sample_of(watch.probe, side)  # what real users met before this judging began is not this step's
        due = self._clock()
        while not self._done.is_set():
            sample = sample_of(watch.probe, side)
            self._readings.put(Reading(watch.probe.name, side, sample, self._clock()))
            due = max(due + watch.interval, self._clock())
            self._done.wait(due - self._clock())


def sample_of(probe: Probe, side: Side) -> Sample:
    """Return a probe's sample; an exception, which the port forbids, is a broken probe and no bad target."""
    try:
        return probe.sample(side)
    except Exception as error:  # noqa: BLE001 - whatever a third party's probe raises says nothing about the side
        return Broken(clean_text(f"{type(error).__name__}: {error}"))
