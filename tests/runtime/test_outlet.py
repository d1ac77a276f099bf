"""The outlet: nobody waits, nothing is lost uncounted, nothing is left running."""

import doctest
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy._outlet import Counts, Outlet  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

LONG = 20.0
"""How many seconds a loaded machine may take; nothing here takes them by itself."""

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="cannot fork here")


@pytest.fixture(autouse=True)
def _nothing_is_left_running() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


class Consumer:
    """Keeps what it gets; it can be held, and told to raise."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.batches: list[int] = []
        self.is_entered = threading.Event()
        self.may_go = threading.Event()
        self.may_go.set()
        self.error: BaseException | None = None

    def __call__(self, batch: list[Any]) -> None:
        self.is_entered.set()
        assert self.may_go.wait(LONG)
        self.got += batch
        self.batches.append(len(batch))
        if self.error is not None:
            raise self.error

    def hold(self) -> None:
        self.is_entered.clear()
        self.may_go.clear()


def assert_law(counts: Counts) -> None:
    assert counts.offered == counts.accepted + counts.dropped
    assert counts.accepted == counts.consumed + counts.buffered


def held(capacity: int) -> tuple[Outlet[int], Consumer]:
    """Return an outlet whose consumer holds one item in hand, and waits."""
    consumer = Consumer()
    outlet = Outlet("held", consumer, capacity, delay=0.0)
    consumer.hold()
    assert outlet.put(0)
    assert consumer.is_entered.wait(LONG)
    return outlet, consumer


def test_everything_is_consumed_in_order_in_a_daemon_thread() -> None:
    seen: list[tuple[str, bool]] = []
    got: list[int] = []

    def consume(batch: list[int]) -> None:
        got.extend(batch)
        seen.append((threading.current_thread().name, threading.current_thread().daemon))

    outlet = Outlet("a name", consume)
    assert all(outlet.put(item) for item in range(1_000))
    assert outlet.close(LONG)
    assert got == [*range(1_000)]
    assert set(seen) == {("a name", True)}
    assert outlet.counts() == (1_000, 1_000, 1_000, 0, 0)


def test_nothing_starts_before_the_first_put() -> None:
    before = threading.active_count()
    outlet = Outlet("idle", Consumer())
    assert outlet.flush(0.0)
    assert outlet.close(0.0)
    assert threading.active_count() == before


def test_a_full_buffer_drops_and_counts_and_nobody_waits() -> None:
    outlet, consumer = held(capacity=10)
    assert [outlet.put(item) for item in range(1, 16)] == [True] * 10 + [False] * 5
    assert outlet.dropped == 5
    assert outlet.counts() == (16, 11, 0, 11, 5)
    consumer.may_go.set()
    assert outlet.close(LONG)
    assert consumer.got == [*range(11)]
    assert outlet.counts() == (16, 11, 11, 0, 5)


def test_what_comes_together_is_handed_over_together() -> None:
    outlet, consumer = held(capacity=1_000)
    for item in range(600):
        outlet.put(item)
    consumer.may_go.set()
    assert outlet.close(LONG)
    assert consumer.batches == [1, 512, 88]


def test_a_batch_gathers_until_it_is_full_or_somebody_flushes() -> None:
    consumer = Consumer()
    outlet = Outlet("gathering", consumer, batch=3, delay=LONG)
    for item in range(3):
        outlet.put(item)
    assert consumer.is_entered.wait(LONG / 2)
    outlet.put(3)
    assert outlet.flush(LONG / 2)
    outlet.put(4)
    assert outlet.close(LONG / 2)
    assert consumer.batches == [3, 1, 1]


def test_a_consumer_that_raises_is_counted_and_goes_on() -> None:
    consumer = Consumer()
    outlet = Outlet("raising", consumer)
    for error in (ValueError("no"), SystemExit(1)):
        consumer.error = error
        outlet.put("lost")
        assert outlet.flush(LONG)
        assert outlet.last_error is error
        assert error.__traceback__ is None
    consumer.error = None
    outlet.put("kept")
    assert outlet.close(LONG)
    assert outlet.failures == 2
    assert consumer.got[-1] == "kept"
    assert_law(outlet.counts())


def test_what_a_consumer_could_not_use_counts_as_dropped() -> None:
    outlet: Outlet[int] = Outlet("picky", lambda batch: sum(item % 2 for item in batch))
    for item in range(10):
        assert outlet.put(item)
    assert outlet.close(LONG)
    assert outlet.counts() == (10, 5, 5, 0, 5)
    wild: Outlet[int] = Outlet("wild", lambda batch: 99)
    wild.put(1)
    assert wild.close(LONG)
    assert wild.counts() == (1, 0, 0, 0, 1)


def test_a_consumer_may_do_with_the_batch_what_it_likes() -> None:
    outlet: Outlet[int] = Outlet("clearing", lambda batch: batch.clear())
    outlet.put(1)
    assert outlet.close(LONG)
    assert outlet.counts() == (1, 1, 1, 0, 0)


def test_flush_waits_for_what_was_put_before_it_only() -> None:
    """A consumer that always makes more work does not keep it for ever."""
    outlet: Outlet[int]

    def consume(batch: list[int]) -> None:
        if not is_over.is_set():
            outlet.put(batch[0] + 1)

    is_over = threading.Event()
    outlet = Outlet("more and more", consume, delay=0.0)
    outlet.put(0)
    assert outlet.flush(LONG)
    is_over.set()
    assert outlet.close(LONG)


def test_flush_says_no_when_it_takes_too_long() -> None:
    outlet, consumer = held(capacity=10)
    assert not outlet.flush(0.0)
    assert not outlet.flush(0.01)
    consumer.may_go.set()
    assert outlet.flush(LONG)
    assert outlet.close(LONG)


def test_a_consumer_that_hangs_is_left_behind_and_all_it_had_is_counted() -> None:
    outlet, consumer = held(capacity=3)
    for item in range(5):
        outlet.put(item)
    assert outlet.counts() == (6, 4, 0, 4, 2)
    assert not outlet.close(0.01)
    assert outlet.counts() == (6, 0, 0, 0, 6)
    consumer.may_go.set()
    assert outlet.close(LONG)
    assert outlet.counts() == (6, 1, 1, 0, 5), "it has finished what it had in hand after all"


def test_what_a_consumer_has_dealt_with_before_it_hangs_is_not_dropped() -> None:
    got: list[int] = []
    hangs, may_go = threading.Event(), threading.Event()

    def take(batch: list[int]) -> int:
        for item in batch:
            if item == 3:
                hangs.set()
                assert may_go.wait(LONG)
            is_used = item % 2 == 1
            if is_used:
                got.append(item)
            if not outlet.dealt(is_used):
                break
        return len(batch) - len(got)

    outlet = Outlet("hanging", take, 8, batch=6, delay=60.0)
    outlet.put_all([1, 2, 3, 4, 5, 6])
    assert hangs.wait(LONG)
    outlet.put(7)
    assert not outlet.close(0.0)
    assert (got, outlet.counts()) == ([1], (7, 1, 1, 0, 6))
    may_go.set()
    assert outlet.close(LONG)
    assert (got, outlet.counts()) == ([1, 3], (7, 2, 2, 0, 5))


def test_after_it_hung_it_goes_on_with_one_thread() -> None:
    outlet, consumer = held(capacity=3)
    assert not outlet.close(0.0)
    threads = threading.active_count()
    assert outlet.put(7)
    assert threading.active_count() == threads
    assert not outlet.flush(0.01)
    consumer.may_go.set()
    assert outlet.close(LONG)
    assert consumer.got == [0, 7]
    assert outlet.counts() == (2, 2, 2, 0, 0)


def test_it_can_be_closed_twice_and_started_again() -> None:
    consumer = Consumer()
    outlet = Outlet("again", consumer)
    for item in range(3):
        assert outlet.put(item)
        assert outlet.close(LONG)
        assert outlet.close(LONG)
    assert consumer.got == [0, 1, 2]


def test_its_own_thread_cannot_wait_for_itself_and_loses_nothing() -> None:
    answers: list[bool] = []
    got: list[int] = []
    are_there = threading.Event()

    def consume(batch: list[int]) -> None:
        assert are_there.wait(LONG)
        got.extend(batch)
        if len(answers) < 2:
            answers.extend([outlet.flush(LONG), outlet.close(LONG)])

    outlet: Outlet[int] = Outlet("inside", consume, batch=1)
    outlet.put(0)
    outlet.put(1)
    thread = next(each for each in threading.enumerate() if each.name == "inside")
    are_there.set()
    thread.join(LONG)
    assert (answers, got) == ([False, False], [0, 1])
    assert_law(outlet.counts())


@pytest.mark.skipif(not hasattr(time, "pthread_getcpuclockid"), reason="no clocks of threads here")
def test_an_idle_outlet_uses_no_processor() -> None:
    outlet = Outlet("idle", Consumer())
    outlet.put(1)
    assert outlet.flush(LONG)
    thread = next(each for each in threading.enumerate() if each.name == "idle")
    spent = _processor_time(thread)
    time.sleep(0.2)  # it is not what is right that is waited for, but what must not happen
    assert _processor_time(thread) - spent < 0.01
    assert outlet.close(LONG)


def _processor_time(thread: threading.Thread) -> float:
    assert thread.ident is not None
    return time.clock_gettime(time.pthread_getcpuclockid(thread.ident))


def test_after_a_long_rest_the_thread_ends_and_the_next_put_starts_another() -> None:
    consumer = Consumer()
    rested: list[str] = []
    outlet = Outlet(
        "resting",
        consumer,
        linger=0.0,
        rest=lambda: rested.append(threading.current_thread().name),
    )
    for item in range(2):
        outlet.put(item)
        for thread in threading.enumerate():
            if thread.name == "resting":
                thread.join(LONG)
        assert consumer.got[-1] == item
    assert rested == ["resting"] * 2


def test_without_threads_it_keeps_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    consumer = Consumer()
    outlet = Outlet("threadless", consumer, capacity=2)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        assert [outlet.put(item) for item in range(4)] == [True, True, False, False]
        assert not outlet.flush(LONG)
        assert outlet.counts() == (4, 2, 0, 2, 2)
    outlet._next_try = 0.0  # it is tried again, but not at every put
    outlet.put(4)
    assert outlet.close(LONG)
    assert consumer.got == [0, 1]
    assert outlet.counts() == (5, 2, 2, 0, 3)


def test_a_finalizer_may_put_in_the_midst_of_a_put() -> None:
    consumer = Consumer()
    outlet = Outlet("reentrant", consumer)
    with outlet._lock:
        assert outlet.put("inner")
    assert outlet.close(LONG)
    assert consumer.got == ["inner"]


def test_the_thread_has_nobodys_context() -> None:
    from contextvars import ContextVar

    variable: ContextVar[str] = ContextVar("variable", default="nobody's")
    seen: list[str] = []
    outlet: Outlet[int] = Outlet("context", lambda batch: seen.append(variable.get()))
    token = variable.set("the caller's")
    outlet.put(1)
    assert outlet.close(LONG)
    variable.reset(token)
    assert seen == ["nobody's"]


def test_it_holds_nothing_that_is_consumed() -> None:
    import weakref

    class Item:
        pass

    outlet: Outlet[Item] = Outlet("light", lambda batch: None)
    item = Item()
    gone = weakref.ref(item)
    outlet.put(item)
    del item
    assert outlet.close(LONG)
    assert gone() is None


STEPS = st.lists(st.sampled_from(["put", "put", "put", "flush", "raise", "close", "hang"]))


@given(STEPS, st.integers(1, 4))
def test_the_law_holds_after_every_step(steps: list[str], capacity: int) -> None:
    consumer = Consumer()
    outlet = Outlet("law", consumer, capacity, delay=0.0)
    accepted = 0
    for step in steps:
        if step == "put":
            accepted += outlet.put(step)
        elif step == "flush":
            assert outlet.flush(LONG)
        elif step == "raise":
            consumer.error = None if consumer.error else ValueError()
        elif step == "close":
            assert outlet.close(LONG)
        else:
            assert outlet.flush(LONG)
            consumer.hold()
            accepted += outlet.put(step)
            assert consumer.is_entered.wait(LONG)
            before = outlet.counts()
            assert not outlet.close(0.0)
            assert outlet.counts().accepted == accepted - before.buffered
            consumer.may_go.set()
            assert outlet.close(LONG)
            if consumer.error is not None:  # else it has come to an end with what was given up
                accepted -= before.buffered
        counts = outlet.counts()
        assert_law(counts)
        assert (counts.accepted, counts.offered) == (accepted, counts.dropped + accepted)
    assert outlet.close(LONG)
    assert outlet.counts().consumed == accepted


def test_the_law_holds_while_eight_threads_put_and_one_closes() -> None:
    consumer = Consumer()
    outlet = Outlet("crowd", consumer, capacity=64, batch=16, delay=0.0)
    start = threading.Barrier(9)
    taken: list[int] = []

    def put(first: int) -> None:
        start.wait()
        taken.extend(item for item in range(first, first + 1_000) if outlet.put(item))

    threads = [threading.Thread(target=put, args=(each * 1_000,)) for each in range(8)]
    for thread in threads:
        thread.start()
    start.wait()
    for _ in range(50):
        assert outlet.close(LONG)
        assert_law(outlet.counts())
    for thread in threads:
        thread.join()
    assert outlet.close(LONG)
    counts = outlet.counts()
    assert_law(counts)
    assert (counts.offered, counts.buffered) == (8_000, 0)
    assert sorted(consumer.got) == sorted(taken)


def test_a_source_that_raises_harms_nobody_else() -> None:
    consumer = Consumer()
    outlet = Outlet("sourced", consumer, delay=0.0)
    has_raised = threading.Event()

    class Raising:
        def hand_over(self) -> bool:
            has_raised.set()
            raise MemoryError

    outlet.expect(Raising())
    assert has_raised.wait(LONG)
    outlet.put("after")
    assert outlet.close(LONG)
    assert consumer.got == ["after"]


def test_what_a_finalizer_puts_as_the_thread_is_made_starts_no_second_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    consumer = Consumer()
    rested_in: list[threading.Thread] = []
    outlet = Outlet("one", consumer, rest=lambda: rested_in.append(threading.current_thread()))
    initialize = threading.Thread.__init__
    made: list[threading.Thread] = []

    def put_meanwhile(thread: threading.Thread, *args: Any, **kwargs: Any) -> None:
        initialize(thread, *args, **kwargs)
        made.append(thread)
        if len(made) == 1:
            outlet.put("inner")

    monkeypatch.setattr(threading.Thread, "__init__", put_meanwhile)
    outlet.put("outer")
    assert outlet.close(LONG)
    assert sorted(consumer.got) == ["inner", "outer"]
    assert rested_in == [made[1]]


@forks
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_starts_afresh_whoever_held_the_lock() -> None:
    outlet, consumer = held(capacity=2)
    outlet.put(1)
    is_locked, may_unlock = threading.Event(), threading.Event()

    def hold_the_lock() -> None:
        with outlet._lock:
            is_locked.set()
            assert may_unlock.wait(LONG)

    holder = threading.Thread(target=hold_the_lock)
    holder.start()
    assert is_locked.wait(LONG)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            consumer.got.clear()
            consumer.may_go = threading.Event()
            consumer.may_go.set()
            consumer.is_entered = threading.Event()
            is_right = outlet.counts() == (0, 0, 0, 0, 0)
            is_right = is_right and outlet.put(7) and outlet.close(LONG) and consumer.got == [7]
            os.write(write, b"right" if is_right else b"wrong")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    may_unlock.set()
    holder.join()
    with os.fdopen(read, "rb") as told:
        assert told.read() == b"right"
    consumer.may_go.set()
    assert outlet.close(LONG)
    assert consumer.got == [0, 1]


def run(source: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", source],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


def test_what_is_buffered_is_written_when_the_interpreter_ends() -> None:
    source = """
