"""How asyncio itself begins and ends a program: `run`, `Runner`, debug mode, Ctrl-C, exits."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import uvloop

from understudy import Config, Runtime, ShadowStrategy

from .scripts import START, Told, run, script_of

RUNS = {"asyncio": asyncio.run, "uvloop": uvloop.run}
STRICT = ("-X", "dev", "-W", "error")
STARTS_NO_THREADS_AT_EXIT = sys.version_info[:2] == (3, 12)
"""Python 3.12 starts no thread any more when the main one has ended; 3.13 does again."""
WANTS_A_THREAD = (
    "a call without a loop needs a thread of the runtime's own, and none can be started"
)


@pytest.mark.parametrize("way", RUNS)
def test_run_may_be_called_again_and_again(way: str) -> None:
    runtime = Runtime(configs=[{"n": 0}, {"n": 1}], strategy=ShadowStrategy())
    ended: list[int] = []

    @runtime.experiment(name="play")
    async def play(config: Config) -> int:
        await asyncio.sleep(0.001 * config.n)
        ended.append(config.n)
        return int(config.n)

    async def main() -> int:
        return int(await play())

    for rounds in (1, 2, 3):
        assert RUNS[way](main()) == 0
        assert sorted(ended) == [0] * rounds + [1] * rounds


def test_a_runner_keeps_its_shadows_from_one_run_to_the_next() -> None:
    runtime = Runtime(configs=[{"n": 0}, {"n": 1}], strategy=ShadowStrategy())
    ended: list[int] = []

    @runtime.experiment(name="play")
    async def play(gate: asyncio.Event, config: Config) -> int:
        if config.n:
            await gate.wait()
        ended.append(config.n)
        return int(config.n)

    async def opens(gate: asyncio.Event) -> None:
        gate.set()

    gate = asyncio.Event()
    with asyncio.Runner() as runner:
        assert runner.run(play(gate)) == 0
        assert runner.run(play(gate)) == 0
        assert ended == [0, 0]
        runner.run(opens(gate))
    assert ended == [0, 0, 1, 1]


EVERYTHING = """
    import sys, threading
    from contextlib import suppress
    from understudy import MultiBranchStrategy

    runtime = Runtime(
        configs=[{"n": 0}, {"n": 1}],
        strategy=ShadowStrategy(timeout=0.02),
        events=sys.argv[1],
        drain_timeout=0.05,
    )

    @runtime.experiment
    async def inner(x, config: Config):
        await asyncio.sleep(0)
        if x == 3:
            raise ValueError(x)
        return x

    @runtime.experiment
    async def play(x, config: Config):
        if x == 4 or (x == 5 and config.n):
            await asyncio.sleep(60)
        return await inner(x)

    @runtime.experiment(strategy=MultiBranchStrategy())
    def plain(x, config: Config):
        return x

    async def note(result):
        await asyncio.sleep(0)

    async def main():
        asyncio.get_running_loop().slow_callback_duration = 1.0  # others may run on this machine
        runtime.subscribe(note)
        runtime.subscribe(lambda result: None)
        async with runtime:
            await work()
        await work()

    async def work():
        calls = [play(x) for x in range(6)] + [runtime.collect(play, 1), runtime.call(plain, 1)]
        tasks = [asyncio.create_task(call) for call in calls]
        await asyncio.sleep(0)
        tasks[0].cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await play.options(timeout=0.001)(4)
        plain(2)
        tasks[4].cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        print(*(type(each).__name__ for each in ended))
