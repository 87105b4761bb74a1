"""JSON with one value per line, which is YAML as well and read many times as fast: a bundle's index, its Secrets.

What reads it takes the quick way only for exactly the text that we would write of it, so that no key stands twice there
and no reader sees something else; all other texts are the full reader's. Pure.
"""

import re
from typing import Any

import msgspec

from bluegreen.exporter.yaml_in import YamlRefusedError, load_yaml

_encode = msgspec.json.Encoder(order="sorted").encode
# What JSON leaves as it is and YAML folds or refuses: DEL and C1, separators, the byte-order mark, non-characters.
_NOT_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def json_text(value: dict[str, Any]) -> bytes:
    """Return the one text of a map."""
    text = msgspec.json.format(_encode(value), indent=1) + b"\n"
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
    if len(data) > max_bytes:
        raise YamlRefusedError(f"{len(data)} bytes are more than {max_bytes}")
    # A line holds a key and its value at most.
    if data.startswith(b"{") and 2 * data.count(b"\n") < max_nodes:
        try:
            found = msgspec.json.decode(data, type=dict)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # the full reader says what is wrong
            found = {}
        if found and json_text(found) == data:
            return found
    return load_yaml(data, max_bytes=max_bytes, max_nodes=max_nodes)
