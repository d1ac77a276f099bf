"""Actor: state with a mailbox. Only its messages touch it, and they are taken in order.

An idle actor is an object and nothing else: no task waits for messages. Each message, when it is
its turn, is handled in a task of its own, at most `concurrency` at a time.
"""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar

from ._envelope import Crash, Envelope
from ._errors import ActorError, ActorStopped, DeadlineExceeded, DeadlockError, MailboxFull
from ._mailbox import Mailbox
from ._state import Emit, State

_log = logging.getLogger("understudy")
M = TypeVar("M")
A = TypeVar("A")

Overflow = Literal["wait", "reject"]
GRACE = 1.0
"""How many seconds a handler that does not obey its cancellation can hold up a stop."""
_TAKING = (State.STARTING, State.RUNNING, State.CRASHED, State.RESTARTED)


class Actor(Generic[M, A]):
    """State with a mailbox; only messages touch it, one at a time.

    Derive from it, set up the state in `started` (so that a restart begins afresh), and answer
    messages in `receive`. An exception that leaves `receive` is a crash: whoever asked gets it,
    and the supervisor restarts the actor, which keeps its mailbox. An actor without a supervisor
    stops when it crashes. (What would end the asker itself, as SystemExit, comes as the cause of
    an ActorError.)

    Args:
        name: how errors and events call it.
        concurrency: how many messages are handled at a time; 1 protects state across an `await`.
        mailbox: how many messages may wait.
        overflow: what asking does when the mailbox is full: `"wait"` for the turn, or `"reject"`,
            which raises `MailboxFull`. Telling never waits.

    Example:
        >>> import asyncio
        >>> from understudy.actors import Actor
        >>> class Counter(Actor[int, int]):
        ...     async def started(self):
        ...         self.total = 0
        ...     async def receive(self, message):
        ...         self.total += message
        ...         return self.total
        >>> async def main():
        ...     async with Counter("counter") as counter:
        ...         counter.tell(40)
        ...         return await counter.ask(2, timeout=1)
        >>> asyncio.run(main())
        42
    """

    # An actor is small while nothing happens to it: these are its own when they change.
    restarts: int = 0
    dead_letters: int = 0
    emit: Emit | None = None
    _supervisor: "Actor[Crash, None] | None" = None
    _starter: "asyncio.Task[Any] | None" = None
    _starting: "asyncio.Future[None] | None" = None
    _ending: "asyncio.Future[None] | None" = None
    _ender: "asyncio.Task[None] | None" = None
    _is_set_up = False
    _handlers: "dict[asyncio.Task[Any], Envelope[Any, Any]] | None" = None

    def __init__(
        self,
        name: str | None = None,
        *,
        concurrency: int = 1,
        mailbox: int = 1024,
        overflow: Overflow = "wait",
    ) -> None:
        self.name: str = name or type(self).__name__
        self.overflow: Overflow = overflow
        self.mailbox: Mailbox = Mailbox(concurrency, mailbox)
        self.mailbox.close()
        self.state: State = State.NEW
        self._loop: asyncio.AbstractEventLoop | None = None

    # What a subclass says

    async def started(self) -> None:
        """Set up the state; called before the first message, and again after a crash."""

    async def receive(self, message: M) -> A:
        """Handle one message; what it returns is the answer."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it does: {message!r}")

    async def stopped(self) -> None:
        """Clean up what `started` set up; called when no message is handled any more."""

    # What others say to it

    def tell(self, message: M) -> bool:
        """Post a message and do not wait; False if it was not taken (it is a dead letter then)."""
        if self._takes_messages and not self.mailbox.is_full:
            self._post(self._envelope(message))
            return True
        self._bury(message, "mailbox_full" if self._takes_messages else str(self.state))
        return False

    async def send(self, message: M) -> None:
        """Post a message; while the mailbox is full, wait until it is this message's turn.

        Raises:
            ActorStopped: the actor takes no messages.
        """
        self._refuse_if_stopped()
        envelope = self._envelope(message)
        if self.mailbox.is_full:
            envelope.turn = asyncio.get_running_loop().create_future()
            self._post(envelope)
            await self._answer(envelope, envelope.turn, None)
        else:
            self._post(envelope)

    async def ask(self, message: M, *, timeout: float | None = None) -> A:
        """Post a message and wait for the answer.

        Cancelling the asker withdraws a message that still waits. One that is being handled is
        handled to its end: an actor's state is never left half-changed.

        Raises:
            DeadlineExceeded: no answer within `timeout` seconds.
            MailboxFull: the mailbox is full, and the actor rejects.
            ActorStopped: the actor takes no messages, or stopped before it answered.
            DeadlockError: the actor asks itself, and would have to end first.
        """
        self._refuse_if_stopped()
        self._refuse_itself()
        if self.overflow == "reject" and self.mailbox.is_full:
            raise MailboxFull(f"{self.name}: {self.mailbox.waiting} messages wait already")
        envelope = self._envelope(message)
        envelope.answer = asyncio.get_running_loop().create_future()
        self._post(envelope)
        return await self._answer(envelope, envelope.answer, timeout)

    async def start(self) -> None:
        """Start, on the loop that runs; an actor that stopped may be started again.

        Messages are taken from now on, and handled as soon as `started` is through.

        Raises:
            ActorStopped: somebody stopped it before `started` was through.
        """
        if self._ending is not None:
            await asyncio.shield(self._ending)
        if self.state not in (State.NEW, State.STOPPED):
            return
        self.state = State.STARTING
        try:
            is_wanted = await self._begin()
        except BaseException:
            if self.state is State.STARTING:
                self.state = State.STOPPED
                self._send_away()
            raise
        if not is_wanted:
            raise self._gone()
        self._run()
        self._tell_event("actor.started")

    def start_now(self) -> None:
        """Start at once, on the loop that runs: for an actor whose `started` does not wait.

        Raises:
            ActorError: it does wait, or the actor is just being stopped.
        """
        if self._ending is not None:
            raise ActorError(f"{self.name} is being stopped: await `actor.stop()` first")
        if self.state not in (State.NEW, State.STOPPED):
            return
        starting = self._begin()
        try:
            starting.send(None)
        except StopIteration:
            self._run()
            self._tell_event("actor.started")
        else:
            starting.close()
            raise ActorError(f"{self.name}: its `started` waits, so use `await actor.start()`")

    async def stop(self, *, drain: float = 0.0) -> None:
        """Take no more messages, give those there are `drain` seconds, and end.

        Whoever still waits for an answer then gets `ActorStopped`. Cancelling this ends the drain,
        and stops the actor at once.
        """
        if self._ending is not None:
            await asyncio.shield(self._ending)
            return
        if self.state in (State.NEW, State.STOPPED):
            self.state = State.STOPPED
            return
        self._ending = asyncio.get_running_loop().create_future()
        starting, self._starting = self._starting, None
        was_running = self.state is State.RUNNING
        self.state = State.DRAINING
        try:
            if starting is not None and self._starter is not asyncio.current_task():
                await asyncio.wait([starting], timeout=GRACE)
            await self._wind_down(drain if was_running else 0.0)
        finally:
            await self._finish()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}, {self.state}>"

    # How it lives

    @property
    def _takes_messages(self) -> bool:
        return self.state in _TAKING

    def _refuse_if_stopped(self) -> None:
        if not self._takes_messages:
            raise ActorStopped(
                f"{self.name} is not running ({self.state}): "
                f"start it, or have a Supervisor start it"
            )

    def _refuse_itself(self) -> None:
        task = asyncio.current_task()
        waits_for_itself = task in (self._handlers or ()) and self.mailbox.concurrency == 1
        if waits_for_itself or (task is not None and task is self._starter):
            raise DeadlockError(f"{self.name} asks itself, and waits for ever: `tell` it instead")

    async def _begin(self) -> bool:
        """Have `started` set up the state; False if a stop came in between."""
        mine = self._starting = asyncio.get_running_loop().create_future()
        self._starter = asyncio.current_task()
        try:
            await self.started()
            self._is_set_up = True
            return self._starting is mine
        finally:
            mine.set_result(None)
            self._starter = None
            if self._starting is mine:
                self._starting = None

    def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.state = State.RUNNING
        self.mailbox.open()

    def _envelope(self, message: M) -> Envelope[M, A]:
        return Envelope(message, self.mailbox, self._handle, self._bury)

    def _post(self, envelope: Envelope[M, A]) -> None:
        if self.mailbox.take():
            envelope.admit()
        else:
            self.mailbox.wait(envelope)

    async def _answer(
        self, envelope: Envelope[M, A], future: "asyncio.Future[A]", timeout: float | None
    ) -> A:
        """Wait for what a future brings; who goes away takes a message that waits along."""
        limit = asyncio.timeout(timeout)
        try:
            async with limit:
                return await future
        except TimeoutError:
            if not limit.expired():
                raise
            raise DeadlineExceeded(f"{self.name}: no answer within {timeout:g} s") from None
        finally:
            if not future.done() or future.cancelled():
                envelope.withdraw()

    def _handle(self, envelope: Envelope[M, A]) -> None:
        task = asyncio.Task(
            self._guarded(envelope.message), loop=self._loop, context=envelope.context
        )
        if self._handlers is None:
            self._handlers = {}
        self._handlers[task] = envelope
        task.add_done_callback(self._handled)

    async def _guarded(self, message: M) -> tuple[A | None, BaseException | None]:
        try:
            return await self.receive(message), None
        except BaseException as error:  # even SystemExit: an actor may not end the process
            return None, error

    def _handled(self, task: "asyncio.Task[tuple[A | None, BaseException | None]]") -> None:
        assert self._handlers is not None
        envelope = self._handlers.pop(task)
        value, error = (None, asyncio.CancelledError()) if task.cancelled() else task.result()
        if error is None:
            envelope.reply(value)
        elif task.cancelling():  # by a stop or a restart: it is no failure of its own
            envelope.fail(self._gone())
        else:
            envelope.fail(self._as_answer(error))
            if self.state is State.RUNNING:
                self._crash(error)
            else:
                self._tell_event("actor.crashed", error=error)
        self.mailbox.give_back()

    def _as_answer(self, error: BaseException) -> Exception:
        """Return what the asker gets: nothing that would end or cancel the asker itself."""
        if isinstance(error, Exception) and not isinstance(error, StopIteration):
            return error
        told = ActorError(f"{self.name}: what it did to answer raised {error!r}")
        told.__cause__ = error
        return told

    def _crash(self, error: BaseException) -> None:
        self.state = State.CRASHED
        self.mailbox.close()
        self._tell_event("actor.crashed", error=error)
        if self._supervisor is None or not self._supervisor.tell(Crash(self, error)):
            self._ending = asyncio.get_running_loop().create_future()
            self.state = State.DRAINING
            self._ender = asyncio.Task(self._end_crashed(), loop=self._loop)
            self._ender.add_done_callback(self._ended_crashed)

    async def _end_crashed(self) -> None:
        # Why it could not clean up is told by an event: nobody waits for it here.
        with suppress(BaseException):
            await self._finish(reason="crashed")

    def _ended_crashed(self, _: "asyncio.Task[None]") -> None:
        self._ender = None
        self._be_over(reason="crashed")  # in case it was cancelled before it began

    async def _restart(self) -> None:
        """Begin afresh after a crash; the messages that wait are kept."""
        if self.state not in (State.RUNNING, State.CRASHED, State.RESTARTED):
            return
        self.state = State.RESTARTED
        self.mailbox.close()
        await self._interrupt()
        if self.state is State.RESTARTED and await self._begin():
            self.restarts += 1
            self._run()
            self._tell_event("actor.restarted", restarts=self.restarts)

    async def _finish(self, **fields: Any) -> None:
        """Send away who waits, interrupt what is being handled, and clean up."""
        try:
            self.mailbox.close()
            self._send_away()
            await self._interrupt()
        finally:
            try:
                if self._is_set_up:
                    self._is_set_up = False
                    await self.stopped()
            except BaseException as error:
                self._tell_event("actor.crashed", error=error)
                raise
            finally:
                self._be_over(**fields)

    def _be_over(self, **fields: Any) -> None:
        if self._ending is not None:
            self.state = State.STOPPED
            self._ending.set_result(None)
            self._ending = None
            self._tell_event("actor.stopped", **fields)

    async def _wind_down(self, seconds: float) -> None:
        """Wait until nothing waits or is handled, for some seconds at most."""
        me = asyncio.current_task()
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (left := until - loop.time()) > 0:
            others = [task for task in self._handlers or () if task is not me]
            if not others:
                return
            await asyncio.wait(others, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0)

    async def _interrupt(self) -> None:
        """Cancel what is being handled, and wait for it, but not for ever."""
        me = asyncio.current_task()
        handlers = {task: each for task, each in (self._handlers or {}).items() if task is not me}
        for task, envelope in handlers.items():
            envelope.fail(self._gone())
            task.cancel()
        if handlers:
            await asyncio.wait(handlers, timeout=GRACE)

    def _send_away(self) -> None:
        entries: Iterable[Any] = self.mailbox.clear()
        for envelope in entries:
            envelope.refuse(self._gone())

    def _gone(self) -> ActorStopped:
        did = "was restarted" if self.state is State.RESTARTED else "stopped"
        return ActorStopped(f"{self.name} {did} before it answered")

    def _bury(self, message: object, reason: str) -> None:
        self.dead_letters += 1
        self._tell_event("actor.dead_letter", reason=reason, message=type(message).__name__)

    @property
    def _experiment(self) -> str | None:
        """The name of the experiment that it is there for, if it is."""
        return None if self._supervisor is None else self._supervisor._experiment

    def _tell_event(self, event: str, **fields: Any) -> None:
        if self.emit is not None:
            if (experiment := self._experiment) is not None:
                fields["experiment"] = experiment
            self.emit(event, actor=self.name, state=str(self.state), **fields)
        elif event == "actor.crashed":  # what nobody listens for must not pass unseen
            _log.error("%s: %s", event, self.name, exc_info=fields["error"])
