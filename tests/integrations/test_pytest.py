"""Test runners around decorated functions: pytest with its plugins, unittest, mocks, doctest."""

import asyncio
import doctest
import inspect
import subprocess
import sys
import textwrap
import types
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from understudy import Config, Runtime, ShadowStrategy

TWO = [{"n": 0}, {"n": 1}]
SERVICE = """
import asyncio
from understudy import Config, Runtime, ShadowStrategy

runtime = Runtime(configs=[{"n": 0}, {"n": 1}], strategy=ShadowStrategy(), drain_timeout=1)


@runtime.experiment
async def later(x: int, config: Config) -> int:
    await asyncio.sleep(0)
    return x + config.n


@runtime.experiment
def now(x: int, config: Config) -> int:
    return x + config.n
"""


def pytest_in(folder: Path, tests: str, *flags: str) -> list[str]:
    """Run a file of tests, with every warning an error; return what was said."""
    (folder / "service.py").write_text(SERVICE)
    (folder / "test_it.py").write_text(textwrap.dedent(tests))
    command = [sys.executable, "-X", "dev", "-m", "pytest", "-q", "-W", "error", "-c", "/dev/null"]
    command += ["--rootdir", str(folder), "-p", "no:cacheprovider", *flags, str(folder)]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, timeout=60, check=False
    )
    assert "ResourceWarning" not in done.stdout + done.stderr
    return (done.stdout + done.stderr).splitlines()


ASYNC_TESTS = """
    import asyncio
    import pytest
    from service import later, now, runtime
    MARK

    @pytest.fixture
    def small():
        with runtime.force(later, 1):
            yield

    async def test_a_call():
        assert await later(1) == 1
        assert now(2) == 2
        assert await runtime.call(now, 3) == 3

    async def test_the_results():
        assert [each.result for each in await runtime.collect(later, 1)] == [1, 2]

    @pytest.mark.usefixtures("small")
    async def test_a_pin_by_a_fixture():
        assert await later(1) == 2

    @pytest.mark.parametrize("x", range(3))
    async def test_many_at_once(x):
        assert await asyncio.gather(*(later(x) for _ in range(10))) == [x] * 10

    async def test_a_task_that_is_left_behind():
        asyncio.create_task(later(1))

    def test_without_a_loop():
        assert asyncio.run(later(1)) == 1
        assert now(2) == 2

    async def test_the_accounts_at_last():
        await runtime.aclose()
        runtime.close()  # what was called without `await` is elsewhere
        for each in runtime.statistics().experiments:
            assert each.planned and not any(case.in_flight for case in each.cases), each
"""


@pytest.mark.parametrize("scope", ["function", "module", "session"])
def test_pytest_asyncio_with_a_runtime_of_the_module(tmp_path: Path, scope: str) -> None:
    options = ["asyncio_mode=auto", f"asyncio_default_test_loop_scope={scope}"]
    options += ["asyncio_default_fixture_loop_scope=function"]
    flags = [flag for option in options for flag in ("-o", option)]
    said = pytest_in(tmp_path, ASYNC_TESTS.replace("MARK", ""), "-p", "no:anyio", *flags)
    assert "9 passed" in said[-1], "\n".join(said)


@pytest.mark.parametrize("backend", ["('asyncio', {})", "('asyncio', {'use_uvloop': True})"])
def test_the_plugin_of_anyio(tmp_path: Path, backend: str) -> None:
    fixture = f"""pytestmark = pytest.mark.anyio

    @pytest.fixture
    def anyio_backend():
        return {backend}
    """
    said = pytest_in(tmp_path, ASYNC_TESTS.replace("MARK", fixture), "-p", "no:asyncio")
    assert "9 passed" in said[-1], "\n".join(said)


def test_under_trio_there_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    said = pytest_in(
        tmp_path,
        """
        import pytest
        from understudy import ExperimentError
        from service import later, now, runtime

        @pytest.fixture
        def anyio_backend():
            return "trio"

        @pytest.mark.anyio
        @pytest.mark.parametrize(
            "call", [lambda: later(1), lambda: runtime.call(now, 1), lambda: runtime.collect(later, 1)]
        )
        async def test_it(call):
            with pytest.raises(ExperimentError, match="anyio_backend` of 'asyncio'"):
                await call()

        @pytest.mark.anyio
        async def test_a_sync_function_needs_no_loop():
            assert now(1) == 1
        """,
        "-p",
        "no:asyncio",
    )
    assert "4 passed" in said[-1], "\n".join(said)


# unittest


