"""bluegreen.yaml as plain data with the line and column of everything in it.

YAML 1.1 reads `no` as false, `010` as eight and `12:30` as 750; here such words stay the text that was written.
This module must never build an object other than text, numbers, booleans, nothing, lists and mappings, and
never let a small file grow large: depth, size and the number of values after aliases are bounded.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path as FilePath
from typing import Any

import msgspec
import yaml

from bluegreen.config.problems import Path, Place, Problem
from bluegreen.model.errors import clean_text

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # pragma: no cover - PyYAML built without libyaml
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

FILE_NAME = "bluegreen.yaml"
MAX_BYTES = 1 << 20
MAX_VALUES = 20_000
MAX_DEPTH = 32
_NUMBER = r"-?(?:0|[1-9][0-9]*)"
_TAG = "tag:yaml.org,2002:"


class _Yaml12(_Loader):
    """A safe loader that gives a type only to JSON's own words and numbers."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way: a class attribute


_Yaml12.add_implicit_resolver(f"{_TAG}null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""])
_Yaml12.add_implicit_resolver(f"{_TAG}bool", re.compile(r"^(?:true|false)$"), ["t", "f"])
_Yaml12.add_implicit_resolver(f"{_TAG}int", re.compile(rf"^{_NUMBER}$"), list("-0123456789"))
_Yaml12.add_implicit_resolver(
    f"{_TAG}float",
    re.compile(rf"^{_NUMBER}(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$"),
    list("-0123456789"),
)


_SCALARS: dict[str, Callable[[Any], Any]] = {
    f"{_TAG}str": str,
    f"{_TAG}null": lambda _: None,
    f"{_TAG}bool": {"true": True, "false": False}.__getitem__,
    f"{_TAG}int": int,
    f"{_TAG}float": float,
}


class Document(msgspec.Struct):
    """What a file says, and where.

    Attributes:
        data: the top mapping, empty when the file could not be read.
        keys: place of each key.
        values: place of each value.
        problems: everything that is wrong with the file as YAML.
    """

    data: dict[str, Any] = msgspec.field(default_factory=dict)
    keys: dict[Path, Place] = msgspec.field(default_factory=dict)
    values: dict[Path, Place] = msgspec.field(default_factory=dict)
    problems: list[Problem] = msgspec.field(default_factory=list)


def read_file(path: FilePath) -> Document:
    """Return what a file says; what is wrong with it stands in its problems."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        return _failed(f"cannot be read: {error.strerror or error}")
    if len(raw) > MAX_BYTES:
        return _failed(f"is larger than {MAX_BYTES >> 20} MiB; this is no bluegreen.yaml")
    try:
        return read_text(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return _failed("is not UTF-8 text", Place(line, error.start - raw.rfind(b"\n", 0, error.start)))


def read_text(text: str) -> Document:
    """Return what a YAML text says."""
    try:
        root = yaml.compose(text, Loader=_Yaml12)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = " ".join(bit for bit in (error.context, error.problem) if bit)
        return _failed(f"is no YAML: {why}", _place(mark) if mark else None)
    except yaml.YAMLError as error:
        return _failed(f"is no YAML: {clean_text(str(error))}")
    if root is None:
        return Document()
    if not isinstance(root, yaml.MappingNode):
        return _failed("must be a mapping of keys, such as `from: old`", _place(root.start_mark))
    return _Builder().build(root)


def _failed(why: str, place: Place | None = None) -> Document:
    return Document(problems=[Problem((), why, place=place)])


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


class _TooMuchError(Exception):
    """The document is larger or deeper than any configuration."""


class _Builder:
    """Turns nodes into data, noting places and problems on the way."""

    def __init__(self) -> None:
        self.document = Document()
        self._left = MAX_VALUES

    def build(self, root: yaml.MappingNode) -> Document:
        try:
            self.document.data = self._mapping(root, ())
        except _TooMuchError as error:
            return _failed(str(error))
        return self.document

    def _value(self, node: yaml.Node, path: Path) -> Any:
        self._left -= 1
        if self._left < 0:
            raise _TooMuchError(f"holds more than {MAX_VALUES} values, aliases counted each time they are used")
        if len(path) > MAX_DEPTH:
            raise _TooMuchError(f"is nested deeper than {MAX_DEPTH} levels, or an alias contains itself")
        self.document.values[path] = _place(node.start_mark)
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [self._value(child, (*path, index)) for index, child in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, key, child in self._entries(node, path):
            here = (*path, name)
            if name in found:
                first = self.document.keys[here]
                self._problem(here, f"is written twice; the first one is in line {first.line}", key)
                continue
            self.document.keys[here] = _place(key.start_mark)
            found[name] = self._value(child, here)
        return found

    def _entries(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
        for key, child in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != f"{_TAG}str":
                self._problem(path, "has a key that is not text; quote it", key)
            elif key.value == "<<" and not key.style:
                self._problem((*path, "<<"), "merge keys are not read; write the values out", key)
            else:
                yield key.value, key, child

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        convert = _SCALARS.get(node.tag)
        if convert is None:
            self._problem(path, f"has the tag {clean_text(node.tag, 40)}, which is not read; remove it", node)
            return None
        try:
            return convert(node.value)
        except (KeyError, TypeError, ValueError):
            self._problem(path, "does not fit its tag, or is too long a number", node)
            return None

    def _problem(self, path: Path, why: str, node: yaml.Node) -> None:
        self.document.problems.append(Problem(path, why, place=_place(node.start_mark)))
