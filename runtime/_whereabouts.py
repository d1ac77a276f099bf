"""Where a thread is: which line of whose code it is at."""

import faulthandler
import re
import tempfile
from pathlib import Path
from typing import Final

from understudy import actors

_THREAD: Final = re.compile(r"hread 0x([0-9a-f]+)")
_LINE: Final = re.compile(r'  File "(.*)", line (\d+) in (.*)')
_OURS: Final = tuple(str(Path(file).parent) for file in (__file__, actors.__file__))


def where_is(thread: int) -> str:
    """Return which line a thread is at: that of the innermost experiment, and the innermost one.

    Python writes the lines down while no thread runs. To read the frames of another thread is not
    safe in every version of it.
    """
    inner: list[str] = []
    for line in _lines_of(thread):
        found = _LINE.match(line)
        if found is None:
            continue
        file, number, function = found.groups()
        if not file.startswith(_OURS):
            inner.append(f"{file}:{number} in {function}")
        elif inner:
            break
    else:  # no experiment on the stack: a task that one began
        del inner[1:]
    return " > ".join(dict.fromkeys([*inner[-1:], *inner[:1]]))


def _lines_of(thread: int) -> list[str]:
    try:
        with tempfile.TemporaryFile() as file:
            faulthandler.dump_traceback(file, all_threads=True)
            file.seek(0)
            text = file.read().decode("ascii", "replace")
    except (OSError, RuntimeError):  # a full disk, no more files
        return []
    for part in text.split("\n\n"):
        head, *lines = part.splitlines()
        found = _THREAD.search(head)
        if found is not None and int(found[1], 16) == thread:
            return lines
    return []
