"""The JSON Schema and the reference page, written from the same models that the loader checks with.

`python -m bluegreen.config.schema` writes both; a test holds that the committed files are what this writes.
It must never say anything that the models do not.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bluegreen.config import models, patches
from bluegreen.config.example import EXAMPLE
from bluegreen.config.export import Export
from bluegreen.config.layers import SETTABLE, variable_of
from bluegreen.config.transform import Transform

SCHEMA_FILE = "bluegreen.schema.json"
PAGE_FILE = "config.md"
REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
_SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("Top level", models.Migration),
    ("steps[]", models.Step),
    ("data", models.Data),
    ("export", Export),
    ("transform", Transform),
    ("transform.patches[]", patches.Patch),
    ("transform.patches[].match", patches.PatchMatch),
    ("transform.patches[].json[]", patches.PatchOperation),
    ("routes[]", models.Route),
    ("probes[]", models.Probe),
    ("objectives[]", models.Objective),
    ("objectives[].burnRates[]", models.BurnRate),
    ("verify[]", models.Check),
    ("verify[].exec", models.Exec),
    ("timeouts", models.Timeouts),
    ("notify[]", models.Notify),
)
_FORMATS = {"go-duration": "duration", "percent": "per cent", "label": "name"}
_INTRO = f"""\
# bluegreen.yaml

Written by `python -m bluegreen.config.schema` from the models in `bluegreen/config/`; do not edit.
Editors check the file as you type with [{SCHEMA_FILE}]({SCHEMA_FILE}); put this into its first line:

```yaml
# yaml-language-server: $schema=docs/reference/{SCHEMA_FILE}
```

The file is looked for as `bluegreen.yaml` in the working directory; `--config` or `BLUEGREEN_CONFIG` names another.
A flag wins over an environment variable, that over the file, the file over the default; `bluegreen config view`
shows where each value came from. Every error of a file is told at once, with line and column.

- Durations have a unit: `500ms`, `90s`, `2m`, `1h30m`.
- Shares are in per cent with the sign: `99.9%`.
- Only `true` and `false` are booleans and only plain decimal numbers are numbers: `no`, `on`, `010`, `12:30` are text.
- A key that is written twice, a key that nobody knows, a tag or a merge key is an error.
- Secrets stand as references: `env:NAME` (environment variable) or `file:PATH` (content of a file). A key that
  names a secret, such as `password` or `token`, takes nothing else.
- A relative kubeconfig path starts at the directory of the file that it is written in.

## A complete example

```yaml
{EXAMPLE}```
"""


def json_schema() -> str:
    """Return the JSON Schema as the file holds it."""
    schema = models.Migration.model_json_schema(by_alias=True, mode="validation")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$comment": "written by bluegreen.config.schema"}
    return json.dumps({**head, **schema}, indent=2, ensure_ascii=False) + "\n"


def reference_page() -> str:
    """Return the reference page as the file holds it."""
    parts = [_INTRO, *(_section(title, model) for title, model in _SECTIONS), _outside()]
    return "\n".join(parts)


def write(directory: Path) -> None:
    """Write both files."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / SCHEMA_FILE).write_text(json_schema(), encoding="utf-8")
    (directory / PAGE_FILE).write_text(reference_page(), encoding="utf-8")


def _section(title: str, model: type[BaseModel]) -> str:
    properties = models.Migration.model_json_schema()["$defs"] | {
        "Migration": models.Migration.model_json_schema(),
    }
    shape = properties[model.__name__]["properties"]
    lines = [
        f"## {title}",
        "",
        (model.__doc__ or "").strip(),
        "",
        "| key | value | default | meaning |",
        "|---|---|---|---|",
    ]
    for name, field in model.model_fields.items():
        key = field.alias or name
        cells = (f"`{key}`", _kind(shape[key]), _default(field, shape[key]), field.description or "")
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _kind(shape: dict[str, Any]) -> str:
    """Return what a value looks like, in words."""
    if "$ref" in shape:
        return "mapping, see below"
    if "const" in shape:
        return f"`{shape['const']}`"
    options = [option for option in shape.get("anyOf", ()) if option.get("type") != "null"]
    if options:
        return " or ".join(_kind(option) for option in options)
    if shape.get("type") == "array":
        return f"list of {_kind(shape['items'])}"
    if shape.get("format") in _FORMATS:
        return _FORMATS[shape["format"]]
    return {
        "string": "text",
        "integer": "whole number",
        "number": "number",
        "boolean": "`true` or `false`",
        "": "any value",
    }.get(shape.get("type", ""), "mapping")


def _default(field: FieldInfo, shape: dict[str, Any]) -> str:
    if field.is_required():
        return "**required**"
    if field.default is None:
        return "none"
    value = shape.get("default", field.default_factory and {})
    if value in ([], {}, ()):
        return "empty"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _outside() -> str:
    rows = [f"| `{key}` | `{variable_of(key)}` |" for key in SETTABLE]
    head = [
        "## Outside the file",
        "",
        "These keys can be set for one run by an environment variable, and by the flags that `--help` lists.",
        "Lists are written with commas. An empty variable is as good as none.",
        "",
        "| key | variable |",
        "|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n"


if __name__ == "__main__":
    write(REFERENCE)
