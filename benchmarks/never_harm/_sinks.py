"""Sinks that misbehave: what events are told to, while a lead is called."""

import os
import select
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

_LOOK: Final = 0.05


@contextmanager
def misbehaving(case: str) -> Generator[Any]:
    """Give what `Runtime(events=...)` takes, and let go of it at the end."""
    over = threading.Event()

    def raises(event: Any) -> None:
        raise ValueError("this sink never works")

    def hangs(event: Any) -> None:
        over.wait()

    with TemporaryDirectory() as folder:
        path = Path(folder, "events.jsonl")
        reader = _reader(case, path)
        try:
            yield {"raises": raises, "hangs": hangs}.get(case, path)
        finally:
            over.set()
            if reader is not None:
                reader.close()


def _reader(case: str, path: Path) -> FileIO | None:
    """Set up what a path leads to; return what reads from it, if anything does."""
    if case == "full":
        path.symlink_to("/dev/full")
    if case not in ("closed", "unread"):
        return None
    os.mkfifo(path)
    reader = FileIO(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    if case == "closed":
        threading.Thread(target=_close_at_the_first, args=(reader,), daemon=True).start()
    return reader


def _close_at_the_first(reader: FileIO) -> None:
    """Close what reads when there is something to be read, or when nobody writes any more."""
    with suppress(ValueError):  # somebody else has closed it
        while not select.select([reader], [], [], _LOOK)[0]:
            pass
    reader.close()
