"""Say what of the lab runs, by looking, not by remembering. It must never change anything."""

from scenarios.lab import health, netns, shared_parts, state
from scenarios.lab.api import get_json
from scenarios.lab.layout import CLUSTERS, Cluster, lab
from scenarios.lab.processes import start_time


def report() -> bool:
    """Print the state of every part and return whether all is well."""
    entries = state.read().get("processes", {})
    if not entries:
        print(f"no lab at {lab()}")
        return False
    well = True
    for key, entry in sorted(entries.items()):
        running = start_time(entry["pid"]) == entry["start"]
        well &= running
        print(f"{'ok  ' if running else 'DEAD'} {key:<28} pid {entry['pid']}")
    for cluster in CLUSTERS:
        for what, reason in _checks(cluster).items():
            well &= not reason
            print(f"{'FAIL' if reason else 'ok  '} {cluster.name}/{what:<24} {reason}")
    for what, reason in {
        "s3 answers": shared_parts.s3_ready(),
        "haproxy answers": shared_parts.haproxy_ready(),
    }.items():
        well &= not reason
        print(f"{'FAIL' if reason else 'ok  '} {what:<28} {reason}")
    return well


def _checks(cluster: Cluster) -> dict[str, str]:
    if not netns.healthy(cluster):
        return {"network": f"namespace {cluster.netns} is gone"}
    if netns.partitioned(cluster):
        return {"network": f"partitioned: python -m scenarios.lab heal {cluster.name}"}
    try:
        version = get_json(cluster, "/version").get("gitVersion", "")
    except OSError as error:
        return {"api": str(error)}
    return {f"api {version}": "", "addons": health.unavailable(cluster)}
