"""The entry point: the command table, loaded on use, and what errors and signals turn into.

Help must not load a room below: the table holds each command's one line, and its module is imported when it runs.
"""

import atexit
import contextlib
import importlib
import os
import signal
import sys
import threading
from typing import NoReturn

import click

from bluegreen import __version__

# name: (module:attribute, one line of help)
COMMANDS = {
    "abort": ("bluegreen.cli.orders:abort", "End a running migration; everybody goes back to blue."),
    "adapters": ("bluegreen.cli.adapters:adapters", "List routers, probes and movers; say what they need."),
    "apply": ("bluegreen.cli.apply:apply", "Do what a saved plan says, if it still holds."),
    "assess": ("bluegreen.cli.assess:assess", "Look for what would stop or hurt a migration."),
    "config": ("bluegreen.cli.config:config", "Show the effective configuration and where each value came from."),
    "export": ("bluegreen.cli.export:export", "Write the cleaned objects of namespaces as a bundle."),
    "import": ("bluegreen.cli.import_:import_", "Apply the objects of a bundle to a cluster."),
    "init": ("bluegreen.cli.init:init", "Look at both clusters and write a starter bluegreen.yaml."),
    "migrate": ("bluegreen.cli.migrate:migrate", "Move namespaces from one cluster to another, step by step."),
    "pause": ("bluegreen.cli.orders:pause", "Hold a running migration where it is; green is judged on."),
    "plan": ("bluegreen.cli.plan:plan", "Show what an import would do to each object; writes nothing."),
    "promote": ("bluegreen.cli.orders:promote", "Approve a step that waits for it, or take the next one now."),
    "report": ("bluegreen.cli.report:report", "Write the reports of a migration again."),
    "resume": ("bluegreen.cli.orders:resume", "Let a paused migration go on."),
    "revert": ("bluegreen.cli.revert:revert", "Send all traffic back to blue."),
    "status": ("bluegreen.cli.status:status", "Show where the newest migration stands."),
    "traffic": ("bluegreen.cli.traffic:traffic", "Show, set, watch or finalize the weights of the routes by hand."),
    "verify": ("bluegreen.cli.verify:verify", "Compare both clusters and list what differs."),
    "version": ("bluegreen.cli.version:version", "Print the version."),
}
EXIT_INTERRUPTED, EXIT_TERMINATED = 130, 143


class LazyGroup(click.Group):
    """A group that knows its commands' names and help, and imports one when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command; its errors name it."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{attribute} is no command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest the nearest name for an unknown one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches  # noqa: PLC0415 - only a typing error needs it

            close = get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the table without importing the commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])


@click.command(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "BLUEGREEN"}
)
@click.version_option(__version__, prog_name="bluegreen")
def main() -> None:
    """Move the workloads of one Kubernetes cluster (blue) to another (green) while users keep being served.

    Start with: bluegreen migrate --from OLD --to NEW --dry-run=server
    """


def run() -> None:
    """Run the command line and exit with a documented code."""
    for number in _STOPS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as a shell does for a job in the background
            signal.signal(number, _stopped)
    name = os.path.basename(sys.argv[0]).replace("kubectl-", "kubectl ")  # noqa: PTH119 - pathlib costs start-up time
    try:
        code = main.main(standalone_mode=False, prog_name=name)
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt) as stop:
        cause = stop.__cause__ or stop  # click makes an Abort of it
        click.echo(str(cause) if isinstance(cause, StoppedError) else "Stopped.", err=True)
        code = _code_of_stop()
    except BrokenPipeError:
        # The reader of our output went away, as in `| head`; a trace back would help nobody.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except Exception as error:  # noqa: BLE001 - ours are shown, others are raised again
        code = _show(error)
    except BaseException:
        if not _signals:
            raise
        click.echo("Stopped.", err=True)  # a library in another language makes an error of its own of it
        code = _code_of_stop()
    _leave(code if isinstance(code, int) else 0)


def _leave(code: int) -> NoReturn:
    """End the process as the interpreter does, but without taking it down piece by piece.

    That would free a million small objects, and take TLS away under a thread that is still reading.
    """
    with contextlib.suppress(KeyboardInterrupt):
        threading._shutdown()  # type: ignore[attr-defined] # noqa: SLF001 - waits for threads that are to be waited for
    for number in _STOPS:
        signal.signal(number, signal.SIG_IGN)  # it is ending
    atexit._run_exitfuncs()  # noqa: SLF001 - what must be removed, such as a key in a temporary file
    with contextlib.suppress(OSError, ValueError):  # the interpreter tells what could not be written
        for stream in filter(None, (sys.stdout, sys.stderr)):  # None where it was closed by the caller
            stream.flush()
        os._exit(code)
    sys.exit(code)


class StoppedError(KeyboardInterrupt):
    """Stopped by a person in the middle of writing; the text says what stays and how to go on."""


_STOPS = (signal.SIGINT, signal.SIGTERM)
_signals: list[int] = []


def _stopped(number: int, _frame: object) -> None:
    """Stop, whichever signal it was: what was begun is cleaned up, such as a client's key in a temporary file."""
    _signals.append(number)
    raise KeyboardInterrupt


def _code_of_stop() -> int:
    return EXIT_TERMINATED if signal.SIGTERM in _signals else EXIT_INTERRUPTED


def _show(error: Exception) -> int:
    """Print one of our errors and return its exit code; others pass through."""
    from bluegreen.cli.errors import show_error  # noqa: PLC0415 - only an error needs it

    return show_error(error)
