"""Command line of the lab: `python -m scenarios.lab COMMAND`.

It only parses words; it must never do a piece of the work itself.
"""

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from scenarios.lab import apt, build, down, images, netns, standard_images, state, status, up
from scenarios.lab.console import LabError, stop
from scenarios.lab.layout import CLUSTERS, SHOP_PORT, cluster, haproxy_socket, kubeconfig, lab

FAILED, INTERRUPTED = 1, 130
NAMES = [item.name for item in CLUSTERS]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scenarios.lab", description="Two real Kubernetes clusters on this machine."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in {
        "up": "bring the lab up; repairs one that is there",
        "down": "end the lab and leave nothing",
        "status": "say what runs; exit code 1 when something does not",
        "build": "build programs and images only",
        "packages": "install the Debian packages that are missing",
        "env": "print shell lines: KUBECONFIG and the like",
    }.items():
        commands.add_parser(name, help=text)
    load = commands.add_parser("load", help="import image tars into both clusters")
    load.add_argument("tars", nargs="+", type=Path, metavar="TAR")
    for name, text in {"partition": "cut a cluster off from the machine", "heal": "join it again"}.items():
        commands.add_parser(name, help=text).add_argument("cluster", choices=NAMES)
    return parser


def _environment() -> None:
    print(f"export KUBECONFIG={kubeconfig()}")
    print(f"export KUBECACHEDIR={lab() / 'kubectl-cache'}")
    print(f"export BLUEGREEN_LAB_DIR={lab()}")
    print(f"export BLUEGREEN_LAB_HAPROXY={haproxy_socket()}")
    print(f"export BLUEGREEN_LAB_SHOP=http://127.0.0.1:{SHOP_PORT}")
    print(f'export PATH={lab() / "bin"}:"$PATH"')


def _build() -> None:
    build.ensure()
    standard_images.build_all()


def _run(arguments: argparse.Namespace) -> int:
    match arguments.command:
        case "up":
            with state.locked():
                up.up()
        case "down":
            with state.locked():
                down.down()
        case "build":
            with state.locked():
                _build()
        case "load":
            with state.locked():
                images.load(arguments.tars)
        case "status":
            return 0 if status.report() else 1
        case "packages":
            apt.install()
        case "env":
            _environment()
        case "partition":
            netns.partition(cluster(arguments.cluster))
        case "heal":
            netns.heal(cluster(arguments.cluster))
        case unknown:
            raise AssertionError(unknown)
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    stop.set()
    raise KeyboardInterrupt


def main() -> int:
    """Run one command; 0 done, 1 failed, 130 interrupted (`up` and `down` both take it from there)."""
    signal.signal(signal.SIGTERM, _interrupt)
    arguments = _parser().parse_args()
    try:
        return _run(arguments)
    except LabError as error:
        print("\n".join(error.lines()), file=sys.stderr)
        return FAILED
    except BrokenPipeError:  # the reader of our output (`| head`) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        stop.set()
        print("\nstopped; `python -m scenarios.lab up` goes on, `down` removes what is there", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
