"""End the lab and leave the machine as it was found.

It must never end a process outside the lab's own control groups, nor remove a directory that has no state file of the
lab in it.
"""

import shutil

from scenarios.lab import cgroups, machine, netns, ownership, state
from scenarios.lab.console import LabError, say
from scenarios.lab.container_runtime import shim_sockets
from scenarios.lab.layout import CLUSTERS, Cluster, lab


def wipe(cluster: Cluster) -> None:
    """Remove one cluster with all it has: processes, mounts, namespace, groups, files."""
    ended = cgroups.end_all("system", cluster.name) + cgroups.end_all(cluster.name)
    # A shim killed in the first pass may have been starting a container meanwhile: its group is looked at again.
    ended += cgroups.end_all(cluster.name)
    machine.unmount_below(cluster.root)
    netns.remove(cluster)
    left = cgroups.remove("system", cluster.name) + cgroups.remove(cluster.name)
    if left:
        raise LabError(
            f"control groups would not go: {', '.join(map(str, left[:3]))}",
            hint="python -m scenarios.lab down   (again)",
        )
    _remove_files(cluster)
    say(cluster.name, f"wiped ({ended} processes)")


def _remove_files(cluster: Cluster) -> None:
    for socket in shim_sockets(cluster):
        socket.unlink(missing_ok=True)
    if points := machine.mounts_below(cluster.root):
        raise LabError(f"still mounted: {', '.join(points[:3])}", hint=f"umount -l {points[0]}, then `down` again")
    shutil.rmtree(cluster.root, ignore_errors=True)
    with state.changing() as now:
        for key in [key for key in now.get("processes", {}) if key.startswith(f"{cluster.name}/")]:
            del now["processes"][key]
        for section in ("applied", "images"):
            now.get(section, {}).pop(cluster.name, None)


def down() -> None:
    """Remove the whole lab."""
    if not _anything():
        say("lab", "nothing to take down")
        ownership.release()
        return
    ownership.claim()  # refuses when it belongs to another directory
    lab().mkdir(parents=True, exist_ok=True)
    cgroups.end_all("system", "shared")
    for cluster in CLUSTERS:
        wipe(cluster)
    netns.tidy()
    machine.restore()
    cgroups.end_all()
    cgroups.remove()
    machine.unmount_below(lab())
    shutil.rmtree(lab(), ignore_errors=True)
    ownership.release()
    say("lab", "down")


def _anything() -> bool:
    found = bool(ownership.record()) or (lab() / "state.json").exists() or bool(cgroups.members())
    return found or any(netns.healthy(cluster) for cluster in CLUSTERS)
