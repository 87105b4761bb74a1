"""The web tier: what users see. It asks the api and says which pod, node and cluster answered.

SHOP_ERROR_RATIO (from the optional ConfigMap shop-faults) turns that share of the pages into a 500; the health
endpoints must never take part in that: a green like this looks healthy to Kubernetes and is not.
"""

import http.client
import json
import os
import random
import threading
from typing import Any

from http_server import Answer, identity, serve

PORT = 8080
TIMEOUT_SECONDS = 3.0
API_HOST = os.environ.get("API_HOST", "api")
API_PORT = int(os.environ.get("API_PORT", "8080"))
ERROR_RATIO = float(os.environ.get("SHOP_ERROR_RATIO", "0"))
_LOCAL = threading.local()
_STALE = (ConnectionError, http.client.RemoteDisconnected, http.client.CannotSendRequest)


def _connection() -> http.client.HTTPConnection:
    """Return this thread's connection to the api."""
    connection: http.client.HTTPConnection | None = getattr(_LOCAL, "api", None)
    if connection is None:
        connection = _LOCAL.api = http.client.HTTPConnection(API_HOST, API_PORT, timeout=TIMEOUT_SECONDS)
    return connection


def _ask_once(path: str) -> tuple[int, dict[str, Any]]:
    connection = _connection()
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    except Exception:
        connection.close()
        _LOCAL.api = None
        raise


def ask_api(path: str) -> tuple[int, dict[str, Any]]:
    """Return the api's answer; a kept connection that went stale is opened anew once."""
    try:
        return _ask_once(path)
    except _STALE:
        return _ask_once(path)


def route(path: str) -> Answer:
    """Answer / and /items/ID through the api."""
    if path != "/" and not path.startswith("/items/"):
        return 404, {"error": "no such page"}
    if ERROR_RATIO and random.random() < ERROR_RATIO:  # noqa: S311 - dice, no secret
        return 500, {"error": "fault from shop-faults", "web": identity()}
    status, content = ask_api("/summary" if path == "/" else path)
    return status, {**content, "web": identity()}


def ready() -> Answer:
    """Answer 200 while the api does."""
    status, _ = ask_api("/readyz")
    return (200, {"status": "ready"}) if status == http.client.OK else (503, {"status": "api not ready"})


if __name__ == "__main__":
    serve(PORT, route, ready)
