"""Make the shop's one image: Debian's PostgreSQL and Python with the shop's own files on top.

It exists so that the stories move a real database and not a stand-in. It must never be made from anything but Debian's
packages and the files beside it, and never twice from the same recipe.
"""

import hashlib
import json
import subprocess
from pathlib import Path

from scenarios.lab.console import LabError, say
from scenarios.lab.images import Entry, build_image
from scenarios.lab.layout import cache

IMAGE = "bluegreen-lab/shop:1"
APP = Path(__file__).parent / "app"
PATH = "PATH=/usr/lib/postgresql/15/bin:/usr/local/bin:/usr/bin:/bin"
SUITE = "bookworm"
PACKAGES = ("postgresql-15", "python3-minimal", "python3-psycopg2")
UNPACKED_NEVER = (
    "/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*",
    "/usr/lib/postgresql/15/lib/bitcode/*",
)  # fmt: skip
# The just-in-time compiler (off in postgresql.conf), perl of Debian's wrappers, and what only apt and dpkg read.
REMOVED = (
    "usr/lib/x86_64-linux-gnu/libLLVM*", "usr/lib/llvm*", "usr/lib/x86_64-linux-gnu/libz3.so*",
    "usr/lib/postgresql/15/lib/llvmjit*", "usr/share/perl*", "usr/lib/x86_64-linux-gnu/perl/",
    "usr/lib/x86_64-linux-gnu/libperl.so*", "usr/lib/x86_64-linux-gnu/gconv", "usr/share/i18n",
    "usr/share/zoneinfo/right", "usr/share/zoneinfo/posix", "var/lib/dpkg/info", "var/lib/apt", "var/cache",
    "var/lib/postgresql/15", "etc/postgresql/15",
)  # fmt: skip
# A fixed number for the server's user: the files of a restored volume must belong to it in every later image too.
USER = (
    'echo "postgres:x:999:" >> "$1/etc/group"',
    'echo "postgres:x:999:999::/var/lib/postgresql:/bin/sh" >> "$1/etc/passwd"',
)
# Debian's psql is a perl wrapper around this one.
LINKS = 'for p in psql pg_isready; do ln -sf /usr/lib/postgresql/15/bin/$p "$1/usr/bin/$p"; done'
# The server's socket; mmdebstrap empties /run, so it comes with the shop's own layer.
SOCKETS = {"run/postgresql": Entry(mode=0o1777)}


def _command(target: Path) -> list[str]:
    return [
        "mmdebstrap", "--quiet", "--variant=essential", f"--include={','.join(PACKAGES)}",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in UNPACKED_NEVER),
        f"--essential-hook={'; '.join(USER)}",
        f'--customize-hook=cd "$1" && rm -rf {" ".join(REMOVED)}',
        f"--customize-hook={LINKS}",
        SUITE, str(target),
    ]  # fmt: skip


def base_layer() -> Path:
    """Return the root file system's tar, made on first use (about 30 s).

    Raises:
        LabError: mmdebstrap is missing or failed.
    """
    key = hashlib.sha256(json.dumps(_command(Path("base.tar"))).encode()).hexdigest()[:12]
    target = cache() / "layers" / f"shop-base-{key}.tar"
    if target.exists():
        return target
    say("shop", "making the root file system from Debian's packages")
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_suffix(".part.tar")
    try:
        done = subprocess.run(_command(fresh), capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise LabError("mmdebstrap is not installed", hint="python -m scenarios.lab packages") from error
    if done.returncode:
        raise LabError(f"mmdebstrap ended with {done.returncode}: {done.stderr.strip()[-1500:]}")
    fresh.replace(target)
    for stale in target.parent.glob("shop-base-*.tar"):
        if stale != target:
            stale.unlink()
    return target


def build() -> Path:
    """Return the image's tar, made anew only when the recipe or a file of the shop changed."""
    files = {f"opt/shop/{path.name}": Entry(source=path) for path in sorted(APP.iterdir()) if path.is_file()}
    return build_image(IMAGE, {**files, **SOCKETS}, {"Env": [PATH, "LANG=C.UTF-8"]}, layers=[base_layer()])
