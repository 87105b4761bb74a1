"""The stories end as their scenario.yaml promises; a wrong promise must fail, or the check could not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]


@pytest.mark.parametrize(("name", "outcome"), [("bad_green", "reverted"), ("happy", "migrated")])
def test_scenario_keeps_its_promises(name, outcome):
    done = subprocess.run(
        [sys.executable, "-m", "scenarios.run", name], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr[-3000:]
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["outcome"] == outcome
    report = json.loads(Path(last["report"]).with_suffix(".json").read_text())
    if outcome == "reverted":
        broken = report["reverted_because"]
        assert "availability" in json.dumps(broken), broken  # users or probe: whoever saw enough of it first
    else:
        assert last["failed"] == 0
        assert last["requests"] >= 1000
        assert last["rows_blue"] == last["rows_green"] == 2000
