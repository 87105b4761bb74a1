"""Bad input on real clusters: every reason at once, each with what to type, and nothing written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scenarios import stage
from scenarios.cluster import NEW, get
from scenarios.lab.layout import lab

pytestmark = pytest.mark.lab

GOOD = yaml.safe_load((Path(__file__).parents[2] / "scenarios/happy/bluegreen.yaml").read_text())


def migrate(tmp_path, *flags, config=None, **changes):
    """Run migrate in a directory of its own with a changed configuration."""
    text = config or yaml.safe_dump(GOOD | changes).replace("${LAB}", str(lab()))
    (tmp_path / "bluegreen.yaml").write_text(text)
    env = {**os.environ, "KUBECONFIG": str(lab() / "kubeconfig"), "BLUEGREEN_STATE_DIR": str(tmp_path / "state")}
    done = subprocess.run(
        [sys.executable, "-m", "bluegreen", "migrate", *flags],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert not list(tmp_path.glob("state/*/migration.json")), "a refused migration must not begin"
    return done


def test_all_reasons_come_at_once(tmp_path):
    done = migrate(
        tmp_path,
        "--yes",
        namespaces=["no-such-namespace", "nor-this"],
        routes=[{"name": "shop", "router": "haproxi", "with": {}}],
    )

    assert done.returncode == 2
    for words in ("no-such-namespace", "nor-this", "haproxi", "did you mean haproxy?"):
        assert words in done.stderr


def test_unknown_context_names_the_known_ones(tmp_path):
    done = migrate(tmp_path, "--yes", "--from", "odl")

    assert done.returncode == 2
    assert "odl" in done.stderr
    assert "old" in done.stderr


def test_same_cluster_under_two_names_is_found_by_its_uid(tmp_path):
    kubeconfig = yaml.safe_load((lab() / "kubeconfig").read_text())
    (context,) = [c for c in kubeconfig["contexts"] if c["name"] == "old"]
    kubeconfig["contexts"].append({**context, "name": "alias"})
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(kubeconfig))

    done = migrate(tmp_path, "--yes", "--to", "alias", "--kubeconfig", str(file))

    assert done.returncode == 2
    assert "are the same cluster" in done.stderr


def test_steps_out_of_order_and_over_100_are_both_told(tmp_path):
    done = migrate(tmp_path, "--yes", "--steps", "50,10,120")

    assert done.returncode == 2
    assert "steps[1]: 10 comes after 50" in done.stderr
    assert "steps[2]" in done.stderr
    assert "100" in done.stderr


def test_missing_velero_is_told_before_the_prompt(tmp_path):
    done = migrate(
        tmp_path, "--yes", namespaces=["velero-less"], data={**GOOD["data"], "with": {"namespace": "nowhere"}}
    )

    assert done.returncode == 2
    assert "velero-less" in done.stderr


def test_unreadable_config_names_line_and_key(tmp_path):
    done = migrate(tmp_path, "--yes", config="apiVersion: bluegreen/v1\nkind: Migration\nstepps: [10]\n")

    assert done.returncode == 2
    assert "bluegreen.yaml:3:1: stepps: unknown key" in done.stderr
    assert "steps" in done.stderr


def test_no_terminal_and_no_yes_is_a_usage_error_and_writes_nothing(tmp_path):
    with stage.taken():
        stage.all_to_blue()
        before = everything_in_default()

        done = migrate(tmp_path, namespaces=["default"], data=None, verify=[])

    assert done.returncode == 2
    assert "add --yes" in done.stderr
    assert everything_in_default() == before


def everything_in_default():
    """Return the version of each object that a migration of `default` could write on green."""
    kinds = "configmaps,secrets,serviceaccounts,services,deployments,statefulsets,roles,rolebindings"
    found = [get(NEW, "namespace", "default"), *get(NEW, kinds, "-n", "default")["items"]]
    return {(o["kind"], o["metadata"]["name"]): o["metadata"]["resourceVersion"] for o in found}