from understudy._outlet import Outlet
outlet = Outlet("late", print, delay=60)
for item in range(3): outlet.put(item)
"""
    assert run(source) == "[0, 1, 2]\n"


def test_a_consumer_that_hangs_does_not_keep_the_interpreter_nor_the_others() -> None:
    source = """
import threading
from understudy import _outlet
_outlet._AT_EXIT = 0.2
stuck = _outlet.Outlet("stuck", lambda batch: threading.Event().wait())
other = _outlet.Outlet("other", print, delay=60)
stuck.put(1), other.put(2)
"""
    assert run(source) == "[2]\n"


@forks
def test_a_consumer_that_forks_ends_in_the_child() -> None:
    source = """
import os, threading, warnings
warnings.simplefilter("ignore")
from understudy._outlet import Outlet
def consume(batch):
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        print(batch, flush=True)
outlet = Outlet("forking", consume)
outlet.put(1)
assert outlet.close(20)
"""
    assert run(source) == "[1]\n"


def test_an_outlet_that_nobody_has_any_more_is_collected() -> None:
    import gc
    import weakref

    outlet: Outlet[int] = Outlet("forgotten", lambda batch: None)
    outlet.put(1)
    assert outlet.close(LONG)
    gone = weakref.ref(outlet)
    del outlet
    gc.collect()
    assert gone() is None


def test_the_examples_run() -> None:
    failed, attempted = doctest.testmod(import_module("understudy._outlet"))
    assert (failed, attempted > 0) == (0, True)


def test_what_comes_when_it_is_retired_is_consumed_and_keeps_no_thread() -> None:
    consumed: list[int] = []
    outlet = Outlet[int]("retired", consumed.extend)
    assert outlet.put(1)
    assert outlet.flush(10)
    outlet.retire()
    assert outlet.put(2)
    for thread in threading.enumerate():
        if thread.name == "retired":
            thread.join(10)
            assert not thread.is_alive()
    assert consumed == [1, 2]
