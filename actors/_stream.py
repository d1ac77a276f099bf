"""The Stream of a lead: each item is made in the task of whoever asks for it.

Every step runs in the branch's own context, so the reader's is right after every item. While the
reader is busy with an item the branch is paused: it has no task, but keeps its permit, and can be
interrupted all the same.
"""

import asyncio
import weakref
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import suppress
from contextvars import copy_context
from typing import Any, final

from ._branch import CURRENT, Branch, Part
from ._cast import Cast
from ._consume import items_to_read
from ._deadline import arm, deadline_of
from ._outcome import in_task, take_task
from ._permit import must_wait, queue_up, step_out
from ._reading import LATER
from ._stepping import carry_on, first_of, first_step
from ._telling import tell_planned, tell_started

_enter = CURRENT.set


@final
class Stream:
    """A branch that gives items, one at a time, to whoever reads them.

    Args:
        part: what is played.
        parent: the branch that calls.
        args: what it is called with, by place,
        kwargs: and by name.
        cast: what is to play beside it.
    """

    def __init__(
        self,
        part: Part,
        parent: Branch | None,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        cast: Cast | None,
    ) -> None:
        actor = part.actor
        stage = self._stage = actor.stage
        asked = stage.clock()
        number = stage.next_id()
        call_id = number if cast is None else cast.call_id
        self._branch = branch = Branch(part, parent, call_id, number, asked, asked)
        deadline_of(branch, part, parent)
        self._items = branch.items = items_to_read(branch)
        self._args = args
        self._kwargs = kwargs
        self._cast = cast
        self._context = copy_context()
        self._context.run(_enter, branch)
        self._generator: AsyncGenerator[Any, Any] | None = None
        self._begun: tuple[Coroutine[Any, Any, Any], Any] | None = None
        """A step, and what it waits for."""
        self._counts_only = False
        """Whether nothing is to be done about an item, but to count it."""
        self._ending: asyncio.Task[None] | None = None
        self._error: BaseException | None = None
        actor.tally.planned += 1
        actor.active[branch] = None
        if cast is not None:
            cast.tell()
        elif stage.notes is not None:
            tell_planned(stage.notes, asked, part, parent, call_id)

    # The steps, in the reader's task

    async def first(self) -> Any:
        """Wait for a permit, begin, and return the first item."""
        branch = self._branch
        actor = branch.part.actor
        try:
            if not actor.mailbox.take():
                branch.holds_permit = False
                if must_wait(branch):
                    turn = queue_up(branch, self._cast)
                    try:
                        await in_task(branch, turn)
                    finally:
                        branch.holds_permit = step_out(branch, turn)
                branch.started = actor.stage.clock()
            branch.has_begun = True
            if actor.stage.notes is not None:
                tell_started(actor.stage.notes, branch, is_planned=True)
            play = actor.supervisor.ways.streamed
            assert play is not None
            args, kwargs = self._args, self._kwargs
            if actor.fill is not None:
                args, kwargs = actor.fill(args, kwargs)
            self._generator = self._context.run(play, *args, **kwargs)
        except BaseException as error:
            self._end(error)
            raise
        item = self._begin(first_step(self._generator))
        return await self.wait() if item is LATER else item

    def send(self, value: Any) -> Any:
        """Send a value in, and return the next item, if it is there; if not, `LATER`."""
        if self._ending is not None:
            return LATER
        assert self._generator is not None
        return self._begin(self._generator.asend(value))

    async def wait(self) -> Any:
        """Return the item of the step that has begun; all ends with the first step that raises."""
        if self._ending is not None:
            await self._ended()
        branch = self._branch
        item: Any = None
        begun, self._begun = self._begun, None
        try:
            if begun is not None:
                item = await self._carry_on(*begun)
            if branch.interruption is not None:  # which did not keep it from giving an item
                await self._close_generator()
                raise branch.interruption
        except BaseException as error:
            self._end(None if isinstance(error, StopAsyncIteration) else error)
            raise
        return self._pause_at(item)

    async def throw(self, error: BaseException) -> Any:
        """Throw an error in, and return the next item."""
        if self._ending is not None:
            await self._ended()
        assert self._generator is not None
        item = self._begin(self._generator.athrow(error))
        return await self.wait() if item is LATER else item

    async def close(self) -> None:
        """End it, as the reader wants no more; it may have ended already."""
        if self._ending is not None:
            await self._wait_for_end()
        if self._branch.is_over:
            await self._let_others_run()
            return
        assert self._generator is not None
        try:
            await self._step(self._generator.aclose())
        except BaseException as error:
            self._end(error)
            raise
        self._end(GeneratorExit())

    def _begin(self, step: Coroutine[Any, Any, Any]) -> Any:
        """Make a step as far as it goes without waiting: return its item, or `LATER`."""
        branch = self._branch
        stage = self._stage
        branch.paused = None
        caller, stage.stepping = stage.stepping, branch
        try:
            awaited = self._context.run(step.send, None)
        except StopIteration as stop:
            stage.stepping = caller
            return LATER if branch.interruption is not None else self._pause_at(stop.value)
        except BaseException as error:
            stage.stepping = caller
            self._end(None if isinstance(error, StopAsyncIteration) else error)
            raise
        stage.stepping = caller
        self._begun = (step, awaited)
        return LATER

    async def _carry_on(self, step: Coroutine[Any, Any, Any], awaited: Any) -> Any:
        """Wait for a step that was made as far as something to wait for."""
        branch = self._branch
        take_task(branch)
        if branch.deadline:
            arm(branch)
        if self._cast is not None:
            self._cast.start()
        return await in_task(branch, carry_on(branch, self._context, step, awaited))

    async def _step(self, step: Coroutine[Any, Any, Any]) -> Any:
        """Make a whole step, in the context of the branch."""
        try:
            awaited = first_of(self._branch, self._context, step)
        except StopIteration as stop:
            return stop.value
        return await self._carry_on(step, awaited)

    def _pause_at(self, item: Any) -> Any:
        """Leave the branch without a task until the reader asks for more; return the item."""
        branch = self._branch
        if self._counts_only:
            self._items.count += 1
        else:
            self._note(item)
        branch.paused = self
        return item

    def _note(self, item: Any) -> None:
        """Note an item, and who reads it, as far as somebody may want to know."""
        branch = self._branch
        items = self._items
        items.add(item, self._stage.clock)
        if items.count == 1:
            self._come_to_the_first()
        if branch.parent is None:
            self._counts_only = not items.is_kept
        elif (task := asyncio.current_task()) is not None:
            branch.reader = weakref.ref(task)  # an edge of the wait-for graph

    def _come_to_the_first(self) -> None:
        if self._branch.deadline:
            arm(self._branch)
        if self._cast is not None:  # not yet: nothing holds back the first item
            self._stage.loop.call_soon(self._cast.start)

    async def _let_others_run(self) -> None:
        now = self._stage.clock()
        if now > self._stage.slice_end:
            await self._stage.let_others_run(now)

    # The end

    def end(self) -> None:
        """End it, as its branch was interrupted while the reader was busy with an item."""
        self._branch.paused = None
        loop = self._branch.part.actor.stage.loop
        self._ending = asyncio.Task(self._end_interrupted(), loop=loop)

    async def _ended(self) -> None:
        """Tell the reader who comes back how it ended."""
        await self._wait_for_end()
        error, self._error = self._error, None
        assert error is not None
        try:
            raise error
        finally:
            del error  # its traceback holds this frame: no cycle must stay behind

    async def _wait_for_end(self) -> None:
        assert self._ending is not None
        await asyncio.wait([self._ending])
        if not self._branch.is_over:  # it was cancelled before it began
            await self._end_interrupted()

    async def _end_interrupted(self) -> None:
        try:
            await self._close_generator()
        finally:
            self._error = self._branch.interruption  # by now it may be another one
            self._end(self._error)

    async def _close_generator(self) -> None:
        """Close what was interrupted; what it still raises is not what it ends with."""
        assert self._generator is not None
        with suppress(Exception):
            await self._step(self._generator.aclose())

    def _end(self, error: BaseException | None) -> None:
        """Account for the branch, and let go of what it held."""
        branch = self._branch
        actor = branch.part.actor
        ended = actor.stage.clock()
        branch.is_over = True
        branch.paused = None
        actor.active.pop(branch, None)
        if branch.timer is not None:
            branch.timer.cancel()
            branch.timer = None
        if branch.holds_permit and not branch.threads:
            branch.holds_permit = False
            actor.mailbox.give_back()
        if branch.abandoned_as is None:
            actor.end(branch, self._items.kept, error, ended)
        branch.interruption = None  # its traceback may hold the branch: no cycle must stay behind
        if self._cast is not None:
            self._cast.end_stream(error, branch.has_begun)
