"""`bluegreen adapters`: what is installed, whether it loads, and what it must be allowed to do."""

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from bluegreen.migration.permissions import Needed

_PORTS = ("routers", "probes", "movers")


@click.group()
def adapters() -> None:
    """List routers, probes and movers: their state, and the rights that they need."""


@adapters.command("list")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", help="Output format.")
def list_adapters(output: str) -> None:
    """List every installed adapter; one that does not load says why.

    \b
    Exit codes: 0 listed, 2 usage.
    """  # noqa: D301 - \b is click's mark for a block that is not wrapped
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


@adapters.command()
@click.argument("name")
@click.option("--port", type=click.Choice(_PORTS), help="Only the adapter of that port, where several have the name.")
@click.option("-o", "--output", type=click.Choice(["text", "json", "yaml"]), default="text", help="Output format.")
@click.option("--policy", is_flag=True, help="Only the policy documents, as kubectl or a cloud's own tool takes them.")
@click.pass_context
def permissions(ctx: click.Context, /, name: str, port: str | None, output: str, policy: bool) -> None:
    """Print the least that an adapter must be allowed to do.

    \b
    Exit codes: 0 said, or the adapter does not say; 1 unknown, it does not load,
    or no policy with --policy.
    """  # noqa: D301 - \b is click's mark for a block that is not wrapped
    from bluegreen.migration.permissions import permissions_of  # noqa: PLC0415 - loads the adapters' libraries

    found = permissions_of(name, port or "")
    if policy:
        _put_policies(found, name, output)
    elif output == "text":
        _put_words(found)
    else:
        _put_data(
            {"apiVersion": "bluegreen/v1", "kind": "AdapterPermissions", "items": [_needed_json(n) for n in found]},
            output,
        )
    ctx.exit(0 if all(one.loaded for one in found) else 1)


def _needed_json(needed: "Needed") -> dict[str, Any]:
    """Return what one adapter needs as JSON data."""
    said = needed.permissions
    return {
        "port": needed.port,
        "name": needed.name,
        "source": needed.source,
        "lines": list(said.lines) if said else [],
        "policy": dict(said.policy) if said else {},
        "reason": needed.reason,
    }


def _put_words(found: "tuple[Needed, ...]") -> None:
    """Print what each adapter needs, in words, and where its policy is to be had."""
    from bluegreen.cli.text import put  # noqa: PLC0415 - loaded on use

    for needed in found:
        put(f"{needed.port} {needed.name} ({needed.source})")
        for line in needed.permissions.lines if needed.permissions else (f"says nothing: {needed.reason}",):
            put(f"- {line}", 2)
        if needed.permissions and needed.permissions.policy:
            put(f"as a document that can be applied: bluegreen adapters permissions {needed.name} --policy", 2)


def _put_policies(found: "tuple[Needed, ...]", name: str, output: str) -> None:
    """Print the policy documents alone.

    Raises:
        click.ClickException: there is none.
    """
    policies = [dict(one.permissions.policy) for one in found if one.permissions and one.permissions.policy]
    if not policies:
        raise click.ClickException(f"{name} has no policy document; see: bluegreen adapters permissions {name}")
    for policy in policies:
        _put_data(policy, "json" if output == "json" else "yaml")


def _put_data(data: dict[str, Any], output: str) -> None:
    """Print data as JSON, or as one YAML document."""
    if output == "json":
        click.echo(json.dumps(data, indent=2))
        return
    from bluegreen.exporter.yaml_out import dump_yaml  # noqa: PLC0415 - loaded on use

    sys.stdout.write("---\n")
    sys.stdout.write(dump_yaml(data).decode())
