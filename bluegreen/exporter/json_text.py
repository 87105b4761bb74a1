"""JSON with one value per line, which is YAML as well and read many times as fast: a bundle's index, its Secrets.

What reads it takes the quick way only for exactly the text that we would write of it, so that no key stands twice there
and no reader sees something else; all other texts are the full reader's. Pure.
"""

import contextlib
import re
from typing import Any

import msgspec

from bluegreen.exporter.yaml_in import MAX_DEPTH, load_yaml

_encode = msgspec.json.Encoder(order="sorted").encode
# What JSON leaves as it is and YAML folds or refuses: DEL and C1, separators, the byte-order mark, non-characters.
_NOT_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


_TOO_DEEP = b"\n" + b" " * (MAX_DEPTH - 1)
# A number that readers may not read alike: as a value of a key, or of a list. Two searches, each of which begins with
# signs that are found at once, take a twentieth of the time of one with an alternative.
_ODD_VALUE = re.compile(rb'": -?[0-9](?![0-9]{0,8},?\n)')
_ODD_ITEM = re.compile(rb"\n *+-?[0-9](?![0-9]{0,8},?\n)")
_QUICK = 32 * 1024 * 1024
"""Bytes up to which a text is read the quick way: what is made to do harm takes thirty times as much memory."""


def json_text(value: dict[str, Any]) -> bytes:
    """Return the one text of a map; a large one is block YAML, which is read line by line."""
    text = msgspec.json.format(_encode(value), indent=1) + b"\n"
    if len(text) > _QUICK:
        from bluegreen.exporter.yaml_out import dump_yaml  # noqa: PLC0415 - who reads one writes none

        return dump_yaml(value)
    if text.isascii() and b"\x7f" not in text:
        return text
    return _NOT_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text.decode()).encode()


def read_json_text(data: bytes, max_bytes: int, max_nodes: int) -> Any:
    """Return the data of such a text, or of any YAML.

    Args:
        data: text in UTF-8.
        max_bytes: largest size taken.
        max_nodes: largest number of keys and values taken.

    Raises:
        YamlRefusedError: too large, not YAML, or not read alike by all readers.
    """
    small = data.startswith(b"{") and len(data) <= min(_QUICK, max_bytes)
    # A line holds a key and its value at most, and begins as deep as it is nested.
    if small and 2 * data.count(b"\n") < max_nodes and not _odd(data):
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # the full reader says what
            found = msgspec.json.decode(data, type=dict)
            if json_text(found) == data:
                return found
    return load_yaml(data, max_bytes=max_bytes, max_nodes=max_nodes)


def _odd(data: bytes) -> bool:
    return _TOO_DEEP in data or bool(_ODD_VALUE.search(data) or _ODD_ITEM.search(data))
