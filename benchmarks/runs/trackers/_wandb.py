"""wandb, offline: a process of its own writes a log of records, for a server to read later."""

import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks._peers import load

from ._tracker import TEN, Tracker

_BLOCK: Final = 32_768
_HEAD: Final = 7
_FULL, _LAST = 1, 4
"""The kinds of a piece that ends a record; the others go on with the next piece."""


class Wandb(Tracker):
    """Runs without a console, samples of the machine, or a copy of the code."""

    def begin(self, folder: Path, name: str) -> None:
        wandb = load("wandb")
        settings = wandb.Settings(
            mode="offline",
            console="off",
            silent=True,
            x_disable_stats=True,
            x_disable_meta=True,
            disable_git=True,
            disable_code=True,
        )
        self._wandb = wandb
        self._run = wandb.init(
            project="project",
            name=name,
            dir=str(folder),
            reinit="finish_previous",
            settings=settings,
        )

    def end(self) -> None:
        self._run.finish()

    def point(self, step: int) -> None:
        self._run.log({"loss": 0.1 * step}, step=step)

    def point_of_ten(self, step: int) -> None:
        self._run.log(dict(TEN), step=step)

    def parameter(self, name: str, value: int) -> None:
        self._run.config[name] = value

    def file(self, path: Path) -> None:
        artifact = self._wandb.Artifact(f"model-{random.random()!s:.12}", type="model")
        artifact.add_file(str(path))
        self._run.log_artifact(artifact)

    def stored(self, folder: Path) -> int:
        record: Any = load("wandb.proto.wandb_internal_pb2").Record
        pieces = (each for path in folder.rglob("*.wandb") for each in _records(path.read_bytes()))
        kinds = (record.FromString(each).WhichOneof("record_type") for each in pieces)
        return sum(kind == "history" for kind in kinds)


def _records(data: bytes) -> Iterator[bytes]:
    """Yield the records of a log in LevelDB's format, up to a torn end."""
    place, parts = _HEAD, b""  # the file has a head of its own
    while place + _HEAD <= len(data):
        left = _BLOCK - place % _BLOCK
        if left < _HEAD:
            place += left
            continue
        length, kind = struct.unpack_from("<HB", data, place + 4)
        end = place + _HEAD + length
        if not kind or end > len(data):
            return
        parts += data[place + _HEAD : end]
        place = end
        if kind in (_FULL, _LAST):
            yield parts
            parts = b""
