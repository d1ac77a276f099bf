"""Runtime(record=run): every result is in the run, once, and nobody waits for that."""

import asyncio
import doctest
import logging
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace
from typing import Any

import pytest

from understudy import (
    Config,
    Event,
    ExperimentError,
    FunctionResult,
    MemorySink,
    MultiBranchStrategy,
    Runtime,
    ShadowStrategy,
    UnderstudyError,
)
from understudy.runs import Run, RunError, by_config

LONG = 20.0
TWO: list[dict[str, Any]] = [{"model": "large"}, {"model": "small"}]
anyio_test = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def points_of(run: Run) -> list[dict[str, Any]]:
    names = [name for name in run.metric_names if name.startswith("results/")]
    return [point for name in names for point in run.metrics(name).read()]


def told(result: FunctionResult[Any]) -> tuple[Any, ...]:
    case, error = result.experiment_case, result.exception_info
    kind = None if error is None else type(error).__name__
    ids = (result.call_id, result.branch_id, result.parent_branch_id)
    return (*ids, case.config.id, result.role, result.status, result.reason, kind, result.items)


def recorded(point: Mapping[str, Any]) -> tuple[Any, ...]:
    ids = ("call_id", "branch_id", "parent_branch_id", "config_id")
    rest = ("role", "status", "reason", "error", "items")
    return tuple(point.get(name) for name in (*ids, *rest))


class Held:
    """A run that writes nothing until it may."""

    path, project, prefix, id = Path("nowhere"), "project", "held", "7"
    params: Any = SimpleNamespace(get=dict, set=lambda values: None)

    def __init__(self) -> None:
        self.may, self.begun = threading.Event(), threading.Event()
        self.points: list[Mapping[str, object]] = []
        self.lines: list[dict[str, Any]] = []

    def log(self, message: str, **fields: Any) -> None:
        self.lines.append(fields)

    def metrics(self, name: str) -> "Held":
        return self

    def log_many(self, points: Iterable[Mapping[str, object]]) -> int:
        self.begun.set()
        assert self.may.wait(LONG)
        before = len(self.points)
        self.points += points
        return len(self.points) - before


@anyio_test
async def test_every_result_of_all_kinds_of_calls_is_in_the_run_once() -> None:
    results: list[FunctionResult[Any]] = []
    with Run(prefix="all", capture=False) as run:
        runtime = Runtime(configs=TWO, strategy=ShadowStrategy(limit=2), record=run, circuit=None)
        gate = asyncio.Event()

        @runtime.experiment(name="waits", timeout=60)
        async def waits(config: Config) -> str:
            if config.model == "small":
                await gate.wait()
            return str(config.model)

        @runtime.experiment(name="fails", strategy=MultiBranchStrategy())
        async def fails(config: Config) -> str:
            if config.model == "small":
                raise ValueError("no")
            return str(config.model)

        @runtime.experiment(name="late", timeout=0.01)
        async def late(config: Config) -> None:
            await asyncio.sleep(60)

        @runtime.experiment(name="outer")
        async def outer(config: Config) -> str:
            return str(await inner())

        @runtime.experiment(name="inner")
        async def inner(config: Config) -> str:
            return str(config.model)

        @runtime.experiment(name="counts")
        async def counts(config: Config) -> AsyncIterator[int]:
            for number in range(3):
                yield number

        @runtime.experiment(name="sync")
        def sync(config: Config) -> str:
            return str(config.model)

        @runtime.experiment(name="first/only")
        async def first(config: Config) -> str:
            return str(config.model)

        @runtime.experiment(name="endless", strategy=lambda configs: (configs[0], configs[1:]))
        async def endless(config: Config) -> None:
            await asyncio.sleep(3600)

        with runtime.subscribe(results.append):
            async with runtime:
                for _ in range(4):
                    await waits()
                gate.set()
                await fails()
                with suppress(TimeoutError):
                    await late()
                await outer()
                assert [each async for each in counts()] == [0, 1, 2]
                sync()
                await runtime.call(sync)
                runtime.disable(first)
                await first()
                left = asyncio.create_task(endless())
                await asyncio.sleep(0)
                await runtime.drain(0.01)
                left.cancel()
                with suppress(UnderstudyError, asyncio.CancelledError):
                    await left
                assert {point["status"] for point in points_of(run)} >= {"ok", "error", "shed"}
        async with runtime:  # after it was left, too
            await first()
            await runtime.drain()
        points = points_of(run)
    again = [point for point in points if point["branch_id"] not in {r.branch_id for r in results}]
    assert [(point["config"], point["status"]) for point in again] == [("large", "ok")]
    assert len({point["branch_id"] for point in points}) == len(points) == len(results) + 1
    assert {*map(recorded, points)} - {recorded(again[0])} == {*map(told, results)}
    statuses = {point["status"] for point in points}
    assert statuses >= {"ok", "error", "timeout", "cancelled", "shed"}
    assert runtime.statistics().events_dropped == 0
    assert run.problems == {}


