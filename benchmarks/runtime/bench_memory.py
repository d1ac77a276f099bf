"""How much memory idle actors take up: a case actor, and an experiment with all it needs.

An experiment that was never called is its function, its settings and its configs. The first call
starts its actors: a supervisor, one for the strategy, and one for each config; from then on they
wait for the next. What is told is what the objects take up, as `tracemalloc` counts it.
"""

import asyncio
import tracemalloc
from collections.abc import Iterator
from typing import Any

from benchmarks._command import main
from benchmarks._harness import Case, Goal, Table
from understudy import Config, Runtime

_COUNT = 1_000
_CONFIGS = "a config of an experiment with 1,000, never called"
_EXPERIMENT = "an experiment with one config, never called"


async def play(x: int, config: Config) -> int:
    return x


def _bytes_in_use() -> int:
    return tracemalloc.get_traced_memory()[0]


def _played(loop: asyncio.AbstractEventLoop, runtime: Runtime, function: Any) -> Any:
    loop.run_until_complete(runtime.call(function, 1))
    return function


def tables(count: int = _COUNT) -> Iterator[Table]:
    """Yield the table of this benchmark."""
    loop = asyncio.new_event_loop()
    numbers = [{"number": number} for number in range(count)]

    def configs() -> Any:
        runtime = Runtime(configs=numbers)
        answer = runtime.experiment(play)
        labels = [config.label for config in answer.experiment.settings.configs]
        return runtime, answer, labels

    def actors() -> Any:
        runtime, answer, labels = configs()
        return runtime, _played(loop, runtime, answer), labels

    def experiments() -> Any:
        runtime = Runtime(configs=numbers[:1])
        return runtime, [runtime.experiment(play) for _ in range(count)]

    def played() -> Any:
        runtime, made = experiments()
        return runtime, [_played(loop, runtime, each) for each in made]

    cases = [
        Case(_CONFIGS, configs, count),
        Case("the same with its case actor, idle", actors, count, _CONFIGS, Goal(extra=700)),
        Case(_EXPERIMENT, experiments, count),
        Case("the same with its actors, idle", played, count, _EXPERIMENT),
    ]
    tracemalloc.start(1)
    try:
        yield Table("what is taken up, each", cases, _bytes_in_use, "B")
    finally:
        tracemalloc.stop()
        loop.close()


if __name__ == "__main__":
    main(tables)
