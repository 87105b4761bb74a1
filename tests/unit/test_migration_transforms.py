"""Patches of bluegreen.yaml in a migration and in a saved plan: warned about, refused in time, shown and kept."""

import json

import pytest
from fake_api import FakeApi, quiet

from bluegreen.cli.pages import plan_page
from bluegreen.config.example import EXAMPLE
from bluegreen.config.loader import load
from bluegreen.importer.rewrite import rewrite
from bluegreen.importer.saved import read_saved
from bluegreen.migration import objects, plans
from bluegreen.migration.assessing import assess_scope
from bluegreen.migration.bundles import Means
from bluegreen.migration.scope import Scope
from bluegreen.migration.transforms import transform_options
from bluegreen.model.errors import InvalidInputError
from bluegreen.model.findings import Severity
from bluegreen.model.refs import ClusterId, ObjectRef

MEANS = Means(quiet, lambda: 0.0, lambda _: None)
CONF = ObjectRef("v1", "ConfigMap", "shop", "conf")
SECRET = ObjectRef("v1", "Secret", "shop", "password")


class Named(FakeApi):
    def __init__(self, name, *given):
        super().__init__(*given)
        self.name = name

    @property
    def id(self):
        return ClusterId(self.name, f"uid-of-{self.name}", "v1.34.0", "https://fake")


@pytest.fixture
def blue():
    meta = {"namespace": "shop"}
    return Named(
        "old",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf", **meta}, "data": {"a": "1"}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "password", **meta}, "data": {"p": "Y2FuYXJ5"}},
    )


def configured(tmp_path, patches):
    before, _, after = EXAMPLE.partition("  patches:")
    text = f"{before}  patches:\n{patches}\n{after[after.index('routes:') :]}"
    (tmp_path / "bluegreen.yaml").write_text(text)
    return load(None, {}, {}, tmp_path).config


PATCHES = """\
    - {name: level, match: {kind: ConfigMap}, merge: {data: {a: null, b: "2"}}}
    - {name: rename, match: {kind: Secret}, json: [{op: move, from: /data/p, path: /data/q}]}
    - {name: nowhere, match: {kind: Deployment}, merge: {spec: {replicas: 1}}}
"""


def test_a_migration_patches_and_warns_about_what_matches_nothing(blue, tmp_path):
    config = configured(tmp_path, PATCHES)
    bundle = objects.read_blue(blue, config)
    (conf,) = (obj for obj in objects.for_green(bundle, config) if obj["kind"] == "ConfigMap")
    assert conf["data"] == {"b": "2"}
    (finding,) = objects.cautions(rewrite(bundle.objects, transform_options(config.transform)))
    assert (finding.severity, finding.subject) == (Severity.WARNING, "patch nowhere")
    rows = objects.changes(bundle, blue, Named("new"), config, server=False)
    assert {row["object"]: row["reason"].partition("; ")[2] for row in rows} == {
        "Namespace shop": "",
        "ConfigMap shop/conf": "patched by level",
        "Secret shop/password": "patched by rename",
    }


def test_a_patch_that_cannot_be_applied_stops_a_migration_before_it_begins(blue, tmp_path):
    config = configured(tmp_path, "    - {name: no, match: {kind: Secret}, json: [{op: remove, path: /data/x}]}")
    bundle = objects.read_blue(blue, config)
    with pytest.raises(
        InvalidInputError, match="patch no, Secret shop/password: operation 1, remove /data/x"
    ) as caught:
        objects.for_green(bundle, config)
    assert "Y2FuYXJ5" not in str(caught.value)


def assessed(blue, tmp_path, patches):
    how = transform_options(configured(tmp_path, patches).transform)
    found = assess_scope(blue, Named("new"), Scope("old", "new", namespaces=("shop",), transform=how), quiet)
    told = {(f.rule, f.severity, f.subject): f.reason for f in found.findings if f.rule.startswith("transform")}
    assert "Y2FuYXJ5" not in str(found)
    return told, found


def test_an_assessment_tells_of_patches_that_match_nothing_or_cannot_be_applied(blue, tmp_path):
    bad = "    - {name: no, match: {kind: Secret}, json: [{op: remove, path: /data/x}]}\n"
    must = "    - {name: must, match: {kind: Job}, required: true, merge: {spec: {suspend: true}}}\n"
    told, found = assessed(blue, tmp_path, PATCHES + bad + must)
    assert {key: why[:22] for key, why in told.items()} == {
        ("transform-patch", Severity.BLOCKER, "patch no, Secret shop/password"): "operation 1, remove /d",
        ("transform-patch", Severity.BLOCKER, "patch must"): "it matches no object a",
        ("transform", Severity.WARNING, "patch nowhere"): "it matches no object; ",
    }
    assert found.findings[0].severity is Severity.BLOCKER, "the worst stands first"
    assert assessed(blue, tmp_path, PATCHES.splitlines()[0])[0] == {}


def test_a_saved_plan_shows_patches_and_applies_them_without_the_file(blue, tmp_path):
    how = transform_options(configured(tmp_path, PATCHES).transform)
    green = Named("new")
    scope = Scope("old", "new", namespaces=("shop",), transform=how)
    made = plans.make_plan(blue, green, scope, quiet, idle=False, server=False)
    text = json.dumps(made.to_json())
    page = plan_page(made.to_json())
    saved = read_saved(text.encode(), "p")

    assert "Y2FuYXJ5" not in text + page
    assert [str(remark) for remark in saved.remarks] == ["patch nowhere: it matches no object; look at its match"]
    assert "it matches no object" in page
    assert "patch level: <code>data.b: (absent)" in page
    assert [e.effects for e in saved.plan.entries] == [e.effects for e in made.plan.entries]
    plans.apply_plan(saved, (blue, green), plans.scope_of(saved, Scope()), frozenset(), MEANS)
    assert green.get(CONF)["data"] == {"b": "2"}
    assert green.get(SECRET)["data"] == {"q": "Y2FuYXJ5"}
    assert plans.make_plan(blue, green, scope, quiet, idle=False, server=False).to_json()["summary"]["equal"] == 3
