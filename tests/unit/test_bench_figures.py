"""The bench's arithmetic: which way a ratio goes, and that a missing or missed figure is never a success."""

import json

from scenarios.bench import objects
from scenarios.bench.figures import PROMISES, Promise, Side, line, median

GOOD = {
    "kubectl_get": [30.0, 33.0, 90.0],
    "export": [10.0, 11.0, 12.0],
    "export_written": [20.0],
    "kubectl_apply": [60.0],
    "velero_restore": [300.0],
    "plain_https": [16.0, 17.0],
    "import": [20.0],
    "import_again": [1.9],
    "plain_lists": [3.0],
    "plan": [5.9],
    "plan_dry_run": [20.0],
    "mixed_import": [20.0],
    "mixed_kubectl_apply": [50.0],
}


def test_every_promise_kept_is_ok():
    found = line(GOOD, 200.0, {})

    assert found["ok"]
    assert found["figures"]["export_vs_kubectl"] == {"value": 3.0, "target": ">= 3", "ok": True}
    assert found["figures"]["import_again_vs_first"]["value"] == 0.095


def test_each_promise_can_be_missed():
    worse = {
        "export_vs_kubectl": {"export": [11.1]},
        "export_written_vs_kubectl": {"export_written": [33.1]},
        "import_vs_kubectl": {"kubectl_apply": [59.0]},
        "import_vs_velero": {"velero_restore": [299.0]},
        "import_vs_plain_https": {"plain_https": [15.9]},
        "import_again_vs_first": {"import_again": [2.1]},
        "plan_vs_lists": {"plan": [6.1]},
        "plan_dry_run_vs_import": {"plan_dry_run": [20.1]},
        "export_peak_mib": {},
    }
    assert set(worse) == {promise.name for promise in PROMISES}
    for name, change in worse.items():
        found = line({**GOOD, **change}, 256.5 if name == "export_peak_mib" else 200.0, {})

        assert [key for key, entry in found["figures"].items() if not entry["ok"]] == [name]
        assert not found["ok"]


def test_what_is_not_promised_is_told_beside_and_decides_nothing():
    assert line(GOOD, 200.0, {})["also"] == {"mixed_import_vs_kubectl": 2.5}


def test_a_figure_that_was_not_measured_is_not_ok():
    found = line({key: value for key, value in GOOD.items() if key != "velero_restore"}, 200.0, {})

    assert not found["ok"]
    assert "import_vs_velero" not in found["figures"]


def test_a_miss_is_not_rounded_away():
    assert not Promise("x", Side.AT_MOST, 0.1, "").holds(0.1000001)


def test_the_middle_of_runs():
    assert median([3.0, 1.0, 2.0]) == 2.0
    assert median([4.0, 1.0]) == 2.5


def test_the_objects_are_the_same_in_every_run_and_of_every_kind():
    made = list(objects.mixed("a", 1000))

    assert made == list(objects.mixed("a", 1000))
    assert len({(obj["kind"], obj["metadata"]["name"]) for obj in made}) == 1000
    assert {obj["kind"] for obj in made} == objects.PLURALS.keys()
    assert all(obj["spec"]["replicas"] == 0 for obj in made if obj["kind"] == "Deployment")


def test_small_objects_are_small():
    made = list(objects.small("a", 300))

    assert {obj["kind"] for obj in made} == {"ConfigMap", "Secret"}
    assert len({(obj["kind"], obj["metadata"]["name"]) for obj in made}) == 300
    assert max(len(json.dumps(obj)) for obj in made) < 700
