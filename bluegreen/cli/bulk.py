"""What commands that hold ten thousand objects at once do differently; they end soon, which a migration does not."""

import atexit
import gc


def hold_many_objects() -> None:
    """Stop the search for cycles for the rest of the process, the last one when it ends included.

    JSON data has none, and each search would walk over millions of maps and texts again: a quarter of the time.
    Reference counts still free everything as soon as it is let go.
    """
    gc.disable()
    atexit.register(gc.freeze)  # the interpreter searches once more whatever it was told, but not what is frozen