@anyio_test
async def test_what_could_not_run_is_in_the_run_with_its_reason() -> None:
    with Run(prefix="skipped", capture=False) as run:
        runtime = Runtime(configs=TWO, strategy=MultiBranchStrategy(), record=run, timeout=60)

        @runtime.experiment(concurrency=1, name="answer")
        async def answer(config: Config) -> None:
            await asyncio.sleep(3600)

        async with runtime:
            calls = [asyncio.create_task(answer()) for _ in range(2)]
            for _ in range(5):
                await asyncio.sleep(0)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        points = points_of(run)
    assert len(points) == 4
    assert {point["status"] for point in points} <= {"cancelled", "skipped"}
    assert all(point["reason"] for point in points)


def test_the_configs_are_in_the_run_once_without_secrets_and_their_results_compare() -> None:
    configs: list[dict[str, Any]] = [
        {"model": "large", "api_key": "hunter2", "text": "x" * 5000},
        {"model": "small", "api_key": "hunter2", "text": "x" * 5000},
    ]

    async def play(run: Run) -> None:
        runtime = Runtime(
            configs=configs,
            strategy=ShadowStrategy(),
            record=run,
            redact=lambda key, value: key == "ssn",
        )

        @runtime.experiment(name="answer", capture=True)
        async def answer(x: int, ssn: str, config: Config) -> dict[str, Any]:
            score = x / 2 if config.model == "large" else x
            return {"score": score, "ok": x > 1, "password": "hunter2", "ssn": ssn}

        async with runtime:
            for x in range(4):
                await answer(x, ssn="hunter2")

    with Run(prefix="compared", capture=False) as run:
        asyncio.run(play(run))
    values = run.params.get()["configs"]["answer"]
    assert values["large"] == {"model": "large", "api_key": "***", "text": "x" * 5000}
    assert len(run.params.history()) == 1
    compared = by_config(run)
    assert [*compared] == ["large", "small"]
    assert compared["small"].roles == {"shadow": 4}
    assert compared["small"].summary["value.score"].mean == 1.5
    assert compared["large"].summary["value.score"].mean == 0.75
    assert compared["large"].summary["value.ok"].mean == 0.5
    assert [*by_config(run, role="shadow")] == ["small"]
    assert points_of(run)[-1]["arguments"] == {"x": 3, "ssn": "***"}
    for path in run.path.rglob("*"):
        assert not path.is_file() or b"hunter2" not in path.read_bytes(), path


def test_values_are_in_the_run_only_if_asked_for() -> None:
    with Run(prefix="silent", capture=False) as run, Runtime(record=run) as runtime:

        @runtime.experiment
        def answer(word: str) -> str:
            return f"{word} is 42"

        answer("hunter2")
    (point,) = points_of(run)
    assert not {"arguments", "value"} & point.keys()
    assert point["config"] == "default"


