"""`bluegreen config`: the effective values and where each came from."""

import json
from typing import Any

import click

from bluegreen.cli.options import load_config, options_to


@click.group()
def config() -> None:
    """Show the effective configuration and where each value came from."""


@config.command()
@options_to("move")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", help="Output format.")
def view(output: str, **options: Any) -> None:
    """Print every effective value with its origin: flag, environment, file and line, or default.

    \b
    Exit codes: 0 shown, 2 usage or bad input.
    """  # noqa: D301 - \b is click's mark for a block that is not wrapped
    loaded = load_config(options)
    rows = [(row.key, row.value, str(row.origin)) for row in loaded.rows()]
    if output == "json":
        items = [{"key": key, "value": value, "origin": origin} for key, value, origin in rows]
        click.echo(json.dumps({"apiVersion": "bluegreen/v1", "kind": "ConfigView", "items": items}, indent=2))
        return
    widths = [max(len(row[column]) for row in [("KEY", "VALUE", ""), *rows]) for column in range(2)]
    for key, value, origin in [("KEY", "VALUE", "FROM"), *rows]:
        click.echo(f"{key.ljust(widths[0])}  {value.ljust(widths[1])}  {origin}")
