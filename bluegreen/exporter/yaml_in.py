"""Reads YAML that people may have edited, and refuses whatever two readers could understand differently.

Refused with line and column: aliases and anchors (bombs), tags, duplicate keys, several documents, nesting beyond a
limit, and unquoted scalars that YAML 1.1, YAML 1.2 and Go do not read alike (no, on, 0777, 12:30, 1e3, dates). It never
builds anything but JSON data.
"""

import re
from typing import Any

from bluegreen.exporter.yaml_own import NotOwnError, read_own

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 1_000_000

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+][0-9]+)?\Z")
_WORDS = {"null": None, "Null": None, "NULL": None, "~": None, "": None}
_TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_TRAP = re.compile(
    r"(?:y|n|yes|no|on|off|[-+]?\.(?:inf|nan)|=|<<)\Z"  # YAML 1.1 words
    r"|[-+]?0[xob]?[0-9a-f_]+\Z"  # octal, hexadecimal, binary
    r"|[-+]?(?:\.[0-9_]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:e[-+]?[0-9]+)?\Z"  # +1, 1_000, 1e3, .5, 1.
    r"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?\Z"  # base 60
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}",  # dates
    re.IGNORECASE,
)
_LARGEST = 2**63
_LONGEST_NUMBER = len(str(-_LARGEST))


class YamlRefusedError(ValueError):
    """The text is no YAML that every reader reads alike; the message has line and column."""


def plain(text: str) -> Any:
    """Return what an unquoted scalar means.

    Raises:
        ValueError: readers do not agree.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text in _TRUTHS:
        return _TRUTHS[text]
    if _INTEGER.match(text) and len(text) <= _LONGEST_NUMBER and -_LARGEST <= int(text) < _LARGEST:
        return int(text)
    if _DECIMAL.match(text):
        return float(text)
    if _TRAP.match(text):
        raise ValueError(text)
    return text


def load_yaml(data: bytes, max_bytes: int = MAX_BYTES, max_nodes: int = MAX_NODES) -> Any:
    """Return the JSON data of one YAML document.

    Args:
        data: text in UTF-8.
        max_bytes: largest size taken.
        max_nodes: largest number of keys and values taken.

    Raises:
        YamlRefusedError: too large, not YAML, or not read alike by all readers.
    """
    if len(data) > max_bytes:
        raise YamlRefusedError(f"{len(data)} bytes are more than {max_bytes}")
    try:
        return read_own(data, MAX_DEPTH, max_nodes, plain)
    except NotOwnError:
        from bluegreen.exporter.yaml_full import load_by_library  # noqa: PLC0415 - most of what is read is our own

        return load_by_library(data, max_nodes)
