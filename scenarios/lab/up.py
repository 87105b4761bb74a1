"""Bring the lab up, from nothing or from whatever is left of one.

Every step asks first whether its result is there, so a running lab is only verified, dead parts are started again,
and what can not be repaired is wiped and made anew. It must never repair silently: each thing it does is one line on
the screen.
"""

import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from scenarios.lab import (
    addons,
    apt,
    build,
    certificates,
    container_runtime,
    control_plane,
    health,
    images,
    netns,
    node,
    ownership,
    processes,
    shared_parts,
    standard_images,
    state,
)
from scenarios.lab.console import LabError, say, stop, wait_until
from scenarios.lab.down import down, wipe
from scenarios.lab.layout import CLUSTERS, Cluster, haproxy_socket, kubeconfig, lab
from scenarios.lab.processes import Part

READY_SECONDS = 120.0


def up() -> None:
    """Bring both clusters and the shared parts up; raise LabError with what failed."""
    apt.require()
    ownership.claim()
    _forget_other_boot()
    lab().mkdir(parents=True, exist_ok=True, mode=0o700)
    with state.changing() as now:
        now["boot"] = ownership.boot_id()
    build.ensure()
    _link_programs()
    for cluster in CLUSTERS:
        _network(cluster)
        certificates.ensure(cluster)
    certificates.write_user_kubeconfig()
    _together([_shared, *[lambda cluster=cluster: _cluster(cluster) for cluster in CLUSTERS]])
    say("lab", f"up: KUBECONFIG={kubeconfig()} contexts old, new; HAProxy {haproxy_socket()}")


def _forget_other_boot() -> None:
    boot = state.read().get("boot")
    if boot and boot != ownership.boot_id():
        say("lab", "the machine was restarted since: starting afresh")
        down()
        ownership.claim()


def _link_programs() -> None:
    directory = lab() / "bin"
    directory.mkdir(exist_ok=True)
    for name, target in {
        "kubectl": build.program("k137", "kubectl"),
        "velero": build.program("k134", "velero"),
    }.items():
        link = directory / name
        if not link.is_symlink() or link.readlink() != target:
            link.unlink(missing_ok=True)
            link.symlink_to(target)


def _network(cluster: Cluster) -> None:
    if _known(cluster) and (lost := _lost(cluster)):
        say(cluster.name, f"{lost}: making the cluster anew")
        wipe(cluster)
    if netns.healthy(cluster):
        netns.heal(cluster)
    else:
        netns.make(cluster)


def _known(cluster: Cluster) -> bool:
    """Tell whether an earlier run got as far as starting a program of the cluster."""
    return any(key.startswith(f"{cluster.name}/") for key in state.read().get("processes", {}))


def _lost(cluster: Cluster) -> str:
    """Return which thing is gone that only a new cluster can bring back, "" when none is."""
    if not netns.healthy(cluster):
        return "its network namespace is gone"
    return next((f"its {name} directory is gone" for name in ("pki", "etcd") if not cluster.path(name).exists()), "")


def _together(tasks: list[Callable[[], None]]) -> None:
    """Run the tasks side by side; the first failure stops the others at their next wait."""
    with ThreadPoolExecutor(len(tasks)) as pool:
        futures = [pool.submit(task) for task in tasks]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            if any(future.exception() for future in done):
                stop.set()
        except BaseException:
            stop.set()
            raise
    errors = [error for future in futures if (error := future.exception())]
    if errors:
        # The first that failed by itself, not one that only was told to stop.
        raise next((error for error in errors if not str(error).endswith("stopped")), errors[0])


def _start(part: Part) -> bool:
    if stop.is_set():
        raise LabError(f"{part.key}: stopped")
    if processes.ensure(part):
        say(part.cluster.name if part.cluster else "shared", f"started {part.name}")
        return True
    return False


def _running(part: Part, probe: Callable[[], str]) -> Callable[[], str]:
    """Return the probe, made to fail at once when the part itself has ended."""

    def ask() -> str:
        processes.check(part)
        return probe()

    return ask


def _shared() -> None:
    s3, haproxy = shared_parts.s3(), shared_parts.haproxy()
    _start(s3)
    _start(haproxy)
    wait_until(_running(s3, shared_parts.s3_ready), what="S3 server", seconds=20, log=s3.log)
    wait_until(_running(haproxy, shared_parts.haproxy_ready), what="HAProxy", seconds=10, log=haproxy.log)


def _cluster(cluster: Cluster) -> None:
    existed = _known(cluster)
    try:
        _bring_up(cluster)
    except LabError as error:
        if not existed or stop.is_set():
            raise
        say(cluster.name, f"can not be repaired ({str(error)[:160]}): making it anew")
        wipe(cluster)
        netns.make(cluster)
        certificates.ensure(cluster)
        certificates.write_user_kubeconfig()
        _bring_up(cluster)


def _bring_up(cluster: Cluster) -> None:
    container_runtime.share_mounts(cluster)
    began = time.monotonic()
    runtime, api = container_runtime.part(cluster), control_plane.api_server(cluster)
    changed = [_start(control_plane.etcd(cluster)), _start(runtime), _start(api)]
    wait_until(
        _running(runtime, lambda: container_runtime.ready(cluster)),
        what=f"{cluster.name}: containerd",
        seconds=30,
        log=runtime.log,
    )
    _load_images(cluster)
    wait_until(
        _running(api, lambda: health.api_unready(cluster)), what=f"{cluster.name}: API server", seconds=60, log=api.log
    )
    changed += [_start(control_plane.controller_manager(cluster)), _start(control_plane.scheduler(cluster))]
    kubelet = node.kubelet(cluster)
    changed += [_start(kubelet), _start(node.kube_proxy(cluster))]
    addons.ensure(cluster)
    wait_until(
        _running(kubelet, lambda: health.unavailable(cluster)),
        what=f"{cluster.name}: addons",
        seconds=READY_SECONDS,
        log=kubelet.log,
    )
    _check_all(cluster)
    word = "ready" if any(changed) else "verified"
    say(cluster.name, f"{word} in {time.monotonic() - began:.1f} s ({cluster.server}, {cluster.version})")


def parts(cluster: Cluster) -> list[Part]:
    """Return all programs of a cluster, in the order of their start."""
    return [
        control_plane.etcd(cluster), container_runtime.part(cluster), control_plane.api_server(cluster),
        control_plane.controller_manager(cluster), control_plane.scheduler(cluster), node.kubelet(cluster),
        node.kube_proxy(cluster),
    ]  # fmt: skip


def _check_all(cluster: Cluster) -> None:
    for part in parts(cluster):
        processes.check(part)


def _load_images(cluster: Cluster) -> None:
    """Import the standard images unless exactly these went into this incarnation of the cluster."""
    wanted = ",".join(module.key() for module in build.MODULES.values())
    if state.read().get("images", {}).get(cluster.name) == wanted:
        return
    images.load(standard_images.build_all(), [cluster])
    with state.changing() as now:
        now.setdefault("images", {})[cluster.name] = wanted
