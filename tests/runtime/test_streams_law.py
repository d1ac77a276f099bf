"""The conservation laws of streams, whatever their readers and they themselves do, and when."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextvars import ContextVar
from typing import Any

import pytest

from tests.laws import assert_event_laws, assert_laws
from tests.simulation import run_virtual
from understudy import (
    ActorStopped,
    Config,
    DeadlineExceeded,
    MemorySink,
    Runtime,
    ShadowStrategy,
    current_experiment_case,
)

mark: ContextVar[str] = ContextVar("mark", default="none")
LEAVING = (RuntimeError, ArithmeticError, DeadlineExceeded, ActorStopped)
"""What a stream may end with while it is closed: its own errors, and ours if that took long."""
THROWN = (ValueError, KeyError, StopAsyncIteration, StopIteration, GeneratorExit, TimeoutError)


async def rest(chance: random.Random) -> None:
    if chance.random() < 0.7:
        await asyncio.sleep(chance.choice((0, 0, 0.5, 1, 2)))


async def moody(chance: random.Random) -> AsyncGenerator[int, Any]:
    """Give items in moods of all sorts: late, deaf to what is thrown in, failing, slow to leave."""
    mark.set("inside")
    try:
        for number in range(chance.randrange(6)):
            try:
                await rest(chance)
                yield number
            except (asyncio.CancelledError, ValueError, KeyError):
                if chance.random() < 0.7:
                    raise
            if chance.random() < 0.1:
                raise LookupError
    finally:
        assert mark.get() == "inside"
        if chance.random() < 0.5:
            await rest(chance)
        if chance.random() < 0.1:
            raise ArithmeticError
        if chance.random() < 0.1:
            yield -1  # which a stream that is closed must not


async def read(words: Any, chance: random.Random) -> None:
    mark.set("reader")
    stream = words(chance)
    try:
        for _ in range(chance.randrange(1, 8)):
            act = chance.random()
            if act < 0.6:
                await anext(stream)
            elif act < 0.75:
                await stream.asend(None)
            elif act < 0.9:
                await stream.athrow(chance.choice(THROWN)())
            else:
                await stream.aclose()
            assert mark.get() == "reader"
            assert current_experiment_case.get(None) is None
            await rest(chance)
        if chance.random() < 0.5:
            await stream.aclose()
    except (Exception, GeneratorExit):  # noqa: BLE001  # whatever comes of that
        assert mark.get() == "reader"
        assert current_experiment_case.get(None) is None
    finally:
        del stream  # the task keeps its cancellation, and that this frame


async def play(seed: int) -> None:
    chance = random.Random(seed)
    loop: Any = asyncio.get_running_loop()
    complaints: list[Any] = []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    sink = MemorySink()
    runtime = Runtime(
        configs=[{"n": 0}, {"n": 1}],
        strategy=ShadowStrategy(cancel_with_primary=chance.random() < 0.3),
        concurrency=chance.choice((1, 2, 8)),
        mailbox=chance.choice((0, 1, 8)),
        overflow=chance.choice(("wait", "reject")),
        timeout=chance.choice((None, 1.5, 3)),
        drain_timeout=chance.choice((0, 1, 10)),
        clock=loop.clock,
        events=sink,
    )

    @runtime.experiment()
    async def words(mine: random.Random, config: Config) -> AsyncGenerator[int, Any]:
        own = random.Random(f"{mine.random()} {config.n}")
        inner = moody(own)
        sent, error = None, None
        try:
            while True:
                try:
                    item = await (inner.athrow(error) if error else inner.asend(sent))
                except StopAsyncIteration:
                    return
                try:
                    sent, error = (yield item), None
                except Exception as thrown:  # noqa: BLE001
                    error = thrown
        finally:
            await inner.aclose()

    readers = [
        asyncio.create_task(read(words, random.Random(f"{seed} {number}"))) for number in range(4)
    ]
    for _ in range(chance.randrange(4)):
        await rest(chance)
        if chance.random() < 0.6:
            chance.choice(readers).cancel()
        elif chance.random() < 0.5:
            await runtime.drain(timeout=chance.choice((0, 1)))
    if chance.random() < 0.5:
        await runtime.aclose()
    await asyncio.wait(readers)
    await asyncio.sleep(100)  # what was dropped is closed by the loop
    await runtime.aclose()
    assert_laws(runtime)
    assert_event_laws(sink.events)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    for task in readers:
        error = None if task.cancelled() else task.exception()
        assert error is None, error
    for complaint in complaints:  # of streams that were dropped, and failed while being closed
        told = str(complaint.get("exception", complaint))
        assert isinstance(complaint.get("exception"), LEAVING), told


@pytest.mark.parametrize("hundred", range(2))
def test_the_laws_hold_whatever_readers_and_streams_do(hundred: int) -> None:
    for seed in range(100 * hundred, 100 * hundred + 100):
        try:
            run_virtual(play(seed), seed=seed)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
