"""The api tier: reads items from PostgreSQL over a few kept connections.

It must never write: whatever differs between the two databases after a migration was then not done by the shop.
"""

import queue
from typing import Any

import psycopg2  # type: ignore[import-untyped]
from http_server import Answer, identity, serve

PORT = 8080
CONNECTIONS = 4
WAIT_SECONDS = 2


class Pool:
    """A fixed number of connections; a broken one is opened anew once per query."""

    def __init__(self, size: int) -> None:
        self._free: queue.LifoQueue[Any] = queue.LifoQueue()
        for _ in range(size):
            self._free.put(None)

    def query(self, sql: str, arguments: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query.

        Raises:
            psycopg2.Error: the database could not be reached twice in a row.
            queue.Empty: no connection became free in time.
        """
        connection = self._free.get(timeout=WAIT_SECONDS)
        try:
            try:
                connection = connection or _connect()
                return _rows(connection, sql, arguments)
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                connection = None  # stale: the server was restarted
                connection = _connect()
                return _rows(connection, sql, arguments)
        finally:
            self._free.put(connection)


def _connect() -> Any:
    """Open a connection from the PG* environment."""
    connection = psycopg2.connect(f"connect_timeout={WAIT_SECONDS} application_name=shop-api")
    connection.autocommit = True
    return connection


def _rows(connection: Any, sql: str, arguments: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        return list(cursor.fetchall())


POOL = Pool(CONNECTIONS)
COLUMNS = ("id", "name", "price", "note", "checksum")
ITEM = "SELECT id, name, price::text, note, checksum FROM items WHERE id = %s"


def route(path: str) -> Answer:
    """Answer /items/ID and /summary."""
    if path == "/summary":
        return 200, {"rows": POOL.query("SELECT count(*) FROM items")[0][0], "api": identity()}
    number = path.removeprefix("/items/")
    if number == path or not number.isdecimal():
        return 404, {"error": "no such page"}
    rows = POOL.query(ITEM, (int(number),))
    if not rows:
        return 404, {"error": "no such item"}
    return 200, {"item": dict(zip(COLUMNS, rows[0], strict=True)), "api": identity()}


def ready() -> Answer:
    """Answer 200 once the items are readable."""
    POOL.query("SELECT 1 FROM items LIMIT 1")
    return 200, {"status": "ready"}


if __name__ == "__main__":
    serve(PORT, route, ready)
