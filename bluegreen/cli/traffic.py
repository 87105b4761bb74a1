"""`bluegreen traffic`: the weights of the routes by hand: shown, set, watched; and what a write leaves, removed.

It asks and prints; comparing, writing and the care for migrations under way are in the room below.
"""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bluegreen.cli.change_line import change_line
from bluegreen.cli.options import load_config, route_options, state_root

if TYPE_CHECKING:
    from bluegreen.migration.hand import Marked, Move
    from bluegreen.migration.look import Glance, Seen

_SHORTEST = 0.1
_route_option = click.option("--route", "routes", metavar="NAME", multiple=True, help="Only this route; repeatable.")
_yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
_force_option = click.option(
    "--force", multiple=True, metavar="RULE", help="Go on although that rule says no; repeatable."
)
_state_option = click.option(
    "--state-dir", type=click.Path(path_type=Path), envvar="BLUEGREEN_STATE_DIR", help="Where runs are kept."
)


class Interval(click.ParamType[float]):
    """A Go duration of at least a tenth of a second."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds."""
        from bluegreen.model.durations import parse_duration  # noqa: PLC0415 - loaded on use

        try:
            seconds = value if isinstance(value, float) else parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if seconds < _SHORTEST:
            self.fail(f"must be at least 100ms, not {value}", param, ctx)
        return seconds


@click.group()
def traffic() -> None:
    """Show, set or watch the weights of the routes by hand, and remove what a write leaves beside them."""


@traffic.command()
@route_options
@_route_option
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", help="Output format.")
@click.pass_context
def show(ctx: click.Context, /, routes: tuple[str, ...], output: str, **options: Any) -> None:
    """Show what each route serves now.

    \b
    Exit codes: 0 every route was read, 1 one could not be, 2 usage or bad input.
    """  # noqa: D301 - \b is click's mark for a block that is not wrapped
    from bluegreen.migration.look import Lookout, chosen  # noqa: PLC0415 - loaded on use

    config = load_config(options).config
    seen = Lookout(config, chosen(config, routes)).look()
    if output == "json":
        from bluegreen.cli.text import put_json  # noqa: PLC0415

        put_json({"apiVersion": "bluegreen/v1", "kind": "TrafficWeights", "items": [one.to_json() for one in seen]})
    else:
        _table(seen)
    ctx.exit(1 if any(one.code for one in seen) else 0)


def _table(seen: "tuple[Seen, ...]") -> None:
    """Print the routes as a table, and what went wrong below it on stderr."""
    from bluegreen.cli.text import put, put_table  # noqa: PLC0415 - loaded on use

    head = ("ROUTE", "ROUTER", "BLUE", "GREEN", "SETTLED", "POSITIONS", "SETTLES IN", "OWNER")
    put_table(head, [_cells(one) for one in seen])
    for one in seen:
        if one.code:
            put(f"{one.name}: {one.fault}", err=True)
            if one.next_step:
                put(f"next: {one.next_step}", 2, err=True)


def _cells(one: "Seen") -> tuple[str, ...]:
    """Return the cells of one route; a question mark stands for what is not known."""
    settle = "?" if one.settle_seconds is None else f"{one.settle_seconds:g}s"
    blue, green = (f"{one.weights.blue} %", f"{one.weights.green} %") if one.weights else ("?", "?")
    return (one.name, one.router, blue, green, _settled(one), str(one.resolution or "?"), settle, one.owner or "-")


def _settled(one: "Seen") -> str:
    return {True: "yes", False: "no", None: "?"}[one.settled]


@traffic.command("set")
@click.argument("green", type=click.IntRange(0, 100))
@route_options
@_route_option
@click.option("--expect", type=click.IntRange(0, 100), metavar="N", help="Only if green has N per cent now.")
@_yes_option
@_force_option
@_state_option
def set_(
    *,
    green: int,
    routes: tuple[str, ...],
    expect: int | None,
    yes: bool,
    force: tuple[str, ...],
    state_dir: Path | None,
    **options: Any,
) -> None:
    """Give green GREEN per cent of the traffic, blue the rest, whatever the probes say.

    Each route is compared with what was read just before (or with --expect), written receiver first, and read back.
    A mark and a lowered TTL stay until `bluegreen traffic finalize`. Rules for --force: unfinished, locked.

    \b
    Exit codes: 0 served, 1 failed or somebody else wrote, 2 usage, bad input, or
    a migration between these contexts has not ended, 5 another process works on
    these clusters.
    """  # noqa: D301 - \b is click's mark for a block that is not wrapped
    from bluegreen.migration import hand  # noqa: PLC0415 - loaded on use

    config, forced = load_config(options).config, _forced(force)
    with hand.guard(config, state_root(state_dir), forced):
        moves = hand.propose(config, routes, green, expect)
        if any(move.before != move.after for move in moves):
            pairs = ((move.name, hand.pair(move.before), hand.pair(move.after)) for move in moves)
            lines = [f"{name}: {before} would become {after} (blue/green)" for name, before, after in pairs]
            _confirm(lines, "Write this?", yes=yes)
        for move in moves:
            _write(move)


def _forced(rules: tuple[str, ...]) -> frozenset[str]:
    """Return the rules that are overruled; one that is not known is no consent."""
    from bluegreen.migration.hand import RULES  # noqa: PLC0415 - loaded on use

    if unknown := [rule for rule in rules if rule not in RULES]:
        raise click.UsageError(f"--force knows {', '.join(RULES)}, not {', '.join(map(repr, unknown))}.")
    return frozenset(rules)


