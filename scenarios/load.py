"""The users of a scenario: steady requests over kept connections, each judged, none retried.

Run as `python -m scenarios.load --url http://127.0.0.1:18080 --rate 40`; it ends on SIGTERM, SIGINT or after --seconds
and then prints one JSON line. It must never retry, never follow a proxy from the environment, and never send to
anything but a loopback address: what it reports is what a user saw.
"""

import argparse
import asyncio
import contextlib
import hashlib
import ipaddress
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

ITEMS = 2000
CONNECTIONS = 8
TIMEOUT_SECONDS = 10.0
KEPT_FAILURES = 20
OK = 200
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class BadAnswerError(Exception):
    """An answer that a user would call wrong; the text is the kind of failure."""


@dataclass(slots=True)
class Tally:
    """What the users saw."""

    started: float = field(default_factory=time.monotonic)
    latencies: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    first_failures: list[dict[str, Any]] = field(default_factory=list)
    answered_by: Counter[str] = field(default_factory=Counter)

    def record(self, seconds: float, host: str) -> None:
        """Count a good answer."""
        self.latencies.append(seconds)
        self.answered_by[host] += 1

    def fail(self, reason: str) -> None:
        """Count a failure."""
        self.failures[reason] += 1
        if len(self.first_failures) < KEPT_FAILURES:
            self.first_failures.append({"at": round(time.monotonic() - self.started, 2), "reason": reason})

    def summary(self) -> dict[str, Any]:
        """Return the numbers; latencies in milliseconds, of the good answers only."""
        failed, good = sum(self.failures.values()), sorted(self.latencies)
        return {
            "requests": failed + len(good),
            "failed": failed,
            "failures": dict(self.failures),
            "first_failures": self.first_failures,
            "p50_ms": _percentile(good, 0.50),
            "p99_ms": _percentile(good, 0.99),
            "max_ms": _percentile(good, 1.0),
            "answered_by": dict(self.answered_by),
            "seconds": round(time.monotonic() - self.started, 1),
        }


def _percentile(ordered: Sequence[float], share: float) -> float | None:
    if not ordered:
        return None
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 1)


class Client:
    """One user with one kept connection."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._streams: _Streams | None = None

    async def get(self, path: str) -> tuple[int, bytes]:
        """Return status and body of one GET."""
        reader, writer = await self._connected()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n\r\n".encode())
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return int(head[0].split(" ", 2)[1]), body

    async def _connected(self) -> _Streams:
        # A connection that ended between two requests is opened anew, as every browser does; nothing was lost by that.
        if self._streams and (self._streams[0].at_eof() or self._streams[1].is_closing()):
            self.close()
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        return self._streams

    def close(self) -> None:
        """Forget the connection."""
        if self._streams:
            self._streams[1].close()
            self._streams = None


def judge(item: int, status: int, body: bytes) -> str:
    """Return the address of the node that answered.

    Raises:
        BadAnswerError: wrong status, wrong item, or a checksum that is not that of the content.
    """
    if status != OK:
        raise BadAnswerError(f"status {status}")
    try:
        answer = json.loads(body)
        row, host = answer["item"], str(answer["web"]["host"])
        content = "|".join(str(row[key]) for key in ("id", "name", "price", "note"))
    except (ValueError, KeyError, TypeError) as error:
        raise BadAnswerError("unreadable body") from error
    digest = hashlib.md5(content.encode(), usedforsecurity=False).hexdigest()
    if row["id"] != item or row["checksum"] != digest:
        raise BadAnswerError("wrong body")
    return host


async def _user(number: int, client: Client, tally: Tally, interval: float, stop: asyncio.Event) -> None:
    """Send one request per interval until told to stop; a late request counts from when it was due."""
    loop = asyncio.get_running_loop()
    due = loop.time() + interval * number / CONNECTIONS
    item = number * (ITEMS // CONNECTIONS)
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), max(0.0, due - loop.time()))
        if stop.is_set():
            break
        item = item % ITEMS + 1
        try:
            status, body = await asyncio.wait_for(client.get(f"/items/{item}"), TIMEOUT_SECONDS)
            host = judge(item, status, body)
        except BadAnswerError as error:
            tally.fail(str(error))
        except (OSError, EOFError, TimeoutError, ValueError, asyncio.LimitOverrunError) as error:
            client.close()
            tally.fail(type(error).__name__)
        else:
            tally.record(loop.time() - due, host)
        due = max(due + interval, loop.time())
    client.close()


async def run(host: str, port: int, rate: float, seconds: float) -> dict[str, Any]:
    """Send requests until a signal or the bound; return the summary.

    Args:
        host: a loopback address.
        port: of the load balancer.
        rate: requests a second, all users together.
        seconds: bound of the whole.
    """
    stop, tally = asyncio.Event(), Tally()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.call_later(seconds, stop.set)
    users = (_user(n, Client(host, port), tally, CONNECTIONS / rate, stop) for n in range(CONNECTIONS))
    await asyncio.gather(*users)
    return tally.summary()


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and print the summary."""
    parser = argparse.ArgumentParser(prog="python -m scenarios.load", description="Users of the shop.")
    parser.add_argument("--url", default="http://127.0.0.1:18080", help="of the load balancer")
    parser.add_argument("--rate", type=float, default=40.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=1800.0, help="end by itself after this time")
    options = parser.parse_args(arguments)
    url = urlsplit(options.url)
    host = url.hostname or ""
    if not ipaddress.ip_address(host).is_loopback:
        parser.error("only a loopback address is loaded")
    summary: Mapping[str, Any] = asyncio.run(run(host, url.port or 80, options.rate, options.seconds))
    print(json.dumps(summary))
    return 0


if __name__ == "__main__":
    sys.exit(main())
