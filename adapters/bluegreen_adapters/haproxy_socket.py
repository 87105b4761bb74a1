"""HAProxy's runtime socket: one command, one answer, and errors that say what to mend.

It must never keep a connection (HAProxy reloads under us), and never wait longer than its timeout.
"""

import csv
import io
import socket
import time
from dataclasses import dataclass

from bluegreen.model.errors import BluegreenError, RefusedError, TransientError

SHOW_SERVERS = "show stat -1 4 -1"  # by name it would find a frontend of the same name first
_CHUNK = 65536
_LONGEST_PATH = 107
_LARGEST_ANSWER = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class HaproxySocket:
    """Address of a runtime socket.

    Attributes:
        address: path of a UNIX socket, or host:port.
        timeout: seconds that one command may take in all.
    """

    address: str
    timeout: float

    def ask(self, command: str) -> str:
        """Return HAProxy's answer to one command line, without the blank lines around it.

        Raises:
            TransientError: nobody answers now, or the socket is missing, as during a restart.
            RefusedError: we may not use it.
        """
        try:
            return self._exchange(command).strip("\n")
        except (OSError, EOFError) as error:
            raise self._error(command, error) from error

    def _exchange(self, command: str) -> str:
        deadline = time.monotonic() + self.timeout
        with self._connect() as connection:
            connection.sendall(command.encode() + b"\n")
            answer = bytearray()
            while chunk := _receive(connection, deadline):
                answer += chunk
                if len(answer) > _LARGEST_ANSWER:
                    raise OSError("the answer does not end")
        if not answer:
            raise EOFError("the connection was closed without an answer")
        return answer.decode(errors="replace")

    def _connect(self) -> socket.socket:
        if self._is_path:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(self.timeout)
            try:
                connection.connect(self.address)
            except BaseException:
                connection.close()
                raise
            return connection
        host, _, port = self.address.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), timeout=self.timeout)

    @property
    def _is_path(self) -> bool:
        return "/" in self.address

    def _error(self, command: str, error: Exception) -> BluegreenError:
        what = f"asking HAProxy at {self.address} to {command!r}"
        match error:
            case FileNotFoundError():
                # Also what a HAProxy that restarts looks like for a moment, so a run tries again. Who opens a route
                # for a plan does not, and shows a wrong path at once.
                return TransientError(
                    "haproxy.no-socket",
                    what,
                    "there is no such socket: HAProxy does not run (yet), or its config has another path",
                    f"add to its global section: stats socket {self.address} mode 660 level admin",
                )
            case PermissionError():
                return RefusedError(
                    "haproxy.forbidden", what, "this user may not use the socket", f"ls -l {self.address}; or mode 660"
                )
            case TimeoutError():
                return TransientError("haproxy.timeout", what, f"no answer within {self.timeout:g} s")
            case _:
                return TransientError("haproxy.unreachable", what, str(error) or type(error).__name__)


def _receive(connection: socket.socket, deadline: float) -> bytes:
    """Return what comes next, empty at the end; the deadline counts for the whole answer."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    connection.settimeout(left)
    return connection.recv(_CHUNK)


def check_address(address: str) -> str:
    """Return why an address cannot be a runtime socket, empty when it can."""
    host, colon, port = address.rpartition(":")
    if "/" in address:
        return "is longer than the 107 bytes of a socket's path" if len(address.encode()) > _LONGEST_PATH else ""
    if not colon or not host:
        return "must be the path of a UNIX socket (/run/haproxy/admin.sock) or host:port"
    return "" if port.isdecimal() and 0 < int(port) < 65536 else "has a port that is none"  # noqa: PLR2004 - ports


def server_rows(answer: str, backend: str) -> dict[str, dict[str, str]]:
    """Return the servers of a backend from the answer to SHOW_SERVERS, as column to text by server name.

    Args:
        answer: HAProxy's answer, its first line the column names.
        backend: name of the backend.
    """
    rows = csv.DictReader(io.StringIO(answer.removeprefix("# ")))
    return {row["svname"]: row for row in rows if row["pxname"] == backend}
