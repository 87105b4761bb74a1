"""Many requests to one API server under way from one thread: over one connection where the server speaks HTTP/2.

It sends each once and says what came of it. Its user keeps to its limit: a request that libcurl had to hold back would
be taken for one that the server does not answer.
"""

import select
from collections.abc import Mapping
from typing import Generic, TypeVar

import pycurl

from bluegreen.kube.channel import LOOK_SECONDS, PAUSE_SECONDS, Answer, Channel, Exchange, NoAnswerError, Transfer

STREAMS = 48
"""Requests under way over HTTP/2. A server's store writes what comes together as one; a default API server grants the
priority level global-default some 49 of its 600 requests in flight (source: the suggested configuration of API priority
and fairness), and shares them among its users. Go's servers grant 100 streams to a connection."""
CONNECTIONS = 24
"""Requests under way as long as no answer came over HTTP/2: each takes a connection then."""
GATHER_SECONDS = 0.003
"""How long answers are gathered while many are under way: libcurl looks at all of them for each that came."""
K = TypeVar("K")


class Multiplex(Generic[K]):
    """Requests under way over a channel, each known by a key; for one thread.

    Attributes:
        channel: where they go.
        limit: how many may be under way.
        sound: whether all were answered so far. A shared connection that went silent would be used on and on, for what
            times out on it does not close it.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.limit = CONNECTIONS
        self.sound = True
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, CONNECTIONS)
        self._free: list[pycurl.Curl] = []
        self._under_way: dict[pycurl.Curl, tuple[K, Transfer]] = {}

    def __len__(self) -> int:
        """Return how many are under way."""
        return len(self._under_way)

    def begin(self, key: K, wanted: Exchange, authorization: Mapping[str, str]) -> None:
        """Have a request sent when answers are looked for next.

        Args:
            key: what it is known by.
            wanted: the request.
            authorization: further headers, which say who we are.
        """
        handle = self._free.pop() if self._free else self.channel.handle(shared=True)
        self._under_way[handle] = key, self.channel.prepared(handle, wanted, authorization)
        self._multi.add_handle(handle)

    def ended(self, seconds: float) -> list[tuple[K, Answer | NoAnswerError]]:
        """Return what came of those that have ended.

        Args:
            seconds: how long to wait for the first of them, at most LOOK_SECONDS, so that Ctrl-C is heard.
        """
        found = self._look()
        if found or not self._under_way:
            return found
        if self._multi.select(min(seconds, LOOK_SECONDS)) <= 0:
            select.select((), (), (), PAUSE_SECONDS)  # it may not have waited, as with descriptors over 1023
        elif len(self._under_way) > self.limit // 2:
            select.select((), (), (), min(seconds, GATHER_SECONDS))
        return self._look()

    def _look(self) -> list[tuple[K, Answer | NoAnswerError]]:
        self._multi.perform()
        _, well, failed = self._multi.info_read()
        return [self._taken(handle) for handle in well] + [self._taken(*how) for how in failed]

    def _taken(self, handle: pycurl.Curl, code: int = 0, text: str = "") -> tuple[K, Answer | NoAnswerError]:
        key, transfer = self._under_way.pop(handle)
        self._multi.remove_handle(handle)
        answer = transfer.unanswered(code, text) if code else transfer.answer()
        self.sound = self.sound and not code
        if handle.getinfo(pycurl.INFO_HTTP_VERSION) == pycurl.CURL_HTTP_VERSION_2_0:
            self.limit = STREAMS
        transfer.forget()
        self._free.append(handle)
        return key, answer

    def close(self) -> None:
        """Give up what is under way, and the connection."""
        for handle in self._under_way:
            self._multi.remove_handle(handle)
        for handle in (*self._under_way, *self._free):
            handle.close()
        self._under_way.clear()
        self._free.clear()
        self._multi.close()
