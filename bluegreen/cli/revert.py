"""`bluegreen revert`: a person's order to send all traffic back to blue, now.

It asks nothing: who types it is in a hurry. It needs the routes and the probes, no cluster.
"""

from pathlib import Path
from typing import Any

import click

from bluegreen.cli.options import load_config, route_options, state_root


@click.command()
@route_options
@click.option("--state-dir", type=click.Path(path_type=Path), envvar="BLUEGREEN_STATE_DIR", help="Where runs are kept.")
@click.option("--gradual", is_flag=True, help="Take the steps backwards and look at blue at each, not one jump.")
@click.option("--route", "routes", multiple=True, metavar="NAME", help="Only this route goes back; repeatable.")
def revert(state_dir: Path | None, gradual: bool, routes: tuple[str, ...], **options: Any) -> None:
    """Send all traffic back to blue, at once, if blue is healthy.

    Green is left running. A migration that is under way goes back itself and has ended with it. With --route the
    others stay as they are. A route that is away holds up no other: it is tried for a minute, then named.

    \b
    Exit codes: 0 blue serves all traffic (with --route, of those routes), 1 blue
    is not known to be healthy and the weights stay, or a route is left and the
    others are back, 2 usage or bad input, 5 a process runs the migration and
    cannot do it for you.
    """  # noqa: D301 - \b is click's mark for a block that is not wrapped
    from bluegreen.migration.begin import write_reports  # noqa: PLC0415 - loaded on use
    from bluegreen.migration.go_back import Way, go_back  # noqa: PLC0415
    from bluegreen.report.lines import Lines  # noqa: PLC0415

    lines, beside = Lines(), list[str]()

    def show(event: Any) -> None:
        beside.extend(filter(None, [event.data.get("beside")]))
        for line in lines.of(event):
            click.echo(line, err=True)

    way = Way(gradual=gradual, routes=routes)
    store = go_back(load_config(options).config, state_root(state_dir), show, way)
    what = "green serves nobody, but blue does not serve alone" if beside else "blue serves all traffic"
    what += f" of {', '.join(routes)}" if routes else ""
    click.secho(f"Reverted: {what}.", err=True, bold=True)
    if store is not None:
        click.echo(f"Report: {write_reports(store).html}", err=True)
