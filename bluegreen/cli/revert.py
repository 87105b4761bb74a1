"""`bluegreen revert`: a person's order to send all traffic back to blue, now.

It asks nothing: who types it is in a hurry. It needs the routes only, no cluster.
"""

from pathlib import Path
from typing import Any

import click

from bluegreen.cli.options import config_options, load_config, state_root


@click.command()
@config_options
@click.option("--state-dir", type=click.Path(path_type=Path), envvar="BLUEGREEN_STATE_DIR", help="Where runs are kept.")
def revert(state_dir: Path | None, **options: Any) -> None:
    """Send all traffic back to blue, at once, if blue is healthy.

    Green is left running. A migration that was under way has ended with it; stop its process first.
    """
    from bluegreen.migration.begin import write_reports  # noqa: PLC0415 - loaded on use
    from bluegreen.migration.go_back import go_back  # noqa: PLC0415
    from bluegreen.report.lines import Lines  # noqa: PLC0415

    lines = Lines()

    def show(event: Any) -> None:
        for line in lines.of(event):
            click.echo(line, err=True)

    store = go_back(load_config(options).config, state_root(state_dir), show)
    click.secho("Reverted: blue serves all traffic.", err=True, bold=True)
    if store is not None:
        click.echo(f"Report: {write_reports(store).html}", err=True)
