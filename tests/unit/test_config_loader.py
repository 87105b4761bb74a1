"""Flag over environment over file over default, each remembered; and every error at once, with its place."""

import hashlib
import json
from pathlib import Path

import pytest

from bluegreen.config.example import EXAMPLE
from bluegreen.config.layers import SETTABLE, flag_of, variable_of
from bluegreen.config.loader import load
from bluegreen.config.models import Migration
from bluegreen.config.origins import OriginKind
from bluegreen.config.suggestions import keys_at
from bluegreen.model.errors import BugError, InvalidInputError

SMALL = """\
from: old
to: new
namespaces: [shop]
routes: [{name: r, router: haproxy}]
probes: [{name: p, probe: http}]
objectives: [{name: o, probe: p, good: 99%}]
"""


def loaded(tmp_path: Path, text=SMALL, flags=None, env=None):
    (tmp_path / "bluegreen.yaml").write_text(text)
    return load(None, flags or {}, env or {}, tmp_path)


def reasons(tmp_path: Path, text=SMALL, flags=None, env=None):
    with pytest.raises(InvalidInputError) as caught:
        loaded(tmp_path, text, flags, env)
    assert caught.value.code == "config.invalid"
    return caught.value.reasons


def origin(result, key):
    return next(str(row.origin) for row in result.rows() if row.key == key)


def test_defaults_fill_what_a_small_file_leaves_out(tmp_path):
    config = loaded(tmp_path).config

    assert [step.weight for step in config.steps] == [10, 50, 100]
    assert (config.hold, config.budget, config.bake, config.timeouts.overall) == (10, 300, 20, 14400)
    assert config.data is None
    assert config.objectives[0].good == 0.99


def test_the_example_of_the_reference_loads(tmp_path):
    config = loaded(tmp_path, EXAMPLE).config

    assert config.steps[1].hold == 60
    assert config.steps[2].approve
    assert config.data and config.data.settings == {"namespace": "velero", "ttl": "72h"}
    assert config.transform.storage_classes == {"fast-old": "fast-new"}
    assert config.objectives[0].good == 0.999
    assert config.probes[1].interval == 0.5


def test_a_flag_wins_over_a_variable_over_the_file_over_a_default(tmp_path):
    text = SMALL + "hold: 1s\nbudget: 1m\nbake: 1m\n"

    result = loaded(tmp_path, text, {"hold": "3s"}, {"BLUEGREEN_HOLD": "2s", "BLUEGREEN_BUDGET": "2m"})

    assert (result.config.hold, result.config.budget, result.config.bake) == (3, 120, 60)
    assert origin(result, "hold") == "flag --hold"
    assert origin(result, "budget") == "env BLUEGREEN_BUDGET"
    assert origin(result, "bake") == "bluegreen.yaml:9"
    assert origin(result, "state") == "default"


def test_flags_left_out_are_none_or_empty(tmp_path):
    result = loaded(tmp_path, flags={"from": None, "namespaces": (), "steps": None}, env={"BLUEGREEN_TO": ""})

    assert (result.config.from_context, result.config.to_context) == ("old", "new")
    assert all(origin.kind is OriginKind.FILE for origin in result.origins.values())


def test_steps_and_namespaces_of_a_flag_replace_those_of_the_file(tmp_path):
    text = SMALL + "steps: [{weight: 5, hold: 9s}, 100]\n"

    result = loaded(tmp_path, text, {"steps": "10, 50%,100", "namespaces": ["a", "b"]})

    assert [step.weight for step in result.config.steps] == [10, 50, 100]
    assert result.config.steps[0].hold is None
    assert result.config.namespaces == ("a", "b")
    assert origin(result, "steps[0]") == "flag --steps"


def test_a_nested_flag_adds_to_the_section_of_the_file(tmp_path):
    result = loaded(tmp_path, SMALL + "data: {mover: velero}\n", {"data.policy": "copy"})

    assert result.config.data
    assert (origin(result, "data.policy"), origin(result, "data.mover")) == ("flag --data-policy", "bluegreen.yaml:7")


