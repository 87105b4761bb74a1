"""`bluegreen plan`: every object with what an import would do to it, before anything is written.

It reads both clusters and asks green for dry runs at most; it makes namespaces where it is told to, and nothing else.
The plan it saves holds no Secret's value.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bluegreen.cli.scope_options import both_options, load_scope

if TYPE_CHECKING:
    from bluegreen.importer.saved import SavedPlan

EXIT_CHANGES = 2
EXIT_USAGE_DETAILED = 64
_FLAG = "--detailed-exitcode"


class DetailedUsageError(click.UsageError):
    """Bad usage where 2 means changes."""

    exit_code = EXIT_USAGE_DETAILED


class DetailedCommand(click.Command):
    """A command whose exit code 2 may mean changes; bad usage is then 64."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse the arguments; a usage error gets the code that the flag asks for."""
        detailed = _FLAG in args
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            if not detailed:
                raise
            raise DetailedUsageError(error.format_message(), error.ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run; with the flag every error is 1, or 64 when the input was bad."""
        from bluegreen.cli.errors import EXIT_USAGE, show_error  # noqa: PLC0415 - only a run needs it
        from bluegreen.model.errors import BluegreenError  # noqa: PLC0415

        if not ctx.params.get("detailed_exitcode"):
            return super().invoke(ctx)
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise DetailedUsageError(error.format_message(), error.ctx) from None
        except BluegreenError as error:
            code = show_error(error)
            ctx.exit(EXIT_USAGE_DETAILED if code == EXIT_USAGE else 1)


@click.command(cls=DetailedCommand)
@both_options("plan for")
@click.option(
    "-o", "--output", type=click.Choice(["table", "wide", "json", "yaml", "html"]), default="table", help="Format."
)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Save the plan for bluegreen apply.")
@click.option("--idle", is_flag=True, help="Plan an import asleep: scaled to 0 and suspended.")
@click.option(
    "--dry-run",
    type=click.Choice(["client", "server"]),
    default="server",
    help="server lets green's API server judge every object; none is written either way.",
)
@click.option(
    "--create-namespaces",
    is_flag=True,
    help="Make namespaces that green lacks, and nothing else: the server judges only what goes into one that is there.",
)
@click.option("--detailed-exitcode", is_flag=True, help="0 nothing to do, 1 error, 2 changes; usage is then 64.")
@click.pass_context
def plan(ctx: click.Context, /, output: str, out: Path | None, idle: bool, dry_run: str, **options: Any) -> None:
    """Show what an import would do to each object; writes none of them.

    \b
    Exit codes: 0 planned, 1 failed, or an object is refused or in conflict,
    2 usage or bad input. With --detailed-exitcode: 0 nothing to do, 1 as above,
    2 changes, 64 usage or bad input.
    """  # noqa: D301 - \b is click's mark for a block that is not wrapped
    from bluegreen.cli.bulk import hold_many_objects  # noqa: PLC0415 - loaded on use

    hold_many_objects()
    from bluegreen.cli.files import check_target  # noqa: PLC0415
    from bluegreen.cli.progress import means, tell  # noqa: PLC0415
    from bluegreen.migration.plans import make_plan  # noqa: PLC0415
    from bluegreen.migration.scope import open_both  # noqa: PLC0415

    if out is not None:
        check_target(out)
    detailed, making = options.pop("detailed_exitcode"), options.pop("create_namespaces")
    if making and dry_run != "server":
        raise click.UsageError("--create-namespaces is for the server's judgement; leave out --dry-run client.")
    scope = load_scope(options)
    blue, green = open_both(scope)
    how = means(0.0) if making else None
    kept = out is not None or output not in ("table", "wide")
    saved = make_plan(blue, green, scope, tell, idle=idle, server=dry_run == "server", making=how, kept=kept)
    if out is not None:
        _save(saved, out)
    _show(saved, output)
    ctx.exit(_code(saved, detailed=detailed))


def _code(saved: "SavedPlan", *, detailed: bool) -> int:
    """Return the exit code of a plan."""
    from bluegreen.cli.changes_view import bad  # noqa: PLC0415 - loaded on use
    from bluegreen.importer.decide import Verdict  # noqa: PLC0415

    if bad(saved.plan.entries):
        return 1
    changes = saved.plan.count(Verdict.CREATE) + saved.plan.count(Verdict.CHANGE)
    return EXIT_CHANGES if detailed and changes else 0


def _save(saved: "SavedPlan", path: Path) -> None:
    """Write the plan as a file that only its owner reads, whole or not at all."""
    import json  # noqa: PLC0415 - loaded on use

    from bluegreen.cli.files import cannot_write  # noqa: PLC0415

    work = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(work, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(saved.to_json(), file, indent=1, ensure_ascii=True)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        work.replace(path)
    except OSError as error:
        work.unlink(missing_ok=True)
        raise cannot_write(path, error.strerror or "it failed") from None
    click.echo(f"Saved the plan to {path}. Next: bluegreen apply {path}", err=True)


def _show(saved: "SavedPlan", output: str) -> None:
    """Print the plan on stdout."""
    match output:
        case "json":
            from bluegreen.cli.text import put_json  # noqa: PLC0415 - loaded on use

            put_json(saved.to_json())
        case "yaml":
            from bluegreen.exporter.yaml_out import dump_yaml  # noqa: PLC0415

            sys.stdout.buffer.write(dump_yaml(saved.to_json()))
        case "html":
            from bluegreen.cli.pages import plan_page  # noqa: PLC0415

            click.echo(plan_page(saved.to_json()), nl=False)
        case _:
            from bluegreen.cli.changes_view import show_entries, warn  # noqa: PLC0415

            warn(saved.remarks)
            show_entries(saved.plan.entries, saved.left_out, wide=output == "wide")
