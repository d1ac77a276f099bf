"""tensorboardX: a file of events for each run, written by a thread."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks._peers import load

from ._tracker import TEN, Tracker


class TensorboardX(Tracker):
    """A SummaryWriter for each run."""

    def __init__(self) -> None:
        self._tensorboardx: Any = load("tensorboardX")

    def begin(self, folder: Path, name: str) -> None:
        self._writer = self._tensorboardx.SummaryWriter(str(folder / name))

    def end(self) -> None:
        self._writer.close()

    def point(self, step: int) -> None:
        self._writer.add_scalar("loss", 0.1 * step, step)

    def point_of_ten(self, step: int) -> None:
        for key, value in TEN.items():
            self._writer.add_scalar(key, value, step)

    def read(self, folder: Path, name: str) -> int:
        """With its own protobuf: it brings no reader, and TensorBoard is another package."""
        return len([*_points(folder / name)])

    def stored(self, folder: Path) -> int:
        return sum(1 for _ in _points(folder))


def _points(folder: Path) -> Iterator[tuple[int, float]]:
    event: Any = load("tensorboardX.proto.event_pb2").Event
    for path in folder.rglob("events.*"):
        for data in _records(path.read_bytes()):
            found = event.FromString(data)
            if found.HasField("summary"):
                yield found.step, found.summary.value[0].simple_value


def _records(data: bytes) -> Iterator[bytes]:
    """Yield the records of a file, up to a torn end."""
    place = 0
    while place + 12 <= len(data):
        (length,) = struct.unpack_from("<Q", data, place)
        end = place + 12 + length
        if end + 4 > len(data):
            return
        yield data[place + 12 : end]
        place = end + 4
