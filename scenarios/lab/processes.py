"""Start and end the lab's programs, and know later whether they are still the ones that were started.

It must never signal a process whose start time is not the remembered one: process ids are reused.
"""

import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scenarios.lab import cgroups, state
from scenarios.lab.console import LabError
from scenarios.lab.layout import Cluster, lab, shared

START_TIME_FIELD = 19  # of /proc/PID/stat, counted after the closing parenthesis: field 22 of proc(5)


@dataclass(frozen=True, slots=True)
class Part:
    """One program of the lab: how to start it and what makes it need a restart."""

    name: str
    argv: Sequence[str]
    cluster: Cluster | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    configs: Sequence[Path] = ()

    @property
    def key(self) -> str:
        """Name in the registry."""
        return f"{self.cluster.name if self.cluster else 'shared'}/{self.name}"

    @property
    def log(self) -> Path:
        """Log file."""
        return self.cluster.log(self.name) if self.cluster else shared("log", f"{self.name}.log")

    def digest(self) -> str:
        """Return the hash of all that the program reads when it starts."""
        total = hashlib.sha256(repr((list(self.argv), sorted(self.environment.items()))).encode())
        for path in self.configs:
            total.update(path.read_bytes())
        return total.hexdigest()[:16]


def start_time(pid: int) -> int:
    """Return the kernel's start time of a process (clock ticks since boot), 0 when it is gone or a zombie."""
    try:
        after = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if after[0] in "ZX" else int(after[START_TIME_FIELD])


def alive(part: Part) -> bool:
    """Tell whether the part runs, with its present configuration and in the present namespace."""
    entry = state.read().get("processes", {}).get(part.key)
    if not entry or start_time(entry["pid"]) != entry["start"] or entry["digest"] != part.digest():
        return False
    if part.cluster is None:
        return True
    try:
        mine = Path(f"/proc/{entry['pid']}/ns/net").stat().st_ino
        return mine == Path("/run/netns", part.cluster.netns).stat().st_ino
    except OSError:
        return False


def ensure(part: Part) -> bool:
    """Start the part unless it runs already; return whether it was started."""
    if alive(part):
        return False
    end(part)
    _start(part)
    return True


def _group(part: Part) -> tuple[str, ...]:
    return ("system", *part.key.split("/"))


def _start(part: Part) -> None:
    cgroups.make(*_group(part))
    part.log.parent.mkdir(parents=True, exist_ok=True)
    argv = list(part.argv)
    if part.cluster:
        # nsenter and not `ip netns exec`: that one makes a private mount namespace, and containerd then does not see
        # what kubelet mounts.
        argv = ["nsenter", f"--net=/run/netns/{part.cluster.netns}", "--", *argv]
    # The shell enters the group before the program exists, so not even a child of its first moment can be lost.
    enter = f'echo $$ > "{cgroups.entry_file(*_group(part))}" && exec "$@"'
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(lab()),
        # Memory is plenty on the lab's machine and processors are not: collect garbage a quarter as often.
        "GOGC": "400",
        **part.environment,
    }
    with part.log.open("ab") as log:
        started = subprocess.Popen(
            ["/bin/sh", "-c", enter, "sh", *argv],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
    with state.changing() as now:
        now.setdefault("processes", {})[part.key] = {
            "pid": started.pid,
            "start": start_time(started.pid),
            "digest": part.digest(),
            "program": part.argv[0],
        }


def check(part: Part) -> None:
    """Raise LabError when the part is not running."""
    entry = state.read().get("processes", {}).get(part.key, {"pid": 0, "start": -1})
    if start_time(entry["pid"]) != entry["start"]:
        raise LabError(f"{part.key} ended by itself", log=part.log)


def end(part: Part, seconds: float = 10.0) -> None:
    """End the part and any stray twin of it in its own group (children such as shims and containers stay)."""
    program = Path(part.argv[0]).name
    for send in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + seconds
        while (
            pids := [pid for pid in cgroups.members(*_group(part)) if _program(pid) == program]
        ) and time.monotonic() < deadline:
            for pid in pids:
                _signal(pid, send)
            time.sleep(0.1)


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/exe").readlink().name.removesuffix(" (deleted)")
    except OSError:
        return ""


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
