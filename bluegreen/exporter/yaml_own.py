"""Reads quickly the one form of YAML that we write ourselves: block style, strings and keys in double quotes.

It must take nothing that a full reader would read differently or refuse; whatever is not exactly that form is left to
the full reader, which knows how to say what is wrong. Pure.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

# Signs that stand for themselves in double quotes for every reader.
_SIGN = r'^"\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff\U00010000-\U0010ffff'
_ASCII_SIGN = r" !#-\[\]-~"
_ESCAPE = re.compile(r"\\(?:x([0-9A-F]{2})|u([0-9A-F]{4})|U([0-9A-F]{8})|(.))", re.DOTALL)
_SIGNS = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b", '"': '"',
    "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_Line = tuple[str, str, str, str, str]
_CHUNK = 256 * 1024
"""Characters that are taken apart at a time: one call for many lines, and never all lines of a large text in memory."""


@functools.cache
def _line(*, ascii_only: bool) -> re.Pattern[str]:
    """Return what matches a line; most texts are plain ASCII, and their signs are told apart twice as fast."""
    sign = _ASCII_SIGN if ascii_only else _SIGN
    value = rf'"(?:[{sign}]|\\[^\n])*"|true|false|null|-?[0-9][0-9.e+-]*|\{{\}}|\[\]'
    return re.compile(rf'^( *)((?:- )*)(?:"([{sign}]{{1,1000}})":(?: ({value}))?|({value}))\n', re.MULTILINE)


class NotOwnError(Exception):
    """The text is not in our own form: a full reader must look at it."""


def read_own(data: bytes, max_depth: int, max_nodes: int, plain: Callable[[str], Any]) -> dict[str, Any]:
    """Return the mapping that a text in our own form holds.

    Args:
        data: text in UTF-8.
        max_depth: deepest nesting taken.
        max_nodes: largest number of keys and values taken.
        plain: what an unquoted scalar means; a ValueError says that readers disagree.

    Raises:
        NotOwnError: it is not in that form.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise NotOwnError from None
    lines = text.count("\n")
    # Each line holds one key, one value and the lists that begin on it at most.
    if not text.startswith('"') or 2 * lines + text.count("- ") >= max_nodes:
        raise NotOwnError
    builder = _Builder(max_depth, plain)
    count = builder.take(_lines(text))
    if count != lines or not text.endswith("\n"):
        raise NotOwnError
    return builder.whole()


def _lines(text: str) -> Iterator[_Line]:
    """Yield the lines that are in our form; the others are missing, which the count tells."""
    start, line = 0, _line(ascii_only=text.isascii())
    while start < len(text):
        end = text.find("\n", start + _CHUNK) + 1 or len(text)
        yield from line.findall(text, start, end)
        start = end


class _Builder:
    """Puts the value together line by line; the current map or list is the innermost one that is still open."""

    def __init__(self, max_depth: int, plain: Callable[[str], Any]) -> None:
        self._max_depth = max_depth
        self._plain = plain
        self._root: dict[str, Any] = {}
        self._outer: list[tuple[Any, int]] = []
        self._node: Any = self._root
        self._column = 0
        self._key: str | None = None

    def take(self, lines: Iterable[_Line]) -> int:
        """Add lines and return their number."""
        count = 0
        for spaces, dashes, key, value, lone in lines:
            count += 1
            column, node = len(spaces), self._node
            if dashes or column != self._column or self._key is not None or type(node) is list:
                if lone and dashes == "- " and column == self._column and self._key is None and type(node) is list:
                    node.append(self._scalar(lone))  # the next of a list, as are most lines of an index
                    continue
                self._go_to(column, key, listed=bool(dashes))
                if dashes and not self._begin_items(len(dashes) // 2, key):
                    self._node.append(self._scalar(lone))
                    continue
                node = self._node
            if not key or key in node:
                raise NotOwnError
            if not value:
                self._key = key
                node[key] = None
            elif value[0] == '"' and "\\" not in value:
                node[key] = value[1:-1]
            else:
                node[key] = self._scalar(value)
        return count

    def whole(self) -> dict[str, Any]:
        """Return the value when it is complete."""
        if self._key is not None:
            raise NotOwnError
        return self._root

    def _go_to(self, column: int, key: str, *, listed: bool) -> None:
        """Open what the last key announced, or close what ends before a line."""
        if self._key is not None:
            inside = column == self._column if listed else bool(key) and column == self._column + 2
            if not inside:
                raise NotOwnError
            name, self._key = self._key, None
            child: Any = [] if listed else {}
            self._node[name] = child
            self._open(child, column)
            return
        while self._column > column or (self._column == column and type(self._node) is list and not listed):
            if not self._outer:
                raise NotOwnError
            self._node, self._column = self._outer.pop()
        if self._column != column or listed != (type(self._node) is list):
            raise NotOwnError

    def _begin_items(self, dashes: int, key: str) -> bool:
        """Begin an item, and the lists that begin with it; return whether a mapping begins as well."""
        for _ in range(dashes - 1):
            self._append_open([])
        if key:
            self._append_open({})
        return bool(key)

    def _append_open(self, child: Any) -> None:
        self._node.append(child)
        self._open(child, self._column + 2)

    def _open(self, child: Any, column: int) -> None:
        self._outer.append((self._node, self._column))
        if len(self._outer) >= self._max_depth:
            raise NotOwnError
        self._node, self._column = child, column

    def _scalar(self, text: str) -> Any:
        if not text:
            raise NotOwnError
        if text[0] == '"':
            return _ESCAPE.sub(_sign, text[1:-1]) if "\\" in text else text[1:-1]
        if text == "{}":
            return {}
        if text == "[]":
            return []
        try:
            return self._plain(text)
        except ValueError:
            raise NotOwnError from None


def _sign(found: re.Match[str]) -> str:
    """Return the sign that an escape stands for."""
    short = found[4]
    if short is not None:
        if short not in _SIGNS:
            raise NotOwnError
        return _SIGNS[short]
    code = int(found[1] or found[2] or found[3], 16)
    if 0xD800 <= code < 0xE000 or code > 0x10FFFF:  # noqa: PLR2004 - no characters
        raise NotOwnError
    return chr(code)
