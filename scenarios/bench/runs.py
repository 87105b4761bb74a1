"""Run a program as a person would and say how long it took and how much memory it had at its peak."""

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scenarios.cluster import environment
from scenarios.lab.console import LabError
from scenarios.run import program

_TAIL = 1500
QUIET_SHARE = 0.88
QUIET_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of a program took.

    Attributes:
        seconds: from its start to its end.
        peak_mib: largest resident memory of the process (VmHWM), in MiB.
    """

    seconds: float
    peak_mib: float


def bluegreen(*words: str, place: Path) -> Run:
    """Run the installed bluegreen.

    Args:
        words: its arguments.
        place: directory for its output; no bluegreen.yaml in it.
    """
    return run([program(), *words], place)


def run(argv: Sequence[str], place: Path) -> Run:
    """Run a program with its output in files, as a shell's redirection would.

    Raises:
        LabError: it failed; holds the end of what it said.
    """
    with (place / "stdout").open("wb") as out, (place / "stderr").open("wb") as err:
        started = time.monotonic()
        child = subprocess.Popen(argv, cwd=place, env=environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        # The kernel's own account: what a look at /proc sees may be before the peak.
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        said = (place / "stderr").read_text(errors="replace")[-_TAIL:]
        raise LabError(f"`{' '.join(argv)[:300]}` ended with {child.returncode}: {said}")
    return Run(seconds, usage.ru_maxrss / 1024)


def wait_for_quiet() -> None:
    """Wait until the processors are mostly idle, for a while at most: controllers work on after a write."""
    deadline = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < deadline and _idle_share(1.0) < QUIET_SHARE:
        pass


def _idle_share(seconds: float) -> float:
    before = _ticks()
    time.sleep(seconds)
    after = _ticks()
    spent = [later - earlier for earlier, later in zip(before, after, strict=True)]
    return (spent[3] + spent[4]) / (sum(spent) or 1)


def _ticks() -> list[int]:
    first = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
    return [int(word) for word in first.split()[1:9]]
