"""Two whole runs told in events, one that ends on green and one that goes back; other report tests fold them."""

from datetime import UTC, datetime

from bluegreen.model.events import Event
from bluegreen.report.fold import fold

HOSTILE = "<script>alert(1)</script>[bold red]\x1b[31m"


class Story:
    """Collects events on a clock of its own."""

    def __init__(self):
        self.now = datetime(2026, 11, 24, 17, 3, 4, tzinfo=UTC).timestamp()
        self.events = []

    def tell(self, name, after=0.0, /, **data):
        self.now += after
        at = datetime.fromtimestamp(self.now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.events.append(Event(name, at, data))

    def phase(self, name, seconds, *inner):
        self.tell("phase.started", phase=name)
        for one in inner:
            one()
        self.tell("phase.finished", seconds, phase=name, seconds=seconds)

    def judged(self, weight, verdict, second, samples, *, bad, example=""):
        users = {
            "objective": "users-availability", "verdict": verdict, "value": 1 - bad / samples if samples else None,
            "threshold": 0.99, "samples": samples, "bad": bad, "evidence": min(1e4, 1.6**bad * 0.9**second),
            "needed": 20 if verdict == "INCONCLUSIVE" else None,
            "reason": {"PASS": "enough samples, none against it", "FAIL": "fewer requests are good than asked"}.get(
                verdict, "too few samples yet"
            ),
            "example": example,
        }  # fmt: skip
        speed = {**users, "objective": "web-speed", "verdict": "PASS", "value": 0.9996, "bad": 0, "evidence": 0.02,
                 "needed": None, "example": "", "reason": "enough samples, none against it"}  # fmt: skip
        self.tell("gate.judged", 1, weight=weight, verdict=verdict, elapsed=second, judgements=[users, speed])
        return [users, speed]


def preparation(hostile=""):
    story = Story()
    story.tell(
        "run.started", migration="old-new-2611241703", **{"from": "old", "to": "new"}, from_version="v1.34.4",
        to_version="v1.37.2", namespaces=["shop", *([hostile] if hostile else [])], steps=[10, 50, 100],
        data_policy="copy", config_digest="9f2c" * 16,
    )  # fmt: skip
    story.phase("assess", 1.4, lambda: _findings(story, hostile))
    story.phase("export", 0.9, lambda: _plan(story, hostile))
    story.phase("import", 4.2, lambda: _import(story, hostile))
    story.phase("volumes", 41, lambda: _volumes(story))
    story.phase("start", 0.6)
    story.phase("verify", 6, lambda: _verify(story, hostile))
    return story


def _findings(story, hostile):
    story.tell(
        "finding",
        rule="storage-class-mapped",
        severity="info",
        subject=f"PersistentVolumeClaim shop/data-postgres-0{hostile}",
        reason="StorageClass fast-old is called fast-new on green",
        action="",
    )
    story.tell(
        "finding",
        rule="selectorless-service",
        severity="warning",
        subject="Service shop/legacy-mail",
        reason="has no selector; its EndpointSlice points outside of the cluster",
        action="check that green reaches 10.20.0.7:25",
    )


def _plan(story, hostile):
    kinds = {"Deployment": 2, "StatefulSet": 1, "Service": 5, "ConfigMap": 6, "Secret": 4, "ServiceAccount": 3}
    kinds |= {"Role": 2, "RoleBinding": 2, "NetworkPolicy": 3, "CronJob": 1, f"Widget{hostile}": 2, "Ingress": 1}
    story.tell(
        "plan.made",
        objects=43,
        by_kind=kinds,
        left_out={"Pod": 9, "ReplicaSet": 4, "Job": 1, "EndpointSlice": 5},
        digest="ab12" * 16,
        notes=["blue keeps serving while data is copied"],
    )


def _import(story, hostile):
    for index in range(43):
        story.tell(
            "object.applied",
            0.05,
            ref=f"ConfigMap shop/item-{index}{hostile}",
            action="created" if index % 9 else "configured",
        )


def _volumes(story):
    for stage in ("backup", "restore"):
        for done in range(0, 101, 20):
            phase = "InProgress" if done < 100 else "Completed"
            moved = {"bytes_done": done * 420_000, "bytes_total": 42_000_000}
            story.tell("volume.progress", 3, stage=stage, phase=phase, message="data-postgres-0", **moved)


def _verify(story, hostile):
    story.tell("ready.waiting", objects=["Deployment shop/web", "StatefulSet shop/postgres"])
    story.tell("verify.checked", 3, name="objects", equal=True, blue="43", green="43")
    story.tell("verify.checked", 1, name=f"rows{hostile}", equal=True, blue="20000 5d41402a", green="20000 5d41402a")


def shift(story, weight, before):
    story.tell("step.started", weight=weight, hold=10, budget=300)
    story.tell(
        "weight.written", 0.2, route="shop", blue=100 - weight, green=weight, from_blue=100 - before, from_green=before
    )
    story.tell("step.settled", 1.1, weight=weight, seconds=1.1)


def step(story, weight, before, seconds=12):
    shift(story, weight, before)
    for second in range(1, seconds + 1):
        samples = second * weight * 2
        story.judged(
            weight, "PASS" if samples > 150 and second >= 10 else "INCONCLUSIVE", second, samples, bad=samples // 400
        )
    story.tell("step.passed", weight=weight, seconds=seconds + 1.3)


def migrated(hostile=""):
    story = preparation(hostile)
    story.tell("phase.started", phase="shift")
    for before, weight in ((0, 10), (10, 50), (50, 100)):
        step(story, weight, before)
    story.tell("phase.finished", phase="shift", seconds=40)
    story.phase("bake", 20)
    story.phase("finish", 0.2)
    story.tell("run.finished", outcome="migrated", seconds=story.now - 1795539784.0, exit_code=0)
    return story.events


def reverted(hostile=""):
    story = preparation(hostile)
    story.tell("phase.started", phase="shift")
    step(story, 10, 0)
    shift(story, 50, 10)
    example = f"GET /api/orders: 500{hostile}"
    told = [
        story.judged(50, "INCONCLUSIVE", second, second * 22, bad=second * 5, example=example) for second in range(1, 4)
    ]
    told.append(story.judged(50, "FAIL", 4, 96, bad=28, example=example))
    story.tell("revert.started", 0.1, reason="users-availability is broken at 50%", judgements=told[-1])
    story.tell("weight.written", 0.2, route="shop", blue=100, green=0, from_blue=50, from_green=50)
    story.tell("revert.finished", 0.9, seconds=1.1)
    story.tell("run.finished", outcome="reverted", seconds=93.0, exit_code=3)
    return story.events


def test_both_stories_come_to_their_end():
    assert fold(migrated()).outcome == "migrated"
    assert fold(reverted()).outcome == "reverted"
