"""Named points where a test can end the process, because a crash there must be harmless.

BLUEGREEN_FAILPOINT=shift-50.acted kills this process with SIGKILL when that point is first reached.
Without the variable a point costs one dictionary look-up; it must never do anything else in production.
"""

import os
import signal


def hit(name: str) -> None:
    """Die here if the environment names this point.

    Args:
        name: step name and one of before (the act), acted (not yet recorded), recorded.
    """
    if os.environ.get("BLUEGREEN_FAILPOINT") == name:
        os.kill(os.getpid(), signal.SIGKILL)
