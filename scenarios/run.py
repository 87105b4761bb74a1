"""Run one scenario on the lab: `python -m scenarios.run NAME`.

It brings the shop up on blue, lets users in, calls the installed `bluegreen` as a person would, and compares what came
out with what scenario.yaml promises. Progress goes to standard error; the last line on standard output is one JSON
object. It must never put a number there that was not measured in this run.
"""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from scenarios import stage, story
from scenarios.cluster import NEW, OLD, apply, environment
from scenarios.lab.console import LabError, say
from scenarios.lab.layout import SHOP_PORT, lab

ROOT = Path(__file__).resolve().parent.parent
WARM_UP_SECONDS = 3.0
AFTER_SECONDS = 3.0
ENDING_SECONDS = 30.0
FAILED, USAGE, INTERRUPTED = 1, 2, 130


class Users:
    """The load generator as a process of its own, out of reach of the terminal's Ctrl-C."""

    def __init__(self, rate: float, seconds: float) -> None:
        words = ["--url", f"http://127.0.0.1:{SHOP_PORT}", "--rate", str(rate), "--seconds", str(seconds)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "scenarios.load", *words],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        self.summary: dict[str, Any] = {}

    def stop(self) -> None:
        """End the load and keep what it saw; the second call does nothing."""
        if self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            said, _ = self._process.communicate(timeout=ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            said, _ = self._process.communicate()
        lines = said.strip().splitlines()
        self.summary = json.loads(lines[-1]) if lines else {}


@contextmanager
def users(rate: float, seconds: float) -> Iterator[Users]:
    """Let users in for the time of the block."""
    load = Users(rate, seconds)
    try:
        yield load
    finally:
        load.stop()


def write_workspace(tale: story.Story) -> Path:
    """Make the directory of this run, with the migration's bluegreen.yaml in it."""
    place = lab() / "runs" / f"{tale.name}-{time.strftime('%Y%m%d-%H%M%S')}"
    place.mkdir(parents=True)
    text = tale.config.read_text(encoding="utf-8").replace("${LAB}", str(lab()))
    (place / "bluegreen.yaml").write_text(text, encoding="utf-8")
    return place


def program() -> str:
    """Return the installed bluegreen: the one beside this Python, else the one on the path.

    Raises:
        LabError: it is not installed.
    """
    beside = Path(sys.executable).parent / "bluegreen"
    found = str(beside) if beside.exists() else shutil.which("bluegreen")
    if not found:
        raise LabError("bluegreen is not installed", hint="make demo")
    return found


def migrate(tale: story.Story, place: Path) -> int:
    """Run the command on this terminal and return its exit code; a code of its own when it took too long."""
    argv = [program(), "migrate", "--from", OLD, "--to", NEW, "--steps", tale.steps, "--yes"]
    say("run", " ".join(["bluegreen", *argv[1:]]))
    variables = {**environment(), "BLUEGREEN_STATE_DIR": str(place / "state")}
    child = subprocess.Popen(argv, cwd=place, env=variables)
    try:
        return child.wait(timeout=tale.limit_seconds)
    except subprocess.TimeoutExpired:
        say("run", f"not done after {tale.limit_seconds:.0f} s: ending it")
        return _end(child)
    except KeyboardInterrupt:
        _end(child)
        raise


def _end(child: subprocess.Popen[bytes]) -> int:
    """End the command: it may finish by itself (Ctrl-C reached it too), else it is told to, else killed."""
    for tell in (child.terminate, child.kill):
        try:
            return child.wait(timeout=ENDING_SECONDS / 3)
        except subprocess.TimeoutExpired:
            tell()
    return child.wait()


def find_report(state: Path) -> tuple[dict[str, Any], Path | None]:
    """Return the newest report.json below the state directory and the page beside it."""
    found = sorted(state.glob("*/report.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        return {}, None
    content: dict[str, Any] = json.loads(found[-1].read_text(encoding="utf-8"))
    page = found[-1].with_suffix(".html")
    return content, page if page.exists() else None


def tell(tale: story.Story) -> story.Measured:
    """Run the scenario on the lab and return what happened."""
    stage.prepare()
    for path in tale.green:
        apply(NEW, path)
    place = write_workspace(tale)
    started = time.monotonic()
    with users(tale.rate, tale.limit_seconds + 60) as load:
        time.sleep(WARM_UP_SECONDS)
        began = time.monotonic()
        code = migrate(tale, place)
        seconds = time.monotonic() - began
        time.sleep(AFTER_SECONDS)
    say("run", f"users were served for {time.monotonic() - started:.0f} s: {json.dumps(load.summary)}")
    (place / "load.json").write_text(json.dumps(load.summary, indent=2), encoding="utf-8")
    report, page = find_report(place / "state")
    return story.Measured(
        exit=code, outcome=report.get("outcome"), weights=report.get("weights"), final=stage.weights(),
        load=load.summary, blue=stage.rows(OLD), green=stage.rows(NEW), seconds=seconds, report=page,
        report_text=json.dumps(report, ensure_ascii=False),
    )  # fmt: skip


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scenario that the command line names; 0 when it kept its promises."""
    parser = argparse.ArgumentParser(prog="python -m scenarios.run", description="Run a scenario on the lab.")
    parser.add_argument("name", nargs="?", default="happy", help=f"one of {', '.join(story.names())}")
    name = parser.parse_args(arguments).name
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        tale = story.read(name)
        say("run", f"{name}: {tale.title}")
        with stage.taken():
            got = tell(tale)
    except story.StoryError as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE
    except LabError as error:
        print("\n".join(error.lines()), file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("\nstopped; the next run starts over", file=sys.stderr)
        return INTERRUPTED
    wrong = story.mismatches(tale.expect, got)
    for line in wrong:
        print(f"mismatch: {line}", file=sys.stderr)
    sys.stderr.flush()
    print(json.dumps(got.line(), ensure_ascii=False), flush=True)
    return FAILED if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
