"""How a run ended: what an exception says of it, and what the end of the program does."""

import atexit
import sys
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from ._attempts import Failure, Status

if TYPE_CHECKING:
    from ._run import Run

_LONGEST: Final = 20_000

_open: "WeakSet[Run]" = WeakSet()


def status_after(error: BaseException | None) -> Status:
    """Return how a run ended that was left with an exception, or without."""
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        return "COMPLETED"
    if isinstance(error, (KeyboardInterrupt, GeneratorExit)):
        return "CANCELLED"
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None and isinstance(error, asyncio.CancelledError):
        return "CANCELLED"
    if type(error).__module__.partition(".")[0] == "trio" and type(error).__name__ == "Cancelled":
        return "CANCELLED"
    return "FAILED"


def failure_of(error: BaseException | str) -> Failure:
    """Return what is kept of an exception."""
    if isinstance(error, str):
        return Failure(type="", message=_plain(error))
    from traceback import format_exception

    try:
        message = str(error)
        where = "".join(format_exception(error))
    except Exception:  # an exception whose own words fail
        message, where = "", ""
    return Failure(type=type(error).__qualname__, message=_plain(message), traceback=_plain(where))


def end_at_exit(run: "Run") -> None:
    """End a run at the end of the program, if nobody else does."""
    if not _open:
        atexit.unregister(_end_all)
        atexit.register(_end_all)
    _open.add(run)


def has_ended(run: "Run") -> None:
    """Forget a run."""
    _open.discard(run)


def _end_all() -> None:
    error: object = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    if hasattr(sys, "ps1") or not isinstance(error, BaseException):
        error = None  # at a prompt, the last error may be long ago
    for run in [*_open]:
        run._end(status_after(error), error, "exit")


def _plain(text: str) -> str:
    shown = (
        text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]}\n...\n{text[-_LONGEST // 2 :]}"
    )
    return shown.encode("utf-8", "backslashreplace").decode()
