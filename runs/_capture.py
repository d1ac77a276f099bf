"""What surrounds a run: the commit and what was changed since, the environment, the command line.

It is looked up once in the life of a process, out of the way of whoever trains.
"""

import os
import re
import sys
from pathlib import Path
from typing import Any, Final

from ._state import replace
from ._values import encode

ASPECTS: Final = ("command", "diff", "environment", "git")
"""What can be captured."""

_SECRET: Final = re.compile(r"passw|secret|token|api.?key|credential|authorization", re.IGNORECASE)
_INSTALLED: Final = re.compile(r"([\w.]+)-([\w.!+]+?)(?:-py[\d.]+)?\.(?:dist|egg)-info")
_OF_THE_JOB: Final = (
    *("CUDA_VISIBLE_DEVICES", "HOSTNAME", "LOCAL_RANK", "MASTER_ADDR", "OMP_NUM_THREADS"),
    *("PBS_JOBID", "PYTHONHASHSEED", "RANK", "VIRTUAL_ENV", "WORLD_SIZE"),
)
"""The variables of the environment that are kept, beside those of Slurm: others may be secret."""

_environment: dict[str, Any] = {}


def capture(run: Path, aspects: frozenset[str], folder: Path) -> None:
    """Write what surrounds a run into its folder: the state of the first attempt stays.

    Args:
        run: the folder of the run.
        aspects: what of `ASPECTS` is wanted.
        folder: where the code is.
    """
    if "git" in aspects and not (run / "git.json").exists():
        from ._git import git_of

        found = git_of(folder)
        if found is not None:
            if "diff" in aspects and found.diff:
                replace(run / "diff.patch", found.diff, is_synced=False)
            replace(run / "git.json", _json(found.told), is_synced=False)
    if "environment" in aspects and not (run / "environment.json").exists():
        replace(run / "environment.json", _json(environment()), is_synced=False)


def command_line() -> list[str]:
    """Return the command line of this process, without what looks like a secret.

    Example:
        >>> from understudy.runs._capture import without_secrets
        >>> without_secrets(["train.py", "--api-key=abc", "--token", "abc", "--lr", "0.1"])
        ['train.py', '--api-key=***', '--token', '***', '--lr', '0.1']
    """
    return without_secrets([*getattr(sys, "orig_argv", sys.argv)])


def without_secrets(words: list[str]) -> list[str]:
    """Return the words of a command line, without the values of what looks like a secret."""
    told: list[str] = []
    hides = False
    for word in words:
        name, sign, _ = word.partition("=")
        is_secret = bool(_SECRET.search(name))
        if hides and not word.startswith("-"):
            told.append("***")
        else:
            told.append(f"{name}=***" if sign and is_secret else word)
        hides = is_secret and not sign and word.startswith("-")
    return told


def environment() -> dict[str, Any]:
    """Return what Python and the machine are, and which packages are installed."""
    if not _environment:
        import platform

        _environment.update(
            python=platform.python_version(),
            executable=sys.executable,
            platform=platform.platform(),
            host=platform.node(),
            cpus=os.cpu_count(),
            packages=packages(),
        )
    kept = {
        name: value
        for name, value in sorted(os.environ.items())
        if (name in _OF_THE_JOB or name.startswith("SLURM_")) and not _SECRET.search(name)
    }
    return {**_environment, "folder": os.getcwd(), "variables": kept}


def packages() -> dict[str, str]:
    """Return which packages are installed, by the names of their folders: nothing is read.

    Example:
        >>> from understudy.runs._capture import packages
        >>> "msgspec" in packages()
        True
    """
    found: dict[str, str] = {}
    for place in reversed(sys.path):  # the first that has one is what is imported
        try:
            names = os.listdir(place or ".")
        except OSError:
            continue
        for name in names:
            told = _INSTALLED.fullmatch(name)
            if told is not None:
                found[told[1].replace("_", "-").lower()] = told[2]
    return dict(sorted(found.items()))


def _json(value: Any) -> bytes:
    return encode(value, lambda text: None) + b"\n"
