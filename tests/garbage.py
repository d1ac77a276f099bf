"""What a piece of work leaves for the collector of cycles."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def no_cycles(of: str = "") -> Generator[None]:
    """Fail if what is done inside leaves garbage that only the collector can free.

    What was there before is set apart first: what an earlier test left may take
    the collector more than one round, and is none of this one's doing.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
        left = gc.collect()
        assert left == 0, f"{of}: {left} object{'s' * (left != 1)} in cycles"
    finally:
        gc.enable()
        gc.unfreeze()
