"""`bluegreen verify`: what differs between blue, as it would be imported, and green. It only reads."""

from typing import TYPE_CHECKING, Any

import click

from bluegreen.cli.scope_options import both_options, load_scope

if TYPE_CHECKING:
    from bluegreen.importer.prune import Surplus
    from bluegreen.importer.verify import Drift


@click.command()
@both_options("compare")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", help="Output format.")
@click.pass_context
def verify(ctx: click.Context, /, output: str, **options: Any) -> None:
    """Compare both clusters and list what differs.

    Blue is compared as it would be imported. Fields that only green has are no difference, unless bluegreen
    applied them and blue dropped them since; objects that bluegreen created and blue no longer has are one.

    \b
    Exit codes: 0 equal, 1 differences or a failure, 2 usage or bad input.
    """  # noqa: D301 - \b is click's mark for a block that is not wrapped
    from bluegreen.cli.progress import tell  # noqa: PLC0415 - loaded on use
    from bluegreen.migration.plans import drift  # noqa: PLC0415
    from bluegreen.migration.scope import open_both  # noqa: PLC0415

    scope = load_scope(options)
    blue, green = open_both(scope)
    found, surplus = drift(blue, green, scope, tell)
    rows = _rows(found, surplus)
    if output == "json":
        from bluegreen.cli.text import put_json  # noqa: PLC0415

        put_json({"apiVersion": "bluegreen/v1", "kind": "Drift", "equal": not rows, "items": rows})
    else:
        _table(rows)
    ctx.exit(1 if rows else 0)


def _rows(found: "tuple[Drift, ...]", surplus: "tuple[Surplus, ...]") -> list[dict[str, str]]:
    """Return every difference as a row."""
    rows = [{"object": str(d.ref), "field": d.path, "expected": d.expected, "actual": d.actual} for d in found]
    return rows + [{"object": str(s.ref), "field": "", "expected": "(absent)", "actual": "an object"} for s in surplus]


def _table(rows: list[dict[str, str]]) -> None:
    """Print the rows, each object once."""
    from itertools import groupby  # noqa: PLC0415 - loaded on use

    from bluegreen.cli.text import put  # noqa: PLC0415
    from bluegreen.report.words import amount  # noqa: PLC0415

    for name, group in groupby(rows, key=lambda row: row["object"]):
        put(name)
        for row in group:
            put(f"{row['field'] or 'object'}: expected {row['expected']}, is {row['actual']}", 2)
    put(f"{amount(len(rows), 'difference')}." if rows else "No differences.")
