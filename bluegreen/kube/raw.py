"""Text of a path that is no object, such as /metrics: bounded in size and time, for the server decides how much it is.

It must never be used for objects: Secrets come through calls, which know how to be quiet about them.
"""

from bluegreen.kube.answers import error_of
from bluegreen.kube.calls import Call
from bluegreen.kube.channel import Exchange, NoAnswerError, TooLongError
from bluegreen.kube.http import Transport
from bluegreen.kube.retry import Patience, persist
from bluegreen.model.errors import RefusedError
from bluegreen.model.ports import RawAnswer

BRIEF = Patience(total=20.0, one=15.0)
LIMIT_BYTES = 32 * 2**20


def read(transport: Transport, path: str, *, patience: Patience = BRIEF, limit: int = LIMIT_BYTES) -> RawAnswer:
    """Return what a path answers.

    Args:
        transport: cluster to ask.
        path: path with query, already escaped.
        patience: budget of the call.
        limit: most bytes that are taken.

    Raises:
        RefusedError: no right, or more text than the limit.
        TransientError: the server does not answer in time.
    """
    call = Call("GET", path, f"reading {path.partition('?')[0]}", "get", accept="*/*")

    def attempt(seconds: float) -> RawAnswer:
        headers = {"accept": call.accept, "user-agent": "bluegreen"}
        wanted = Exchange("GET", path, headers, seconds=seconds, whole=seconds, limit=limit, with_headers=True)
        try:
            got = transport.connection.exchange(wanted)
        except NoAnswerError as error:
            raise transport.unanswered(call, error) from error
        except TooLongError:
            why = f"it answers more than {limit // 2**20} MiB"
            raise RefusedError(
                "kube.too-long", f"{call.what} in {transport.where}", why, "look at it by hand"
            ) from None
        if not got.succeeded:
            raise error_of(call, transport.where, got.status, got.headers, got.body)
        return RawAnswer(got.body.decode("utf-8", "replace"), got.headers.get("date", ""))

    answer: RawAnswer = persist(attempt, patience)
    return answer
