"""Runs written out: their points, all that is known of them, or their folders; never all at once.

Nothing is held but what is written next, whatever a run has: a million points, a file of gigabytes.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import StringIO
from itertools import islice
from pathlib import Path
from time import gmtime
from typing import Any, Final

import msgspec

from ._errors import RunError
from ._found import of_one_kind
from ._info import RunInfo
from ._lines import Line
from ._missing import told_known
from ._names import NAME_FILE
from ._points import Points
from ._reading import RunFolder
from ._values import encode

Write = Callable[[bytes], object]

_FIRST: Final = ("ts", "step", "attempt")
"""The columns that come first, if there are such."""
_NAMES: Final = ("run", "metric")
_AT_ONCE: Final = 1_000
_CHUNK: Final = 1 << 20
_OLDEST: Final = (1980, 1, 1, 0, 0, 0)
_NEWEST: Final = (2107, 12, 31, 23, 59, 58)
"""Zip knows no earlier day, and no later one."""


def metrics_of(runs: Sequence[RunFolder], wanted: Sequence[str] | None) -> list[str]:
    """Return the names of the metrics that are written out.

    Raises:
        RunError: no run has one that is wanted.
    """
    known = [*dict.fromkeys(name for run in runs for name in run.metric_names)]
    for name in wanted or ():
        if name not in known:
            raise RunError(f"no run has the metric {name!r}{told_known(name, known)}")
    return [name for name in known if wanted is None or name in wanted]


def write_jsonl(runs: Sequence[RunFolder], metrics: Sequence[str], write: Write) -> None:
    """Write each point as a line of JSON, with the `run` and the `metric` that it is of.

    A field that is called so itself is written `$run`.
    """
    for run, metric, points in _series(runs, metrics):
        lines = iter(points.stream())
        while lot := [*islice(lines, _AT_ONCE)]:
            write(b"".join(encode(_named(run, metric, line), _ignore) + b"\n" for line in lot))


def write_csv(runs: Sequence[RunFolder], metric: str, write: Write) -> None:
    """Write the points of a metric as CSV: a column for each field that any of them has.

    NaN and the infinities are `nan`, `inf` and `-inf`; what is no number and no text is JSON.
    It is read twice, first for the columns; what is logged meanwhile is left out.
    """
    import csv

    columns: dict[str, None] = {}
    counts: list[int] = []
    for _, _, points in _series(runs, [metric]):
        count = 0
        for line in points.stream():
            count += 1
            columns.update(dict.fromkeys(line))
        counts.append(count)
    first = [name for name in _FIRST if name in columns]
    fields = [*first, *(name for name in columns if name not in _FIRST)]
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["run", *(f"${name}" if name == "run" else name for name in fields)])
    series = _series(runs, [metric])
    for (run, _, points), count in zip(series, counts, strict=True):
        lines = islice(points.stream(), count)
        while lot := [*islice(lines, _AT_ONCE)]:
            rows.writerows([run, *(_cell(line.get(name)) for name in fields)] for line in lot)
            write(_taken(text))
    write(_taken(text))


def write_json(runs: Sequence[RunFolder], metrics: Sequence[str], write: Write) -> None:
    """Write all that is known of some runs, each as one object: an array of them."""
    begin = b"["
    for run in runs:
        write(begin + b"\n")
        write_object(run, metrics, write)
        begin = b","
    write(b"[]\n" if begin == b"[" else b"\n]\n")


def write_object(run: RunFolder, metrics: Sequence[str], write: Write) -> None:
    """Write all that is known of a run as an object of JSON."""
    files = [file for prefix in run.file_prefixes for file in run.files(prefix).list()]
    known: dict[str, Any] = {
        "info": msgspec.structs.asdict(RunInfo.of(run)),
        "attempts": run.attempts,
        "params": run.params.get(),
        "git": run.git,
        "environment": run.environment,
        "files": [msgspec.structs.asdict(file) for file in files],
    }
    write(b"{")
    for key, value in known.items():
        write(encode(key, _ignore) + b":" + encode(value, _ignore) + b",\n")
    write(b'"log":')
    _write_array(run.log.stream(), write)
    write(b',\n"metrics":{')
    for place, name in enumerate(each for each in metrics if each in run.metric_names):
        write((b",\n" if place else b"\n") + encode(name, _ignore) + b":")
        _write_array(Points(run.path, name).stream(), write)
    write(b"}}")


def write_zip(runs: Sequence[RunFolder], file: Any) -> None:
    """Write the folders of runs into one archive, as they are: `project/prefix/...`.

    Links are left out: they lead elsewhere.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for run in runs:
            within = f"{run.path.parent.name}/{run.path.name}"
            for path in _files_in(run.path):
                name = f"{within}/{path.relative_to(run.path).as_posix()}"
                _add(archive, path, name)