def _confirm(lines: list[str], question: str, *, yes: bool) -> None:
    """Show what would be done, and ask on a terminal; without one, --yes is needed.

    Raises:
        click.UsageError: no terminal and no --yes.
        click.exceptions.Exit: the answer is no.
    """
    from bluegreen.cli.text import put  # noqa: PLC0415 - loaded on use

    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.UsageError("there is no terminal to ask on; add --yes to go on without a question.")
    for line in lines:
        put(line, err=True)
    if not click.confirm(question, err=True):
        click.echo("Not confirmed; nothing was changed.", err=True)
        raise click.exceptions.Exit(1)


def _write(move: "Move") -> None:
    """Write one route and say what became of it."""
    from bluegreen.cli.text import put  # noqa: PLC0415 - loaded on use
    from bluegreen.migration.hand import carry_out, left_behind, pair  # noqa: PLC0415

    carry_out(move, _notice)
    same = " (it was so already)" if move.before == move.after else ""
    put(f"{move.name}: {pair(move.before)} -> {pair(move.after)}{same}")
    if move.router.settle_seconds and not same:
        put(f"{move.name}: takes effect within {move.router.settle_seconds:g} s", err=True)
    if told := left_behind(move.router):
        put(f"{move.name}: stays until `bluegreen traffic finalize --route {move.name}`: {told}", err=True)


def _notice(name: str, /, **data: object) -> None:
    """Print what a person must know of a write beside its outcome."""
    from bluegreen.cli.text import put  # noqa: PLC0415 - loaded on use

    if name == "notice":
        put(str(data["text"]), err=True)


@traffic.command()
@route_options
@_route_option
@_yes_option
@_force_option
@_state_option
def finalize(
    *, routes: tuple[str, ...], yes: bool, force: tuple[str, ...], state_dir: Path | None, **options: Any
) -> None:
    """Remove what `set` leaves beside the weights: our mark, a lowered TTL. The weights stay.

    A DNS name that was a plain record, and of which one side has everything, is one again. Another's mark is left and
    told. Rules for --force: unfinished, locked.

    \b
    Exit codes: 0 nothing of ours is left, 1 a route failed or carries another's
    mark, 2 usage, bad input, or a migration between these contexts has not ended,
    5 another process works on these clusters.
    """  # noqa: D301 - \b is click's mark for a block that is not wrapped
    from bluegreen.migration import hand  # noqa: PLC0415 - loaded on use

    config, forced = load_config(options).config, _forced(force)
    with hand.guard(config, state_root(state_dir), forced):
        marks = hand.marks(config, routes)
        if any(one.owner for one in marks):
            _confirm([_intent(one) for one in marks], "Remove this?", yes=yes)
        failed = [one for one in marks if not _finalized(one)]
    if failed:
        raise click.exceptions.Exit(1)


def _intent(one: "Marked") -> str:
    """Return what finalize would do to a route."""
    return f"{one.name}: {f'would remove {one.told}, the weights stay' if one.told else 'nothing to remove'}"


def _finalized(one: "Marked") -> bool:
    """Finalize one route and say what became of it; one that fails holds up no other."""
    from bluegreen.cli.text import put  # noqa: PLC0415 - loaded on use
    from bluegreen.migration.hand import finalize, pair  # noqa: PLC0415
    from bluegreen.model.errors import BluegreenError  # noqa: PLC0415

    try:
        weights = finalize(one)
    except BluegreenError as error:
        put(f"{one.name}: {error}", err=True)
        if error.next_step:
            put(f"next: {error.next_step}", 2, err=True)
        return False
    put(f"{one.name}: mark removed, weights stay {pair(weights)}" if one.owner else f"{one.name}: nothing to remove")
    return True


@traffic.command()
@route_options
@_route_option
@click.option("--interval", type=Interval(), default="1s", show_default=True, help="Time from one look to the next.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="json is a line per change.")
def watch(routes: tuple[str, ...], interval: float, output: str, **options: Any) -> None:
    """Watch the routes and print a line for each change, until Ctrl-C.

    On a terminal the present state stands below the lines. A route that cannot be read is a change, too.

    \b
    Exit codes: 130 after Ctrl-C, 2 usage or bad input.
    """  # noqa: D301 - \b is click's mark for a block that is not wrapped
    from bluegreen.migration.journal import utc_now  # noqa: PLC0415 - loaded on use
    from bluegreen.migration.look import Lookout, chosen, glances  # noqa: PLC0415

    config = load_config(options).config
    lookout = Lookout(config, chosen(config, routes))
    stream = glances(lookout, interval, time.sleep, utc_now)
    if output == "text" and sys.stdout.isatty():
        from bluegreen.cli.traffic_live import live  # noqa: PLC0415

        live(stream)
    for glance in stream:
        for one in glance.changed:
            click.echo(change_json(glance, one) if output == "json" else change_line(glance, one))
        _require_reader()


def _require_reader() -> None:
    """Notice that the reader of a pipe went away, although nothing changes that would be written to it.

    Raises:
        BrokenPipeError: it did.
    """
    import io  # noqa: PLC0415 - only watch needs it
    import select  # noqa: PLC0415

    poller = select.poll()
    try:
        poller.register(sys.stdout.fileno(), 0)  # errors are told without being asked for
    except io.UnsupportedOperation:
        return  # not a file: a test's own stream
    if any(event & select.POLLERR for _, event in poller.poll(0)):
        raise BrokenPipeError


def change_json(glance: "Glance", one: "Seen") -> str:
    """Return the JSON line of a change."""
    import json  # noqa: PLC0415 - not needed for text

    return json.dumps({"apiVersion": "bluegreen/v1", "kind": "TrafficChange", "at": glance.at, **one.to_json()})
