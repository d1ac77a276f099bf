"""A run: three styles, its end, its accessors, its face."""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from understudy.runs import Run, RunArgumentError, RunError, RunFolder, current_run, recorded

HERE = Path("experiments/project/my-experiment")


def status() -> str | None:
    return RunFolder(HERE).status


class TestStyles:
    def test_with_started(self) -> None:
        with Run(prefix="my-experiment", project="project").start() as run:
            run.log("Training started")
            assert (run.status, current_run()) == ("RUNNING", run)
        assert (run.status, current_run()) == ("COMPLETED", None)

    def test_with(self) -> None:
        with Run(prefix="my-experiment") as run:
            assert str(run.status) == "RUNNING"
        assert run.status == "COMPLETED"

    def test_directly(self) -> None:
        run = Run(prefix="my-experiment")
        assert run.start() is run
        assert run.start() is run
        assert len(run.attempts) == 1
        run.complete()
        assert run.status == "COMPLETED"

    @pytest.mark.parametrize("end", ["complete", "fail", "cancel"])
    def test_the_first_end_counts(self, end: str) -> None:
        run = Run(prefix="my-experiment").start()
        getattr(run, end)()
        first = run.status
        run.complete()
        run.fail("late")
        run.cancel()
        assert run.status == first
        assert first == {"complete": "COMPLETED", "fail": "FAILED", "cancel": "CANCELLED"}[end]

    def test_an_end_by_hand_within_the_block_counts(self) -> None:
        with Run(prefix="my-experiment") as run:
            run.fail("I saw it diverge")
        assert (run.status, run.attempts[-1].error.message) == ("FAILED", "I saw it diverge")  # type: ignore[union-attr]

    @pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
    async def test_async_with(self) -> None:
        async with Run(prefix="my-experiment") as run:
            run.metrics("train").log(loss=0.5)
            assert current_run() is run
        assert (run.status, current_run()) == ("COMPLETED", None)

    def test_a_run_that_has_ended_can_be_started_again(self) -> None:
        run = Run(prefix="my-experiment").start()
        run.complete()
        with run:
            assert (run.status, run.attempt) == ("RUNNING", 2)
        assert run.status == "COMPLETED"

    def test_runs_that_end_in_any_order_are_not_current_afterwards(self) -> None:
        first, second, third = (Run(prefix=name).start() for name in "abc")
        second.complete()
        assert current_run() is third
        third.complete()
        assert current_run() is first
        first.complete()
        assert current_run() is None


class TestDecorator:
    def test_a_function(self) -> None:
        @recorded(prefix="my-experiment", project="project")
        def train_model(epochs: int, run: Run) -> str:
            for epoch in range(epochs):
                run.metrics("train").log(loss=1.0, epoch=epoch)
            assert current_run() is run
            return "Training complete!"

        assert train_model(10) == "Training complete!"
        assert (len(RunFolder(HERE).metrics("train")), status()) == (10, "COMPLETED")

    def test_one_without_the_parameter_has_the_current_run(self) -> None:
        @recorded()
        def train() -> None:
            run = current_run()
            assert run is not None
            run.log("here")

        train()
        assert RunFolder("experiments/project/train").log.read()[0]["message"] == "here"

    def test_its_signature_shows_what_a_caller_gives(self) -> None:
        import inspect

        @recorded(prefix="x")
        def train(epochs: int, run: Run, *, lr: float = 0.1) -> None: ...

        assert [*inspect.signature(train).parameters] == ["epochs", "lr"]
        assert train.__name__ == "train"

    async def test_a_coroutine_function_is_recorded_to_its_end(self) -> None:
        @recorded(prefix="my-experiment")
        async def train(run: Run) -> int:
            await asyncio.sleep(0)
            run.metrics("train").log(loss=0.5)
            assert current_run() is run
            return 7

        assert await train() == 7
        assert (len(RunFolder(HERE).metrics("train")), status()) == (1, "COMPLETED")

    def test_a_generator_is_recorded_until_its_last_item(self) -> None:
        @recorded(prefix="my-experiment")
        def train(run: Run) -> Generator[int, str | None, str]:
            for step in range(3):
                assert current_run() is run
                got = yield step
                run.metrics("train").log(step=step, got=got)
            return "done"

        def play() -> Generator[int, str | None, None]:
            told.append((yield from train()))

        told: list[Any] = []
        items = play()
        assert next(items) == 0
        assert current_run() is None
        assert status() == "RUNNING"
        assert [items.send("a"), *items] == [1, 2]
        assert told == ["done"]
        assert [point["got"] for point in RunFolder(HERE).metrics("train")] == ["a", None, None]
        assert status() == "COMPLETED"

    def test_a_generator_hears_what_is_thrown_into_it(self) -> None:
        @recorded(prefix="my-experiment")
        def train(run: Run) -> Iterator[int]:
            try:
                yield 1
            except ValueError:
                yield 2
            raise KeyError("x")

        items = train()
        assert next(items) == 1
        assert items.throw(ValueError()) == 2  # type: ignore[attr-defined]
        with pytest.raises(KeyError):
            next(items)
        assert status() == "FAILED"

    def test_a_generator_that_nobody_reads_on_is_cancelled(self) -> None:
        @recorded(prefix="my-experiment")
        def train(run: Run) -> Iterator[int]:
            yield 1
            yield 2

        for _ in train():
            break
        assert status() == "CANCELLED"

    async def test_an_async_generator(self) -> None:
        @recorded(prefix="my-experiment")
        async def train(run: Run) -> AsyncIterator[int]:
            for step in range(3):
                assert current_run() is run
                yield step

        seen: list[int] = []
        async for item in train():
            assert current_run() is None
            seen.append(item)
        assert (seen, status()) == ([0, 1, 2], "COMPLETED")

    def test_without_parentheses_it_says_how(self) -> None:
        with pytest.raises(RunArgumentError, match="with parentheses"):

            @recorded  # type: ignore[arg-type]  # pyright: ignore
            def train() -> None: ...

    def test_a_misspelt_argument_is_told_where_it_is_written(self) -> None:
        with pytest.raises(RunArgumentError, match="did you mean 'tags'"):
            recorded(prefix="x", tag=["a"])


