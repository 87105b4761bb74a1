"""What the package's scripts call: Ctrl-C ends the process from here on, without a trace of Python's.

The entry point says more about it as soon as it is loaded. It must never import anything before that.
"""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from bluegreen.cli.main import run

__all__ = ["run"]
