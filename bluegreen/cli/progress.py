"""One line on stderr for each thing that a command did, from the rooms' events; never raises, never shows a value."""

import time
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from bluegreen.migration.bundles import Means

_WORDS = {
    "export.listed": "read {objects} objects of {kinds} kinds",
    "import.wave": "{wave}: {written} of {objects} written, {failed} failed",
    "notice": "{text}",
    "import.pruned": "pruned {objects} objects",
}


def tell(name: str, /, **data: Any) -> None:
    """Print the line of an event, none for those that say nothing new."""
    words = _WORDS.get(name)
    if words:
        click.echo(words.format_map(data), err=True)


def means(ready_seconds: float) -> "Means":
    """Return what an import works with: this progress and the real clocks."""
    from bluegreen.migration.bundles import Means  # noqa: PLC0415 - loaded on use

    return Means(tell, time.monotonic, time.sleep, ready_seconds)
