"""run.json: what a run is, and how it is, in one file that is replaced whole.

What it says of the attempts is taken from their own files, which count: a process that was killed
may have left it behind. Whoever writes it looks afterwards whether another changed meanwhile.
"""

import os
from pathlib import Path
from time import time
from typing import Any

import msgspec

from ._attempts import read_attempts, status_of
from ._changes import note
from ._ids import new_id
from ._state import create, read_state, replace
from ._values import encode

FILE = "run.json"
VERSION = 1


def found_run(path: Path, said: dict[str, Any]) -> bool:
    """Make a run: its folder, and run.json in it; False if there is one already."""
    path.mkdir(parents=True, exist_ok=True)
    if (path / FILE).exists():
        return False
    founded = {"v": VERSION, "id": new_id() + os.urandom(4).hex(), **said, "created": time()}
    return create(path / FILE, _written(founded))


def read_manifest(path: Path) -> dict[str, Any]:
    """Return what run.json says, with the attempts as they are now."""
    said = read_state(path / FILE)
    attempts = read_attempts(path)
    if attempts:
        said["status"] = status_of(attempts)
        said["attempts"] = msgspec.to_builtins(attempts)
        said["started"] = attempts[0].started
        said["ended"] = None if said["status"] == "RUNNING" else attempts[-1].ended
    return said


def publish(path: Path, changes: dict[str, Any]) -> None:
    """Write run.json.

    Args:
        path: the folder of the run.
        changes: what is different from now on, beside the attempts.
    """
    while True:
        said = {**read_manifest(path), **changes}
        said.setdefault("v", VERSION)
        replace(path / FILE, _written(said), is_synced=True)
        if read_manifest(path).get("attempts") == said.get("attempts"):
            note(path)
            return


def _written(said: dict[str, Any]) -> bytes:
    return msgspec.json.format(encode(said, lambda text: None), indent=2) + b"\n"
