"""What commands that hold ten thousand objects at once do differently; they end soon, which a migration does not."""

import gc


def hold_many_objects() -> None:
    """Stop the search for cycles for the rest of the process.

    JSON data has none, and each search would walk over millions of maps and texts again: a quarter of the time.
    Reference counts still free everything as soon as it is let go.
    """
    gc.disable()
