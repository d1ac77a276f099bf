"""A slow model on live traffic, with understudies: one is good, one fails, one hangs.

Run it: `make demo`, or `python -m examples.shadow`.
"""

import asyncio
import itertools
import random
from collections import Counter
from time import perf_counter

from understudy import (
    Config,
    ExperimentStatistics,
    FunctionResult,
    MultiBranchStrategy,
    Runtime,
    ShadowStrategy,
)

CALLS = 400
SECONDS = {"trusted": 0.020, "quicker": 0.005, "failing": 0.005, "hanging": 60.0}
chance = random.Random(7)

runtime = Runtime(
    configs=[{"model": model} for model in SECONDS],
    strategy=ShadowStrategy(timeout=0.2),
    concurrency=32,
    mailbox=16,
)


async def ask(model: str, prompt: str) -> str:
    """Ask a model: some are slow, one fails, one never comes back."""
    await asyncio.sleep(SECONDS[model] * chance.uniform(0.8, 1.2))
    if model == "failing":
        raise ConnectionError(f"{model} is out of order")
    return f"{prompt} -> {model}"


@runtime.experiment
async def answer(prompt: str, config: Config) -> str:
    return await ask(config.model, prompt)


@runtime.experiment(
    configs=[{"words": "few"}, {"words": "many"}], strategy=ShadowStrategy(), mailbox=256
)
async def rewrite(prompt: str, config: Config) -> str:
    """Rewrite a prompt: called inside the next one, and played under the same case."""
    await asyncio.sleep(0.001)
    return prompt if config.words == "few" else f"please, {prompt}"


@runtime.experiment(
    configs=[{"tone": "dry"}, {"tone": "warm"}], strategy=ShadowStrategy(), uses=[rewrite]
)
async def reply(prompt: str, config: Config) -> str:
    """Reply with a rewritten prompt: two experiments, four cases."""
    return f"{config.tone}: {await rewrite(prompt)}"


@runtime.experiment(strategy=MultiBranchStrategy(), timeout=0.05)
async def vote(prompt: str, config: Config) -> str:
    """Ask all models at once, each for 50 ms at most."""
    return await ask(config.model, prompt)


async def client(count: int) -> list[float]:
    """Send some calls, and return how long each took."""
    taken: list[float] = []
    for number in range(count):
        began = perf_counter()
        told = await answer(f"question {number}")
        assert told.endswith("trusted")
        taken.append(perf_counter() - began)
    return taken


async def main() -> None:
    reasons: Counter[tuple[str, str]] = Counter()

    def note(result: FunctionResult[object]) -> None:
        if result.status != "ok":
            model = result.experiment_case.config.label
            reasons[model, f"{result.status} ({result.reason})"] += 1

    async with runtime:
        with runtime.subscribe(note, experiment=answer):
            print(f"{CALLS} calls from 20 clients; the trusted config answers, three play beside:")
            times = await asyncio.gather(*(client(CALLS // 20) for _ in range(20)))
            taken = [*itertools.chain.from_iterable(times)]
            print(f"Half of them took {median(taken):.1f} ms or less; a call of its own, 20 ms.\n")

            print("One experiment inside another: every case of the two, each played once.")
            for each in await runtime.collect(reply, "hello"):
                print(f"  {each.role:8} {each.result}")

            print("\nAll models at once, each with 50 ms:")
            for each in await vote("hello"):
                shown = each.result if each.status == "ok" else repr(each.exception_info)
                print(f"  {each.experiment_case.config.label:8} {each.status:8} {shown}")
            await answer("one more")
            report = await runtime.drain()

    cancelled = len(report.cancelled)
    print(f"\nDrained: {report.waited_for} in flight at the end, {cancelled} had to be cancelled.")
    show(runtime.statistics()["answer"], reasons)


def show(experiment: ExperimentStatistics, reasons: Counter[tuple[str, str]]) -> None:
    """Print what each config did, and what was not played, and why."""
    print(f"\n{'config':10}{'planned':>8}{'ok':>6}{'error':>7}{'timeout':>9}{'shed':>6}", end="")
    print(f"{'skipped':>9}{'p50 ms':>8}{'p99 ms':>8}  circuit")
    for case in experiment.cases:
        p50, p99 = (1e3 * (value or 0.0) for value in (case.p50, case.p99))
        print(f"{case.label:10}{case.planned:8}{case.ok:6}{case.error:7}{case.timeout:9}", end="")
        print(f"{case.shed:6}{case.skipped:9}{p50:8.1f}{p99:8.1f}  {case.circuit}")
    print("\nWhy some did not answer:")
    for (config, reason), count in sorted(reasons.items()):
        print(f"  {config:10}{count:5} x {reason}")


def median(values: list[float]) -> float:
    """Return the middle of some seconds, in milliseconds."""
    return 1e3 * sorted(values)[len(values) // 2]


if __name__ == "__main__":
    asyncio.run(main())
