"""The lab's own control groups: the one way to find every process of the lab, shims and containers included.

A process can not leave its group by forking, and a group can not hold a process id of somebody else, so ending what
is in these groups never ends a stranger. It must never write into a group that does not lie below /bluegreen-lab.
"""

import os
import signal
import time
from pathlib import Path

from scenarios.lab.layout import CGROUP

MOUNT = Path("/sys/fs/cgroup")
# `unified` is the controller-less v2 tree beside the v1 ones: runc makes its groups there as well
CONTROLLERS = (
    "cpu",
    "cpuacct",
    "cpuset",
    "memory",
    "devices",
    "freezer",
    "blkio",
    "pids",
    "hugetlb",
    "systemd",
    "unified",
)


def unified() -> bool:
    """Tell whether the machine has cgroup v2 only."""
    return (MOUNT / "cgroup.controllers").exists()


def _hierarchies() -> list[Path]:
    if unified():
        return [MOUNT]
    return [MOUNT / name for name in CONTROLLERS if (MOUNT / name / "cgroup.procs").exists()]


def _tracking() -> Path:
    """Hierarchy in which the lab's own programs are found again; any one is enough."""
    return MOUNT if unified() else MOUNT / "pids"


def make(*parts: str) -> None:
    """Make the group /bluegreen-lab/<parts> in every hierarchy, fit to hold processes."""
    for top in _hierarchies():
        path = top
        for part in (CGROUP, *parts):
            if unified():
                _delegate(path)
            path /= part
            path.mkdir(exist_ok=True)
            if top.name == "cpuset":
                _fill_cpuset(path)


def _fill_cpuset(path: Path) -> None:
    # On cgroup v1 a new cpuset is empty, and no process may enter an empty one.
    for name in ("cpuset.cpus", "cpuset.mems"):
        if not (path / name).read_text().strip():
            (path / name).write_text((path.parent / name).read_text())


def _delegate(path: Path) -> None:
    have = (path / "cgroup.controllers").read_text().split()
    (path / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in have))


def entry_file(*parts: str) -> Path:
    """Return the file a starting process writes its id into, to be found again."""
    return _tracking() / CGROUP / Path(*parts) / "cgroup.procs"


def members(*parts: str) -> set[int]:
    """Return the ids of all processes in the group and below it, in any hierarchy."""
    found: set[int] = set()
    for top in _hierarchies():
        for file in (top / CGROUP / Path(*parts)).rglob("cgroup.procs"):
            try:
                found.update(int(line) for line in file.read_text().split())
            except OSError:
                continue  # the group went away while we looked
    found.discard(0)  # a process of another pid namespace shows as 0
    return found


def end_all(*parts: str, seconds: float = 20.0) -> int:
    """Kill every process of the group until none is left; return how many there were."""
    ended: set[int] = set()
    deadline = time.monotonic() + seconds
    while (pids := members(*parts) - {os.getpid()}) and time.monotonic() < deadline:
        for pid in pids:
            ended.add(pid)
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.05)
    return len(ended)


def remove(*parts: str) -> list[Path]:
    """Remove the group and all below it; return the directories that would not go."""
    left: list[Path] = []
    for top in _hierarchies():
        base = top / CGROUP / Path(*parts)
        below = sorted((path for path in base.rglob("*") if path.is_dir()), key=lambda path: -len(path.parts))
        left += [directory for directory in (*below, base) if not _rmdir(directory)]
    return left


def _rmdir(directory: Path) -> bool:
    for _ in range(40):  # the kernel lets a group go a moment after its last process
        try:
            directory.rmdir()
        except FileNotFoundError:
            return True
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False
