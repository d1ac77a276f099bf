"""The plain prompts: `python -i`, and `python -m asyncio`, where functions may have no source."""

import inspect
import os
import re
import subprocess
import sys

import pytest

from .scripts import START

SESSION = f"""{inspect.cleandoc(START)}

@runtime.experiment(name="later")
async def later(x, config: Config):
    await asyncio.sleep(0.01 * config.n)
    return x + config.n

@runtime.experiment(name="now")
def now(x, config: Config):
    return x + config.n

@runtime.experiment(name="outer")
def outer(x, config: Config):
    return now(x)

import inspect
try:
    has_source = bool(inspect.getsource(now))
except OSError:
    has_source = False

print(now(2), outer(3), inspect.signature(now))
"""
PLAIN = """
print(asyncio.run(later(1)), runtime.call_blocking(later, 4))
_ = runtime.close()
"""
ASYNC = """
print(await later(1), await runtime.call(now, 4))
_ = await runtime.aclose()
"""
END = """
print([[case.planned - case.ok for case in each.cases] for each in runtime.statistics().experiments])
"""
PROMPT = re.compile(r"^((>>>|\.\.\.) ?)+")
TOLD = ["2 3 (x)", "1 4", "[[0, 0], [0, 0], [0, 0]]"]


PROMPTS = {
    "-i": (["-i", "-q"], SESSION + PLAIN + END),
    "-X dev -i": (["-q", "-i", "-X", "dev", "-W", "error"], SESSION + PLAIN + END),
    "-": (["-"], SESSION + PLAIN + END),
}
if sys.version_info < (3, 13):  # from then on that prompt reads no blocks from a pipe
    PROMPTS["-m asyncio"] = (["-m", "asyncio"], SESSION + ASYNC + END)


@pytest.mark.parametrize(("flags", "session"), PROMPTS.values(), ids=PROMPTS)
def test_a_session_at_a_prompt(flags: list[str], session: str) -> None:
    done = subprocess.run(
        [sys.executable, *flags],
        input=session,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHON_BASIC_REPL": "1"},  # 3.13 has another one, for terminals
    )
    lines = [PROMPT.sub("", line) for line in done.stdout.splitlines()]
    assert ([line for line in lines if line], done.returncode) == (TOLD, 0), done.stderr
    assert "Error" not in done.stderr
    assert "Warning" not in done.stderr
