"""System packages of the lab: which are missing, and installing just those.

It must never start a service: the lab runs programs of its own, and the machine's are not its business.
"""

import os
import subprocess
from pathlib import Path

from scenarios.lab.console import LabError, say

LIST = Path(__file__).with_name("apt.txt")


def wanted() -> list[str]:
    """Return the packages named in apt.txt."""
    lines = (line.partition("#")[0].strip() for line in LIST.read_text().splitlines())
    return [line for line in lines if line]


def missing() -> list[str]:
    """Return the packages that are not installed."""
    asked = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n", *wanted()]
    try:
        answer = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    except FileNotFoundError as error:
        raise LabError("this machine has no dpkg: the lab needs Debian 12", hint="use a Debian 12 machine") from error
    installed = {line.split()[0] for line in answer.splitlines() if line.endswith(" installed")}
    return [name for name in wanted() if name not in installed]


def require() -> None:
    """Raise LabError when a package is missing or we are not root."""
    if os.geteuid() != 0:
        raise LabError("the lab needs root: it makes network namespaces and mounts", hint="run it again as root")
    if names := missing():
        raise LabError(f"packages are missing: {' '.join(names)}", hint="python -m scenarios.lab packages")


def install() -> None:
    """Install what is missing; nothing is asked of the network when nothing is."""
    names = missing()
    if not names:
        say("packages", "all installed")
        return
    # RUNLEVEL=1 makes invoke-rc.d refuse to start what a package would start on installation.
    environment = {**os.environ, "RUNLEVEL": "1", "DEBIAN_FRONTEND": "noninteractive"}
    for argv in (["apt-get", "update", "-q"], ["apt-get", "install", "-y", "-q", "--no-install-recommends", *names]):
        say("packages", " ".join(argv))
        done = subprocess.run(argv, env=environment, check=False, stdout=2)
        if done.returncode != 0:
            raise LabError(
                f"{argv[0]} {argv[1]} ended with {done.returncode}", hint=f"run it by hand: {' '.join(argv)}"
            )
