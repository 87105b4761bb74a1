"""The commands that work alone, from the command line down to two clusters in memory."""

import json

import pyrage
import pytest
from click.testing import CliRunner
from test_migration_plans import Named, namespace, obj, ref

from bluegreen.cli.main import main
from bluegreen.model.errors import InvalidInputError

BOTH = ("--from", "old", "--to", "new", "-n", "shop")
HOSTILE = '"><script>alert(1)</script>\x1b[31m'


@pytest.fixture
def clusters(monkeypatch):
    secret = obj("Secret", "password", data={"p": "Y2FuYXJ5"})
    found = {"old": Named("old", namespace(), obj("ConfigMap", "conf", data={"a": "1"}), secret), "new": Named("new")}
    monkeypatch.setattr("bluegreen.migration.scope.open_cluster", lambda context, kubeconfig=None: found[context])
    return found


@pytest.fixture
def run(clusters, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    return lambda *arguments: runner.invoke(main, [str(argument) for argument in arguments])


def test_export_and_import_carry_encrypted_secrets(run, clusters, tmp_path):
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "key.txt").write_text(f"{identity}\n")
    done = run("export", "--from", "old", "-n", "shop", "-o", "b", "--age-recipient", identity.to_public())
    assert (done.exit_code, done.stdout) == (0, "")
    assert "encrypted" in done.stderr

    assert isinstance(run("import", "b", "--to", "new").exception, InvalidInputError)
    dry = run("import", "b", "--to", "new", "--age-identity", "key.txt", "--dry-run", "server")
    assert dry.stdout.splitlines()[-1] == "Plan: 3 create."
    assert clusters["new"].writes == []
    done = run("import", "b", "--to", "new", "--age-identity", "key.txt")
    assert (done.exit_code, done.stdout) == (0, "3 created\n")
    assert clusters["new"].get(ref("Secret", "password"))["data"] == {"p": "Y2FuYXJ5"}


def test_without_a_recipient_secrets_are_withheld_and_named_on_both_ends(run):
    done = run("export", "--from", "old", "-n", "shop", "-o", "b")
    assert "shop/password" in done.stderr
    done = run("import", "b", "--to", "new")
    assert "Secrets not in the bundle: shop/password" in done.stderr


def test_export_needs_a_directory_or_a_question(run):
    assert run("export", "--from", "old", "-n", "shop").exit_code == 2


def test_explain_prints_reasons_and_writes_nothing(run, tmp_path):
    done = run("export", "--from", "old", "-n", "shop", "--explain")
    assert "strip metadata.uid: the server gives a new one [uid]" in done.stdout
    data = json.loads(run("export", "--from", "old", "-n", "shop", "--explain", "json").stdout)
    assert {"uid"} <= {item["rule"] for item in data["items"]}
    assert list(tmp_path.iterdir()) == []


def test_prune_is_shown_first_and_then_done(run, clusters):
    run("export", "--from", "old", "-n", "shop", "-o", "b")
    run("import", "b", "--to", "new")
    mark = {"annotations": {"bluegreen.io/migration": "from-uid-of-old"}}
    clusters["new"].put(obj("ConfigMap", "gone", meta=mark))
    assert "- prune    ConfigMap shop/gone" in run("import", "b", "--to", "new", "--prune", "--dry-run=client").stdout
    assert ref("ConfigMap", "gone") in clusters["new"].objects
    assert "pruned ConfigMap shop/gone" in run("import", "b", "--to", "new", "--prune").stdout
    assert ref("ConfigMap", "gone") not in clusters["new"].objects


def test_plan_apply_verify_end_equal(run):
    done = run("plan", *BOTH, "--out", "plan.json", "--detailed-exitcode")
    assert done.exit_code == 2
    assert "Y2FuYXJ5" not in done.stdout
    assert run("verify", *BOTH).exit_code == 1
    assert run("apply", "plan.json").stdout == "3 created\n"
    assert run("plan", *BOTH, "--detailed-exitcode").exit_code == 0
    done = run("verify", *BOTH, "-o", "json")
    assert (done.exit_code, json.loads(done.stdout)["equal"]) == (0, True)


