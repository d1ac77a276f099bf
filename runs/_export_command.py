"""`understudy runs export`: into a file, a folder, or whatever reads what is written."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

from understudy.terminal import printable

from . import _export
from ._command import write_json
from ._errors import RunArgumentError, RunError
from ._ids import new_id
from ._missing import refuse_without_folder
from ._names import file_name
from ._reading import RunFolder
from ._which import those

_ENDINGS: Final = {
    ".jsonl": "jsonl",
    ".csv": "csv",
    ".json": "json",
    ".zip": "zip",
    ".parquet": "parquet",
}


def run(asked: Namespace) -> int:
    """Write them out."""
    target = None if asked.output is None else Path(asked.output)
    kind = _kind(asked, target)
    runs, is_many = those(asked.name, asked.root)
    if not runs:
        raise RunError(f"no run is so: {asked.name}")
    if asked.metric and kind == "zip":
        raise RunArgumentError("a zip has the folders whole: leave --metric out")
    metrics = _export.metrics_of(runs, asked.metric)
    written: list[Path] = []
    if kind == "csv":
        written += _write_csv(runs, metrics, target)
    elif kind == "parquet":
        if target is None:
            raise RunArgumentError("parquet goes into a file: say which, -o points.parquet")
        save = _export.frame_of(runs, metrics)
        with _beside(target) as made:
            save(made)
        written.append(target)
    else:
        if kind == "zip" and target is None and sys.stdout.isatty():
            raise RunArgumentError("a zip is nothing for a terminal: say where, -o runs.zip")
        with _opened(target) as file:
            _write(kind, runs, metrics, file, is_many)
        written += [] if target is None else [target]
    _tell(written, len(runs), asked.json)
    return 0


def _kind(asked: Namespace, target: Path | None) -> str:
    """Return the format: what was said, else what the name of the file says."""
    if asked.format is not None:
        return str(asked.format)
    if target is not None and target.suffix.lower() in _ENDINGS:
        return _ENDINGS[target.suffix.lower()]
    if target is None:
        return "json" if asked.json else "jsonl"
    raise RunArgumentError(
        f"{target}: in which format? Say --format {', '.join(_ENDINGS.values())}"
    )


def _write(
    kind: str, runs: Sequence[RunFolder], metrics: Sequence[str], file: BinaryIO, is_many: bool
) -> None:
    if kind == "zip":
        _export.write_zip(runs, file)
    elif kind == "jsonl":
        _export.write_jsonl(runs, metrics, file.write)
    elif is_many:
        _export.write_json(runs, metrics, file.write)
    else:
        _export.write_object(runs[0], metrics, file.write)
        file.write(b"\n")


def _write_csv(
    runs: Sequence[RunFolder], metrics: Sequence[str], target: Path | None
) -> list[Path]:
    """Write a file for each metric; a single one goes where it was said to."""
    if not metrics:
        raise RunError("there are no metrics to write")
    is_folder = target is not None and (target.is_dir() or not target.suffix)
    if target is None or not is_folder:
        if len(metrics) > 1:
            names = ", ".join(map(repr, metrics))
            raise RunArgumentError(
                f"a CSV has one metric: say which, --metric, or name a folder for all, -o: {names}"
            )
        with _opened(target) as file:
            _export.write_csv(runs, metrics[0], file.write)
        return [] if target is None else [target]
    target.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for metric in metrics:
        path = target / f"{file_name(metric)}.csv"
        with _opened(path) as file:
            _export.write_csv(runs, metric, file.write)
        written.append(path)
    return written


def _tell(written: list[Path], count: int, is_json: bool) -> None:
    if not written:
        return
    if is_json:
        files = [{"path": str(path.absolute()), "bytes": path.stat().st_size} for path in written]
        write_json({"runs": count, "files": files})
        return
    for path in written:
        print(f"{printable(path)}: {path.stat().st_size:,} bytes", file=sys.stderr)


@contextmanager
def _opened(target: Path | None) -> Generator[BinaryIO]:
    """Open what is written to; a file is there whole, or not at all."""
    if target is None:
        out: Any = sys.stdout
        out.flush()
        try:
            yield out.buffer
        finally:
            out.flush()
        return
    with _beside(target) as made, made.open("xb") as file:
        yield file


@contextmanager
def _beside(target: Path) -> Generator[Path]:
    """Give a hidden name beside a file, that takes its place once it is written."""
    refuse_without_folder(target)
    made = target.with_name(f".{target.name[:40]}.{new_id()}.new")
    try:
        yield made
        os.replace(made, target)
    finally:
        with suppress(OSError):
            made.unlink()