class TestEnd:
    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (ValueError("diverged"), "FAILED"),
            (KeyboardInterrupt(), "CANCELLED"),
            (asyncio.CancelledError(), "CANCELLED"),
            (SystemExit(0), "COMPLETED"),
            (SystemExit(), "COMPLETED"),
            (SystemExit(3), "FAILED"),
            (SystemExit("bad"), "FAILED"),
            (BaseException(), "FAILED"),
            (ExceptionGroup("several", [ValueError()]), "FAILED"),
        ],
        ids=repr,
    )
    def test_what_leaves_the_block_says_how_it_ended(
        self, error: BaseException, expected: str
    ) -> None:
        with pytest.raises(type(error)) as raised, Run(prefix="my-experiment"):
            raise error
        assert raised.value is error
        assert status() == expected

    def test_a_failure_is_kept_with_its_traceback(self) -> None:
        with pytest.raises(ZeroDivisionError), Run(prefix="my-experiment") as run:
            _ = 1 / 0
        failure = run.attempts[-1].error
        assert failure is not None
        assert (failure.type, failure.message) == ("ZeroDivisionError", "division by zero")
        assert "_ = 1 / 0" in failure.traceback

    def test_an_exception_whose_words_fail_is_kept_by_its_type(self) -> None:
        class Silent(Exception):
            def __str__(self) -> str:
                raise RuntimeError

        with pytest.raises(Silent), Run(prefix="my-experiment") as run:
            raise Silent
        assert run.status == "FAILED"

    async def test_a_cancelled_task_leaves_a_cancelled_run(self) -> None:
        entered = asyncio.Event()

        async def train() -> None:
            async with Run(prefix="my-experiment"):
                entered.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(train())
        await entered.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        assert status() == "CANCELLED"

    def test_what_is_logged_after_the_end_is_kept(self) -> None:
        with Run(prefix="my-experiment") as run:
            train = run.metrics("train")
            train.log(step=1)
        train.log(step=2)
        run.metrics("val").log(step=3)
        run.log("late")
        run.params.set(late=True)
        assert [point["step"] for point in train] == [1, 2]
        assert [point["step"] for point in run.metrics("val")] == [3]
        assert run.params.get() == {"late": True}
        assert run.status == "COMPLETED"
        for metric in (train, run.metrics("val"), run.log, run.params):
            metric.close()


class TestMisuse:
    @pytest.mark.parametrize(
        "use", ["log", "params", "path", "attempt", "read", "id", "attempts", "metric_names"]
    )
    def test_before_the_start_each_accessor_says_how_to_start(self, use: str) -> None:
        with pytest.raises(RunError, match="run.start()"):
            value = getattr(Run(prefix="x"), use)
            value()
        assert not Path("experiments").exists()

    def test_before_the_start_there_are_no_metrics_and_no_files(self) -> None:
        for use in ("metrics", "files"):
            with pytest.raises(RunError, match="run.start()"):
                getattr(Run(prefix="x"), use)("a")

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ({"descripton": "x"}, "did you mean 'description'"),
            ({"user_name": "alice"}, "no argument 'user_name'"),
            ({"totally_bogus": 1}, "no argument 'totally_bogus'"),
            ({"prefix": ""}, "is empty"),
            ({"prefix": 3}, "a text"),
            ({"project": None}, "a text"),
            ({"tags": "baseline"}, "a list of texts"),
            ({"tags": [1]}, "a list of texts"),
            ({"bindrs": 3}, "a list of texts"),
            ({"resume": "alow"}, "did you mean 'allow'"),
            ({"resume": True}, "'never'"),
            ({"sync": "now"}, "'always'"),
            ({"rewind": "3"}, "a step"),
            ({"capture": ["gti"]}, "did you mean 'git'"),
            ({"system": -1}, "seconds"),
            ({"folder": 3}, "a text"),
        ],
    )
    def test_a_wrong_argument_is_an_error_that_says_what_is_right(
        self, arguments: dict[str, Any], told: str
    ) -> None:
        with pytest.raises(RunArgumentError, match=told) as raised:
            make: Any = Run
            make(**{"prefix": "x", **arguments})
        assert isinstance(raised.value, TypeError)

    @pytest.mark.parametrize(
        ("values", "arguments", "told"),
        [
            (
                (),
                {"name": "x"},
                r"Run\(\) needs its prefix: did you mean 'prefix', instead of 'name'",
            ),
            ((), {}, "Run\\(\\) needs its prefix, which is what the run is called"),
            (("x",), {}, r"by name: Run\(prefix='x'\)"),
        ],
    )
    def test_without_a_prefix_it_is_told_that_one_is_needed(
        self, values: tuple[str, ...], arguments: dict[str, str], told: str
    ) -> None:
        make: Any = Run
        with pytest.raises(RunArgumentError, match=told):
            make(*values, **arguments)

    def test_every_argument_that_is_known_is_suggested(self) -> None:
        import inspect

        from understudy.runs._run import _KNOWN  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

        parameters = inspect.signature(Run).parameters.values()
        assert {*_KNOWN} == {each.name for each in parameters if each.kind is each.KEYWORD_ONLY}


