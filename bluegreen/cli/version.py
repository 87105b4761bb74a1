"""`bluegreen version`: this build, and nothing that needs a cluster."""

import click

from bluegreen import __version__


@click.command()
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Output format.")
def version(output: str) -> None:
    """Print the version."""
    if output == "json":
        import json  # noqa: PLC0415 - not needed for text

        click.echo(json.dumps({"apiVersion": "bluegreen/v1", "kind": "Version", "version": __version__}))
    else:
        click.echo(f"bluegreen {__version__}")