"""
ENDED = (
    "CancelledError int int ValueError CancelledError int ExperimentCaseResults "
    "ExperimentCaseResults\n"
)


@pytest.mark.parametrize(
    "main",
    [
        "asyncio.run(main(), debug=True)",
        "import uvloop; uvloop.run(main(), debug=True)",
        "[asyncio.run(main()) for _ in range(2)] and None",
        "with asyncio.Runner() as runner: runner.run(main()); runner.run(main())",
    ],
)
def test_in_development_mode_there_is_nothing_to_warn_of(tmp_path: Path, main: str) -> None:
    """Nothing unclosed, nothing never awaited, nothing never retrieved, nothing too slow."""
    program = tmp_path / "program.py"
    program.write_text(script_of(START, EVERYTHING, main))
    command = [sys.executable, *STRICT, str(program), str(tmp_path / "events.jsonl")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout in (2 * ENDED, 4 * ENDED)


# Ctrl-C, and exits


def interrupt(*parts: str, times: int = 1) -> Told:
    """Run a program, and press Ctrl-C when it says `ready`."""
    process = subprocess.Popen(
        [sys.executable, *STRICT, "-c", script_of(*parts)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        said = ""
        for _ in range(times):
            for line in process.stdout:
                if line == "ready\n":
                    break
                said += line
            process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
    return Told(said + out, errors, process.returncode)


CALLS = """
    @runtime.experiment(name="play")
    async def play(x, config: Config):
        try:
            await asyncio.sleep(0.05 if config.n else 60)
        except asyncio.CancelledError:
            print("cancelled", config.n)
            raise
        print("done", config.n)

    async def main():
        loop = asyncio.get_running_loop()
        loop.call_later(0.01, lambda: print("ready", flush=True))
        await asyncio.gather(*(play(x) for x in range(3)))

    try:
        RUN
    finally:
        cases = runtime.statistics()["play"].cases
        print([(case.planned, case.ok, case.cancelled, case.in_flight) for case in cases])
"""


@pytest.mark.parametrize("way", ["asyncio.run(main())", "import uvloop; uvloop.run(main())"])
def test_ctrl_c_cancels_the_leads_and_drains_the_shadows(way: str) -> None:
    told = interrupt(START, CALLS.replace("RUN", way))
    assert told.out == "cancelled 0\n" * 3 + "done 1\n" * 3 + "[(3, 0, 3, 0), (3, 3, 0, 0)]\n"
    assert told.errors.splitlines()[-1] == "KeyboardInterrupt"
    assert told.code == -signal.SIGINT


HANGS = """
    import functools

    says = functools.partial(print, flush=True)
    runtime = Runtime(configs=[{"n": 0}, {"n": 1}], strategy=ShadowStrategy())

    @runtime.experiment(name="play")
    async def play(config: Config):
        try:
            await asyncio.sleep(60 if config.n else 0)
        finally:
            print("ended", config.n)

    async def stays():
        async with runtime:
            await play()
            for moment in (0.05, 0.5):
                asyncio.get_running_loop().call_later(moment, says, "ready")
            await asyncio.sleep(LEAVES)

    MAIN

    RUN
"""


@pytest.mark.parametrize(
    ("main", "leaves"),
    [
        ("main = stays", "60"),
        ("main = stays", "0"),
        (
            "async def main(): await asyncio.gather(asyncio.create_task(stays()))",
            "60",
        ),
    ],
)
@pytest.mark.parametrize("run", ["asyncio.run(main())", "import uvloop; uvloop.run(main())"])
def test_a_second_ctrl_c_waits_for_nothing_more_and_leaves_all_in_order(
    main: str, leaves: str, run: str
) -> None:
    program = HANGS.replace("MAIN", main).replace("LEAVES", leaves).replace("RUN", run)
    told = interrupt(START, program, times=2)
    assert told.out == "ended 0\nended 1\n"
    assert told.errors.splitlines()[-1] == "KeyboardInterrupt"
    assert told.code == -signal.SIGINT


def test_ctrl_c_in_a_lead_without_a_loop_is_the_users() -> None:
    told = interrupt(
        START,
        """
        import threading

        @runtime.experiment(name="play")
        def play(config: Config):
            if not config.n:
                print("ready", flush=True)
                threading.Event().wait(30)

        try:
            play()
        except KeyboardInterrupt:
            print("interrupted")
        runtime.close()
        cases = runtime.statistics()["play"].cases
        print([(case.planned, case.ok, case.in_flight) for case in cases])
        """,
    )
    assert told == ("interrupted\n[(1, 0, 0), (1, 1, 0)]\n", "", 0)


@pytest.mark.parametrize(
    "call", ["play()", "runtime.call_blocking(play_async)", "run(play)", "run(play_async)"]
)
def test_ctrl_c_while_waiting_for_variants_gives_them_up(call: str) -> None:
    told = interrupt(
        START,
        """
        import threading
        from understudy import MultiBranchStrategy

        runtime = Runtime(configs=[{"n": 0}, {"n": 1}], strategy=MultiBranchStrategy())
        gate = threading.Event()

        @runtime.experiment(name="play")
        def play(config: Config):
            if config.n:
                print("ready", flush=True)
                gate.wait(30)

        @runtime.experiment(name="play_async")
        async def play_async(config: Config):
            if config.n:
                print("ready", flush=True)
                await asyncio.sleep(30)

        def run(function):
            with runtime.run(function, await_variants=True) as runner:
                runner()
        """,
        f"""
        try:
            {call}
        except KeyboardInterrupt:
            print("interrupted")
        gate.set()
        runtime.close()
        for experiment in runtime.statistics().experiments:
            for case in experiment.cases:
                assert case.in_flight == 0, case
                assert case.planned == case.ok + case.cancelled, case
        """,
    )
    assert told == ("interrupted\n", "", 0)


EXITS = """
    import sys

    @runtime.experiment(name="play")
    async def play(x, config: Config):
        try:
            await asyncio.sleep(0.01 if config.n else 60)
        except asyncio.CancelledError:
            print("cancelled", config.n)
            raise
        print("done", config.n)

    async def main():
        task = asyncio.create_task(play(1))
        await asyncio.sleep(0)
        HOW

    try:
        asyncio.run(main())
    finally:
        cases = runtime.statistics()["play"].cases
        print([(case.planned, case.ok, case.cancelled, case.in_flight) for case in cases])
