"""The committed reference is what the models say, and the schema knows what the loader knows."""

import json

from bluegreen.config.schema import _SECTIONS, PAGE_FILE, REFERENCE, SCHEMA_FILE, json_schema, reference_page


def test_every_key_has_a_sentence():
    fields = [(f"{title}.{name}", field) for title, model in _SECTIONS for name, field in model.model_fields.items()]

    assert fields
    assert [name for name, field in fields if not field.description] == []


def test_the_committed_files_are_the_generated_ones():
    hint = "run: python -m bluegreen.config.schema"

    assert (REFERENCE / SCHEMA_FILE).read_text() == json_schema(), hint
    assert (REFERENCE / PAGE_FILE).read_text() == reference_page(), hint


def test_the_schema_forbids_what_the_loader_forbids():
    schema = json.loads(json_schema())

    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"from", "to", "namespaces", "routes", "probes", "objectives"}
    assert all(part["additionalProperties"] is False for part in schema["$defs"].values())
    assert "with" in schema["$defs"]["Route"]["properties"]
