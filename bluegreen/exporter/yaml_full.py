"""Reads YAML that we did not write, by PyYAML's parser, and says with line and column what is wrong with it. Pure.

Its events are judged one by one, so that nothing is expanded before it was looked at.
"""

from typing import Any

import yaml

from bluegreen.exporter.yaml_in import MAX_DEPTH, MAX_NODES, YamlRefusedError, plain


def load_by_library(data: bytes, max_nodes: int = MAX_NODES) -> Any:
    """Return the JSON data of one YAML document, as load_yaml does; this is the slow way.

    Args:
        data: text in UTF-8.
        max_nodes: largest number of keys and values taken.

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


def _refused(event: Any, why: str) -> YamlRefusedError:
    mark = event.start_mark
    return YamlRefusedError(f"line {mark.line + 1}, column {mark.column + 1}: {why}")
