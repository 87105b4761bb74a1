"""Command line of the bench: `python -m scenarios.bench_traffic`; one JSON table, 0 when every target is reached.

Balancers are measured one after the other, since milliseconds count there; the DNS routers, which mostly wait for
TTLs, side by side. It must never print a figure that it did not measure.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

from scenarios.bench_traffic import table
from scenarios.bench_traffic.one import ROOT
from scenarios.bench_traffic.routers import REQUIRED, SUBJECTS
from scenarios.lab import build
from scenarios.lab.console import say
from scenarios.lab.layout import lab

FAILED, INTERRUPTED = 1, 130
_ROW_SECONDS = 180.0
_STATUS_SECONDS = 60.0
_GATEWAY = "gateway-api"
_started: list[subprocess.Popen[str]] = []


def measured(name: str) -> dict[str, Any]:
    """Return the row of a router, measured by a process of its own."""
    words = [sys.executable, "-m", "scenarios.bench_traffic.one", name]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        _started.append(process)
        try:
            said, _ = process.communicate(timeout=_ROW_SECONDS)
        except subprocess.TimeoutExpired:
            process.terminate()
            said, _ = process.communicate()
            return table.failed(name, f"not done after {_ROW_SECONDS:.0f} s")
    lines = said.strip().splitlines()
    row: dict[str, Any] = json.loads(lines[-1]) if lines else table.failed(name, "its process said nothing")
    return row


def gateway_gap() -> str:
    """Return why the Gateway API cannot be measured now, empty when it can: the lab is not brought up for it."""
    if not (build.CONTOUR.directory() / "contour").exists():
        return "its data plane (Contour) is not built yet: the contract tests on the lab build it"
    if not (lab() / "kubeconfig").exists():
        return "the lab is down: make lab-up"
    words = [sys.executable, "-m", "scenarios.lab", "status"]
    try:
        done = subprocess.run(words, cwd=ROOT, stdout=subprocess.DEVNULL, check=False, timeout=_STATUS_SECONDS)
    except subprocess.TimeoutExpired:
        return "the lab does not answer: make lab-up"
    return "the lab is down: make lab-up" if done.returncode else ""


def rows() -> list[dict[str, Any]]:
    """Return the rows of all routers."""
    balancers = [subject.name for subject in SUBJECTS if not subject.dns and subject.name != _GATEWAY]
    found = [measured(name) for name in balancers]
    gap = gateway_gap()
    found.append(table.absent(_GATEWAY, gap) if gap else measured(_GATEWAY))
    names = [subject.name for subject in SUBJECTS if subject.dns]
    with ThreadPoolExecutor(len(names)) as pool:
        found += pool.map(measured, names)
    return found


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    for process in _started:
        process.terminate()
    raise KeyboardInterrupt


def main(_arguments: Sequence[str] = ()) -> int:
    """Run the bench: 0 every target reached, 1 one missed or not measured, 130 interrupted."""
    signal.signal(signal.SIGTERM, _interrupt)
    began = time.monotonic()
    try:
        found = table.table(rows(), REQUIRED)
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return INTERRUPTED
    say("bench", f"done after {time.monotonic() - began:.0f} s")
    for row in found["rows"]:
        for miss in row["missed"]:
            print(f"missed: {row['router']}: {miss}", file=sys.stderr)
    sys.stderr.flush()
    print(json.dumps(found, indent=2), flush=True)
    return 0 if found["ok"] else FAILED


if __name__ == "__main__":
    sys.exit(main())
