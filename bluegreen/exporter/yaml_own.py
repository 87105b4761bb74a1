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
_Line = tuple[str, str, str, str, str, str]
_CHUNK = 256 * 1024
"""Characters that are taken apart at a time: one call for many lines, and never all lines of a large text in memory."""


@functools.cache
def _line(*, ascii_only: bool) -> re.Pattern[str]:
    """Return what matches a line; most texts are plain ASCII, and their signs are told apart twice as fast.

    Nothing is taken back once it fits (`*+`), which no line of our form needs: the search remembers no way back then.
    """
    sign = _ASCII_SIGN if ascii_only else _SIGN
    text = rf'"[{sign}]*+(?:\\[^\n][{sign}]*+)*+"'
    value = rf"{text}|true|false|null|-?[0-9][0-9.e+-]*+|\{{\}}|\[\]"
    key = rf'"([{sign}]{{1,1000}}+)":(?: (?:"([{sign}]++)"|({value})))?'
    return re.compile(rf"^( *+)((?:- )*+)(?:{key}|({value}))\n", re.MULTILINE)


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
    whole, count = _Builder(max_depth, plain).whole(_lines(text))
    if count != lines or not text.endswith("\n"):
        raise NotOwnError
    return whole


def _lines(text: str) -> Iterable[_Line]:
    """Return the lines that are in our form; the others are missing, which the count tells."""
    line = _line(ascii_only=text.isascii())
    return line.findall(text) if len(text) <= _CHUNK else _by_chunks(text, line)


def _by_chunks(text: str, line: re.Pattern[str]) -> Iterator[_Line]:
    start = 0
    while start < len(text):
        end = text.find("\n", start + _CHUNK) + 1 or len(text)
        yield from line.findall(text, start, end)
        start = end


class _Builder:
    """Puts the value together line by line; only what is around the innermost open map or list is kept here.

    Args:
        max_depth: deepest nesting taken.
        plain: what an unquoted scalar means.
    """

    def __init__(self, max_depth: int, plain: Callable[[str], Any]) -> None:
        self._max_depth = max_depth
        self._plain = plain
        self._outer: list[tuple[Any, int]] = []

    def whole(self, lines: Iterable[_Line]) -> tuple[dict[str, Any], int]:
        """Return the value of all lines, and their number; most lines are one more key of the map that is open."""
        root: dict[str, Any] = {}
        node: Any = root
        column, count, waiting = 0, 0, ""
        for spaces, dashes, key, text, value, lone in lines:
            count += 1
            if dashes or waiting or len(spaces) != column or type(node) is list:
                if lone and dashes == "- " and not waiting and len(spaces) == column and type(node) is list:
                    node.append(_scalar(lone, self._plain))  # the next of a list, as are most lines of an index
                    continue
                node, column = self._place(node, column, waiting, (len(spaces), dashes, key))
                waiting = ""
                if dashes:
                    node, column = self._items(node, column, len(dashes) // 2, key, lone)
                    if not key:
                        continue
            if not key or key in node:
                raise NotOwnError
            if text:
                node[key] = text
            else:
                node[key] = _scalar(value, self._plain) if value else None
                waiting = "" if value else key
        if waiting:
            raise NotOwnError
        return root, count

    def _place(self, node: Any, column: int, waiting: str, line: tuple[int, str, str]) -> tuple[Any, int]:
        """Return the map or list that a line belongs to: what the key before it announced, or one that is open."""
        at, dashes, key = line
        if waiting:
            if at != (column if dashes else column + 2) or not (dashes or key):
                raise NotOwnError
            child: Any = [] if dashes else {}
            node[waiting] = child
            return self._opened(node, column, child, at)
        while column > at or (column == at and not dashes and type(node) is list):
            if not self._outer:
                raise NotOwnError
            node, column = self._outer.pop()
        if column != at or (type(node) is list) != bool(dashes):
            raise NotOwnError
        return node, column

    def _items(self, node: Any, column: int, dashes: int, key: str, lone: str) -> tuple[Any, int]:
        """Begin what begins with a line: lists in an item, and a map as the last of them, or a value."""
        for _ in range(dashes - 1):
            child: list[Any] = []
            node.append(child)
            node, column = self._opened(node, column, child, column + 2)
        if not key:
            node.append(_scalar(lone, self._plain))
            return node, column
        item: dict[str, Any] = {}
        node.append(item)
        return self._opened(node, column, item, column + 2)

    def _opened(self, node: Any, column: int, child: Any, at: int) -> tuple[Any, int]:
        self._outer.append((node, column))
        if len(self._outer) >= self._max_depth:
            raise NotOwnError
        return child, at


def _scalar(text: str, plain: Callable[[str], Any]) -> Any:
    if not text:
        raise NotOwnError
    if text[0] == '"':
        return _ESCAPE.sub(_sign, text[1:-1]) if "\\" in text else text[1:-1]
    if text == "{}":
        return {}
    if text == "[]":
        return []
    try:
        return plain(text)
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
