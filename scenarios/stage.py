"""Bring the shop to life on blue, with green empty: what every story and cluster test starts from.

`prepare()` does all of it and can be called again and again. It must never leave anything of an earlier story on either
cluster, because what is found on green afterwards counts as bluegreen's work.
"""

import fcntl
import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from scenarios.cluster import CONTEXTS, NEW, OLD, apply, environment, everywhere, get, kubectl, wait_established
from scenarios.lab.console import LabError, say
from scenarios.lab.layout import SHOP_PORT, cache
from scenarios.lab.shared_parts import haproxy_command
from scenarios.shop import image
from scenarios.velero_leftovers import end_all

NAMESPACE = "shop"
MANIFESTS = Path(image.__file__).parent / "manifests"
GONE_SECONDS = 180
READY_SECONDS = 240
SERVERS = {"blue": OLD, "green": NEW}
DIGEST = "/opt/shop/shop-digest"
_holding: list[TextIO] = []


@contextmanager
def taken() -> Iterator[None]:
    """Hold the stage for the time of the block: there is one shop, so a second story waits for the first.

    May be nested. The system lets go of it when the process ends, however it ends.
    """
    if _holding:
        yield
        return
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "stage.lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            say("stage", f"process {file.read().strip() or 'unknown'} plays on it: waiting")
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        print(os.getpid(), file=file, flush=True)
        _holding.append(file)
        try:
            yield
        finally:
            _holding.clear()


def lab_command(*words: str) -> None:
    """Run `python -m scenarios.lab ...` with its output on the terminal's standard error.

    Raises:
        LabError: it failed; it has said why.
    """
    argv = [sys.executable, "-m", "scenarios.lab", *words]
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(argv, check=False, stdout=sys.stderr.fileno(), env=environment(), cwd=root)
    if done.returncode:
        raise LabError(f"`python -m scenarios.lab {words[0]}` ended with {done.returncode}; see above")


def weights() -> dict[str, int]:
    """Return the share of the traffic of each side in per cent, as HAProxy serves it now."""
    raw = {name: int(haproxy_command(f"get weight shop/{name}").split()[0]) for name in SERVERS}
    total = sum(raw.values()) or 1
    return {name: round(100 * value / total) for name, value in raw.items()}


def all_to_blue() -> None:
    """Send all traffic to blue; blue is raised first."""
    for command in ("blue weight 100", "blue state ready", "green weight 0", "green state ready"):
        answer = haproxy_command(f"set server shop/{command}").strip()
        if answer:
            raise LabError(f"HAProxy said to `set server shop/{command}`: {answer}")


def reset() -> None:
    """Remove the shop from both clusters, wait until it is gone, and send all traffic to blue."""
    with taken():
        say("stage", "removing what is left of the shop")
        all_to_blue()
        everywhere(CONTEXTS, _remove)


def _remove(context: str) -> None:
    wait = ("--ignore-not-found", "--wait", f"--timeout={GONE_SECONDS}s")
    end_all(context, NAMESPACE)
    # Their owners first and then the pods, in a hurry: a namespace waits for its pods in steps that grow.
    owners = "deployments,statefulsets,cronjobs,jobs"
    kubectl(context, "-n", NAMESPACE, "delete", owners, "--all", "--wait=false")
    kubectl(context, "-n", NAMESPACE, "delete", "pods", "--all", "--grace-period=1", *wait)
    kubectl(context, "delete", "namespace", NAMESPACE, *wait)
    kubectl(context, "delete", "-f", str(MANIFESTS / "cluster"), *wait)
    deadline = time.monotonic() + GONE_SECONDS
    while names := _volumes(context):
        if time.monotonic() > deadline:
            raise LabError(f"{context}: volumes of the shop are still there: {', '.join(names)}")
        time.sleep(1)


def _volumes(context: str) -> list[str]:
    """Return the names of the persistent volumes that belong to claims of the shop."""
    return [
        item["metadata"]["name"]
        for item in get(context, "persistentvolumes")["items"]
        if item["spec"].get("claimRef", {}).get("namespace") == NAMESPACE
    ]


def deploy(context: str = OLD) -> None:
    """Apply the shop to a cluster and wait until it serves seeded data."""
    say(context, "deploying the shop")
    apply(context, MANIFESTS / "cluster")
    wait_established(context, "coupons.shop.example.com")
    apply(context, MANIFESTS / "namespaced")
    within = f"--timeout={READY_SECONDS}s"
    for workload in ("statefulset/postgres", "deployment/api", "deployment/web"):
        kubectl(context, "-n", NAMESPACE, "rollout", "status", workload, within)
    kubectl(context, "-n", NAMESPACE, "wait", "--for=condition=Complete", "job/shop-seed", within)
    if not kubectl(context, "-n", NAMESPACE, "get", "job/shop-report-by-hand", "--ignore-not-found", "-o", "name"):
        kubectl(context, "-n", NAMESPACE, "create", "job", "--from=cronjob/shop-report", "shop-report-by-hand")
    kubectl(context, "-n", NAMESPACE, "wait", "--for=condition=Complete", "job/shop-report-by-hand", within)


def wait_served(seconds: float = 30) -> None:
    """Wait until users get good answers, ten in a row.

    Raises:
        LabError: not within the time.
    """
    deadline = time.monotonic() + seconds
    good, last = 0, ""
    while good < 10:  # noqa: PLR2004 - more than one pod of each tier
        last = _page()
        good = 0 if last else good + 1
        if time.monotonic() > deadline:
            raise LabError(f"the shop does not answer on 127.0.0.1:{SHOP_PORT}: {last}")
        time.sleep(0.2 if last else 0.05)


def _page() -> str:
    """Return why the start page is not served, "" when it is."""
    connection = http.client.HTTPConnection("127.0.0.1", SHOP_PORT, timeout=5)
    try:
        connection.request("GET", "/")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    finally:
        connection.close()
    return "" if status == http.client.OK else f"status {status}"


def rows(context: str) -> tuple[int, str] | None:
    """Return the number of items and their digest in a cluster's database, or None when there is none to ask."""
    try:
        said = kubectl(context, "-n", NAMESPACE, "exec", "postgres-0", "-c", "postgres", "--", DIGEST, seconds=30)
    except LabError:
        return None
    count, _, digest = said.strip().partition("|")
    return int(count), digest


def prepare() -> None:
    """Bring the lab up, put the shop's image into it, and start over with the shop on blue only.

    A caller that goes on to use the shop wraps both in `taken()`.
    """
    with taken():
        lab_command("up")
        lab_command("load", str(image.build()))
        reset()
        deploy()
        wait_served()
        say("stage", "the shop serves on blue")
