"""Real runs in a process of their own: `python -m scenarios.bench_traffic.shift JSON`.

The workflow of `bluegreen migrate` with DBOS on SQLite, journal, probes, gate and the real router; only the acts on
clusters (assess, export, import, volumes, start, verify) are left out. Each event is a line on standard output with
monotonic seconds taken before the event goes anywhere else. It must never change what the workflow does with traffic.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any, cast

from bluegreen.config.models import Migration
from bluegreen.migration import runner, workflow
from bluegreen.migration.connect import open_router
from bluegreen.migration.context import Run
from bluegreen.migration.journal import Journal, utc_now
from bluegreen.migration.objects import Moved
from bluegreen.migration.orders import Orders
from bluegreen.migration.plugins import load_adapter
from bluegreen.migration.store import Manifest, Store
from bluegreen.model.refs import ClusterId

_ON_CLUSTERS = frozenset({"assess", "export", "import", "volumes", "start", "verify"})


def config_of(plan: dict[str, Any], one: dict[str, Any]) -> Migration:
    """Return the configuration of one run."""
    return Migration.model_validate(
        {
            "from": "old",
            "to": "new",
            "namespaces": ["shop"],
            "steps": one["steps"],
            "hold": one["hold"],
            "bake": one["hold"],
            "budget": "60s",
            "routes": [{"name": "shop", "router": plan["router"], "with": plan["options"]}],
            "probes": [{"name": "web", "probe": "http", "interval": "50ms", "with": plan["urls"]}],
            "objectives": [{"name": "ok", "probe": "web", "good": "99%", "minSamples": 5}],
        }
    )


def run_of(plan: dict[str, Any], one: dict[str, Any], number: int) -> Run:
    """Return a run without clusters."""
    config = config_of(plan, one)
    manifest = Manifest(
        id=f"bench-{number}",
        blue=ClusterId("old", "a", "v1", "none"),
        green=ClusterId("new", "b", "v1", "none"),
        namespaces=("shop",),
        steps=tuple(one["steps"]),
        config_digest="",
        created=utc_now(),
    )
    store = Store(Path(plan["directory"]) / manifest.id)
    store.write_manifest(manifest)
    probe = load_adapter("bluegreen.probes", "http")("web", config.probes[0].settings)
    return Run(
        config=config,
        manifest=manifest,
        store=store,
        blue=cast("Any", None),
        green=cast("Any", None),
        routers=(open_router(config.routes[0], config),),
        probes={"web": probe},
        mover=None,
        journal=cast("Any", Teller(Journal(store.events))),
        orders=Orders(store.orders),
        moved=Moved({}, frozenset()),
    )


class Teller:
    """Tells the bench about an event, then records it as ever."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def __call__(self, name: str, /, **data: Any) -> None:
        """Take the time, record the event, tell."""
        at = time.monotonic()
        self._journal(name, **data)
        verdict = data.get("verdict", "") if name == "gate.judged" else ""
        tell(name, at, green=data.get("green"), weight=data.get("weight"), verdict=verdict, reason=data.get("reason"))


def tell(name: str, at: float, **data: Any) -> None:
    """Write one line."""
    print(json.dumps({"name": name, "at": at, **data}), flush=True)


def cut_propagation() -> None:
    """Wait a second instead of a minute for Route 53 to propagate: the bench's name server follows at once."""
    from bluegreen_adapters import route53_router  # noqa: PLC0415 - loads boto

    route53_router.PROPAGATION = 1


def main() -> None:
    """Do each run that standard input names, one JSON object a line."""
    from dbos import DBOS  # noqa: PLC0415 - a second

    plan = json.loads(sys.argv[1])
    if plan["router"] == "route53":
        cut_propagation()
    workflow.PREPARATION = tuple(act for act in workflow.PREPARATION if act[0] not in _ON_CLUSTERS)
    for number, line in enumerate(sys.stdin):
        ending = runner.execute(run_of(plan, json.loads(line), number), "sqlite")
        tell("run.over", time.monotonic(), outcome=ending.outcome, reason=ending.reason)
        if ending.outcome not in {"migrated", "reverted"}:
            break  # a parked step holds its thread
        DBOS.destroy()
    runner.leave(0)


if __name__ == "__main__":
    main()
