"""What the person at the terminal sees: progress with elapsed seconds, and errors that say what to do next.

It writes to standard error only, because standard output belongs to `env`, `status` and whoever pipes them.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

_started = time.monotonic()
_lock = threading.Lock()
TAIL_LINES = 12


class LabError(Exception):
    """Something of the lab failed; carries where to look and what to type next."""

    def __init__(self, message: str, log: Path | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.log = log
        self.hint = hint

    def lines(self) -> list[str]:
        """Return the message, the end of the log and the hint, ready to print."""
        out = [f"error: {self}"]
        if self.log and self.log.exists():
            tail = self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
            out += [f"   | {line[:240]}" for line in tail]
            out.append(f"log:   {self.log}")
        out.append(
            f"next:  {self.hint or 'python -m scenarios.lab up   (it repairs what it can; `down` first wipes all)'}"
        )
        return out


def say(who: str, what: str) -> None:
    """Print one progress line."""
    with _lock:
        print(f"[{time.monotonic() - _started:6.1f}s] {who:<8} {what}", file=sys.stderr, flush=True)


def run(
    argv: Sequence[str], *, what: str, stdin: str | None = None, log: Path | None = None, cwd: Path | None = None
) -> str:
    """Run a short command and return its standard output; raise LabError with what it said."""
    try:
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, cwd=cwd)
    except FileNotFoundError as error:
        raise LabError(f"{what}: {argv[0]} is not installed", hint="python -m scenarios.lab packages") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-1500:]
        raise LabError(f"{what}: `{' '.join(argv)[:300]}` ended with {done.returncode}: {said}", log=log)
    return done.stdout


def wait_until(condition: object, *, what: str, seconds: float, log: Path | None = None, every: float = 0.2) -> None:
    """Call `condition` until it returns None or ""; else raise LabError with the last reason it gave."""
    if not callable(condition):
        raise TypeError("condition must be callable")
    deadline = time.monotonic() + seconds
    while reason := condition():
        if stop.is_set():
            raise LabError(f"{what}: stopped")
        if time.monotonic() > deadline:
            raise LabError(f"{what}: not within {seconds:.0f} s ({reason})", log=log)
        time.sleep(every)


stop = threading.Event()
