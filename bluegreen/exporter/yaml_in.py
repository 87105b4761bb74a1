"""Reads YAML that people may have edited, and refuses whatever two readers could understand differently.

Refused with line and column: aliases and anchors (bombs), tags, duplicate keys, several documents, nesting beyond a
limit, and unquoted scalars that YAML 1.1, YAML 1.2 and Go do not read alike (no, on, 0777, 12:30, 1e3, dates). It never
builds anything but JSON data.
"""

import re
from typing import Any

import yaml

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


class _Reader:
    """Builds JSON data from parser events, so that nothing is expanded before it was judged."""

    def __init__(self, data: bytes, max_nodes: int) -> None:
        self._events = yaml.parse(data, Loader=yaml.CSafeLoader)
        self._max_nodes = max_nodes
        self._nodes = 0

    def document(self) -> Any:
        """Return the one document of the stream, None for an empty stream."""
        self._next()
        if isinstance(self._next(), yaml.StreamEndEvent):
            return None
        value = self._value(self._next(), 0)
        self._next()
        after = self._next()
        if not isinstance(after, yaml.StreamEndEvent):
            raise _refused(after, "a second document: one object per file")
        return value

    def _next(self) -> Any:
        return next(self._events)

    def _value(self, event: Any, depth: int) -> Any:
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > self._max_nodes:
            raise _refused(event, f"deeper than {MAX_DEPTH} levels or more than {self._max_nodes} values")
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise _refused(event, "anchors and aliases are not taken: write the value out")
        if event.tag is not None:
            raise _refused(event, f"the tag {event.tag} is not taken")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(depth)
        return _scalar(event)

    def _mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._value(event, depth + 1)
            if not isinstance(key, str):
                raise _refused(event, f"the key {key!r} is no string: quote it")
            if key in found:
                raise _refused(event, f"the key {key!r} stands twice")
            found[key] = self._value(self._next(), depth + 1)
        return found

    def _sequence(self, depth: int) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            found.append(self._value(event, depth + 1))
        return found


def _scalar(event: Any) -> Any:
    if event.style:
        return event.value
    try:
        return plain(event.value)
    except ValueError:
        raise _refused(event, f"{event.value!r} is read differently by different readers: quote it") from None


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


def _refused(event: Any, why: str) -> YamlRefusedError:
    mark = event.start_mark
    return YamlRefusedError(f"line {mark.line + 1}, column {mark.column + 1}: {why}")


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
        return load_by_library(data, max_nodes)


def load_by_library(data: bytes, max_nodes: int = MAX_NODES) -> Any:
    """Return the same by PyYAML's parser alone: the slow way, which judges all that we did not write ourselves.

    Raises:
        YamlRefusedError: not YAML, or not read alike by all readers.
    """
    try:
        return _Reader(data, max_nodes).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise YamlRefusedError(f"{where}{error.problem or 'not YAML'}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise YamlRefusedError(f"not YAML: {error}") from None
