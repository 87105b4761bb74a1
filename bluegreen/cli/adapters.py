"""`bluegreen adapters`: what is installed and whether it loads."""

import json
from dataclasses import asdict

import click


@click.group()
def adapters() -> None:
    """List routers, probes, movers and notifiers with their state."""


@adapters.command("list")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", help="Output format.")
def list_adapters(output: str) -> None:
    """List every installed adapter; one that does not load says why."""
    from bluegreen.migration.plugins import adapter_states  # noqa: PLC0415 - loads the adapters' libraries

    states = adapter_states()
    if output == "json":
        click.echo(
            json.dumps(
                {"apiVersion": "bluegreen/v1", "kind": "AdapterList", "items": [asdict(s) for s in states]}, indent=2
            )
        )
        return
    rows = [("PORT", "NAME", "STATE", "FROM", "REASON")]
    rows += [(s.group.removeprefix("bluegreen."), s.name, s.state, s.source, s.reason) for s in states]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*cells, row[4]]).rstrip())
