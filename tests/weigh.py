"""What calls weigh: how much of our own code runs for one, exactly, whatever the machine is doing.

Counted are the instructions of the interpreter, the calls of Python functions and those of C
functions, in modules of `understudy` only, on a clock that stands still. The numbers are the same
in each run of one version of Python, so `tests/weights.json` has them for each version.

    python -m tests.weigh            tells what the calls weigh now, beside what is recorded
    python -m tests.weigh --record   records it, for the version of Python that runs
"""

import argparse
import asyncio
import gc
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from understudy import (
    Config,
    MemorySink,
    MultiBranchStrategy,
    RoundRobinStrategy,
    Runtime,
    ShadowStrategy,
)

RECORD = Path(__file__).with_name("weights.json")
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
HEAVIER = "<something heavier>"
"""The file name of code that counts as ours, in tests."""
_TOOL = 4
_WARM_UP = 300
"""So often a call is made first: until then lists and dicts grow."""

Weights = dict[str, dict[str, int]]
"""For each call: `instructions`, `calls` and `c_calls`."""


async def play(x: int, config: Config) -> int:
    return x


async def play_first(config: Config, x: int) -> int:
    return x


async def play_suspending(x: int, config: Config) -> int:
    await asyncio.sleep(0)
    return x


def play_sync(x: int, config: Config) -> int:
    return x


async def play_stream(x: int, config: Config) -> AsyncIterator[int]:
    for number in range(x):
        yield number


@contextmanager
def counted() -> Generator[dict[str, int]]:
    """Count what runs of our own code meanwhile, in this thread."""
    counts = {"instructions": 0, "calls": 0, "c_calls": 0}
    names = {"call": "calls", "c_call": "c_calls"}
    files = {
        getattr(module, "__file__", None)
        for name, module in sys.modules.items()
        if name.partition(".")[0] == "understudy"
    }

    def is_ours(code: CodeType) -> bool:
        return code.co_filename in files or code.co_filename == HEAVIER

    def count_call(frame: FrameType, event: str, _: Any) -> None:
        if event in names and is_ours(frame.f_code):
            counts[names[event]] += 1

    def count_instruction() -> None:
        counts["instructions"] += 1

    profiled = sys.getprofile()
    gc.collect()
    gc.disable()
    try:
        with _told_of_instructions(is_ours, count_instruction):
            sys.setprofile(count_call)
            yield counts
            sys.setprofile(profiled)
    finally:
        sys.setprofile(profiled)
        gc.enable()


if sys.version_info >= (3, 12):

    @contextmanager
    def _told_of_instructions(
        is_ours: Callable[[CodeType], bool], tell: Callable[[], None]
    ) -> Generator[None]:
        monitoring = sys.monitoring
        instruction = monitoring.events.INSTRUCTION

        def step(code: CodeType, _: int) -> object:
            return tell() if is_ours(code) else monitoring.DISABLE

        monitoring.use_tool_id(_TOOL, "weigh")
        monitoring.register_callback(_TOOL, instruction, step)
        monitoring.set_events(_TOOL, instruction)
        monitoring.restart_events()
        try:
            yield
        finally:
            monitoring.set_events(_TOOL, 0)
            monitoring.register_callback(_TOOL, instruction, None)
            monitoring.free_tool_id(_TOOL)

else:

    @contextmanager
    def _told_of_instructions(
        is_ours: Callable[[CodeType], bool], tell: Callable[[], None]
    ) -> Generator[None]:
        def step(_: FrameType, event: str, __: Any) -> Any:
            if event == "opcode":
                tell()
            return step

        def enter(frame: FrameType, event: str, _: Any) -> Any:
            if event != "call" or not is_ours(frame.f_code):
                return None
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
            return step

        traced = sys.gettrace()
        sys.settrace(enter)
        try:
            yield
        finally:
            sys.settrace(traced)


