"""The floors: what people write by hand, and what recording cannot be cheaper than."""

import json
import os
import shutil
from hashlib import sha256
from pathlib import Path
from time import time
from typing import IO, Any

from benchmarks._peers import load

from ._tracker import TEN, Tracker


def _lines(folder: Path) -> int:
    """Count the whole lines of all runs."""
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("*/data.jsonl"))


class ByHand(Tracker):
    """A file of lines of JSON, flushed each time."""

    _file: IO[str]
    _path: Path

    def begin(self, folder: Path, name: str) -> None:
        self._path = folder / name
        self._path.mkdir(parents=True)
        self._say("RUNNING")
        self._parameters: dict[str, int] = {}
        self._file = (self._path / "data.jsonl").open("a", encoding="utf-8")

    def end(self) -> None:
        self._file.close()
        self._say("COMPLETED")

    def _say(self, status: str) -> None:
        self._replace("run.json", {"status": status, "at": time()})

    def _replace(self, name: str, value: object) -> None:
        aside = self._path / f"{name}.new"
        aside.write_text(json.dumps(value))
        aside.replace(self._path / name)

    def point(self, step: int) -> None:
        self._file.write(json.dumps({"step": step, "ts": time(), "loss": 0.1 * step}) + "\n")
        self._file.flush()

    def point_of_ten(self, step: int) -> None:
        self._file.write(json.dumps({"step": step, "ts": time(), **TEN}) + "\n")
        self._file.flush()

    def parameter(self, name: str, value: int) -> None:
        self._parameters[name] = value
        self._replace("parameters.json", self._parameters)

    def file(self, path: Path) -> None:
        shutil.copyfile(path, self._path / path.name)

    def read(self, folder: Path, name: str) -> int:
        with (folder / name / "data.jsonl").open(encoding="utf-8") as file:
            return len([json.loads(line) for line in file])

    def stored(self, folder: Path) -> int:
        return _lines(folder)


class Floor(Tracker):
    """One encoding and one write of each: what it takes to survive `kill -9`."""

    _file: int
    _path: Path

    def __init__(self) -> None:
        json_of_msgspec: Any = load("msgspec").json
        self._encode = json_of_msgspec.Encoder().encode
        self._decode = json_of_msgspec.Decoder().decode_lines

    def begin(self, folder: Path, name: str) -> None:
        self._path = folder / name
        self._path.mkdir(parents=True)
        self._file = os.open(self._path / "data.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def end(self) -> None:
        os.close(self._file)

    def _write(self, record: dict[str, float]) -> None:
        os.write(self._file, self._encode(record) + b"\n")

    def point(self, step: int) -> None:
        self._write({"step": step, "ts": time(), "loss": 0.1 * step})

    def point_of_ten(self, step: int) -> None:
        self._write({"step": step, "ts": time(), **TEN})

    def parameter(self, name: str, value: int) -> None:
        self._write({name: value})

    def file(self, path: Path) -> None:
        checksum = sha256()
        with path.open("rb") as reader, (self._path / path.name).open("wb") as writer:
            while data := reader.read(1 << 20):
                checksum.update(data)
                writer.write(data)

    def read(self, folder: Path, name: str) -> int:
        return len(self._decode((folder / name / "data.jsonl").read_bytes()))

    def stored(self, folder: Path) -> int:
        return _lines(folder)
