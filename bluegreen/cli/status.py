"""`bluegreen status`: where the newest migration stands, from its events alone; needs no cluster."""

from pathlib import Path

import click

from bluegreen.cli.options import state_root


@click.command()
@click.argument("migration", required=False)
@click.option("--state-dir", type=click.Path(path_type=Path), envvar="BLUEGREEN_STATE_DIR", help="Where runs are kept.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Output format.")
def status(migration: str | None, state_dir: Path | None, output: str) -> None:
    """Show where the newest migration stands, or the one that is named."""
    from bluegreen.migration.begin import report_files  # noqa: PLC0415 - loaded on use
    from bluegreen.migration.journal import read_events  # noqa: PLC0415
    from bluegreen.migration.store import pick  # noqa: PLC0415
    from bluegreen.report.fold import fold  # noqa: PLC0415
    from bluegreen.report.json_report import json_report  # noqa: PLC0415
    from bluegreen.report.status import status_lines  # noqa: PLC0415

    store = pick(state_root(state_dir), migration)
    view = fold(read_events(store.events))
    if output == "json":
        click.echo(json_report(view), nl=False)
        return
    for line in status_lines(view):
        click.echo(line)
    click.echo(f"reports: {report_files(store).html}")
