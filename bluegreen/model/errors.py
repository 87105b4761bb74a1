"""One tree of errors, so that every message says what, where, why and what to type next.

Three branches decide what a caller may do: transient (try again), refused (a person must act), bug (ours).
An error must never hold a Secret's value; server texts are cut and freed of control characters.
"""

import re

SERVER_TEXT_LIMIT = 256
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean_text(text: str, limit: int = SERVER_TEXT_LIMIT) -> str:
    """Return text without control characters, at most limit characters long."""
    text = _CONTROL.sub(" ", text).strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


class BluegreenError(Exception):
    """Base of all errors that are shown to people.

    Attributes:
        code: stable short code, such as kube.not-found; documented, never reworded.
        what: what was being done, to which object, in which cluster.
        why: the reason; a server's words where it was a server.
        next_step: what to type or look at next, empty when there is nothing.
    """

    def __init__(self, code: str, what: str, why: str = "", next_step: str = "") -> None:
        self.code = code
        self.what = what
        self.why = clean_text(why)
        self.next_step = next_step
        super().__init__(code, what, self.why, next_step)

    def __str__(self) -> str:
        text = f"{self.what}: {self.why}" if self.why else self.what
        return f"{text} [{self.code}]"


class TransientError(BluegreenError):
    """The same call may succeed later: throttling, a lost connection, a server that restarts.

    Attributes:
        retry_after: seconds that the server asked us to wait, or None.
    """

    def __init__(
        self, code: str, what: str, why: str = "", next_step: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(code, what, why, next_step)
        self.retry_after = retry_after


class OutOfTimeError(TransientError):
    """The time that was given is over; the same call goes on where this one stopped, and is not repeated by itself."""


class RefusedError(BluegreenError):
    """The same call will fail again until somebody changes something."""


class NotFoundError(RefusedError):
    """The object or path is not there."""


class ConflictError(RefusedError):
    """The object changed under us or belongs to another field manager."""


class NoSharesError(RefusedError):
    """What a route serves is no shares of blue and green: nobody is served (0/0), or others take traffic, too.

    On the way out it is a refusal like any other; a ReturningRouter can still be brought back to blue.
    """


class InvalidInputError(RefusedError):
    """What the user gave cannot be used; all reasons at once.

    Attributes:
        reasons: one line each, in the order found.
    """

    def __init__(self, code: str, what: str, reasons: tuple[str, ...], next_step: str = "") -> None:
        super().__init__(code, what, "; ".join(reasons), next_step)
        self.reasons = reasons


class LockedError(RefusedError):
    """Another process holds the migration."""


class StalePlanError(RefusedError):
    """The world is no longer what the plan was made for."""


class BugError(BluegreenError):
    """An invariant of ours does not hold; the run stops where it is."""
