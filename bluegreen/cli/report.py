"""`bluegreen report`: the reports of a migration, made again from its events."""

from pathlib import Path

import click

from bluegreen.cli.options import state_root


@click.command()
@click.argument("migration", required=False)
@click.option("--state-dir", type=click.Path(path_type=Path), envvar="BLUEGREEN_STATE_DIR", help="Where runs are kept.")
def report(migration: str | None, state_dir: Path | None) -> None:
    """Write the HTML and JSON reports of the newest migration again, or of the one that is named.

    \b
    Exit codes: 0 written, 1 there is no such migration, or no place to write to.
    """  # noqa: D301 - \b is click's mark for a block that is not wrapped
    from bluegreen.migration.begin import write_reports  # noqa: PLC0415 - loaded on use
    from bluegreen.migration.store import pick  # noqa: PLC0415

    reports = write_reports(pick(state_root(state_dir), migration))
    click.echo(reports.html)
    click.echo(reports.json)