"""


@pytest.mark.parametrize(
    ("how", "code"),
    [("sys.exit(3)", 3), ("raise KeyboardInterrupt", -signal.SIGINT), ("return", 0)],
)
def test_an_exit_with_work_in_flight_cancels_the_lead_and_drains_the_shadow(
    how: str, code: int
) -> None:
    told = run(START, EXITS.replace("HOW", how), flags=STRICT)
    assert told.out == "cancelled 0\ndone 1\n[(1, 0, 1, 0), (1, 1, 0, 0)]\n"
    assert told.code == code
    assert told.errors == "" or told.errors.endswith("KeyboardInterrupt\n")


@pytest.mark.parametrize("first", ["import understudy._stages", "pass"])
def test_calls_at_the_exit_of_the_interpreter_are_answered(first: str) -> None:
    """Before and after our own handler, which is the last of ours to know."""
    told = run(
        """
        import atexit

        def at_exit():
            print(play(), runtime.call_blocking(later), flush=True)
        """,
        first,
        """
        atexit.register(at_exit)
        """,
        START,
        """
        @runtime.experiment
        def play(config: Config):
            return config.n

        @runtime.experiment
        async def later(config: Config):
            await asyncio.sleep(0)
            return config.n
        """,
        flags=STRICT,
    )
    if STARTS_NO_THREADS_AT_EXIT:
        assert WANTS_A_THREAD in told.errors
    else:
        assert told == ("0 0\n", "", 0)


def test_a_daemon_that_calls_for_ever_does_not_keep_the_interpreter_from_ending() -> None:
    told = run(
        START,
        """
        import threading
        runtime = Runtime(configs=[{"n": 0}, {"n": 1}], drain_timeout=0.5)
        played = threading.Event()

        @runtime.experiment
        def play(config: Config):
            played.set()

        def call():
            while True:
                play()

        for _ in range(3):
            threading.Thread(target=call, daemon=True).start()
        played.wait()
        """,
    )
    assert (told.out, told.code) == ("", 0)


def test_a_thread_that_still_calls_when_main_ends_is_waited_for() -> None:
    told = run(
        START,
        """
        import threading, time

        @runtime.experiment(name="play")
        def play(config: Config):
            if config.n:
                time.sleep(0.01)
            print(config.n, flush=True)

        def call():
            time.sleep(0.01)
            play()

        threading.Thread(target=call).start()
        """,
        flags=STRICT,
    )
    if STARTS_NO_THREADS_AT_EXIT:
        assert WANTS_A_THREAD in told.errors
    else:
        assert told == ("0\n1\n", "", 0)