def frame_of(runs: Sequence[RunFolder], metrics: Sequence[str]) -> Callable[[Path], None]:
    """Return what writes all points as parquet: polars or pandas does, whichever is there.

    Raises:
        RunError: neither is.
    """
    from importlib import import_module

    rows = [
        {name: _scalar(value) for name, value in _named(run, metric, line).items()}
        for run, metric, points in _series(runs, metrics)
        for line in points.stream()
    ]
    names = {name: None for row in rows for name in row}
    columns = {name: of_one_kind([row.get(name) for row in rows]) for name in names}
    for library, write in (("polars", "write_parquet"), ("pandas", "to_parquet")):
        try:
            frame: Any = import_module(library).DataFrame(columns)
        except ImportError:
            continue
        return lambda path: getattr(frame, write)(path)
    raise RunError("parquet is written by polars, or pandas: pip install polars")


def _series(runs: Sequence[RunFolder], metrics: Iterable[str]) -> Iterator[tuple[str, str, Points]]:
    for run in runs:
        there = {*run.metric_names}
        for name in metrics:
            if name in there:
                yield f"{run.project}/{run.prefix}", name, Points(run.path, name)


def _named(run: str, metric: str, line: Line) -> Line:
    named: Line = {"run": run, "metric": metric}
    for name, value in line.items():
        named[f"${name}" if name in _NAMES else name] = value
    return named


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)):  # NaN and the infinities are words of their own
        return repr(value)
    return encode(value, _ignore).decode()


def _scalar(value: Any) -> Any:
    is_scalar = value is None or isinstance(value, (str, int, float))
    return value if is_scalar else _cell(value)


def _taken(text: StringIO) -> bytes:
    written = text.getvalue()
    text.seek(0)
    text.truncate()
    return written.encode("utf-8", "backslashreplace")


def _write_array(lines: Iterator[Line], write: Write) -> None:
    begin = b"["
    while lot := [*islice(lines, _AT_ONCE)]:
        for line in lot:
            write(begin + b"\n" + encode(line, _ignore))
            begin = b","
    write(b"[]" if begin == b"[" else b"\n]")


def _files_in(folder: Path) -> Iterator[Path]:
    """Yield the files of a run, but for those that are being written: they have hidden names."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            is_hidden = name.startswith(".") and name != NAME_FILE
            if path.is_file() and not path.is_symlink() and not is_hidden:
                yield path


def _add(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    """Add a file as it is now; one that is gone by then is left out."""
    try:
        source = path.open("rb")
    except FileNotFoundError:
        return
    with source:
        said = os.fstat(source.fileno())
        when = gmtime(said.st_mtime)[:6]
        entry = zipfile.ZipInfo(name, min(max(when, _OLDEST), _NEWEST))
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = (said.st_mode & 0xFFFF) << 16
        with archive.open(entry, "w", force_zip64=True) as target:
            while chunk := source.read(_CHUNK):
                target.write(chunk)


def _ignore(_: str) -> None: ...
