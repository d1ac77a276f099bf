"""The Cast: one call with more than one branch, in progress."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, final

from ._branch import Branch, Part, Role
from ._casting import Casting
from ._deadlock import chain_of, find_cycle
from ._errors import ActorStopped, DeadlockError, MailboxFull
from ._results import ExperimentCaseResults, FunctionResult
from ._telling import tell_planned

if TYPE_CHECKING:
    from ._message import Message
    from ._stage import Stage


_place_of = attrgetter("branch.part.place")


@final
class Cast:
    """All branches of one call: the primary is played here, the others beside it."""

    __slots__ = (
        "_args",
        "_casting",
        "_future",
        "_has_started",
        "_kwargs",
        "_left",
        "_messages",
        "_on_over",
        "_parent",
        "call_id",
        "limit",
        "stage",
        "waits_for_all",
    )

    def __init__(
        self,
        stage: "Stage",
        casting: Casting,
        parent: Branch | None,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> None:
        self.call_id: int = stage.next_id()
        self.limit: int | None = casting.limit
        self.stage: Stage = stage
        self._casting = casting
        self._parent = parent
        self._args = args
        self._kwargs = kwargs
        self._messages: list[Message] = []
        self._left = 0
        """How many the caller still waits for."""
        self._future: asyncio.Future[None] | None = None
        self._has_started = False
        self.waits_for_all: bool = False
        """Whether the caller wants the results of all."""
        self._on_over: Callable[[], object] | None = None

    async def answer(self) -> Any:
        """Play all, and return the value of the primary as soon as there is one."""
        try:
            return await self._play_primary(whole=False)
        finally:
            self.start_after()

    async def answer_whole(self) -> ExperimentCaseResults[Any]:
        """Play all, and return the result of the primary, and of nothing else.

        Raises:
            BaseException: what the primary raised.
        """
        try:
            main: FunctionResult[Any] = await self._play_primary(whole=True)
        finally:
            self.start_after()
        error = main.exception_info
        if error is not None:
            try:
                raise error
            finally:
                del main, error  # the traceback holds this frame: no cycle must stay behind
        return ExperimentCaseResults(main, [])

    async def gather(self) -> ExperimentCaseResults[Any]:
        """Play all, and return the results of all.

        Raises:
            BaseException: what a primary raised, when all others have ended.
        """
        self.waits_for_all = True
        try:
            main: FunctionResult[Any] = await self._play_primary(whole=True)
            if main.status == "shed":  # the call is refused, and not a part of it
                self.skip("primary_shed")
            self.start_after()
            if self._left:
                await self._ended()
        except GeneratorExit:  # nothing can be awaited any more
            self._cancel("caller", ("branch",))
            raise
        except BaseException as problem:
            self.skip("primary_cancelled")
            if await self._call_off() and isinstance(problem, Exception):
                raise asyncio.CancelledError from problem
            raise
        error = main.exception_info
        try:
            if main.role == "primary" and error is not None:
                raise error
            return self.results(main)
        finally:
            del main, error  # as above

    def results(self, main: FunctionResult[Any]) -> ExperimentCaseResults[Any]:
        """Return the results of all that have ended."""
        ordered = sorted(self._messages, key=_place_of)
        variants = [message.result for message in ordered if message.result is not None]
        return ExperimentCaseResults(main, variants)

    def when_over(self, tell: Callable[[], object]) -> None:
        """Have somebody told when all have ended: one who waits in another thread."""
        self.start_after()
        if self._left:
            self._on_over = tell
        else:
            tell()

    def give_up(self) -> None:
        """Cancel the branches that somebody in another thread waited for."""
        self.skip("primary_cancelled")
        self._cancel("caller", ("branch",))

    def start(self) -> None:
        """Cast the others, unless they wait for the primary to end."""
        if not self._casting.after_primary:
            self._start()

    def start_after(self) -> None:
        """Cast the others now that the primary has ended, unless they play already."""
        self._start()

    def drop(self) -> None:
        """Play none of it, and tell nothing: the call is made on another stage."""
        self._has_started = True

    def settle(self, role: Role) -> None:
        """Be told that one of the others has ended."""
        if self.waits_for_all or role == "branch":
            self._left -= 1
            if not self._left:
                self._be_over()

    def _be_over(self) -> None:
        """Tell who waits for it that all have ended."""
        future = self._future
        if future is not None and not future.done():
            future.set_result(None)
        if self._on_over is not None:
            tell, self._on_over = self._on_over, None
            tell()

    def awaited(self) -> list[Any]:
        """Return what the caller still waits for: for each branch, its task or its actor."""
        return [
            message.actor if message.waits else message.branch.task
            for message in self._messages
            if not message.is_gone and (self.waits_for_all or message.branch.part.role == "branch")
        ]

    def tell(self) -> None:
        """Tell what the call is to be."""
        notes = self.stage.notes
        if notes is not None:
            count = 1 + len(self._casting.others) + len(self._casting.skipped)
            at = self.stage.clock()
            tell_planned(notes, at, self._casting.primary, self._parent, self.call_id, count)

    async def _play_primary(self, whole: bool) -> Any:
        part = self._casting.primary
        self.tell()
        try:
            return await part.actor.play(part, self._parent, self._args, self._kwargs, self, whole)
        except (asyncio.CancelledError, GeneratorExit):
            self._lose_primary()
            raise

    def _lose_primary(self) -> None:
        self.skip("primary_cancelled")
        if self._casting.cancel_with_primary:
            self._cancel("cancelled_with_primary", ("shadow",))

    def end_stream(self, error: BaseException | None, has_begun: bool) -> None:
        """Be told how the primary ended, which is a stream."""
        is_closed = isinstance(error, GeneratorExit)
        is_lost = isinstance(error, asyncio.CancelledError)
        if is_lost or (is_closed and self._casting.cancel_with_primary):
            self._lose_primary()
        elif isinstance(error, MailboxFull) and not has_begun:
            self.skip("primary_shed")
        self.start_after()

    def _start(self) -> None:
        if self._has_started:
            return
        self._count_others()
        parent, args, kwargs = self._parent, self._args, self._kwargs
        for part in self._casting.others:
            self._messages.append(part.actor.post(part, parent, args, kwargs, self))
        self._skip(self._casting.skipped)

    def skip(self, reason: str) -> None:
        """Have none of the others play that do not yet."""
        if self._has_started:
            return
        self._count_others()
        self._skip((part, reason) for part in self._casting.others)
        self._skip(self._casting.skipped)

    def _count_others(self) -> None:
        self._has_started = True
        casting = self._casting
        all_others = len(casting.others) + len(casting.skipped)
        self._left = all_others if self.waits_for_all else casting.branches

    def _skip(self, skipped: Iterable[tuple[Part, str]]) -> None:
        for part, reason in skipped:
            self._messages.append(part.actor.skip(part, self._parent, self, reason))

    def _cancel(self, reason: str, roles: tuple[str, ...]) -> None:
        for message in self._messages:
            if message.branch.part.role in roles:
                message.cancel(ActorStopped(f"{message.actor.name}: {reason}", reason))

    async def _ended(self) -> None:
        """Wait until all have ended that are waited for."""
        stage = self.stage
        while self._left:
            future = self._future = stage.loop.create_future()
            stage.gathering[future] = self
            try:
                if self._parent is not None:
                    cycle = find_cycle(stage, future, self._parent)
                    if cycle is not None:
                        raise DeadlockError(
                            f"{chain_of(self._parent)} -> {cycle}: each waits for the next"
                        )
                await future
            finally:
                del stage.gathering[future]

    async def _call_off(self) -> bool:
        """Cancel the branches, and do not leave before they have: shadows go on.

        Return whether the caller was cancelled meanwhile.
        """
        was_cancelled = False
        self.waits_for_all = False
        self._left = len(self.awaited())
        self._cancel("caller", ("branch",))
        while self._left:
            self._future = self.stage.loop.create_future()
            try:
                await self._future
            except asyncio.CancelledError:
                was_cancelled = True  # it is raised when they have left
        return was_cancelled
