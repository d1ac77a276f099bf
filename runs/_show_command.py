"""`understudy runs show`: all that is known of one run."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from math import isfinite
from typing import Any, Final

import msgspec

from understudy.terminal import cut, printable, shortened, write

from ._by_config import RESULTS, by_config
from ._command import (
    UNKNOWN,
    Paint,
    name_of,
    paint_of,
    painted,
    titled,
    width_of_tables,
    write_json,
)
from ._curves import number_of
from ._info import RunInfo
from ._lines import Line
from ._points import Points
from ._reading import RunFolder
from ._tables import shown_moment, shown_span, shown_value
from ._which import which

_SPARKS: Final = "▁▂▃▄▅▆▇█"
_SPARK_WIDTH: Final = 20
_SPARK_POINTS: Final = 400
_LONGEST_VALUE: Final = 60
_MOST_RESULTS: Final = 200_000
"""More than these are not read only to show a run."""
_COPIED: Final = ("id", "path")
"""What is not cut, however narrow it is: somebody may want to copy it."""
_FILES: Final = ("", "bytes", "saved", "sha256")
_LEVELS: Final = {"debug": "dim", "warning": "yellow", "error": "red"}
_UNSAID: Final = ("ts", "level", "message", "attempt")


def run(asked: Namespace) -> int:
    """Show it."""
    found = which(asked.name, asked.root)
    log = found.log.read(limit=-asked.lines) if asked.lines else []
    if asked.json:
        write_json(_document(found, log))
    else:
        write("\n".join(_told(found, log, paint_of(asked.color))) + "\n")
    return 0


def _document(found: RunFolder, log: list[Line]) -> dict[str, Any]:
    files = [file for prefix in found.file_prefixes for file in found.files(prefix).list()]
    return {
        "info": msgspec.structs.asdict(RunInfo.of(found)),
        "run": found.info,
        "attempts": found.attempts,
        "params": found.params.get(),
        "git": found.git,
        "environment": found.environment,
        "files": [msgspec.structs.asdict(file) for file in files],
        "log": log,
    }


def _told(found: RunFolder, log: list[Line], paint: Paint) -> Iterator[str]:
    info = RunInfo.of(found)
    width = width_of_tables()
    headline = cut(f"{info.status or UNKNOWN}  {printable(name_of(info))}", width)
    yield painted(headline, info.status, paint)
    for key, value in _about(found, info):
        line = f"  {key:13}{printable(value)}"
        yield line if key in _COPIED else cut(line, width)
    yield from _attempts(found, paint)
    params = [
        [shortened(key, _LONGEST_VALUE), _value(value)]
        for key, value in sorted(info.params.items())
    ]
    yield from titled("Parameters", ["", ""], params, 2, paint)
    yield from titled(
        "Metrics",
        ["", "", "count", "first", "last", "min", "max"],
        [*_metrics(found, info)],
        2,
        paint,
        ("first", "count", "max", "min"),
    )
    yield from _results(found, info, width, paint)
    yield from _files(found, paint)
    if log:
        yield from ("", paint("Log", "bold"))
        yield from (_message(line, width, paint) for line in log)


def _about(found: RunFolder, info: RunInfo) -> Iterator[tuple[str, str]]:
    created = shown_moment(info.created)
    took = shown_span(info.duration)
    yield "created", f"{created}, took {took}" if took and info.status != "RUNNING" else created
    if info.status == "RUNNING":
        yield "runs for", took
    for key, value in (
        ("error", info.error),
        ("description", info.description),
        ("tags", ", ".join(info.tags)),
        ("bindrs", ", ".join(info.bindrs)),
        ("folder", info.folder),
        ("git", commit_of(found.git)),
        ("id", info.id),
        ("path", info.path),
    ):
        if value:
            yield key, value


def commit_of(git: dict[str, Any]) -> str:
    """Return the commit, in short, and whether there was more than that."""
    if not git.get("commit"):
        return ""
    branch = f" on {git['branch']}" if git.get("branch") not in (None, "HEAD") else ""
    changed = ", with changes (diff.patch)" if git.get("is_dirty") else ""
    return f"{str(git['commit'])[:12]}{branch}{changed}"


def _attempts(found: RunFolder, paint: Paint) -> Iterator[str]:
    attempts = found.attempts
    rows = [
        [
            str(each.n),
            each.status,
            " ".join(each.command or []) or "-",
            shown_moment(each.started),
            shown_span(None if each.ended is None else each.ended - each.started),
            f"{each.process.host}:{each.process.pid}",
        ]
        for each in attempts
    ]
    head = ["", "status", "command", "started", "took", "process"]
    yield from titled("Attempts", head, rows, 3, paint, ("process", "started"))


def _metrics(found: RunFolder, info: RunInfo) -> Iterator[list[str]]:
    for metric, fields in sorted(info.metrics.items()):
        points = Points(found.path, metric).read(max_points=_SPARK_POINTS)
        for field, told in sorted(fields.items()):
            if field == "step":
                continue
            numbers = [_value(each) for each in (told.first, told.last, told.min, told.max)]
            line = spark([point.get(field) for point in points])
            yield [f"{metric}.{field}", line, f"{told.count:,}", *numbers]


def _results(found: RunFolder, info: RunInfo, width: int, paint: Paint) -> Iterator[str]:
    """Yield what a runtime recorded of its experiments, config by config."""
    for metric, fields in sorted(info.metrics.items()):
        if not metric.startswith(RESULTS) or "config" not in fields:
            continue
        yield from ("", paint("Results by config", "bold"))
        if fields["config"].count > _MOST_RESULTS:
            yield f"{fields['config'].count:,}, too many to read here: by_config(run) compares them"
            continue
        told = by_config(found, metric.removeprefix(RESULTS))
        head, *rows = (cut(printable(line), width) for line in repr(told).splitlines())
        yield from (paint(head, "dim"), *rows)


def _files(found: RunFolder, paint: Paint) -> list[str]:
    rows = [
        [f"{prefix}/{file.name}", f"{file.size:,}", shown_moment(file.ts), file.sha256[:12]]
        for prefix in found.file_prefixes
        for file in found.files(prefix).list()
    ]
    return titled("Files", _FILES, rows, 1, paint, ("sha256", "saved"))


def _message(line: Line, width: int, paint: Paint) -> str:
    level = str(line.get("level", ""))
    said = " ".join(f"{key}={_value(value)}" for key, value in line.items() if key not in _UNSAID)
    ts = line.get("ts")
    when = shown_moment(ts if isinstance(ts, (int, float)) else None)
    text = cut(printable(f"{when}  {level:8}{line.get('message', '')}  {said}".rstrip()), width)
    return paint(text, _LEVELS.get(level, ""))


def _value(value: object) -> str:
    return "-" if value is None else shortened(printable(shown_value(value)), _LONGEST_VALUE)


def spark(values: list[Any], width: int = _SPARK_WIDTH) -> str:
    """Return a small line that goes as values do; what is no number is left out.

    Example:
        >>> from understudy.runs._show_command import spark
        >>> spark([0.0, 1.0, 2.0, 3.0]), spark(["a"]), spark([5.0, 5.0])
        ('▁▃▆█', '', '▄▄')
    """
    numbers = [number for number in map(number_of, values) if isfinite(number)]
    if not numbers:
        return ""
    count = min(width, len(numbers))
    parts = [
        numbers[len(numbers) * place // count : len(numbers) * (place + 1) // count]
        for place in range(count)
    ]
    means = [sum(part) / len(part) for part in parts]
    least, most = min(means), max(means)
    if not (isfinite(most - least) and most > least):
        return "▄" * count
    steps = len(_SPARKS) - 1
    return "".join(_SPARKS[round((mean - least) / (most - least) * steps)] for mean in means)
