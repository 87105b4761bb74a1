"""`bluegreen migrate`: plan, confirm, run or resume, and say how it ended.

This file asks and prints; what is done is decided in the rooms below.
"""

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Never

import click

from bluegreen.cli.options import load_config, options_to, state_root

if TYPE_CHECKING:
    from bluegreen.migration.context import Run
    from bluegreen.migration.prepare import Prepared


@click.command()
@options_to("move")
@click.option("--steps", metavar="10,50,100", help="Green's share of the traffic in per cent, step by step.")
@click.option("--hold", metavar="DURATION", help="How long a step is held at least, such as 30s.")
@click.option("--bake", metavar="DURATION", help="How long all traffic stays on green before the run is done.")
@click.option("--state", metavar="URL", help="sqlite, or postgresql://… that several workers share.")
@click.option("--state-dir", type=click.Path(path_type=Path), envvar="BLUEGREEN_STATE_DIR", help="Where runs are kept.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option(
    "--dry-run",
    type=click.Choice(["none", "client", "server"]),
    default="none",
    help="Show the plan only; server lets green's API server judge every object.",
)
@click.option(
    "--log-format",
    type=click.Choice(["auto", "live", "text", "json"]),
    default="auto",
    help="auto is the live view on a terminal and event lines elsewhere.",
)
@click.pass_context
def migrate(
    ctx: click.Context, /, state_dir: Path | None, yes: bool, dry_run: str, log_format: str, **options: Any
) -> None:
    """Move namespaces from one cluster to another, step by step.

    Blue keeps serving until green has earned its share, and stays as it was for a rollback.

    \b
    Exit codes: 0 migrated, 1 failed, 2 usage or bad input, 3 reverted (blue
    serves), 4 paused for a person, 5 locked by another process, 6 the
    configuration changed, 130 interrupted.
    """  # noqa: D301 - \b is click's mark for a block that is not wrapped
    from bluegreen.migration.begin import begin, resume  # noqa: PLC0415 - loaded on use
    from bluegreen.migration.prepare import prepare  # noqa: PLC0415

    loaded = load_config(options)
    prepared = prepare(loaded, state_root(state_dir), exclusive=dry_run == "none")
    if dry_run != "none":
        ctx.exit(_dry_run(prepared, server=dry_run == "server"))
    if prepared.unfinished is not None:
        click.echo(f"Going on with migration {prepared.unfinished.path.name}.", err=True)
        _run(resume(prepared), log_format)
    from bluegreen.cli.plan_view import show_plan  # noqa: PLC0415

    show_plan(prepared.describe())
    _confirm(yes, loaded.config.to_context)
    _run(begin(prepared), log_format)


def _dry_run(prepared: "Prepared", *, server: bool) -> int:
    """Print the plan, with green's own verdict on every object when server is set."""
    from bluegreen.cli.plan_view import show_changes, show_plan  # noqa: PLC0415

    show_plan(prepared.describe())
    return show_changes(prepared.changes(server=server))


def _confirm(yes: bool, target: str) -> None:
    """Ask on a terminal; without one, --yes is needed.

    Raises:
        click.UsageError: no terminal and no --yes.
        click.exceptions.Exit: the answer is no.
    """
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.UsageError("there is no terminal to ask on; add --yes to go on without a question.")
    if not click.confirm(f"Move this to {target}?", err=True):
        click.echo("Not confirmed; nothing was changed.", err=True)
        raise click.exceptions.Exit(1)


def _run(run: "Run", log_format: str) -> Never:
    """Run to the end, write the reports, print the last words, and leave with their exit code."""
    from bluegreen.cli.screen import Screen  # noqa: PLC0415
    from bluegreen.migration.begin import conclude  # noqa: PLC0415
    from bluegreen.migration.journal import read_events  # noqa: PLC0415
    from bluegreen.migration.runner import execute, leave, state_url  # noqa: PLC0415

    code = 1
    try:
        with Screen(log_format) as screen:
            screen.catch_up(read_events(run.store.events))
            run.journal.listen(screen.show)
            ending = execute(run, state_url(run.config.state))
            code = ending.exit_code
            reports = conclude(run, ending)
        screen.last_words(ending, reports)
    except OSError as error:
        # A closed terminal or a full disk: the run itself is recorded, its exit code stands.
        with contextlib.suppress(OSError):
            click.echo(f"Error: {error}", err=True)
    finally:
        leave(code)
