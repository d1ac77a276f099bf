"""IPython and its cells: top-level await, functions that are redefined, a loop that always runs."""

import inspect
import linecache
from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from understudy import ExperimentError

from .scripts import START, run

CELL = """
    from understudy import Config, Runtime, ShadowStrategy

    runtime = Runtime(configs=[{"n": 0}, {"n": 1}], strategy=ShadowStrategy())
    played = []

    @runtime.experiment(name="later")
    async def later(x, config: Config):
        '''Say so, later.'''
        played.append(("later", config.n))
        return x + config.n

    @runtime.experiment(name="now")
    def now(x, config: Config):
        played.append(("now", config.n))
        return x + config.n
"""


class Notebook:
    """Runs cells, as a notebook does."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell

    def __getitem__(self, name: str) -> Any:
        return self.shell.user_ns[name]

    def run(self, cell: str) -> Any:
        """Run a cell as IPython's prompt does: on a loop that runs only then, if it awaits."""
        return self._result(self.shell.run_cell(inspect.cleandoc(cell), store_history=True))

    async def arun(self, cell: str) -> Any:
        """Run a cell as a kernel does: on the loop that runs always."""
        source = inspect.cleandoc(cell)
        transformed = self.shell.transform_cell(source)
        assert self.shell.should_run_async(source, transformed_cell=transformed) in (True, False)
        found = await self.shell.run_cell_async(
            source, store_history=True, transformed_cell=transformed
        )
        return self._result(found)

    def _result(self, found: Any) -> Any:
        found.raise_error()
        return found.result


@pytest.fixture
def notebook(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.autoawait = True
    notebook = Notebook(shell)
    yield notebook
    if "runtime" in shell.user_ns:
        shell.user_ns["runtime"].close()
    if shell.history_manager is not None:
        shell.history_manager.end_session()
    InteractiveShell.clear_instance()


def test_a_cell_may_await_an_experiment_that_an_earlier_one_defined(notebook: Notebook) -> None:
    notebook.run(CELL)
    assert notebook.run("await later(1)") == 1
    assert notebook.run("now(2)") == 2
    results = notebook.run("await runtime.collect(later, 3)")
    assert [each.result for each in results] == [3, 4]
    notebook.run("await runtime.aclose()")
    assert sorted(notebook["played"]) == [("later", 0)] * 2 + [("later", 1)] * 2 + [
        ("now", 0),
        ("now", 1),
    ]


def test_async_with_in_a_cell_drains_at_its_end(notebook: Notebook) -> None:
    notebook.run(CELL)
    told = notebook.run("""
        async with runtime:
            await later(1)
        [(case.planned, case.ok) for case in runtime.statistics()["later"].cases]
    """)
    assert told == [(1, 1), (1, 1)]


def test_a_function_of_a_cell_shows_its_source_and_what_it_takes(notebook: Notebook) -> None:
    notebook.run(CELL)
    later = notebook["later"]
    assert "played.append" in inspect.getsource(later)
    assert linecache.getlines(later.experiment.function.__code__.co_filename)
    info = notebook.shell.object_inspect("later")
    assert info["definition"] == "later(x)"
    assert info["docstring"] == "Say so, later."
    shown = notebook.shell.object_inspect_mime("later")["text/plain"]
    assert "later(x)" in shown


def test_a_cell_that_is_run_again_replaces_the_function_and_the_old_one_goes(
    notebook: Notebook,
) -> None:
    notebook.run(CELL)
    redefined = """
        @runtime.experiment(name="later")
        async def later(x, config: Config):
            return -x
    """
    assert notebook.run("await later(1)") == 1
    for _ in range(3):
        notebook.run(redefined)
        assert notebook.run("await later(1)") == -1
    notebook.run("import gc; gc.collect()")
    names = [each.experiment for each in notebook["runtime"].statistics().experiments]
    assert names.count("later") == 1


def test_what_a_cell_calls_inside_is_found_in_its_code(notebook: Notebook) -> None:
    notebook.run(CELL)
    notebook.run("""
        @runtime.experiment(name="outer")
        async def outer(x, config: Config):
            return [config.n, await later(x), now(x)]
    """)
    results = notebook.run("await runtime.collect(outer, 5)")
    assert results.main_result.result == [0, 5, 5]
    assert len(results) == 8


async def test_on_a_loop_that_always_runs_a_cell_may_call_either_colour(
    notebook: Notebook,
) -> None:
    await notebook.arun(CELL)
    assert await notebook.arun("now(1)") == 1
    assert await notebook.arun("await later(2)") == 2
    assert await notebook.arun("await runtime.call(now, 3)") == 3
    assert await notebook.arun("[await later(x) for x in range(3)]") == [0, 1, 2]
    await notebook.arun("import asyncio")
    assert await (await notebook.arun("asyncio.create_task(later(4))")) == 4
    await notebook.arun("await runtime.drain()")
    with pytest.raises(ExperimentError, match="await"):
        await notebook.arun("runtime.call_blocking(later, 5)")
    await notebook.arun("await runtime.aclose()")
    statistics = notebook["runtime"].statistics()
    assert [case.planned for case in statistics["later"].cases] == [5, 5]
    assert [case.planned for case in statistics["now"].cases] == [2, 2]


async def test_shadows_go_on_between_the_cells_of_a_loop_that_always_runs(
    notebook: Notebook,
) -> None:
    await notebook.arun(CELL)
    await notebook.arun("""
        import asyncio
        gate = asyncio.Event()
        ended = []

        @runtime.experiment(name="slow")
        async def slow(config: Config):
            if config.n:
                await gate.wait()
            ended.append(config.n)
            return config.n
    """)
    assert await notebook.arun("await slow()") == 0
    assert await notebook.arun("ended") == [0]
    notebook["gate"].set()
    await notebook.arun("await runtime.drain()")
    assert notebook["ended"] == [0, 1]
    await notebook.arun("await runtime.aclose()")


async def test_an_error_in_a_cell_is_the_users_own(notebook: Notebook) -> None:
    await notebook.arun(CELL)
    with pytest.raises(TypeError, match="can only concatenate"):
        await notebook.arun("await later('x')")
    with pytest.raises(TypeError, match="missing .* 'x'"):
        await notebook.arun("await later()")
    await notebook.arun("await runtime.aclose()")


def test_a_session_in_a_terminal_ends_in_order() -> None:
    told = run(
        """
        import sys
        from IPython.terminal.ipapp import launch_new_instance
        sys.argv = ["ipython", "--quick", "--simple-prompt", "--no-banner", "--colors=NoColor",
                    "--HistoryManager.enabled=False", "--no-confirm-exit"]
        launch_new_instance()
        """,
        stdin=inspect.cleandoc(START)
        + """

@runtime.experiment(name="later")
async def later(x, config: Config):
    await asyncio.sleep(0.01 * config.n)
    return x + config.n


await later(1)
now = runtime.experiment(lambda x, config: x + config.n)
now(2)
[case.planned for case in runtime.statistics()["later"].cases]
""",
    )
    assert told.code == 0, told
    for answer in (": 1\n", ": 2\n", ": [1, 1]\n"):
        assert answer in told.out, told.out
    assert "Traceback" not in told.out + told.errors
