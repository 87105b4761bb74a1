"""Kubernetes quantities as numbers, and in words for people. Pure."""

import re
from decimal import Decimal
from typing import Any

from bluegreen.model.ports import Raw

_QUANTITY = re.compile(r"([+-]?[0-9.]+)(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|[eE][+-]?[0-9]+)?\Z")
_SCALE = {unit: Decimal(1024) ** (at + 1) for at, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))}
_SCALE |= {unit: Decimal(1000) ** (at + 1) for at, unit in enumerate(("k", "M", "G", "T", "P", "E"))}
_SCALE |= {"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3")}
_GIB = 2**30


def amount(value: Any) -> Decimal:
    """Return a quantity as a number, 0 for what is none."""
    found = _QUANTITY.match(str(value if value is not None else ""))
    if not found:
        return Decimal(0)
    number, unit = found.groups()
    try:
        return Decimal(number + (unit if unit and unit[0] in "eE" and unit not in _SCALE else "")) * _SCALE.get(
            unit or "", Decimal(1)
        )
    except ArithmeticError:
        return Decimal(0)


def replicas(obj: Raw) -> int:
    """Return how many pods a workload wants at a time; 1 where its kind does not say."""
    wanted = (obj.get("spec") or {}).get("replicas")
    return wanted if isinstance(wanted, int) and not isinstance(wanted, bool) else 1


def bytes_words(value: Decimal) -> str:
    """Return bytes in GiB for people."""
    return f"{float(value) / _GIB:.2f} GiB"


def cores_words(value: Decimal) -> str:
    """Return cores for people."""
    return f"{float(value):.2f}"


_BYTES = ("memory", "storage", "hugepages-")
_LARGE = ("Ti", "Gi", "Mi", "Ki")


def words(key: str, value: Decimal) -> str:
    """Return a quantity as people write it.

    Args:
        key: what it is of, as a quota names it; it says whether these are bytes.
        value: the quantity in its base unit.
    """
    unit = next((unit for unit in _LARGE if value >= _SCALE[unit]), "") if any(w in key for w in _BYTES) else ""
    number = (value / _SCALE[unit]).quantize(Decimal("0.01")) if unit else value
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + unit
