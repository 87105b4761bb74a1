"""YAML written by hand, for a file whose comments are its point: texts from clusters as safe scalars and safe comments.

A comment never breaks out of its line and a scalar never becomes something that is not the text it was.
"""

import re
import textwrap
from collections.abc import Mapping

import yaml

from bluegreen.model.errors import clean_text

TODO = "TODO"
_WIDTH = 118
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_LONGEST = 2000

Value = str | int | bool | tuple[str, ...] | Mapping[str, "Value"]


def scalar(text: str) -> str:
    """Return a text as a YAML scalar, quoted unless it is plain to every reader."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return yaml.safe_dump(text, default_style='"', width=2**31 - 1, allow_unicode=False).rstrip("\n")


def flow(value: Value) -> str:
    """Return a value on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return scalar(value)
        case tuple():
            return f"[{', '.join(map(scalar, value))}]"
        case _:
            return f"{{{', '.join(f'{scalar(key)}: {flow(one)}' for key, one in value.items())}}}"


def comment(text: str, indent: int = 0) -> list[str]:
    """Return a text as comment lines, folded; what comes from a cluster cannot end the comment."""
    words = " ".join(clean_text(text, _LONGEST).split())
    lead = f"{' ' * indent}# "
    return textwrap.wrap(
        words, _WIDTH, initial_indent=lead, subsequent_indent=lead, break_on_hyphens=False, break_long_words=False
    )


def line(text: str, note: str = "", indent: int = 0) -> str:
    """Return a line of YAML with a short note behind it."""
    begun = f"{' ' * indent}{text}"
    return f"{begun.ljust(30)} # {clean_text(note, 200)}" if note else begun
