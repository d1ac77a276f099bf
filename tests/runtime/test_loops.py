"""One runtime, many loops: at once in threads, one after another, forked, closed without care."""

import asyncio
import subprocess
import sys
import textwrap
import threading
from typing import Any

import pytest
import uvloop

from understudy import Config, Runtime, ShadowStrategy

TWO = [{"n": 0}, {"n": 1}]


def counting(runtime: Runtime) -> Any:
    @runtime.experiment(name="play")
    async def play(x: int, config: Config) -> int:
        await asyncio.sleep(0)
        return x + int(config.n)

    return play


def test_two_loops_in_two_threads_share_a_runtime() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())
    play = counting(runtime)
    told: dict[str, list[int]] = {}

    async def main(name: str) -> None:
        async with runtime:
            told[name] = [await play(x) for x in range(300)]

    def run(name: str, factory: Any) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(main(name))

    factories = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    threads = [threading.Thread(target=run, args=item) for item in factories.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == {"asyncio": list(range(300)), "uvloop": list(range(300))}
    assert [case.ok for case in runtime.statistics()["play"].cases] == [600, 600]


def test_one_loop_after_another_and_the_counts_add_up() -> None:
    runtime = Runtime(configs=TWO, strategy=ShadowStrategy())
    play = counting(runtime)
    for rounds in range(1, 6):
        assert asyncio.run(play(7)) == 7
        assert asyncio.run(runtime.call(play, 8)) == 8
        assert [case.ok for case in runtime.statistics()["play"].cases] == [2 * rounds, 2 * rounds]
    assert len(play.experiment.supervisors) == 1


def test_a_loop_that_is_closed_without_care_does_no_harm() -> None:
    runtime = Runtime(configs=TWO[:1])
    play = counting(runtime)
    for _ in range(3):
        loop = asyncio.new_event_loop()
        assert loop.run_until_complete(play(1)) == 1
        loop.close()
    assert runtime.statistics()["play"][0].ok == 3


async def test_a_runtime_may_be_made_before_there_is_a_loop_and_needs_no_closing() -> None:
    play = counting(RUNTIME_OF_THE_MODULE)
    assert await play(1) == 1


RUNTIME_OF_THE_MODULE = Runtime(configs=TWO, strategy=ShadowStrategy())


def run_script(script: str) -> str:
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout


@pytest.mark.parametrize("used_before", [False, True])
def test_a_fork_after_construction_works_in_parent_and_child(used_before: bool) -> None:
    told = run_script(f"""
        import asyncio, os, sys
        from understudy import Config, Runtime, ShadowStrategy

        runtime = Runtime(configs=[{{"n": 0}}, {{"n": 1}}], strategy=ShadowStrategy())
        heard = []
        runtime.subscribe(lambda result: heard.append(result.status))

        @runtime.experiment
        async def play(config: Config):
            await asyncio.sleep(0)
            return config.n

        async def main():
            async with runtime:
                return await play()

        if {used_before}:
            asyncio.run(main())
            heard.clear()
        child = os.fork()
        assert asyncio.run(main()) == 0
        assert heard == ["ok", "ok"], heard
        if child:
            assert os.waitpid(child, 0)[1] == 0
            print("both")
        else:
            os._exit(0)
    """)
    assert told == "both\n"


def test_a_forked_child_goes_on_whichever_lock_another_thread_held() -> None:
    told = run_script("""
        import asyncio, os, signal, sys, threading, warnings

        warnings.simplefilter("ignore", DeprecationWarning)  # what forks has threads, of course
        ours = []

        def noting(kind):
            def make():
                made = kind()
                if sys._getframe(1).f_globals["__name__"].startswith("understudy"):
                    ours.append(made)
                return made

            return make

        threading.Lock, threading.RLock = noting(threading.Lock), noting(threading.RLock)
        from understudy import Config, MemorySink, Runtime

        memory = MemorySink()
        runtime = Runtime(configs=[{"n": 0}, {"n": 1}], events=[memory, os.devnull])
        runtime.subscribe(lambda result: None)

        @runtime.experiment
        def plain(config: Config):
            return config.n

        @runtime.experiment
        async def play(config: Config):
            return config.n

        async def main():
            async with runtime:
                with runtime.force(play, 0):
                    return await play(), await runtime.call(plain)

        def use():
            assert (plain(), runtime.call_blocking(play)) == (0, 0)
            assert asyncio.run(main()) == (0, 0)
            runtime.experiment(configs=None)(lambda: None)()
            runtime.disable(plain)
            runtime.enable(plain)
            runtime.statistics()
            assert memory.events
            runtime.close()

        use()
        assert (plain(), runtime.call_blocking(play)) == (0, 0)

        def hold(lock, is_held, is_over):
            with lock:
                is_held.set()
                is_over.wait(10)

        tried = 0
        for lock in [*ours]:
            if hasattr(lock, "locked") and lock.locked():
                continue  # a bell
            is_held, is_over = threading.Event(), threading.Event()
            thread = threading.Thread(target=hold, args=(lock, is_held, is_over))
            thread.start()
            assert is_held.wait(10)
            child = os.fork()
            if not child:
                signal.alarm(10)
                use()
                os._exit(0)
            ended = os.waitpid(child, 0)[1]
            is_over.set()
            thread.join()
            assert ended == 0, (lock, ended)
            tried += 1
        print(tried > 20)
    """)
    assert told == "True\n"


def test_pytest_asyncio_can_have_a_runtime_for_each_test(tmp_path: Any) -> None:
    (tmp_path / "test_it.py").write_text(
        textwrap.dedent("""
        import pytest
        import pytest_asyncio
        from understudy import Config, Runtime, ShadowStrategy

        @pytest_asyncio.fixture
        async def runtime():
            async with Runtime(configs=[{"n": 0}, {"n": 1}], strategy=ShadowStrategy()) as runtime:
                yield runtime

        @pytest.mark.asyncio
        @pytest.mark.parametrize("x", range(3))
        async def test_call(runtime, x):
            @runtime.experiment
            async def play(x, config: Config):
                return x + config.n
            assert await play(x) == x
            assert [each.result for each in await runtime.collect(play, x)] == [x, x + 1]
        """)
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:anyio", "-W", "error", str(tmp_path)]
    command += ["--rootdir", str(tmp_path), "-c", "/dev/null"]
    command += ["-o", "asyncio_default_fixture_loop_scope=function"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert "3 passed" in done.stdout, done.stdout + done.stderr
