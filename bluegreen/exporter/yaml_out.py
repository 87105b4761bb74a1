"""Writes JSON data as YAML that Go and Python read as the same value: every string, keys too, in double quotes.

Unquoted, Go's reader turns `on`, `1e3`, `0o7`, `12:30` and others into something that is not the string it was. The
same value gives the same bytes. It never writes an alias.

PyYAML's C emitter is the measure; what Kubernetes objects are made of is written here, some ten times as fast and
byte for byte the same, and everything unusual is left to it.
"""

import functools
import math
import re
from collections.abc import Callable
from typing import Any

import yaml

Write = Callable[[str], Any]
_WIDTH = 2**31 - 1
# What libyaml does not write as it stands in double quotes; beyond the basic plane it prints nothing.
_ESCAPED = re.compile(r"[^ !#-\[\]-~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
_PLAIN_KEY = re.compile(r"[ !#-\[\]-~]{1,128}")
_SHORT_ESCAPES = {
    "\0": "\\0", "\a": "\\a", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f", "\r": "\\r",
    "\x1b": "\\e", '"': '\\"', "\\": "\\\\", "\x85": "\\N", "\u2028": "\\L", "\u2029": "\\P",
}  # fmt: skip


class QuotingDumper(yaml.CSafeDumper):
    """The C emitter with every string quoted and nothing shared."""

    def ignore_aliases(self, _data: Any) -> bool:
        """Write a value that occurs twice two times."""
        return True


def _quoted(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')


QuotingDumper.add_representer(str, _quoted)


def dump_yaml(value: Any) -> bytes:
    """Return a value as YAML in UTF-8.

    Args:
        value: JSON data.
    """
    parts: list[str] = []
    try:
        _document(value, parts.append)
        return "".join(parts).encode()
    except (_UnusualError, RecursionError):
        return dump_by_library(value)


def dump_by_library(value: Any) -> bytes:
    """Return the same by PyYAML alone: the slow way, for what is unusual and to be compared with."""
    dumped: bytes = yaml.dump(
        value,
        Dumper=QuotingDumper,
        encoding="utf-8",
        allow_unicode=True,
        sort_keys=True,
        width=_WIDTH,
        default_flow_style=False,
    )
    return dumped


class _UnusualError(Exception):
    """Something that only PyYAML knows how to write."""


def _document(value: Any, write: Write) -> None:
    if type(value) is not dict or not value:
        raise _UnusualError
    _mapping(value, "", "", write)


def _mapping(value: dict[str, Any], first: str, pad: str, write: Write) -> None:
    """Write the lines of a mapping that is not empty.

    Args:
        first: what stands before its first key.
        pad: what stands before each other key.
    """
    lead = first
    for key in sorted(value):
        item = value[key]
        name = _name(key)
        kind = type(item)
        if kind is str:
            write(f"{lead}{name} {_text(item)}\n")
        elif kind is dict and item:
            write(f"{lead}{name}\n")
            _mapping(item, pad + "  ", pad + "  ", write)
        elif kind is list and item:
            write(f"{lead}{name}\n")
            _sequence(item, pad, pad, write)
        else:
            write(f"{lead}{name} {_scalar(item)}\n")
        lead = pad


def _sequence(value: list[Any], first: str, pad: str, write: Write) -> None:
    """Write the lines of a list that is not empty; a list of a mapping stands as far to the left as its key."""
    lead = first
    for item in value:
        kind = type(item)
        if kind is dict and item:
            _mapping(item, lead + "- ", pad + "  ", write)
        elif kind is list and item:
            _sequence(item, lead + "- ", pad + "  ", write)
        else:
            write(f"{lead}- {_text(item) if kind is str else _scalar(item)}\n")
        lead = pad


@functools.lru_cache(4096)
def _name(key: Any) -> str:
    if type(key) is not str or not _PLAIN_KEY.fullmatch(key):
        raise _UnusualError
    return f'"{key}":'


def _text(text: str) -> str:
    return f'"{_ESCAPED.sub(_escape, text)}"' if _ESCAPED.search(text) else f'"{text}"'


def _escape(found: re.Match[str]) -> str:
    sign = found[0]
    if sign in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[sign]
    code = ord(sign)
    if 0xD800 <= code < 0xE000:  # noqa: PLR2004 - half of a surrogate pair is no text
        raise _UnusualError
    if code <= 0xFF:  # noqa: PLR2004 - two hexadecimal digits
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"  # noqa: PLR2004 - four of them


def _scalar(value: Any) -> str:
    """Return a value that is no text and holds nothing."""
    kind = type(value)
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if kind is dict:
        return "{}"
    if kind is list:
        return "[]"
    if kind is float:
        return _decimal(value)
    raise _UnusualError


def _decimal(value: float) -> str:
    """Return a number as PyYAML writes it, with a point even before an exponent; infinity is no JSON."""
    if not math.isfinite(value):
        raise _UnusualError
    text = repr(value).lower()
    return text.replace("e", ".0e", 1) if "." not in text and "e" in text else text
