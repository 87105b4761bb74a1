"""Which directory owns the machine's one lab, and how the machine was before it.

Kept in /run and not with the lab's state, so that losing the one does not lose the other: what was never written down
can not be put back. It must never overwrite a memory of this boot.
"""

import json
from pathlib import Path
from typing import Any

from scenarios.lab.console import LabError
from scenarios.lab.layout import lab
from scenarios.lab.state import LOCK, write_atomically

OWNER = Path("/run/bluegreen-lab.owner")
SYSCTLS = (
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)
DIRECTORIES = (
    "/opt/containerd",
    "/run/containerd",
    "/run/netns",
    "/usr/libexec/kubernetes",
    "/var/lib/cni",
    "/var/lib/kubelet",
    "/var/log/containers",
    "/var/log/pods",
)


def boot_id() -> str:
    """Return the kernel's name of this boot: after a reboot nothing of an old state is true."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def record() -> dict[str, Any]:
    """Return what was written down, empty when no lab is claimed."""
    try:
        found = json.loads(OWNER.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def claim() -> None:
    """Make this directory the owner and remember the machine as it is; raise when another directory owns it."""
    found = record()
    if found and found["lab"] != str(lab()):
        raise LabError(
            f"a lab of another directory exists on this machine: {found['lab']}",
            hint=f"BLUEGREEN_LAB_DIR={found['lab']} python -m scenarios.lab down",
        )
    if not found and lab().exists() and not (lab() / "state.json").exists() and any(lab().iterdir()):
        raise LabError(
            f"{lab()} is not empty and no lab made it: `down` would remove it all",
            hint="set BLUEGREEN_LAB_DIR to a directory that does not exist",
        )
    if found.get("boot") == boot_id():
        return
    missing = {name for name in DIRECTORIES if not Path(name).exists()}
    now = {
        "lab": str(lab()),
        "boot": boot_id(),
        "sysctls": {name: Path("/proc/sys", name).read_text().strip() for name in SYSCTLS},
        # what an earlier boot's lab has left was not there before that lab
        "absent": sorted(missing | set(found.get("absent", []))),
    }
    write_atomically(OWNER, json.dumps(now, indent=1) + "\n")


def release() -> None:
    """Forget the owner and the lock file."""
    OWNER.unlink(missing_ok=True)
    LOCK.unlink(missing_ok=True)
