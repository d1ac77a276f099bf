"""What can go wrong with an actor, each error naming it and saying what to do."""

from understudy.configs import UnderstudyError


class ActorError(UnderstudyError):
    """The base of every error of an actor itself, as opposed to the code it plays.

    Example:
        >>> from understudy.actors import ActorError, MailboxFull
        >>> issubclass(MailboxFull, ActorError)
        True
    """

    __module__ = "understudy.actors"


class ActorStopped(ActorError):
    """The actor does not take messages: it has stopped, gave up, or was never started.

    Example:
        >>> import asyncio
        >>> from understudy.actors import Actor, ActorStopped
        >>> class Echo(Actor):
        ...     async def receive(self, message):
        ...         return message
        >>> try:
        ...     asyncio.run(Echo("echo").ask("hello"))
        ... except ActorStopped as error:
        ...     print(error)
        echo is not running (new): start it, or have a Supervisor start it
    """

    __module__ = "understudy.actors"

    def __init__(self, problem: str, reason: str = "stopped") -> None:
        super().__init__(problem)
        self.reason = reason

    def __str__(self) -> str:
        return str(self.args[0])


class MailboxFull(ActorError):
    """As many messages as the mailbox holds wait already, and it does not let callers wait.

    Example:
        >>> from understudy.actors import MailboxFull
        >>> raise MailboxFull("answer[small]: 1024 messages wait already")
        Traceback (most recent call last):
        ...
        understudy.actors.MailboxFull: answer[small]: 1024 messages wait already
    """

    __module__ = "understudy.actors"


class DeadlineExceeded(ActorError, TimeoutError):
    """The time for an answer is over; it is a `TimeoutError`.

    Attributes:
        reason: `max_seconds` where the time was that of `StreamLimits(seconds=)`; else None.

    Example:
        >>> from understudy.actors import DeadlineExceeded
        >>> try:
        ...     raise DeadlineExceeded("answer[large]: no answer within 2 s")
        ... except TimeoutError as error:
        ...     print(error)
        answer[large]: no answer within 2 s
    """

    __module__ = "understudy.actors"
    reason: str | None = None


class DeadlockError(ActorError):
    """The call would wait, directly or through other calls, for itself; the text names the cycle.

    Example:
        >>> from understudy.actors import DeadlockError
        >>> raise DeadlockError("a[x] -> b[y] -> a[x]: each waits for the next")
        Traceback (most recent call last):
        ...
        understudy.actors.DeadlockError: a[x] -> b[y] -> a[x]: each waits for the next
    """

    __module__ = "understudy.actors"