class TestFace:
    def test_what_describes_a_run_is_in_run_json_and_can_be_changed(self) -> None:
        described: dict[str, Any] = {
            "description": "ResNet-50 training with new augmentation",
            "tags": ["resnet", "baseline"],
            "bindrs": ["gpu-cluster"],
            "folder": "/experiments/2025/resnet",
            "readme": "# ResNet",
        }
        with Run(prefix="my-experiment", **described) as run:
            run.update(tags=["resnet"], readme="# Better")
        said = json.loads((HERE / "run.json").read_text())
        assert {name: said[name] for name in described} == {
            **described,
            "tags": ["resnet"],
            "readme": "# Better",
        }
        assert (said["status"], said["prefix"], said["project"], said["v"]) == (
            "COMPLETED",
            "my-experiment",
            "project",
            1,
        )
        assert said["created"] <= said["started"] <= said["ended"]
        assert said["id"] == run.id

    def test_the_root_is_an_argument_or_of_the_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("UNDERSTUDY_ROOT", str(tmp_path / "of the environment"))
        with Run(prefix="a") as one, Run(prefix="a", root=tmp_path / "given") as two:
            assert one.path == tmp_path / "of the environment/project/a"
            assert two.path == tmp_path / "given/project/a"

    def test_a_run_stays_where_it_began(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = Run(prefix="my-experiment")
        monkeypatch.chdir("/")
        with run:
            run.metrics("train").log(step=1)
        assert (tmp_path / HERE / "metrics/train/data.jsonl").exists()

    def test_the_layout_is_that_of_the_seed(self) -> None:
        with Run(prefix="my-experiment", project="project") as run:
            run.log("x")
            run.params.set(lr=0.1)
            run.metrics("train").log(loss=1.0)
            saved = run.files("models").save(b"weights", to="model.pth")
        assert saved is not None
        for name in (
            "logs/logs.jsonl",
            "parameters.json",
            "metrics/train/data.jsonl",
            "run.json",
            f"files/models/{saved.id}/model.pth",
        ):
            assert (HERE / name).is_file(), name
        assert json.loads((HERE / "parameters.json").read_text()) == {"lr": 0.1}

    def test_runs_within_each_other_are_each_current_in_turn(self) -> None:
        with Run(prefix="outer") as outer:
            with Run(prefix="inner") as inner:
                assert current_run() is inner
            assert current_run() is outer
        assert current_run() is None

    def test_a_run_that_has_ended_is_not_current_whichever_ended_first(self) -> None:
        first, second = Run(prefix="first").start(), Run(prefix="second").start()
        first.complete()
        assert current_run() is second
        second.complete()
        assert current_run() is None

    async def test_tasks_have_their_own_current_run(self) -> None:
        async def train(name: str) -> None:
            async with Run(prefix=name) as run:
                for _ in range(3):
                    await asyncio.sleep(0)
                    assert current_run() is run

        await asyncio.gather(train("a"), train("b"))

    def test_threads_share_a_run(self) -> None:
        def log(thread: int) -> None:
            for step in range(200):
                run.metrics(f"m{step % 5}").log(step=step, thread=thread)
                run.log("x", thread=thread)

        with Run(prefix="my-experiment") as run:
            threads = [threading.Thread(target=log, args=[n]) for n in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        for name in run.metric_names:
            seen = [(point["thread"], point["step"]) for point in run.metrics(name)]
            assert len({*seen}) == len(seen) == 8 * 40
        assert len(run.log.read()) == 1600

    def test_nothing_is_told_when_all_goes_well(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.DEBUG), Run(prefix="my-experiment") as run:
            run.log("x")
            run.metrics("m").log(x=1)
        assert caplog.records == []
        assert repr(run) == "<Run project/my-experiment: COMPLETED>"