async def _weighed(call: Callable[[], Awaitable[object]]) -> dict[str, int]:
    with _looked_for_by_nobody():
        for _ in range(_WARM_UP):
            await call()
        with counted() as counts:
            await call()
    return counts


@contextmanager
def _looked_for_by_nobody() -> Generator[None]:
    """Hide what events of a call are taken from, where it is imported: other tests may have."""
    names = ("structlog.contextvars", "opentelemetry.trace")
    hidden = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    try:
        yield
    finally:
        sys.modules.update(hidden)


def _runtime(count: int = 1, **options: Any) -> Runtime:
    configs = [{"number": number} for number in range(count)]
    return Runtime(configs=configs, clock=lambda: 1_000_000_000, **options)


def _calls() -> dict[str, Callable[[], Awaitable[object]]]:
    """Return what is weighed."""
    one, timed = _runtime(), _runtime(timeout=5)
    told = _runtime(events=MemorySink(limit=1))
    in_turn = _runtime(4, strategy=RoundRobinStrategy())
    beside, all_three = (
        _runtime(2, strategy=ShadowStrategy()),
        _runtime(4, strategy=ShadowStrategy()),
    )
    all_four = _runtime(4, strategy=MultiBranchStrategy())
    off = _runtime(4, strategy=ShadowStrategy())
    off.disable()
    single, suspending = one.experiment(play), one.experiment(play_suspending)
    inner = one.experiment(play)

    @one.experiment
    async def outer(x: int, config: Config) -> int:
        return await one.call(inner, x)

    here = one.experiment(play_sync)
    words = one.experiment(play_stream)

    async def directly() -> object:
        return here(1)

    async def read() -> object:
        return [item async for item in one.stream(words, 100)]

    def calling(runtime: Runtime, function: Any, turns: int = 0) -> Callable[[], Awaitable[object]]:
        async def call() -> None:
            await runtime.call(function, 1)
            for _ in range(turns):  # those beside it play now
                await asyncio.sleep(0)

        return call

    return {
        "single": calling(one, single),
        "single, called as it is": lambda: single(1),
        "single, its config first": calling(one, one.experiment(play_first)),
        "single, suspends once": calling(one, suspending),
        "single, 5 s deadline": calling(timed, timed.experiment(play)),
        "single, suspends once, 5 s deadline": calling(timed, timed.experiment(play_suspending)),
        "single, events in memory": calling(told, told.experiment(play)),
        "kill switch on": calling(off, off.experiment(play)),
        "round-robin over 4": calling(in_turn, in_turn.experiment(play)),
        "shadow with 1": calling(beside, beside.experiment(play), turns=4),
        "shadow with 3": calling(all_three, all_three.experiment(play), turns=4),
        "multi-branch of 4": calling(all_four, all_four.experiment(play)),
        "nested, 2 deep": calling(one, outer),
        "stream of 100 items": read,
        "sync, called as it is": directly,
    }


async def weigh(*names: str) -> Weights:
    """Weigh some calls; all there are, if none is named."""
    calls = _calls()
    return {name: await _weighed(calls[name]) for name in names or calls}


def recorded() -> dict[str, Weights]:
    """Return what is recorded, for each version of Python."""
    return json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}


def main() -> None:
    """Tell what the calls weigh."""
    parser = argparse.ArgumentParser(prog="python -m tests.weigh", description=__doc__)
    parser.add_argument("--record", action="store_true", help="record it for this Python")
    given = parser.parse_args()
    weights, known = asyncio.run(weigh()), recorded()
    for name, weight in weights.items():
        before = known.get(VERSION, {}).get(name, {})
        told = ", ".join(
            f"{count} ({before.get(unit, '-')}) {unit}" for unit, count in weight.items()
        )
        print(f"{name}: {told}")
    if given.record:
        text = json.dumps({**known, VERSION: weights}, indent=2, sort_keys=True)
        RECORD.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
