"""`bluegreen pause`, `resume`, `promote`, `abort`: orders to a running migration from another terminal.

They ask nothing and wait until the run has heard them, so that who typed one knows what came of it.
"""

import getpass
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bluegreen.cli.options import state_root

_HELP = {
    "pause": "Hold the weights where they are; green is judged on, and goes back when it fails.\n\n"
    "Another order ends the pause. When none has come within timeouts.pause, the process ends with code 4; the weights "
    "stay, nobody judges any more, and the same bluegreen migrate goes on.",
    "resume": "Go on after a pause.",
    "promote": "Approve the step that waits for it, or take the next one without waiting for the gate.",
    "abort": "End the migration: before traffic moves at once, afterwards by sending everybody back to blue.\n\n"
    "A move of volumes that is under way is cancelled.",
}
_CODES = """

\b
Exit codes: 0 the run follows it, or will at its next safe point, 1 it changes
nothing, the run has ended, or no process runs it, 2 usage.
"""


def _command(name: str) -> click.Command:
    """Return the command of an order."""

    @click.command(name, help=_HELP[name] + _CODES)
    @click.argument("migration", required=False)
    @click.option(
        "--state-dir", type=click.Path(path_type=Path), envvar="BLUEGREEN_STATE_DIR", help="Where runs are kept."
    )
    @click.option(
        "--timeout", type=float, default=15.0, show_default=True, metavar="SECONDS", help="How long to wait for it."
    )
    @click.pass_context
    def command(ctx: click.Context, migration: str | None, state_dir: Path | None, timeout: float) -> None:
        ctx.exit(_order(name, migration, state_root(state_dir), timeout))

    return command


def _order(name: str, migration: str | None, root: Path, timeout: float) -> int:
    """Give the order, wait for the run to take it, and say what came of it."""
    from bluegreen.migration.command import answer_to, order  # noqa: PLC0415 - loaded on use
    from bluegreen.migration.store import pick  # noqa: PLC0415

    store = pick(root, migration)
    given = order(store, root, name, f"{getpass.getuser()}@{socket.gethostname()}")
    found = _within(timeout, lambda: answer_to(store, given))
    if found is None:
        click.echo(
            f"Noted: {store.path.name} has not come to it within {timeout:g} s and will at its next safe point; "
            "follow it with: bluegreen status -w",
            err=True,
        )
        return 0
    if found.name == "order.ignored":
        click.echo(f"Error: {name} changes nothing in phase {found.data['phase']} of {store.path.name}.", err=True)
        return 1
    click.echo(f"{store.path.name}: {name} is being followed (was in {found.data['phase']}).", err=True)
    return 0


def _within(seconds: float, look: Callable[[], Any]) -> Any:
    """Look until there is something, or time is up."""
    end = time.monotonic() + seconds
    while (found := look()) is None and time.monotonic() < end:
        time.sleep(0.1)
    return found


pause, resume, promote, abort = (_command(name) for name in _HELP)
