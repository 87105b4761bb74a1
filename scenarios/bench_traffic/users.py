"""The users of a run, in a process of their own: `python -m scenarios.bench_traffic.users JSON`.

Standard input says "keep" (the keepers look for green, once) and ends when they shall stop; standard output is then one
line with every answer. A user never tries a request again: one that fails is lost.
"""

import http.client
import json
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import dns.exception
import dns.message
import dns.query
import dns.rdatatype

_TIMEOUT = 5.0
_KEEPERS_LOOK_SECONDS = 0.2

Answer = tuple[float, str, str]


@dataclass(slots=True)
class Crowd:
    """All users.

    Attributes:
        plan: port (of a balancer) or resolver, name and ports (by address), users, keepers, rate (requests per second
            of each user).
        seen: monotonic seconds, group and side of every answer; the side of a lost request is "lost".
    """

    plan: dict[str, Any]
    seen: list[Answer] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    keep: threading.Event = field(default_factory=threading.Event)

    def start(self) -> list[threading.Thread]:
        """Let everybody in."""
        user = self.follow if "resolver" in self.plan else self.stay
        crowd = [threading.Thread(target=user, args=("user",)) for _ in range(self.plan["users"])]
        crowd += [threading.Thread(target=self.cling) for _ in range(self.plan.get("keepers", 0))]
        for one in crowd:
            one.start()
        return crowd

    def stay(self, group: str, port: int | None = None) -> None:
        """Send requests on one kept connection; a broken one is lost and opened again."""
        connection = _connect(port or self.plan["port"])
        while not self.over.wait(1 / self.plan["rate"]):
            side = _ask(connection)
            self.seen.append((time.monotonic(), group, side))
        connection.close()

    def follow(self, group: str) -> None:
        """Ask the resolver before each request, and connect anew."""
        while not self.over.wait(1 / self.plan["rate"]):
            connection = _connect(self.resolve() or 1)
            side = _ask(connection)
            connection.close()
            self.seen.append((time.monotonic(), group, side))

    def cling(self) -> None:
        """Connect once to what the resolver says, or to green once told to look for it; never resolve again."""
        wanted = self.plan["ports"][self.plan["green"]] if self.plan["wait_for_green"] else None
        while wanted is not None and not self.over.is_set():
            if self.keep.wait(_KEEPERS_LOOK_SECONDS) and self.resolve() == wanted:
                break
            self.over.wait(_KEEPERS_LOOK_SECONDS)
        port = wanted or self.resolve()
        if port and not self.over.is_set():
            self.stay("keeper", port)

    def resolve(self) -> int | None:
        """Return the port that stands for the answer of the resolver."""
        question = dns.message.make_query(self.plan["name"], "A")
        try:
            answer = dns.query.udp(question, "127.0.0.1", _TIMEOUT, self.plan["resolver"])
        except (OSError, dns.exception.DNSException):
            return None
        found = [row.address for rrset in answer.answer if rrset.rdtype == dns.rdatatype.A for row in rrset]
        return self.plan["ports"].get(found[0]) if found else None


def _connect(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)


def _ask(connection: http.client.HTTPConnection) -> str:
    """Make one request; return who answered, with what else than 200, or that it was lost."""
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        side = answer.read().decode()
    except (OSError, http.client.HTTPException):
        connection.close()
        return "lost"
    if side not in {"blue", "green"}:
        return "lost"
    return side if answer.status == http.client.OK else f"{side} {answer.status}"


def main() -> None:
    """Let the users in until standard input ends."""
    crowd = Crowd(json.loads(sys.argv[1]))
    threads = crowd.start()
    for line in sys.stdin:
        if line.strip() == "keep":
            crowd.keep.set()
    crowd.over.set()
    for thread in threads:
        thread.join()
    print(json.dumps(crowd.seen), flush=True)


if __name__ == "__main__":
    main()