def test_a_flag_of_ours_without_a_key_is_our_bug(tmp_path):
    with pytest.raises(BugError):
        loaded(tmp_path, flags={"form": "old"})


def test_every_settable_key_exists_and_has_its_own_names():
    for key in SETTABLE:
        *parents, last = key.split(".")
        assert last in keys_at(Migration, tuple(parents))
    assert len({variable_of(key) for key in SETTABLE}) == len(SETTABLE)
    assert (flag_of("fromKubeconfig"), variable_of("data.policy")) == ("--from-kubeconfig", "BLUEGREEN_DATA_POLICY")


def test_paths_of_the_file_start_at_the_file_and_those_of_flags_at_the_working_directory(tmp_path):
    place = tmp_path / "conf"
    place.mkdir()
    (place / "x.yaml").write_text(SMALL + "fromKubeconfig: blue.conf\nkubeconfig: ~/k\n")

    config = load(Path("conf/x.yaml"), {"toKubeconfig": "green.conf"}, {"HOME": "/home/me"}, tmp_path).config

    assert config.from_kubeconfig == str(place / "blue.conf")
    assert config.to_kubeconfig == str(tmp_path / "green.conf")
    assert config.kubeconfig == "/home/me/k"


def test_the_digest_is_of_values_not_of_their_origin(tmp_path):
    plain = loaded(tmp_path)

    assert loaded(tmp_path, SMALL + "hold: 10s # as ever\n").digest == plain.digest
    assert loaded(tmp_path, flags={"from": "old"}).digest == plain.digest
    assert loaded(tmp_path, flags={"hold": "11s"}).digest != plain.digest


def test_what_came_into_the_format_later_counts_only_where_it_says_something(tmp_path):
    plain = loaded(tmp_path)

    # A run that an older version began, with a file that does not know the key, goes on with it.
    old = plain.config.model_dump(mode="json", by_alias=True, exclude={"export"})
    text = json.dumps(old, sort_keys=True, separators=(",", ":"))
    assert plain.digest == hashlib.sha256(text.encode()).hexdigest()
    assert loaded(tmp_path, SMALL + "export: {nodePorts: explicit}\n").digest == plain.digest
    assert loaded(tmp_path, SMALL + "export: {nodePorts: all}\n").digest != plain.digest


def test_the_result_cannot_be_changed(tmp_path):
    config = loaded(tmp_path).config

    with pytest.raises(Exception, match="frozen"):
        config.hold = 3  # type: ignore[misc]


