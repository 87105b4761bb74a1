"""A request to an API server as a value, so that sending, retrying and explaining it are three separate things.

Nothing here sends; a call never holds credentials.
"""

import functools
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

JSON = "application/json"
APPLY_PATCH = "application/apply-patch+yaml"
MERGE_PATCH = "application/merge-patch+json"
# DEL and the C1 controls (NEL among them), the line and paragraph separators, the byte-order mark, two non-characters.
_NOT_YAML = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]|\xef\xbb\xbf|\xef\xbf[\xbe\xbf]")


class Call(msgspec.Struct, frozen=True):
    """One request.

    Attributes:
        method: HTTP method.
        path: path on the server, already escaped.
        what: the act in words, such as 'listing Pods in shop'.
        verb: Kubernetes verb that the caller needs, for messages about missing rights.
        query: query parameters.
        body: raw object to send, None for none.
        content_type: media type of the body.
        accept: media types that are understood.
        repeatable: whether sending it twice does the same as once; only then it is sent again after a lost answer.
        secret: whether body or answer holds a Secret, so that server texts may quote values.
    """

    method: str
    path: str
    what: str
    verb: str
    query: Mapping[str, str] = msgspec.field(default_factory=dict)
    body: Any = None
    content_type: str = JSON
    accept: str = JSON
    repeatable: bool = True
    secret: bool = False

    @property
    def target(self) -> str:
        """Return path and query as they go on the wire."""
        return f"{self.path}?{_encoded(tuple(self.query.items()))}" if self.query else self.path


@functools.lru_cache(256)
def _encoded(query: tuple[tuple[str, str], ...]) -> str:
    """Return a query as it goes on the wire; thousands of writes share one."""
    return urlencode(query)


def encoded(call: Call) -> bytes | None:
    """Return the body of a call as JSON, None when it has none.

    An API server reads a server-side apply as YAML, which folds lines at characters that JSON leaves as they are, and
    refuses others: "a \u2028 b" would silently lose its spaces. They are escaped, which means the same to both.
    """
    if call.body is None:
        return None
    body = msgspec.json.encode(call.body)
    # Most bodies are plain ASCII, which is told ten times as fast as a search.
    harmless = call.content_type != APPLY_PATCH or (body.isascii() and b"\x7f" not in body)
    return body if harmless else _NOT_YAML.sub(_escaped, body)


def _escaped(found: re.Match[bytes]) -> bytes:
    return f"\\u{ord(found[0].decode()):04x}".encode()


def segments(*parts: str) -> str:
    """Return a path of escaped segments; a name with a slash in it cannot leave its place."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)
