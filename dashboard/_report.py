"""The report: what a log came to, in tables that are read at a glance."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from understudy.terminal import cut, printable, table

from ._document import Json
from ._recording import recorded_rows
from ._texts import milliseconds

_COUNTS = ("planned", "ok", "error", "timeout", "cancelled", "shed", "skipped")
_BEFORE, _FAILED, _AFTER = _COUNTS[:2], _COUNTS[2:4], _COUNTS[4:]
_TIMES = ("p50_ms", "p95_ms", "p99_ms")
_HEAD = ("planned", "ok", "err", "timeout", "cancel", "shed", "skip", "p50", "p95", "p99")
_RECORDED = ("run", "status", "results of", "lost", "results")
_SPARED = ("p95", "p50", "cancel")
"""What is left out first where there is no room for names."""
_MOST_ROWS = 200


def report(document: Json, width: int = 80, rotated: Sequence[str] = ()) -> str:
    """Return the tables of a document: experiments, configs, why not run, errors, crashes, losses.

    Args:
        document: what is told.
        width: how wide a line may be.
        rotated: files that lie beside those that were read, and tell of the time before.

    Example:
        >>> from understudy.dashboard import Board
        >>> from understudy.dashboard._report import report
        >>> print(report(Board().document()))
        No events.
    """
    found = [section for section in _sections(document, width, rotated) if section]
    return "\n\n".join("\n".join(cut(line, width) for line in section) for section in found)


def _sections(document: Json, width: int, rotated: Sequence[str]) -> Iterator[list[str]]:
    experiments = experiments_of(document)
    yield _about(document["overview"], rotated)
    yield _experiments(experiments, len(document["overview"]["processes"]) > 1, width)
    for each in experiments:
        yield _configs(each, width)
    for title, (head, rows) in {
        "Why not run": (("experiment", "config", "reason", "times"), _why(experiments)),
        "Errors": (("experiment", "config", "error", "message", "times"), _errors(experiments)),
        "Actors that crashed": (
            ("actor", "state", "error", "message", "restarts"),
            _crashes(document),
        ),
        "Loops that were held": (
            ("experiment", "config", "place", "at", "ms"),
            _lags(document["lags"]),
        ),
        "Events lost": (("process", "state", "missing"), _losses(document["overview"])),
    }.items():
        yield _titled(title, head, rows, width)
    yield _runs(document, width)


def experiments_of(document: Json) -> list[Json]:
    """Return the experiments of a document, by their names."""
    names = sorted(key for key in document if key.startswith("experiment:"))
    return [document[name] for name in names]


def _about(overview: Json, rotated: Sequence[str]) -> list[str]:
    """Say what the log is about: how many events, of whom, of when, and what is not there."""
    if not overview["events"]:
        unread = overview["unreadable"]
        return [f"No events, {unread} unreadable lines." if unread else "No events."]
    first, last = overview["first_ts"], overview["ts"]
    processes = overview["processes"]
    told = f"{overview['events']} events of {_many(len(processes), 'process', 'processes')}"
    if first is not None and last is not None:
        told += f", {_when(first)} to {_when(last)} ({span_of(last - first)})"
    lines = [told]
    lines += [f"  {process_of(each)}: {ended_of(each)}" for each in processes[-5:]]
    lines += _begun(processes, rotated)
    lost = [
        _many(overview["unreadable"], "line unreadable", "lines unreadable"),
        _many(overview["missing"], "event missing", "events missing"),
        _many(overview["dropped"], "event dropped by its sink", "events dropped by their sink"),
    ]
    told_lost = [each for each in lost if not each.startswith("0 ")]
    return [*lines, *([", ".join(told_lost)] if told_lost else []), "Times are in milliseconds."]


def _begun(processes: list[Json], rotated: Sequence[str]) -> Iterator[str]:
    """Say of which processes the log has not the beginning, and where that may be."""
    for each in processes:
        if each["first_seq"] > 1:
            before = _many(each["first_seq"] - 1, "event", "events")
            yield f"  {process_of(each)}: {before} before the first one here"
            if rotated:
                yield f"  --rotated reads {', '.join(rotated)} before"
                rotated = ()


def _experiments(experiments: list[Json], is_of_several: bool, width: int) -> list[str]:
    """Say how each does: the errors of those that somebody waits for, and those of shadows."""
    rows = [
        [
            each["name"],
            (each["strategy"] or "-").removesuffix("Strategy")
            + (" (disabled)" if each["is_disabled"] else " (pinned)" if each["pinned"] else ""),
            str(each["calls"]),
            str(each["inner_calls"]),
            *(str(each[count]) for count in _BEFORE),
            *(str(each["leads"][count]) for count in _FAILED),
            str(sum(each["shadows"][count] for count in _FAILED)),
            *(str(each[count]) for count in _AFTER),
            *(milliseconds(each[time]) for time in _TIMES),
            str(len(each["processes"]) if is_of_several else 0),
        ]
        for each in experiments
    ]
    head = ("experiment", "strategy", "calls", "inside", *_HEAD[:4], "shadow err", *_HEAD[4:])
    return table((*head, "processes"), rows, width, 2, _SPARED) if rows else []


def _configs(experiment: Json, width: int) -> list[str]:
    rows = [
        [
            case["label"] or case["config_id"],
            role + ("" if case["circuit"] == "closed" else f" (circuit {_words(case['circuit'])})"),
            *(str(played[count]) for count in _COUNTS),
            *(milliseconds(played[time]) for time in _TIMES),
            flight_of(played),
        ]
        for case in experiment["cases"]
        for role, played in case["roles"].items()
    ]
    head = ("config", "role", *_HEAD, "flight")
    lines = table(head, rows, width, 2, _SPARED) if rows else []
    return [f"{printable(experiment['name'])}:", *_few(lines)] if lines else []


def _runs(document: Json, width: int) -> list[str]:
    rows = recorded_rows([*document["batches"], *document["runs"]])
    return ["Runs:", *_few(table(_RECORDED, rows, width, 3))] if rows else []


def _titled(title: str, head: tuple[str, ...], rows: Iterable[list[str]], width: int) -> list[str]:
    found = [*rows]
    return [f"{title}:", *_few(table(head, found, width, len(head) - 1))] if found else []


def _few(lines: list[str]) -> list[str]:
    over = len(lines) - _MOST_ROWS
    return lines if over <= 0 else [*lines[:_MOST_ROWS], f"and {over} more: --json has them all"]


def _cases(experiments: list[Json]) -> Iterator[tuple[str, str, Json]]:
    for experiment in experiments:
        for case in experiment["cases"]:
            yield experiment["name"], case["label"] or case["config_id"], case


def _why(experiments: list[Json]) -> Iterator[list[str]]:
    for experiment, config, case in _cases(experiments):
        for reason, count in case["why_not"].items():
            yield [experiment, config, reason, str(count)]


def _errors(experiments: list[Json]) -> Iterator[list[str]]:
    for experiment, config, case in _cases(experiments):
        for error in case["errors"]:
            message = error["message"] or ""
            yield [experiment, config, error["type"], message, str(error["count"])]


def _crashes(document: Json) -> Iterator[list[str]]:
    is_of_several = len(document["overview"]["processes"]) > 1
    for actor in document["actors"]:
        crash = actor["crash"]
        if crash is not None or actor["restarts"] or actor["gave_up"]:
            state = "gave up" if actor["gave_up"] else actor["state"] or "-"
            told: Any = crash or {"type": None, "message": None}
            kind, message = told["type"] or "-", told["message"] or ""
            name = f"{actor['process']} {actor['name']}" if is_of_several else actor["name"]
            yield [name, state, kind, message, str(actor["restarts"])]


def _lags(lags: list[Json]) -> Iterator[list[str]]:
    longest = sorted(lags, key=lambda lag: -(lag.get("lag_ms") or 0.0))[:10]
    for lag in longest:
        words = [lag.get(name) or "-" for name in ("experiment", "label", "place", "where")]
        yield [*words, milliseconds(lag.get("lag_ms"))]


def _losses(overview: Json) -> Iterator[list[str]]:
    for each in overview["processes"]:
        if each["missing"]:
            yield [process_of(each), each["state"] or "unknown", str(each["missing"])]


def _words(circuit: str) -> str:
    return circuit.replace("_", " ")


def process_of(process: Json) -> str:
    """Return how a process is called."""
    name = f"{process['pid']}/{process['runtime'] or '-'}"
    return printable(f"{process['service']} {name}" if process["service"] else name)


def ended_of(process: Json) -> str:
    """Say how a process ended, or that it goes on.

    One with nothing to do writes nothing: then nobody knows which of the two it is.
    """
    if process["state"] == "stopped":
        return "closed"
    if not process["is_silent"]:
        return process["state"] or "unknown"
    since = f"since {clock_of(process['last_ts'])}"
    if process["is_idle"]:
        return f"idle {since}, nothing in flight (never said closed)"
    return f"silent {since}, {process['unknown']} in flight unknown (never said closed)"


def flight_of(played: Json) -> str:
    """Say how many are in flight, and of how many that is not known: `2`, `3?`, `2+3?`."""
    known, unknown = played["in_flight"], played["unknown"]
    return str(known) if not unknown else f"{known}+{unknown}?" if known else f"{unknown}?"


def clock_of(ts: float) -> str:
    """Return the time of day, with the day if it is not today's."""
    when = datetime.fromtimestamp(ts).astimezone()
    is_today = when.date() == datetime.now().astimezone().date()
    return when.strftime("%H:%M:%S" if is_today else "%Y-%m-%d %H:%M:%S")


def _many(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"


def _when(ts: float) -> str:
    return datetime.fromtimestamp(ts).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def span_of(seconds: float) -> str:
    """Return how long it is, at a glance."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"