def test_all_errors_come_at_once_in_the_order_of_the_file(tmp_path):
    found = reasons(
        tmp_path,
        "from: old\nto: old\nnamespaces: [Shop]\nstpes: [10]\nbake: 10\n"
        "routes: [{name: r, router: haproxy}, {name: r, router: haproxy}]\n"
        "probes: [{name: web, probe: http, interval: 0s}]\n"
        "objectives: [{name: o, probe: wbe, good: 99, min_samples: 3}]\n",
        flags={"steps": "50,10"},
    )

    assert [reason.split(": ")[0:2] for reason in found] == [
        ["bluegreen.yaml:2:5", "to"],
        ["bluegreen.yaml:3:14", "namespaces[0]"],
        ["bluegreen.yaml:4:1", "stpes"],
        ["bluegreen.yaml:5:7", "bake"],
        ["bluegreen.yaml:6:45", "routes[1].name"],
        ["bluegreen.yaml:7:45", "probes[0].interval"],
        ["bluegreen.yaml:8:31", "objectives[0].probe"],
        ["bluegreen.yaml:8:42", "objectives[0].good"],
        ["bluegreen.yaml:8:46", "objectives[0].min_samples"],
        ["--steps", "steps[1]"],
        ["--steps", "steps[1]"],
    ]
    assert "did you mean `steps`?" in found[2]
    assert "did you mean `web`?" in found[6]
    assert "did you mean `minSamples`?" in found[8]


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ("[10, 10, 100]", "10 comes after 10"),
        ("[50, 10, 100]", "10 comes after 50"),
        ("[10, 50]", "the last step is 50"),
        ("[0, 100]", "greater than or equal to 1"),
        ("[10, 101]", "less than or equal to 100"),
        ("[]", "is empty"),
        ("", "is empty"),
        ("10", "must be a list"),
        ("[ten, 100]", "must be a whole number from 1 to 100"),
        ("[true, 100]", "must be a whole number from 1 to 100"),
        ("[10.5, 100]", "must be a whole number from 1 to 100"),
        ("[{hold: 3s}, 100]", "is missing"),
    ],
)
def test_steps_rise_to_a_hundred(tmp_path, steps, why):
    assert any(why in reason for reason in reasons(tmp_path, SMALL + f"steps: {steps}\n"))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("data: {mover: velero}", "write `policy: copy`"),
        ("data: {policy: move, mover: velero}", "must be `copy`"),
        ("state: mysql://h/db", "must be sqlite"),
        ("state: postgresql://u:hunter2@h/db", "holds a password"),
        ("selector: ", None),
        ("selector: ' '", "is empty"),
        ("bake: 10s10", "is no duration"),
        ("budget: 0s", "longer than 0s"),
        ("transform: {labels: {version: 1.10}}", "must be text; quote it"),
        ("notify: [{name: n, notifier: slack, with: {token: hunter2}}]", "secret in plain text"),
        ("notify: [{name: n, notifier: slack, with: {url: 'https://u:hunter2@h'}}]", "URL with a password"),
        ("notify: [{name: n, notifier: slack, with: {token: 'env:SLACK', headers: [{apiKey: 'file:k'}]}}]", None),
        ("timeouts: 5m", "mapping with these keys: overall, import"),
        ("verify: [{name: v, exec: {namespace: n, selector: a=b, command: [sleep, 1]}}]", "must be text; quote it"),
        ("apiVersion: bluegreen/v2", "must be `bluegreen/v1`"),
        ("namespace: shop", "did you mean `namespaces`?"),
    ],
)
def test_one_more_line(tmp_path, line, why):
    if why is None:
        assert loaded(tmp_path, SMALL + line + "\n")
        return
    found = reasons(tmp_path, SMALL + line + "\n")
    assert any(reason.startswith("bluegreen.yaml:7:") and why in reason for reason in found), found
    assert "hunter2" not in "".join(found)


def test_the_same_context_name_in_two_kubeconfigs_is_two_clusters(tmp_path):
    flags = {"from": "admin", "to": "admin", "fromKubeconfig": "/a", "toKubeconfig": "/b"}

    assert loaded(tmp_path, flags=flags).config.to_context == "admin"
    assert "needs two clusters" in reasons(tmp_path, flags={"from": "admin", "to": "admin"})[0]


def test_without_a_file_the_errors_show_what_to_write(tmp_path):
    with pytest.raises(InvalidInputError) as caught:
        load(None, {"from": "old", "to": "new", "namespaces": ["shop"]}, {}, tmp_path)

    assert "there is no bluegreen.yaml here" in caught.value.what
    assert [reason.split(":")[0] for reason in caught.value.reasons] == ["routes", "probes", "objectives"]
    assert "router: haproxy" in caught.value.reasons[0]


def test_no_word_about_a_route_is_told_once(tmp_path):
    found = reasons(tmp_path, SMALL.replace("routes: [{name: r, router: haproxy}]\n", "routes:\n"))

    assert len(found) == 1
    assert "no route: nothing would shift traffic" in found[0]


def test_a_file_that_is_named_must_be_there(tmp_path):
    for given, env in ((Path("other.yaml"), {}), (None, {"BLUEGREEN_CONFIG": "other.yaml"})):
        with pytest.raises(InvalidInputError, match="No such file"):
            load(given, {}, env, tmp_path)


def test_a_broken_file_is_told_with_its_line_and_nothing_else(tmp_path):
    (reason,) = reasons(tmp_path, "from: old\nto: [\n")

    assert reason.startswith("bluegreen.yaml:3:1: is no YAML")


def test_control_characters_of_the_file_never_reach_the_terminal(tmp_path):
    found = reasons(tmp_path, SMALL + '"a\\e[31mb": 1\n')

    assert "\x1b" not in "".join(found)
