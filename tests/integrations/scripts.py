"""Programs of their own: what can only be tried with an interpreter that begins and ends."""

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

START = """
    import asyncio
    from understudy import Config, Runtime, ShadowStrategy

    runtime = Runtime(configs=[{"n": 0}, {"n": 1}], strategy=ShadowStrategy())
"""
"""What most of them begin with."""


class Told(NamedTuple):
    """What a program wrote, and how it ended."""

    out: str
    errors: str
    code: int


def script_of(*parts: str) -> str:
    """Return a program from its parts, each indented as it may be."""
    return "\n".join(textwrap.dedent(part) for part in parts)


def run(*parts: str, flags: tuple[str, ...] = (), stdin: str = "", cwd: Path | None = None) -> Told:
    """Run a program, and return what it told."""
    done = subprocess.run(
        [sys.executable, *flags, "-c", script_of(*parts)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=cwd,
        check=False,
    )
    return Told(done.stdout, done.stderr, done.returncode)
