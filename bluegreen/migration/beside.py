"""Work that is done beside this process, on another processor: threads of Python would take turns.

It only saves time. Where there can be no second process, or the work fails there, there is no result, and who asked
does the work: its errors are told from here only. So it must be work that may be done twice, and that prints nothing.
"""

import atexit
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

Say = Callable[[bytes], None]
Work = Callable[[Say], bytes]
_STOPS = (signal.SIGINT, signal.SIGTERM)


class _Parcel:
    """Bytes that go from the child to its parent, who is told when they are there.

    They lie in memory and not in a pipe, which would hold the child up until somebody asks for them. A byte in the pipe
    says that they are complete; its end without one, that they never will be.
    """

    def __init__(self) -> None:
        self._end, self._begin = os.pipe()
        try:
            self._store = os.memfd_create("bluegreen")
        except OSError:
            os.close(self._end)
            os.close(self._begin)
            raise

    def send(self, data: bytes) -> None:
        """In the child: say that this is all."""
        with os.fdopen(self._store, "wb") as store:
            store.write(data)
        os.write(self._begin, b"!")
        os.close(self._begin)

    def hand_over(self) -> None:
        """In the parent: leave it to the child to send something, whose end is the pipe's end then."""
        os.close(self._begin)

    def take(self) -> bytes | None:
        """In the parent: wait for what was sent and return it, None for nothing; to be called once."""
        complete = os.read(self._end, 1)
        os.close(self._end)
        with os.fdopen(self._store, "rb") as store:
            store.seek(0)
            return store.read() if complete else None

    def close(self) -> None:
        """Let go of it where there is no child."""
        for descriptor in (self._end, self._begin, self._store):
            os.close(descriptor)


class Beside:
    """A process that works, as its parent knows it; of a parent that is killed it survives to the end of its work.

    Args:
        pid: its id.
        word: brings its early word.
        result: brings its result.
    """

    def __init__(self, pid: int, word: _Parcel, result: _Parcel) -> None:
        self._pid = pid
        self._word = word
        self._result = result
        atexit.register(self._kill)

    def word(self) -> bytes | None:
        """Return the early word once it is said, None when there will be none; to be called once, in any thread."""
        return self._word.take()

    def result(self) -> bytes | None:
        """Return the result, None when there is none; to be called once."""
        return self._result.take()

    def end(self) -> None:
        """Leave no process behind, once the result is there or nobody wants it any more."""
        atexit.unregister(self._kill)
        self._kill()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)


def begin(work: Work) -> Beside | None:
    """Return a process that does the work, None where there can be none.

    Args:
        work: returns its result, and may say one word early, to the function that it is given.
    """
    if not _may_fork():
        return None
    parcels: list[_Parcel] = []
    # Ctrl-C in the child, before it has its own answer to it, would be told as if it were this process; and here,
    # before the child is known, it would leave it behind.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
    try:
        parcels += [_Parcel()]
        parcels += [_Parcel()]
        pid = os.fork()
        if pid == 0:
            _work_and_end(work, *parcels)
        for parcel in parcels:
            parcel.hand_over()
        return Beside(pid, *parcels)
    except OSError:  # such as a limit of processes
        for parcel in parcels:
            parcel.close()
        return None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _may_fork() -> bool:
    """Return whether a child would be sound: what another thread holds at a fork is never let go there.

    The kernel is asked, for it knows the threads of other languages, too. On other systems, libraries of the system may
    not stand a fork; and not every build of Python has memory without a name.
    """
    if sys.platform != "linux" or not hasattr(os, "memfd_create"):
        return False
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - names will do
    except OSError:
        return False


def _work_and_end(work: Work, word: _Parcel, result: _Parcel) -> NoReturn:
    """Do the work in the child; of what the parent would do when it ends, nothing is done here."""
    try:
        for number in _STOPS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        unsaid = [word]

        def say(text: bytes) -> None:
            if unsaid:
                unsaid.pop().send(text)

        result.send(work(say))
    finally:
        os._exit(0)