def test_configs_that_changed_and_kept_their_label_are_told_apart() -> None:
    for number in (1, 2):
        configs = [{"model": model, "n": number} for model in ("large", "small")]
        with Run(prefix="changed", capture=False) as run, Runtime(configs, record=run) as runtime:

            @runtime.experiment(name="answer")
            def answer(config: Config) -> int:
                return int(config.n)

            answer()
    compared = by_config(run, "answer")
    assert [each.values["n"] for each in compared.values()] == [1, 2]
    first, second = compared
    assert second == f"{first} ({compared[second].config_id[:8]})"  # type: ignore[index]
    assert compared[str(compared[second].config_id)] == compared[second]


@pytest.mark.parametrize("strict", [False, True])
def test_a_full_disk_harms_nobody_and_what_is_lost_is_counted_and_said(strict: bool) -> None:
    with Run(prefix="full", capture=False, strict=strict) as run:
        metric = run.metrics("results/answer")
        data = run.path / "metrics/results%2Fanswer/data.jsonl"
        data.parent.mkdir(parents=True)
        data.symlink_to("/dev/full")
        runtime = Runtime(record=run)

        @runtime.experiment(name="answer")
        def answer(x: int) -> int:
            return x

        with runtime:
            assert [answer(x) for x in range(3)] == [0, 1, 2]
        assert runtime.statistics().events_dropped == 3
        assert run.problems["write"] == (1 if strict else 3)
        metric.close()
        data.unlink()
        with runtime:
            assert answer(3) == 3
    assert [point["status"] for point in points_of(run)] == ["ok"]
    (line,) = run.log.read(level="warning")
    assert (line["event"], line["count"]) == ("log.dropped", 3)
    assert by_config(run).missing == 3
    assert repr(by_config(run)).endswith("3 results are missing")


def test_a_run_that_hangs_holds_nobody_up_and_what_there_is_no_room_for_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from understudy import _recorder as room  # type: ignore[attr-defined]  # pyright: ignore

    monkeypatch.setattr(room.RecordSink.__init__, "__kwdefaults__", {"capacity": 10})
    held = Held()
    with Runtime(record=held) as runtime:

        @runtime.experiment
        async def answer(x: int) -> int:
            return x

        async def play() -> list[int]:
            return [await answer(x) for x in range(50)]

        assert asyncio.run(_without_leaving(runtime, held, play)) == [*range(50)]
        held.may.set()
    runtime._telling.flush_record(LONG)
    lost = runtime.statistics().events_dropped
    assert lost > 0
    assert len(held.points) + lost == 50
    assert sum(line["count"] for line in held.lines) == lost


async def _without_leaving(runtime: Runtime, held: Held, play: Any) -> list[int]:
    values = await play()
    assert await asyncio.to_thread(held.begun.wait, LONG)
    held.may.set()
    await runtime.aclose()
    return list(values)


@anyio_test
async def test_events_tell_what_is_recorded_of_each_config_and_in_all() -> None:
    sink = MemorySink()
    with Run(prefix="told", project="shop", capture=False) as run:
        runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), record=run, events=sink)

        @runtime.experiment(name="answer")
        async def answer(config: Config) -> None: ...

        async with runtime:
            for _ in range(3):
                await answer()
        first, *each = sink.named("run.recording")
        (ended,) = sink.named("run.ended")
    for event in (first, *each, ended):
        place = (event.run, event.project, event.prefix, event.path)
        assert place == (run.id, "shop", "told", str(run.path))
    assert (first.experiment, first.count) == (None, None)
    last = {(event.experiment, event.label): (event.count, event.dropped) for event in each}
    assert last == {("answer", "large"): (3, 0), ("answer", "small"): (3, 0)}
    assert (ended.count, ended.dropped) == (6, 0)


@anyio_test
async def test_the_dashboard_of_the_runtime_shows_the_run() -> None:
    with Run(prefix="shown", project="shop", capture=False) as run:
        runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), record=run)
        runtime.dashboard()

        @runtime.experiment(name="answer")
        async def answer(config: Config) -> None: ...

        async with runtime:
            for _ in range(3):
                await answer()
        showing: Any = runtime._showing
        (row,) = showing._board.document()["runs"]
    assert (row["run"], row["name"], row["status"]) == (run.id, "shop/shown", "ended")
    assert row["counts"] == {"answer[large]": 3, "answer[small]": 3}
    assert len(points_of(run)) == 6


