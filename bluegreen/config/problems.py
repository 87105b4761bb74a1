"""One thing that is wrong with a configuration: where, which key, why, and what was probably meant.

Problems are collected, never raised one by one; a problem never quotes a value that could be a secret.
"""

import json
import re

import msgspec

from bluegreen.model.errors import clean_text

Path = tuple[str | int, ...]
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,80}")


class Place(msgspec.Struct, frozen=True, order=True):
    """Line and column in the file, both from 1."""

    line: int
    column: int


class Problem(msgspec.Struct, frozen=True):
    """One reason why a configuration cannot be used.

    Attributes:
        path: keys and indices that lead to the value; empty for the file as a whole.
        why: what is wrong and what to write instead.
        at_key: whether the key, not its value, is the culprit.
        place: where, when it is known at once.
    """

    path: Path
    why: str
    at_key: bool = False
    place: Place | None = None


def dotted(path: Path) -> str:
    """Return a path as people write it, such as routes[0].name or labels["app/x"]."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN.fullmatch(part) or not text:
            text += f".{part}" if text else clean_text(part, 80)
        else:
            text += f"[{json.dumps(clean_text(part, 80), ensure_ascii=False)}]"
    return text
