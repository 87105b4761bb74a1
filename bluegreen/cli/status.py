"""`bluegreen status`: where the newest migration stands, from its events alone; needs no cluster."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bluegreen.cli.options import state_root

if TYPE_CHECKING:
    from bluegreen.migration.store import Store

_LOOK_SECONDS = 0.2
_NOBODY, _TIMED_OUT = 1, 124


@click.command()
@click.argument("migration", required=False)
@click.option("--state-dir", type=click.Path(path_type=Path), envvar="BLUEGREEN_STATE_DIR", help="Where runs are kept.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Output format.")
@click.option("-w", "--watch", is_flag=True, help="Follow it until it ends; exit with the code it ends with.")
@click.option("--timeout", type=float, metavar="SECONDS", help="With --watch: how long to follow; then exit code 124.")
@click.pass_context
def status(ctx: click.Context, /, migration: str | None, state_dir: Path | None, output: str, **following: Any) -> None:
    """Show where the newest migration stands, or the one that is named.

    \b
    Exit codes: 0 shown, 1 there is no such migration. With --watch the code that
    the run ends with (as of bluegreen migrate), 1 no process runs it, 124 the
    time of --timeout is over.
    """  # noqa: D301 - \b is click's mark for a block that is not wrapped
    from bluegreen.migration.store import pick  # noqa: PLC0415 - loaded on use

    root = state_root(state_dir)
    store = pick(root, migration)
    if not (following["watch"] and output == "json"):
        _show(store, output)
    if following["watch"]:
        ctx.exit(_follow(store, root, following["timeout"], as_json=output == "json"))


def _show(store: "Store", output: str) -> None:
    """Print where it stands."""
    from bluegreen.migration.begin import report_files  # noqa: PLC0415
    from bluegreen.migration.journal import read_events  # noqa: PLC0415
    from bluegreen.report.fold import fold  # noqa: PLC0415
    from bluegreen.report.json_report import json_report  # noqa: PLC0415
    from bluegreen.report.status import status_lines  # noqa: PLC0415

    view = fold(read_events(store.events))
    if output == "json":
        click.echo(json_report(view), nl=False)
        return
    for line in status_lines(view):
        click.echo(line)
    click.echo(f"reports: {report_files(store).html}")


def _follow(store: "Store", root: Path, timeout: float | None, *, as_json: bool) -> int:
    """Print each event from now on; return the exit code of the run, or why nothing more will come."""
    from bluegreen.report.lines import Lines, json_line  # noqa: PLC0415

    lines = Lines()
    for event in _events(store, root, timeout):
        if event is None:
            click.echo("Still going on; the time to follow it is over.", err=True)
            return _TIMED_OUT
        for line in (json_line(event),) if as_json else lines.of(event):
            click.echo(line)
        if event.name == "run.finished":
            return int(event.data.get("exit_code") or 0)
        if event.name == "run.paused" and event.data.get("ended"):
            return 4
    click.echo("No process runs it; go on with the same bluegreen migrate, or: bluegreen revert", err=True)
    return _NOBODY


def _events(store: "Store", root: Path, timeout: float | None) -> Iterator[Any]:
    """Yield events as they come, after what an ended run said last; None when time is up."""
    from bluegreen.migration.command import is_running  # noqa: PLC0415
    from bluegreen.migration.journal import read_events  # noqa: PLC0415

    known = 0 if store.outcome() else len(read_events(store.events))
    end = time.monotonic() + timeout if timeout is not None else None
    while True:
        running = is_running(store, root)
        events = read_events(store.events)
        yield from events[known:]
        known = len(events)
        if not running:
            return
        if end is not None and time.monotonic() >= end:
            yield None
        time.sleep(_LOOK_SECONDS)
