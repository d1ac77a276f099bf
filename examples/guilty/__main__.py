"""Shadows that hold everybody up, and how the runtime says which.

Run it: `python -m examples.guilty`.
"""

import asyncio
import time
from pathlib import Path

from understudy import Config, Event, Runtime, ShadowStrategy

SECONDS = 1.2


def show(event: Event) -> None:
    """Print what is told of those who hold the loop; in a thread of its own, while they do."""
    if event.event == "loop.lagged":
        where = (event.where or "").replace(f"{Path(__file__).parent}/", "")
        print(f"  {event.event}: {event.actor} ({event.role}, {event.place}), at {where}")
    elif event.event == "loop.resumed":
        print(f"  {event.event}: {event.actor}")


runtime = Runtime(
    configs=[{"way": "well"}, {"way": "badly"}],
    strategy=ShadowStrategy(),
    events=show,
    lag=0.2,  # seconds; 0.5 if nothing is said
)


@runtime.experiment(name="wait")
async def wait(config: Config) -> None:
    """Wait for something: badly, so that nobody else on the loop gets a turn."""
    if config.way == "badly":
        time.sleep(SECONDS)  # noqa: ASYNC251  # this is what is wrong
    await asyncio.sleep(0.01)


@runtime.experiment(name="compute")
def compute(config: Config) -> None:
    """Compute something, in a thread: all others wait for the interpreter, again and again."""
    until = time.thread_time() + (SECONDS if config.way == "badly" else 0.01)
    while time.thread_time() < until:
        pass


@runtime.experiment(name="ask")
async def ask(config: Config) -> None:
    """Wait as one should: this is never told of."""
    await asyncio.sleep(SECONDS)


async def main() -> None:
    """Play each once, with its shadow."""
    async with runtime:
        for experiment in (wait, compute, ask):
            print(f"{experiment.__name__}:")
            await runtime.collect(experiment)
            await asyncio.sleep(0.1)
    print()
    print(runtime.statistics())


if __name__ == "__main__":
    asyncio.run(main())
