"""Build the lab's Go programs from the modules in go/, once per set of versions.

Binaries are cached by the hash of all that decides them, so a build runs only when a version or a flag changes. It
must never change go.mod or go.sum: they are the pin.
"""

import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from scenarios.lab.console import LabError, run, say
from scenarios.lab.layout import GO_DIR, cache

VERSION = "k8s.io/component-base/version"
# Its import of Sirupsen/logrus and everybody else's sirupsen/logrus may not meet in one `go build`.
ALONE = frozenset({"github.com/rancher/local-path-provisioner"})
TICK_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Module:
    """One Go module of ours and the version stamped into its programs."""

    name: str
    version: str
    minor: str

    @property
    def source(self) -> Path:
        """Directory of go.mod."""
        return GO_DIR / self.name

    def ldflags(self) -> str:
        """Return the linker flags; without the version an API server calls itself v0.0.0-master."""
        return (
            f"-s -w -X {VERSION}.gitVersion={self.version} -X {VERSION}.gitMajor=1 -X {VERSION}.gitMinor={self.minor}"
        )

    def key(self) -> str:
        """Return the hash of all that decides the binaries."""
        total = hashlib.sha256(self.ldflags().encode())
        for path in sorted(self.source.iterdir()):
            total.update(path.name.encode() + path.read_bytes())
        return total.hexdigest()[:12]

    def directory(self) -> Path:
        """Directory of the built programs."""
        return cache() / "bin" / f"{self.name}-{self.key()}"


PAUSE = Module("pause", "none", "0")
S3 = Module("s3", "none", "0")
K137 = Module("k137", "v1.37.2", "37")
K134 = Module("k134", "v1.34.4", "34")
MODULES = {module.name: module for module in (PAUSE, S3, K137, K134)}
# Asked for by one test rig, so not built with the lab: a real controller of Gateway API routes, which drives Envoy.
CONTOUR = Module("contour", "none", "0")


def program(module: str, name: str) -> Path:
    """Return the path of a built program."""
    return MODULES[module].directory() / name


def ensure(modules: Iterable[Module] = tuple(MODULES.values())) -> bool:
    """Build every module that is not built; return whether anything was."""
    missing = [module for module in modules if not module.directory().exists()]
    if missing and not shutil.which("go"):
        raise LabError("the Go tool chain is missing", hint="install Go 1.26 or later (go.dev/dl) and put it on PATH")
    for module in missing:
        _build(module)
    return bool(missing)


def module_source(name: str, path: str) -> Path:
    """Return the directory of a Go module whose files, not programs, are wanted, got once.

    Args:
        name: directory of ours whose go.mod pins it.
        path: the module's path.

    Raises:
        LabError: it cannot be got.
    """
    argv = ["go", "mod", "download", "-json", path]
    return Path(json.loads(run(argv, what=f"get {path}", cwd=GO_DIR / name))["Dir"])


def _targets(module: Module) -> list[list[str]]:
    """Return the packages of each `go build` call."""
    tools = json.loads(run(["go", "mod", "edit", "-json"], what="read go.mod", cwd=module.source)).get("Tool") or []
    paths = [tool["Path"] for tool in tools]
    calls = [[path for path in paths if path not in ALONE], *([path] for path in paths if path in ALONE)]
    return [call for call in calls if call] or [["."]]


def _build(module: Module) -> None:
    final = module.directory()
    fresh = final.with_name(f".{final.name}.tmp")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    log = cache() / f"build-{module.name}.log"
    log.write_text("")
    for packages in _targets(module):
        names = ", ".join(path.rpartition("/")[2] if path != "." else module.name for path in packages)
        say("build", f"{module.name}: {names} (log: {log})")
        argv = ["go", "build", "-trimpath", "-ldflags", module.ldflags(), "-o", f"{fresh}/", *packages]
        _run_with_ticks(module, argv, log)
    fresh.rename(final)
    for stale in final.parent.glob(f"{module.name}-*"):
        if stale != final:
            shutil.rmtree(stale)


def _run_with_ticks(module: Module, argv: list[str], log: Path) -> None:
    began = time.monotonic()
    with log.open("ab") as out:
        building = subprocess.Popen(
            argv,
            cwd=module.source,
            stdout=out,
            stderr=out,
            env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"},
        )
        try:
            while True:
                try:
                    code = building.wait(TICK_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    say("build", f"{module.name}: still building, {time.monotonic() - began:.0f} s")
        except BaseException:
            building.terminate()
            building.wait()
            raise
    if code != 0:
        raise LabError(
            f"go build of {module.name} ended with {code}",
            log=log,
            hint="python -m scenarios.lab build   (it goes on where it stopped)",
        )
    say("build", f"{module.name}: built in {time.monotonic() - began:.0f} s")
