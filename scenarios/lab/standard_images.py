"""The images every lab needs, each made from one static program.

It must never contain an image of a story: those live beside the story and come in through `load`.
"""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scenarios.lab.build import program
from scenarios.lab.console import LabError
from scenarios.lab.images import BUSYBOX_IMAGE, PAUSE_IMAGE, PLAIN, Entry, build_image

VELERO_IMAGE = "bluegreen-lab/velero:1.18.3"
VELERO_AWS_IMAGE = "bluegreen-lab/velero-plugin-for-aws:1.14.3"
COREDNS_IMAGE = "bluegreen-lab/coredns:1.15.0"
PROVISIONER_IMAGE = "bluegreen-lab/local-path-provisioner:0.0.30"
BUSYBOX = Path("/bin/busybox")
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DIRECTORY = Entry()
STICKY = Entry(mode=0o1777)


def base_files() -> dict[str, Entry]:
    """Return what almost every image wants: users, /tmp and a home."""
    return {
        "etc/passwd": Entry(
            data=b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n", mode=PLAIN
        ),
        "etc/group": Entry(data=b"root:x:0:\nnogroup:x:65534:\n", mode=PLAIN),
        "root": DIRECTORY,
        "tmp": STICKY,
    }


def busybox_files() -> dict[str, Entry]:
    """Return a shell and its tools: Debian's static busybox and one link per applet."""
    if not BUSYBOX.exists():
        raise LabError("busybox-static is not installed", hint="python -m scenarios.lab packages")
    applets = subprocess.run([str(BUSYBOX), "--list"], capture_output=True, text=True, check=True).stdout.split()
    links = {f"bin/{name}": Entry(link="busybox") for name in applets if name != "busybox"}
    return {**base_files(), **links, "bin/busybox": Entry(source=BUSYBOX), "usr/bin/env": Entry(link="/bin/busybox")}


def _single(name: str, file: Path, target: str, **config: Any) -> Path:
    return build_image(name, {**base_files(), target: Entry(source=file)}, {"Env": [PATH, "HOME=/root"], **config})


def _velero() -> Path:
    files: Mapping[str, Entry] = {
        **base_files(),
        "velero": Entry(source=program("k134", "velero")),
        # Without it a volume restore hangs in a crash-looping init container for ever.
        "velero-restore-helper": Entry(source=program("k134", "velero-restore-helper")),
    }
    return build_image(VELERO_IMAGE, files, {"Env": [PATH, "HOME=/root"], "Entrypoint": ["/velero"]})


def _velero_plugin() -> Path:
    plugin = "plugins/velero-plugin-for-aws"
    files = {"bin/busybox": Entry(source=BUSYBOX), plugin: Entry(source=program("k134", "velero-plugin-for-aws"))}
    # Velero runs the plugin image as an init container that must copy the program into the server's directory.
    copy = ["/bin/busybox", "cp", f"/{plugin}", "/target/velero-plugin-for-aws"]
    return build_image(VELERO_AWS_IMAGE, files, {"Entrypoint": copy})


def build_all() -> list[Path]:
    """Make all standard images and return their tars."""
    return [
        _single(PAUSE_IMAGE, program("pause", "pause"), "pause", Entrypoint=["/pause"]),
        build_image(BUSYBOX_IMAGE, busybox_files(), {"Env": [PATH], "Cmd": ["sh"]}),
        _single(COREDNS_IMAGE, program("k137", "coredns"), "coredns", Entrypoint=["/coredns"]),
        _single(PROVISIONER_IMAGE, program("k134", "local-path-provisioner"), "usr/bin/local-path-provisioner"),
        _velero(),
        _velero_plugin(),
    ]
