"""Writes docs/reference/cli.md, every command with its help: python -m bluegreen.cli.reference [PATH].

The page is what `--help` prints on a terminal of 80 columns. No command loads this module, and it runs none.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from bluegreen.cli.main import main as program

PAGE = Path("docs/reference/cli.md")
# What click takes of a terminal of 80: it leaves two free.
_COLUMNS = 78
_HEAD = """# Commands

Written by `python -m bluegreen.cli.reference` from the commands themselves; do not edit.
Each block is what `bluegreen COMMAND --help` prints on a terminal of 80 columns. What the exit codes mean stands in
[exit-codes.md](../exit-codes.md), what the keys of `bluegreen.yaml` mean in [config.md](config.md).
Installed as `kubectl-bluegreen`, too, so `kubectl bluegreen COMMAND` is the same program.

"""


def cli_page() -> str:
    """Return the page."""
    return _HEAD + "\n".join(_section(context) for context in _contexts(_context(program, "bluegreen", None)))


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    """Return a context that prints at our width; the program's settings come down from its parent."""
    settings = {**command.context_settings, "terminal_width": _COLUMNS, "max_content_width": _COLUMNS}
    return click.Context(command, info_name=name, parent=parent, **settings)


def _contexts(context: click.Context) -> Iterator[click.Context]:
    """Yield a command and those below it, in the order of its help."""
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            below = context.command.get_command(context, name)
            if below is not None:
                yield from _contexts(_context(below, name, context))


def _section(context: click.Context) -> str:
    """Return one command: its whole name and its help."""
    lines = [line.rstrip() for line in context.get_help().splitlines()]
    return "\n".join([f"## {context.command_path}", "", "```text", *lines, "```", ""])


def main(path: Path) -> None:
    """Write the page."""
    path.write_text(cli_page(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE)
