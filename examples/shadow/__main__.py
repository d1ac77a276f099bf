"""A slow model on live traffic, with understudies: one is good, one fails, one hangs.

Run it: `make demo`, or `python -m examples.shadow`.
"""

import asyncio
import itertools
import logging
import random
import textwrap
from collections import Counter
from pathlib import Path
from time import perf_counter

from understudy import Config, FunctionResult, MultiBranchStrategy, Runtime, ShadowStrategy

CALLS, CLIENTS = 400, 20
SECONDS = {"trusted": 0.020, "quicker": 0.005, "failing": 0.005, "hanging": 60.0}
WHY = {
    "error": "it raises ConnectionError",
    "timeout": "no answer within 0.2 s",
    "mailbox_full": "32 play and 16 wait already",
    "circuit_open": "ten failures in a row: 30 s of rest",
}
CODE = Path(__file__).read_text().split("# What matters:\n")[-1].split("\n\n\n# What else")[0]
chance = random.Random(7)


async def ask(model: str, prompt: str) -> str:
    """Ask a model: some are slow, one fails, one never comes back."""
    await asyncio.sleep(SECONDS[model] * chance.uniform(0.8, 1.2))
    if model == "failing":
        raise ConnectionError(f"{model} is out of order")
    return f"{prompt} -> {model}"


# What matters:
runtime = Runtime(
    configs=[{"model": model} for model in SECONDS],  # the first one answers
    strategy=ShadowStrategy(timeout=0.2),  # the others play beside it
    concurrency=32,  # of each config, so many at a time
    mailbox=16,  # and so many may wait
)


@runtime.experiment(name="answer")
async def answer(prompt: str, config: Config) -> str:
    return await ask(config.model, prompt)


# What else there is:
@runtime.experiment(
    name="rewrite", configs=[{"words": "few"}, {"words": "many"}], strategy=ShadowStrategy()
)
async def rewrite(prompt: str, config: Config) -> str:
    """Rewrite a prompt: called inside the next one, and played under the same case."""
    return prompt if config.words == "few" else f"please, {prompt}"


@runtime.experiment(
    name="reply",
    configs=[{"tone": "dry"}, {"tone": "warm"}],
    strategy=ShadowStrategy(),
    uses=[rewrite],
)
async def reply(prompt: str, config: Config) -> str:
    """Reply with a rewritten prompt: two experiments, four cases."""
    return f"{config.tone}: {await rewrite(prompt)}"


@runtime.experiment(name="vote", strategy=MultiBranchStrategy(), timeout=0.05)
async def vote(prompt: str, config: Config) -> str:
    """Ask all models at once, each for 50 ms at most."""
    return await ask(config.model, prompt)


@runtime.experiment(
    name="summarize",
    configs=[{"model": "trusted"}, {"model": "hanging"}],
    strategy=ShadowStrategy(),
)
async def summarize(prompt: str, config: Config) -> str:
    """Play a shadow that hangs, and has no timeout."""
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
    logging.getLogger("understudy").addHandler(Log())
    print("An experiment is a function and its configs. This one has four:\n")
    print(textwrap.indent(CODE, "  "))
    print('\n  await answer("hello")  # the caller waits for the first config only')
    async with runtime:
        await send_calls()
        await nest()
        await ask_all()
        await drain()
    print("\nWhere to read on: docs/tutorial.md, ten minutes, from here to a web service.")
    print("The code of this demo: examples/shadow/__main__.py")


async def send_calls() -> None:
    """Play three shadows beside many calls."""
    missing: Counter[tuple[str, str, str]] = Counter()

    def note(result: FunctionResult[str]) -> None:
        if result.status != "ok":
            reason = result.reason if result.status in ("shed", "skipped") else result.status
            missing[result.experiment_case.config.label, result.status, reason] += 1

    title(f"{CALLS} calls from {CLIENTS} clients: trusted answers, three play beside it.")
    with runtime.subscribe(note, experiment=answer):
        times = await asyncio.gather(*(client(CALLS // CLIENTS) for _ in range(CLIENTS)))
        await runtime.drain()
    taken = [*itertools.chain.from_iterable(times)]
    print(f"\nAll {len(taken)} were answered, half of them within {median(taken):.1f} ms;")
    print("the trusted model alone takes 20 ms.\n")
    print(runtime.statistics()["answer"])
    print("\nWhy some shadows did not end well, which no caller noticed:")
    for (config, status, reason), count in sorted(missing.items()):
        name = status if reason == status else f"{status} ({reason})"
        print(f"  {config} {count:4} x {name:22} {WHY[reason]}")


async def nest() -> None:
    title("One experiment inside another: each case of the two is played once.")
    for each in await runtime.collect(reply, "hello"):
        print(f"  {each.role:8} {each.result}")


async def ask_all() -> None:
    title("All models at once, each with 50 ms:")
    for each in await vote("hello"):
        shown = each.result if each.status == "ok" else repr(each.exception_info)
        print(f"  {each.experiment_case.config.label:8} {each.status:8} {shown}")


async def drain() -> None:
    title("Five more calls, beside each a shadow that hangs and has no timeout.")
    await asyncio.gather(*(summarize("the end") for _ in range(5)))
    report = await runtime.drain(timeout=0.1)
    print(f"They were answered. Draining for 0.1 s found {report.waited_for} shadows in flight,")
    print(f"and cancelled {len(report.cancelled)} of them when the time was up:")
    for said, count in Counter(str(each.exception_info) for each in report.cancelled).items():
        print(f"  {count} x {said}")


def title(text: str) -> None:
    print(f"\n{text}")


class Log(logging.Handler):
    """Shows what the runtime warns of, where it happens."""

    def emit(self, record: logging.LogRecord) -> None:
        said = f"{record.levelname.lower()}: {record.getMessage()}"
        print(textwrap.fill(said, 78, initial_indent="  ", subsequent_indent="    "))


def median(values: list[float]) -> float:
    """Return the middle of some seconds, in milliseconds."""
    return 1e3 * sorted(values)[len(values) // 2]


if __name__ == "__main__":
    asyncio.run(main())