class Isolated(unittest.IsolatedAsyncioTestCase):
    """Is not collected: `test_isolated_...` runs it."""

    __test__ = False
    runtime: Runtime
    later: Any

    async def asyncSetUp(self) -> None:
        await self.enterAsyncContext(self.runtime)

    async def test_a_call(self) -> None:
        assert await self.later(1) == 1

    async def test_a_pin(self) -> None:
        self.enterContext(self.runtime.force(self.later, 1))
        assert await self.later(1) == 2

    async def test_no_pin_is_left(self) -> None:
        assert await self.later(2) == 2


def test_isolated_test_cases_may_share_a_runtime() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())

    @runtime.experiment(name="later")
    async def later(x: int, config: Config) -> int:
        await asyncio.sleep(0)
        return x + int(config.n)

    case = type("Case", (Isolated,), {"runtime": runtime, "later": staticmethod(later)})
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    assert (result.testsRun, result.errors, result.failures) == (3, [], [])
    assert [each.ok for each in runtime.statistics()["later"].cases] == [2, 3]


# Mocks


class Shop:
    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

        @runtime.experiment(name="later")
        async def later(x: int, config: Config) -> int:
            return x + int(config.n)

        @runtime.experiment(name="now")
        def now(x: int, config: Config) -> int:
            return x + int(config.n)

        self.later, self.now = later, now


@pytest.fixture
def shop() -> Any:
    with Runtime(configs=TWO, strategy=ShadowStrategy()) as runtime:
        yield Shop(runtime)


async def test_a_mock_in_the_place_of_an_experiment_is_just_called(shop: Shop) -> None:
    runtime = shop.runtime
    with mock.patch.object(shop, "later", mock.AsyncMock(return_value=9)) as later:
        assert await shop.later(1) == await runtime.call(shop.later, 1) == 9
        assert later.await_count == 2
    with mock.patch.object(shop, "now", mock.Mock(return_value=8)):
        assert shop.now(1) == await runtime.call(shop.now, 1) == 8
    assert (await shop.later(1), shop.now(1)) == (1, 1)
    await runtime.aclose()


async def test_a_mock_made_after_an_experiment_takes_what_it_takes(shop: Shop) -> None:
    later = mock.create_autospec(shop.later, return_value=9)
    now = mock.create_autospec(shop.now, return_value=8)
    assert (await later(1), now(x=1)) == (9, 8)
    for refused in (later, now):
        with pytest.raises(TypeError, match="too many positional arguments"):
            told = refused(1, TWO[0])
            if inspect.isawaitable(told):  # some versions of `mock` look when it is awaited
                await told
    with mock.patch.object(shop, "later", autospec=True) as patched:
        patched.return_value = 7
        assert await shop.later(1) == 7


async def test_what_is_patched_inside_is_seen_by_leads_and_shadows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())
    space = types.SimpleNamespace(ask=lambda: "real")

    @runtime.experiment
    async def later(config: Config) -> str:
        return str(space.ask())

    @runtime.experiment
    def now(config: Config) -> str:
        return str(space.ask())

    async with runtime:
        monkeypatch.setattr(space, "ask", lambda: "fake")
        for function in (later, now):
            results = await runtime.collect(function)
            assert [each.result for each in results] == ["fake", "fake"]


def test_a_spy_around_an_experiment_calls_it(shop: Shop) -> None:
    with mock.patch.object(shop, "now", wraps=shop.now) as spy:
        assert shop.now(3) == 3
        spy.assert_called_once_with(3)
    shop.runtime.close()
    assert [each.ok for each in shop.runtime.statistics()["now"].cases] == [1, 1]


# Looking at it


def test_inspect_sees_the_function_less_what_is_injected(shop: Shop) -> None:
    for function, is_async in ((shop.later, True), (shop.now, False)):
        assert inspect.isfunction(function)
        assert inspect.iscoroutinefunction(function) is is_async
        assert str(inspect.signature(function)).startswith("(x: ")
        assert "config" not in inspect.signature(function).parameters
        assert "return x + int(config.n)" in inspect.getsource(function)
        assert inspect.getmodule(function) is inspect.getmodule(Shop)


def test_doctest_finds_and_runs_the_examples_of_a_decorated_function(tmp_path: Path) -> None:
    source = SERVICE.replace(
        "    return x + config.n\n",
        '    """Add.\n\n    >>> EXAMPLE\n    3\n    """\n    return x + config.n\n',
    )
    source = source.replace("await asyncio.sleep(0)\n", "...\n").replace("    ...\n", "")
    later, _, now = source.partition("def now")
    later = later.replace("EXAMPLE", "asyncio.run(later(3))")
    module = types.ModuleType("service")
    sys.modules["service"] = module
    try:
        exec(later + "def now" + now.replace("EXAMPLE", "now(3)"), module.__dict__)
        result = doctest.testmod(module)
    finally:
        del sys.modules["service"]
    vars(module)["runtime"].close()
    assert result == doctest.TestResults(failed=0, attempted=2)
