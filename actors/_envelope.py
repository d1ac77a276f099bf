"""What is on its way to an actor: the Envelope of a message, and the news of a Crash."""

import asyncio
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ._mailbox import Mailbox

if TYPE_CHECKING:
    from ._actor import Actor

M = TypeVar("M")
A = TypeVar("A")


class Envelope(Generic[M, A]):
    """A message on its way: it waits in a mailbox without a task."""

    __slots__ = ("_bury", "_handle", "_mailbox", "answer", "context", "is_gone", "message", "turn")

    def __init__(
        self,
        message: M,
        mailbox: Mailbox,
        handle: "Callable[[Envelope[M, A]], None]",
        bury: Callable[[object, str], None],
    ) -> None:
        self.message = message
        self._mailbox = mailbox
        self._handle = handle
        self._bury = bury
        self.answer: asyncio.Future[A] | None = None
        self.turn: asyncio.Future[Any] | None = None
        self.context: Context = copy_context()
        self.is_gone = False

    def admit(self) -> bool:
        """Have the message handled."""
        waiter = self.turn or self.answer
        if self.is_gone or (waiter is not None and waiter.cancelled()):
            return False  # a waiter that was cancelled is about to withdraw
        self.is_gone = True
        self._handle(self)
        if self.turn is not None and not self.turn.done():
            self.turn.set_result(None)
        return True

    def withdraw(self) -> None:
        """Take the message back, if it still waits."""
        if not self.is_gone:
            self.is_gone = True
            self._mailbox.leave()

    def refuse(self, error: BaseException) -> None:
        """Tell whoever posted it that the actor stopped first."""
        self.is_gone = True
        self._bury(self.message, "stopped")
        self.fail(error)

    def reply(self, value: Any) -> None:
        """Answer; an answer that nobody waits for is a dead letter."""
        if self.answer is None:
            return
        if self.answer.done():
            self._bury(value, "nobody_waits")
        else:
            self.answer.set_result(value)

    def fail(self, error: BaseException) -> None:
        """Answer with an error."""
        for future in (self.answer, self.turn):
            if future is not None and not future.done():
                future.set_exception(error)


class Crash:
    """What an actor tells its supervisor when its own code raised."""

    __slots__ = ("child", "error")

    def __init__(self, child: "Actor[Any, Any]", error: BaseException) -> None:
        self.child: Actor[Any, Any] = child
        self.error: BaseException = error