def test_a_stale_plan_lists_what_moved(run, clusters):
    run("plan", *BOTH, "--out", "plan.json")
    clusters["old"].put(obj("ConfigMap", "conf", data={"a": "2"}))
    done = run("apply", "plan.json")
    assert done.exception.code == "plan.stale"
    assert "- ConfigMap shop/conf: blue's object" in done.stderr


def test_the_plan_file_is_its_owners_only(run, tmp_path):
    run("plan", *BOTH, "--out", "plan.json")
    assert (tmp_path / "plan.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


def test_an_unknown_rule_is_no_consent(run):
    run("plan", *BOTH, "--out", "plan.json")
    done = run("apply", "plan.json", "--force", "all")
    assert (done.exit_code, "another-manager" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [("--bogus",), ("-n", ""), ("--map-namespace", "a"), ("--from", "old"), ("-o", "nothing")],
)
def test_bad_usage_is_64_where_2_means_changes(run, arguments):
    assert run("plan", "--detailed-exitcode", *arguments).exit_code == 64


def test_what_is_missing_is_said_at_once(run):
    error = run("plan").exception
    assert [reason.partition("; add ")[2][:6].strip() for reason in error.reasons] == ["--from", "--to C", "-n NAM"]


def test_the_same_cluster_is_refused(run):
    assert "same cluster" in str(run("plan", "--from", "old", "--to", "old", "-n", "shop").exception)


def test_a_configuration_gives_contexts_and_transform_though_it_names_no_routes(run, tmp_path, clusters):
    text = "from: old\nto: new\nnamespaces: [shop]\ntransform:\n  labels: {moved: 'yes'}\n"
    (tmp_path / "bluegreen.yaml").write_text(text)
    run("plan", "--out", "plan.json")
    assert run("apply", "plan.json").exit_code == 0
    assert clusters["new"].get(ref("ConfigMap", "conf"))["metadata"]["labels"] == {"moved": "yes"}
    (tmp_path / "bluegreen.yaml").write_text("namespaces: shop\ntransform: {labelz: {}}\n")
    assert len(run("plan").exception.reasons) == 2


@pytest.mark.parametrize("output", ["table", "wide", "yaml", "html", "json"])
def test_hostile_names_are_inert(run, clusters, output):
    clusters["old"].put(obj("ConfigMap", HOSTILE, data={"a": "1"}))
    done = run("plan", *BOTH, "-o", output)
    assert done.exit_code == 0
    assert "\x1b" not in done.stdout
    assert output != "html" or "<script>" not in done.stdout


def test_lines_keep_within_80_columns(run, clusters):
    clusters["old"].put(obj("ConfigMap", "-".join(["long"] * 40), data={"a": "1"}))
    done = run("plan", *BOTH, "-o", "wide")
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_assess_counts_warnings_only_when_strict(run, clusters):
    clusters["old"].put(obj("CronJob", "c", "batch/v1", spec={"schedule": "* * * * *", "jobTemplate": {}}))
    assert run("assess", *BOTH).exit_code == 0
    assert run("assess", *BOTH, "--strict").exit_code == 1
    data = json.loads(run("assess", *BOTH, "-o", "json").stdout)
    assert (data["kind"], data["inventory"]["objects"]["CronJob"]) == ("Assessment", 1)
    page = run("assess", *BOTH, "-o", "html").stdout
    assert "<svg" in page
    assert "http" not in page


def test_one_is_not_told_as_several(run, clusters):
    run("plan", *BOTH, "--out", "plan.json")
    run("apply", "plan.json")
    clusters["new"].put(obj("ConfigMap", "conf", data={"a": "2"}))
    assert "\n1 difference.\n" in run("verify", *BOTH).stdout
    said = run("export", "--from", "old", "-n", "shop", "-o", "b").stderr
    assert "Wrote 2 objects" in said
