"""Ids that nobody else makes, in the order in which they were made."""

import os
import time


def new_id() -> str:
    """Return 16 hex digits: the microsecond, and 10 random bits.

    Example:
        >>> from understudy.runs._ids import new_id
        >>> earlier, later = new_id(), new_id()
        >>> len(earlier), earlier[:8] <= later[:8]
        (16, True)
    """
    microsecond = time.time_ns() // 1_000
    return f"{microsecond << 10 | int.from_bytes(os.urandom(2)) >> 6:016x}"
