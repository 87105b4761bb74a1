"""How an error looks on the terminal, and which exit code it means.

What, why and what to type next; several reasons one below the other. What the operating system refuses is told as it
says it; other exceptions are bugs and keep their trace.
"""

import errno

import click

from bluegreen.model.errors import BluegreenError, InvalidInputError, LockedError, StalePlanError

EXIT_FAILED, EXIT_USAGE, EXIT_LOCKED, EXIT_STALE = 1, 2, 5, 6


def exit_code_of(error: BluegreenError) -> int:
    """Return the documented exit code of an error."""
    match error:
        case InvalidInputError():
            return EXIT_USAGE
        case LockedError():
            return EXIT_LOCKED
        case StalePlanError():
            return EXIT_STALE
        case _:
            return EXIT_FAILED


def show_error(error: Exception) -> int:
    """Print an error on stderr and return its exit code.

    Raises:
        Exception: the error itself when it is none of ours.
    """
    if isinstance(error, OSError) and error.strerror:
        return _show_system(error)
    if not isinstance(error, BluegreenError):
        raise error
    click.echo(f"Error: {error.what} [{error.code}]", err=True)
    reasons = error.reasons if isinstance(error, InvalidInputError) else ((error.why,) if error.why else ())
    for reason in reasons:
        click.echo(f"  - {reason}", err=True)
    if error.next_step:
        click.echo(f"Next: {error.next_step}", err=True)
    return exit_code_of(error)


def _show_system(error: OSError) -> int:
    """Print what the operating system refused, such as a write to a full disk, and return the exit code."""
    where = f" {error.filename}" if error.filename else ""
    click.echo(
        f"Error: the system refused{where}: {error.strerror} [system.{errno.errorcode.get(error.errno or 0, '?')}]",
        err=True,
    )
    click.echo("Next: look at the path, its permissions and the space left there; then run it again", err=True)
    return EXIT_FAILED
