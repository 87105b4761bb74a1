"""Lines for a terminal of 80 columns: wrapped, without control characters, for names come from clusters.

It prints nothing by itself but what it is given; stdout is for data, stderr for what is said about it.
"""

import textwrap
from collections.abc import Iterable, Sequence

import click

from bluegreen.model.errors import clean_text

_LONGEST = 2000
_NARROWEST = 40


def width() -> int:
    """Return the columns of the terminal, 80 when there is none."""
    import shutil  # noqa: PLC0415 - it loads three compressions, and most commands draw nothing

    return max(_NARROWEST, shutil.get_terminal_size((80, 24)).columns)


def put(text: str, indent: int = 0, *, err: bool = False) -> None:
    """Print a text, wrapped; lines after the first begin two columns further in.

    Args:
        text: may come from a cluster.
        indent: columns before the first line.
        err: stderr instead of stdout.
    """
    text = clean_text(text, _LONGEST)
    # What fits into any line does not ask how wide this one is, which loads more than the rest of this module.
    lines = textwrap.wrap(
        text,
        _NARROWEST if indent + len(text.expandtabs()) <= _NARROWEST else width(),
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2),
        break_on_hyphens=False,
    )
    for line in lines:
        click.echo(line, err=err)


def put_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table whose last column takes what is left of the line; cells too wide for it go on below."""
    cells = [[clean_text(cell, _LONGEST) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in [list(head), *cells]) for column in range(len(head) - 1)]
    indent = sum(widths) + 2 * len(widths)
    for row in [list(head), *cells]:
        start = "".join(f"{cell.ljust(size)}  " for cell, size in zip(row, widths, strict=False))
        lines = textwrap.wrap(row[-1], max(20, width() - indent), break_on_hyphens=False) or [""]
        click.echo(f"{start}{lines[0]}".rstrip())
        for line in lines[1:]:
            click.echo(f"{' ' * indent}{line}")


def put_json(value: object) -> None:
    """Print a value as JSON."""
    import json  # noqa: PLC0415 - only some outputs need it

    click.echo(json.dumps(value, indent=2, ensure_ascii=True))
