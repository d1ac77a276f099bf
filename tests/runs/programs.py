"""Programs of their own, that are killed, forked, and run out of room."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

START = """
    import os, sys, time
    from understudy.runs import Run, RunFolder, current_run
"""


def begin(*parts: str, cwd: Path, environment: Mapping[str, str] = {}) -> subprocess.Popen[str]:
    """Start a program."""
    code = "\n".join(textwrap.dedent(part) for part in (START, *parts))
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str], code: int = 0) -> str:
    """Wait for it, and return what it told."""
    out, errors = process.communicate(timeout=60)
    assert process.returncode == code, (process.returncode, errors)
    return out


def run(*parts: str, cwd: Path, code: int = 0) -> str:
    """Run a program to its end, and return what it told."""
    return finish(begin(*parts, cwd=cwd), code)


def kill(process: subprocess.Popen[str], sign: int = signal.SIGKILL) -> str:
    """End it with a signal, and return what it told until then."""
    process.send_signal(sign)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == -sign, (process.returncode, errors)
    return out
