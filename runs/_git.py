"""The commit that code is at, and what was changed since."""

from pathlib import Path
from typing import Any, Final, NamedTuple

LARGEST_DIFF: Final = 10_000_000
_PATIENCE: Final = 10.0


class Git(NamedTuple):
    """What git says of a folder."""

    told: dict[str, Any]
    diff: bytes


_known: dict[Path, Git | None] = {}


def git_of(folder: Path) -> Git | None:
    """Return what git says of a folder; None if it is in no repository, or there is no git.

    It is asked once: code that is imported later is seldom that of another commit.
    """
    if folder not in _known:
        _known[folder] = _asked(folder)
    return _known[folder]


def _asked(folder: Path) -> Git | None:
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top is None:
        return None
    commit = _git(folder, "rev-parse", "HEAD")
    branch = _git(folder, "rev-parse", "--abbrev-ref", "HEAD")
    remote = _git(folder, "remote", "get-url", "origin")
    diff = _git(folder, "diff", "HEAD", "--no-color", "--no-ext-diff", "--binary") or b""
    told: dict[str, Any] = {
        "commit": _text(commit),
        "branch": _text(branch),
        "remote": _without_password(_text(remote)),
        "top": _text(top),
        "is_dirty": bool(diff),
    }
    if len(diff) > LARGEST_DIFF:
        told["diff"] = f"left out: {len(diff):,} bytes"
        diff = b""
    return Git(told, diff)


def _git(folder: Path, *words: str) -> bytes | None:
    import subprocess

    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", *words],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _text(told: bytes | None) -> str | None:
    return None if told is None else told.decode(errors="backslashreplace").strip()


def _without_password(address: str | None) -> str | None:
    if address is None or "://" not in address:
        return address
    scheme, _, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
