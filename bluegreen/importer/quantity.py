"""Compares resource quantities by value: the server writes 0.5 as 500m. Pure."""

import re
from decimal import Decimal

_QUANTITY = re.compile(r"([+-]?[0-9]+(?:\.[0-9]*)?|[+-]?\.[0-9]+)([eE][+-]?[0-9]+|[numkMGTPE]|[KMGTPE]i|)\Z")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_LONGEST = 40


def parse_quantity(text: str) -> Decimal | None:
    """Return the value of a quantity such as 500m, 1Gi or 1e3, None when it is none."""
    found = _QUANTITY.match(text) if len(text) <= _LONGEST else None
    if found is None:
        return None
    number, unit = Decimal(found.group(1)), found.group(2)
    if unit in _DECIMAL:
        return number.scaleb(_DECIMAL[unit])
    if unit in _BINARY:
        return number * Decimal(1024) ** (_BINARY.index(unit) + 1)
    return number.scaleb(int(unit[1:]))


def same_quantity(one: object, other: object) -> bool:
    """Return whether two values are the same quantity; a number counts as its text."""
    left, right = parse_quantity(str(one)), parse_quantity(str(other))
    return left is not None and left == right
