"""A request to an API server as a value, so that sending, retrying and explaining it are three separate things.

Nothing here sends; a call never holds credentials.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

JSON = "application/json"
APPLY_PATCH = "application/apply-patch+yaml"
MERGE_PATCH = "application/merge-patch+json"


@dataclass(frozen=True, slots=True)
class Call:
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
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    content_type: str = JSON
    accept: str = JSON
    repeatable: bool = True
    secret: bool = False

    @property
    def target(self) -> str:
        """Return path and query as they go on the wire."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


def segments(*parts: str) -> str:
    """Return a path of escaped segments; a name with a slash in it cannot leave its place."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)
