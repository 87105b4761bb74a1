"""Sends many calls at a time from one thread and hands on what came of each as it comes.

What may succeed when it is tried again goes to threads, which do so as for a single call. It counts as under way until
then: a server that has enough is not sent more meanwhile.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Self, TypeVar

from bluegreen.kube.calls import Call, encoded
from bluegreen.kube.channel import LOOK_SECONDS, Answer, NoAnswerError
from bluegreen.kube.http import UNAUTHORIZED, Transport
from bluegreen.kube.multiplex import CONNECTIONS
from bluegreen.kube.retry import Patience
from bluegreen.model.errors import BluegreenError, TransientError

_GLANCE_SECONDS = 0.02
Item = TypeVar("Item")
Outcome = tuple[int, Any | BluegreenError]


def send_each(
    transport: Transport,
    items: Iterable[Item],
    call_of: Callable[[Item], Call],
    left: Callable[[], float | None],
    patience: Patience,
) -> Iterator[Outcome]:
    """Send a call for each item; yield the item's number and the decoded answer or the error, in the order they come.

    Args:
        transport: where to.
        items: taken one by one, as there is room.
        call_of: makes the call of an item, which must be repeatable.
        left: seconds until nothing more is sent or waited for; None for no end.
        patience: budget of each call.
    """
    numbered = enumerate(items)
    with _UnderWay(transport, patience) as under_way:
        more = True
        while (seconds := left()) != 0:
            while more and under_way.has_room():
                number, item = next(numbered, (-1, None))
                if item is None:
                    more = False
                    break
                try:
                    under_way.begin(number, call_of(item))
                except BluegreenError as error:
                    yield number, error
            if not under_way:
                return
            yield from under_way.ended(math.inf if seconds is None else seconds)


class _UnderWay:
    """Calls that were sent and of which it is not known yet what came of them."""

    def __init__(self, transport: Transport, patience: Patience) -> None:
        self._transport = transport
        self._patience = patience
        self._lines = transport.lines()
        self._again: dict[Future[Any], int] = {}
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="again")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        """Wait for nothing: what is still under way is not wanted any more."""
        self._transport.leave(self._lines)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def __len__(self) -> int:
        return len(self._lines) + len(self._again)

    def has_room(self) -> bool:
        """Return whether another call may be sent; new lines wait for what is under way on those that shall end."""
        if not self._transport.may_use(self._lines):
            if len(self._lines):
                return False
            self._transport.leave(self._lines)
            self._lines = self._transport.lines()
        return len(self) < self._lines.limit

    def begin(self, number: int, call: Call) -> None:
        """Send a call for the first time, where there is room."""
        _, _, authorization = self._transport.connection.opened()
        self._lines.begin(
            (number, call), self._transport.request(call, encoded(call), self._patience.one), authorization
        )

    def ended(self, seconds: float) -> list[Outcome]:
        """Return what came of those that have ended.

        Args:
            seconds: how long to wait for the first of them at most; none may have ended then.
        """
        found: list[Outcome] = []
        if len(self._lines):
            for (number, call), answer in self._lines.ended(min(seconds, _GLANCE_SECONDS if self._again else math.inf)):
                found += self._outcome(number, call, answer)
        else:
            wait(self._again, timeout=min(seconds, LOOK_SECONDS), return_when=FIRST_COMPLETED)
        done = [future for future in self._again if future.done()]
        return found + [(self._again.pop(future), _result(future)) for future in done]

    def _outcome(self, number: int, call: Call, answer: Answer | NoAnswerError) -> list[Outcome]:
        """Return what an answer means; nothing where the call is tried again."""
        if isinstance(answer, Answer) and answer.status == UNAUTHORIZED:
            return self._tried_again(number, call)  # which renews the credentials
        try:
            return [(number, self._transport.understood(call, answer)[0])]
        except TransientError:
            return self._tried_again(number, call, answer)
        except BluegreenError as error:
            return [(number, error)]

    def _tried_again(self, number: int, call: Call, first: Answer | NoAnswerError | None = None) -> list[Outcome]:
        self._again[self._threads.submit(self._transport.send, call, self._patience, first)] = number
        return []


def _result(ended: Future[Any]) -> Any | BluegreenError:
    try:
        return ended.result()
    except BluegreenError as error:
        return error
