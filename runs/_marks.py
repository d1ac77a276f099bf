"""What tells whether a run has changed since one looked: the sizes and times of its files."""

import os
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final, NamedTuple

from ._attempts import FOLDER as ATTEMPTS
from ._manifest import FILE as MANIFEST

_FILES: Final = ("git.json", "parameters.json", "parameters.jsonl", "rewinds.jsonl")


class Mark(NamedTuple):
    """How the files of a run are."""

    text: str
    changed: float
    """When the last of them changed, in seconds since 1970."""


def stamp_of(run: str) -> str:
    """Return how run.json is: what all who begin or end a run replace; empty if it is not there."""
    try:
        found = os.stat(f"{run}/{MANIFEST}")
    except OSError:
        return ""
    return f"{found.st_ino}.{found.st_size}.{found.st_mtime_ns}"


def mark_of(run: str) -> Mark:
    """Return how all files are that a RunInfo is made from."""
    parts: list[str] = []
    changed = 0.0
    for path in _files_of(run):
        try:
            found = os.stat(path)
        except OSError:
            continue
        parts.append(f"{path[len(run) :]} {found.st_ino}.{found.st_size}.{found.st_mtime_ns}")
        changed = max(changed, found.st_mtime, found.st_ctime)
    whole = "\n".join(parts).encode("utf-8", "surrogatepass")
    return Mark(blake2b(whole, digest_size=16).hexdigest(), changed)


def _files_of(run: str) -> Iterator[str]:  # texts: Paths would take half of the time
    yield f"{run}/{MANIFEST}"
    for name in _FILES:
        yield f"{run}/{name}"
    for name in _names_in(f"{run}/{ATTEMPTS}"):
        yield f"{run}/{ATTEMPTS}/{name}"
    for name in _names_in(f"{run}/metrics"):
        yield f"{run}/metrics/{name}"  # when the first point of a metric was logged
        yield f"{run}/metrics/{name}/data.jsonl"


def _names_in(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError:
        return []
