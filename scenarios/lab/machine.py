"""What the lab's programs change on the machine outside the lab's directory, remembered before and put back after.

kubelet sets some kernel settings, and several programs insist on directories of their own. It must never remove a file
that is not provably the lab's.
"""

import stat
from pathlib import Path

from scenarios.lab import ownership
from scenarios.lab.console import run
from scenarios.lab.container_runtime import SHIM_SOCKETS, shim_sockets
from scenarios.lab.layout import CLUSTERS, lab
from scenarios.lab.ownership import DIRECTORIES, SYSCTLS

CNI_RECORDS = Path("/var/lib/cni/results")
DEVICE_PLUGINS = Path("/var/lib/kubelet/device-plugins")


def restore() -> None:
    """Put the settings back and remove the directories that were not there, as far as only the lab wrote in them."""
    before = ownership.record()
    for name, value in before.get("sysctls", {}).items():
        if name in SYSCTLS and Path("/proc/sys", name).read_text().strip() != value:
            Path("/proc/sys", name).write_text(value)
    _remove_shim_sockets(was_absent=str(SHIM_SOCKETS.parent) in before.get("absent", []))
    _remove_cni_records()
    _remove_log_links()
    for name in before.get("absent", []):
        if name in DIRECTORIES:
            _remove_empty(Path(name))


def _remove_shim_sockets(*, was_absent: bool) -> None:
    for cluster in CLUSTERS:
        for socket in shim_sockets(cluster):
            socket.unlink(missing_ok=True)
    if was_absent:  # then those of shims that were killed earlier are ours too, as long as nobody listens on them
        listening = Path("/proc/net/unix").read_text()
        for socket in SHIM_SOCKETS.glob("*"):
            if str(socket) not in listening:
                socket.unlink()


def _remove_cni_records() -> None:
    for cluster in CLUSTERS:
        for record in CNI_RECORDS.glob(f"{cluster.netns}-*-eth0"):
            sandbox = record.name.removeprefix(f"{cluster.netns}-").removesuffix("-eth0")
            (CNI_RECORDS / f"cni-loopback-{sandbox}-lo").unlink(missing_ok=True)
            record.unlink()


def _remove_log_links() -> None:
    for link in Path("/var/log/containers").glob("*.log"):
        if link.is_symlink() and link.readlink().is_relative_to(lab()):
            link.unlink()


def _remove_empty(top: Path) -> None:
    if top == DEVICE_PLUGINS.parent:  # kubelet's socket for device plug-ins has a fixed place, and no owner's mark
        for file in DEVICE_PLUGINS.glob("*"):
            if stat.S_ISSOCK(file.lstat().st_mode) or file.name == "DEPRECATION":
                file.unlink()
    for directory in [*sorted(top.rglob("*/"), key=lambda path: -len(path.parts)), top]:
        if directory.is_dir() and not any(directory.iterdir()):
            directory.rmdir()


def mounts_below(top: Path) -> list[str]:
    """Return the mount points at or below a directory, the innermost first."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    points = [point.encode().decode("unicode_escape") for point in points]  # a space is written \\040
    return [point for point in reversed(points) if point == str(top) or point.startswith(f"{top}/")]


def unmount_below(top: Path) -> None:
    """Unmount all at or below the directory; what is busy is detached."""
    for options in ("", "", "-l"):
        if points := mounts_below(top):
            run(
                ["sh", "-c", f'for point in "$@"; do umount {options} "$point" 2>/dev/null; done; true', "sh", *points],
                what="umount",
            )
