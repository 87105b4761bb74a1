"""One line for a change of weights that somebody watches, the same in a pipe and on a terminal."""

from typing import TYPE_CHECKING

from bluegreen.model.errors import clean_text

if TYPE_CHECKING:
    from bluegreen.migration.look import Glance, Seen


def change_line(glance: "Glance", one: "Seen") -> str:
    """Return the line of a change."""
    served = f"blue {one.weights.blue} % green {one.weights.green} %" if one.weights else "not readable"
    more = "" if one.settled is not False else ", not settled"
    more += f", marked by {one.owner}" if one.owner else ""
    more += f": {one.fault}" if one.code else ""
    return clean_text(f"{glance.at} {one.name}: {served}{more}", 1000)
