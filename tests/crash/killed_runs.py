"""Runs the real command against the lab and kills it, again and again, until it comes to its end.

A kill is SIGKILL: nothing of the process can tidy up. What it returns is read from the journal and the real things.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from scenarios import stage, story
from scenarios.cluster import NEW, OLD, apply, environment
from scenarios.run import program, write_workspace

LIMIT_SECONDS = 240


@dataclass
class Migration:
    """One migration of the shop, over all the processes that it takes."""

    place: Path
    steps: str
    starts: int = 0
    killed: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @classmethod
    def prepared(cls, scenario: str, steps: str) -> "Migration":
        """Return a migration whose shop stands on blue as that scenario wants it."""
        tale = story.read(scenario)
        stage.prepare()
        for path in tale.green:
            apply(NEW, path)
        return cls(write_workspace(tale), steps)

    @property
    def directory(self) -> Path:
        """Return the one state directory of the migration."""
        (found,) = [path.parent for path in (self.place / "state").glob("*/migration.json")]
        return found

    def events(self, name: str = "") -> list[dict]:
        """Return the journal's events, or those of one name."""
        lines = (self.directory / "events.jsonl").read_text().splitlines()
        return [event for event in map(json.loads, lines) if not name or event["name"] == name]

    def start(self, **variables: str) -> subprocess.Popen:
        """Start the same command once more."""
        self.starts += 1
        argv = [program(), "migrate", "--from", OLD, "--to", NEW, "--steps", self.steps, "--hold", "2s", "--bake", "2s"]
        env = {**environment(), "BLUEGREEN_STATE_DIR": str(self.place / "state"), **variables}
        return subprocess.Popen(
            [*argv, "--yes", "--log-format", "json"], cwd=self.place, env=env, stderr=subprocess.PIPE, text=True
        )

    def die_at(self, failpoint: str) -> int:
        """Start it so that it kills itself at that point; return its exit code."""
        return self._end(self.start(BLUEGREEN_FAILPOINT=failpoint))

    def recorded(self, phase: str) -> bool:
        """Return whether the phase has ended, so that its record is on disk or about to be."""
        found = list((self.place / "state").glob("*/events.jsonl"))
        return bool(found) and any(event["data"]["phase"] == phase for event in self.events("phase.finished"))

    def die_within(self, phase: str, seconds: float) -> int:
        """Start it and kill it that many seconds after the phase began; return its exit code.

        On a busy machine the kill may come when the phase has just ended.
        """
        process = self.start()
        timer = threading.Timer(seconds, process.send_signal, [signal.SIGKILL])
        for line in process.stderr:
            self.said.append(line)
            if '"phase.started"' in line and json.loads(line)["phase"] == phase:
                timer.start()
                break
        code = self._end(process)
        timer.cancel()
        return code

    def finish(self) -> int:
        """Start it and let it come to its end; return its exit code."""
        return self._end(self.start())

    def _end(self, process: subprocess.Popen) -> int:
        """Wait for a process and keep what it said."""
        try:
            _, said = process.communicate(timeout=LIMIT_SECONDS)
        finally:
            process.kill()
            process.wait()
        self.said.append(said)
        return process.returncode


def seeded() -> random.Random:
    """Return the randomness of a test; BLUEGREEN_SEED repeats one."""
    seed = int(os.environ.get("BLUEGREEN_SEED", random.SystemRandom().randrange(10**6)))
    sys.stderr.write(f"BLUEGREEN_SEED={seed}\n")
    return random.Random(seed)  # noqa: S311 - moments to die at, no secrets