class OneByOne:
    """A sink that does not come for events, and is handed each at once."""

    dropped = 0

    def __init__(self) -> None:
        self.names: list[str] = []

    def put(self, event: Event, /) -> None:
        self.names.append(event.event)

    def flush(self, timeout: float) -> bool:
        return True

    def close(self, timeout: float) -> bool:
        return True


@anyio_test
async def test_beside_a_sink_of_ones_own_every_result_is_recorded_and_told() -> None:
    sink = OneByOne()
    with Run(prefix="beside", capture=False) as run:
        runtime = Runtime(configs=TWO, strategy=ShadowStrategy(), record=run, events=sink)

        @runtime.experiment(name="answer")
        async def answer(config: Config) -> None: ...

        async with runtime:
            for _ in range(3):
                await answer()
    assert len(points_of(run)) == 6
    assert sink.names.count("branch.completed") == 6
    assert sink.names[-3:] == ["run.recording", "run.ended", "runtime.stopped"]


def test_where_nobody_listens_to_events_the_log_is_told_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(result: FunctionResult[Any]) -> None:
        raise ValueError("a subscriber")

    with caplog.at_level(logging.WARNING, "understudy"), Run(prefix="r", capture=False) as run:
        runtime = Runtime(record=run, events=[])

        @runtime.experiment
        async def answer() -> None: ...

        async def main() -> None:
            async with runtime:
                with runtime.subscribe(fail):
                    await answer()
                    await runtime.drain()

        asyncio.run(main())
    assert any("actor.crashed" in record.getMessage() for record in caplog.records)
    assert len(points_of(run)) == 1


def test_what_is_no_run_that_goes_on_is_refused() -> None:
    with pytest.raises(ExperimentError, match="record must be a Run"):
        Runtime(record="my-experiment")  # type: ignore[arg-type]  # pyright: ignore
    with pytest.raises(RunError, match="the run has not begun"):
        Runtime(record=Run(prefix="r"))
    with Run(prefix="r", capture=False) as run:
        pass
    with pytest.raises(ExperimentError, match="not <the run project/r in"):
        Runtime(record=run.read())  # type: ignore[arg-type]  # pyright: ignore


def test_the_examples_run() -> None:
    failed, attempted = doctest.testmod(import_module("understudy._record"))
    assert (failed, attempted > 0) == (0, True)


PROGRAM = """
import asyncio, signal, sys
from understudy import Config, Runtime, ShadowStrategy
from understudy.runs import Run

run = Run(prefix="ended", capture=False).start()
runtime = Runtime([{"n": 1}, {"n": 2}], ShadowStrategy(), record=run)

@runtime.experiment(name="answer")
async def answer(config: Config) -> None: ...

async def serve():
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with runtime:
        for _ in range(300):
            await answer()
        print("played", flush=True)
        await stopped.wait()

async def leave_it():
    for _ in range(300):
        await answer()

asyncio.run(serve() if sys.argv[1] == "term" else leave_it())
"""


@pytest.mark.parametrize("how", ["term", "exit"])
def test_all_is_in_the_run_after_sigterm_and_when_nobody_left_the_runtime(
    how: str, tmp_path: Path
) -> None:
    program = [sys.executable, "-c", dedent(PROGRAM), how]
    with subprocess.Popen(program, stdout=subprocess.PIPE, cwd=tmp_path) as child:
        assert child.stdout is not None
        if how == "term":
            assert child.stdout.readline() == b"played\n"
            child.send_signal(signal.SIGTERM)
        assert child.wait(60) == 0
    counts = {label: each.count for label, each in by_config("experiments/project/ended").items()}
    assert counts == {"1": 300, "2": 300}
