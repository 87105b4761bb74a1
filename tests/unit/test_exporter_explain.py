"""The docs table and --explain come from the one list of rules."""

from fake_api import FakeApi, quiet

from bluegreen.exporter.catalogue import RULES
from bluegreen.exporter.explain import explain, rules_markdown
from bluegreen.exporter.export import ExportOptions, export


def test_the_table_holds_every_rule_in_cells_of_equal_number():
    lines = rules_markdown().splitlines()
    assert len(lines) == len(RULES) + 2
    assert {line.replace("\\|", "").count("|") for line in lines} == {8}


def test_each_object_stands_once_above_what_was_done_to_it():
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    root = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt", "namespace": "shop"}}
    bundle = export(FakeApi(namespace, root), ("shop",), "", ExportOptions(hmac_key=b"k"), quiet)
    lines = list(explain(bundle.reports))
    assert lines[0] == "ConfigMap shop/kube-root-ca.crt"
    assert lines[1] == "  leave out: a controller puts green's own there [root-ca]"
    assert lines[2] == "Namespace shop"
    assert "  strip metadata.uid: the server gives a new one [uid]" in lines
