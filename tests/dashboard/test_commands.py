"""The commands, as processes of their own: what they say, and how they end."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.terminal import Terminal
from understudy.cli import main
from understudy.events import Event, encode_line

COMMAND = [sys.executable, "-m", "understudy"]


def told(name: str, seq: int, **fields: Any) -> bytes:
    level = fields.pop("level", "info")
    ts = 1e9 + seq / 10
    return encode_line(
        Event(v=1, ts=ts, event=name, level=level, seq=seq, pid=7, runtime="r1", **fields)
    )


def branch(seq: int, label: str, role: str, status: str, **fields: Any) -> bytes:
    name = f"branch.{status}" if status in ("shed", "skipped") else "branch.completed"
    of = {"experiment": "shop.answer", "config_id": f"id of {label}", "label": label}
    ids = {"call_id": f"r1-1-{seq}", "branch_id": f"r1-1-{seq}0", "role": role, "status": status}
    return told(name, seq, **of, **ids, duration_ms=12.5, **fields)


LINES = [
    told("runtime.started", 1, service="shop"),
    told("experiment.registered", 2, experiment="shop.answer", strategy="ShadowStrategy", count=2),
    branch(3, "large", "primary", "ok"),
    branch(4, "small", "shadow", "error", error_type="ValueError", error_message="no \x1b[31mway"),
    branch(5, "small", "shadow", "shed", reason="limit", level="warning"),
    told(
        "actor.crashed",
        6,
        level="error",
        actor="shop.answer/strategy",
        state="crashed",
        error_type="KeyError",
    ),
    told("log.dropped", 0, count=4, level="warning"),
    b'{"v":1,"ts":1000000001.0,"event":"nobody.knows","level":"info","seq":9,"pid":7,"key":[1]}\n',
    b'{"v":1,"ts":10000',
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(LINES))
    return path


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *map(str, arguments)]
    env = {**os.environ, "TZ": "UTC", **environment}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


def test_a_report_says_at_a_glance_what_there_was(log: Path) -> None:
    done = run("report", log)
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    for said in [
        "8 events of 2 processes",
        "1 line unreadable",
        "4 events dropped by their sink",
        "shop.answer  Shadow",
        "small   shadow",
        "shop.answer  small   limit",
        "ValueError",
        "shop.answer/strategy  crashed  KeyError",
    ]:
        assert said in done.stdout, done.stdout
    assert "\x1b" not in done.stdout


def test_experiments_and_configs_are_told_apart_where_there_is_little_room(tmp_path: Path) -> None:
    names = "company.shop.handlers.answer", "company.shop.handlers.rank"
    ends = "ok", "error", "timeout", "cancelled", "shed", "skipped"
    lines = [
        branch(seq, label, role, status)
        .replace(b"shop.answer", name.encode())
        .replace(b"12.5", b"123.5")
        for seq, (name, label, role, status) in enumerate(
            product(names, ("model=large", "model=small"), ("primary", "shadow"), ends)
        )
    ]
    (tmp_path / "log").write_bytes(b"".join(lines))
    done = run("report", tmp_path / "log").stdout
    assert max(map(len, done.splitlines())) <= 80
    _, experiments, *configs = done.split("\n\n")[:4]
    assert [line.split()[0][-4:] for line in experiments.splitlines()[1:]] == ["swer", "rank"]
    for title, _, *rows in map(str.splitlines, configs):
        assert title.removesuffix(":") in names
        assert len({tuple(row.split()[:2]) for row in rows}) == 4, rows


def test_a_report_tells_errors_of_primaries_and_of_shadows_apart(log: Path) -> None:
    log.write_bytes(b"".join([*LINES[:5], branch(6, "large", "primary", "timeout")]))
    rows = run("report", log).stdout.splitlines()
    head = next(row.split("  ") for row in rows if row.startswith("experiment "))
    (row,) = [row for row in rows if row.startswith("shop.answer ") and "Shadow" in row]
    names = [name.strip() for name in head if name.strip()]
    counts = dict(zip(names, row.split(), strict=True))
    assert (counts.get("err"), counts["timeout"], counts["shadow err"]) == (None, "1", "1")


def test_a_report_says_that_its_log_begins_in_the_midst(log: Path) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[3:]))
    said = "7/r1: 3 events before the first one here"
    text = run("report", log).stdout
    assert said in text
    assert "--rotated" not in text
    log.with_name("events.jsonl.1").write_bytes(b"".join(lines[:3]))
    assert "--rotated reads " in run("report", log).stdout
    whole = run("report", "--rotated", log).stdout
    assert said not in whole
    assert "--rotated" not in whole


def test_the_last_lines_of_several_logs_of_the_past_are_the_last_in_time(tmp_path: Path) -> None:
    late, early = tmp_path / "late.jsonl", tmp_path / "early.jsonl"
    late.write_bytes(b"".join(told("runtime.started", seq) for seq in range(50, 60)))
    early.write_bytes(b"".join(told("runtime.stopped", seq) for seq in range(40)))
    text = run("tail", "--no-follow", "-n", "5", "--json", late, early).stdout
    assert [json.loads(line)["seq"] for line in text.splitlines()] == [55, 56, 57, 58, 59]


def test_a_report_as_json_is_the_document(log: Path) -> None:
    document = json.loads(run("report", "--json", log).stdout)
    assert document["overview"]["events"] == 8
    assert [case["label"] for case in document["experiment:shop.answer"]["cases"]] == [
        "large",
        "small",
    ]


def test_a_report_says_that_a_config_is_pinned(log: Path) -> None:
    with log.open("wb") as file:
        file.write(b"".join(LINES[:3]))
        file.write(told("experiment.pinned", 4, experiment="shop.answer", label="small"))
    assert "shop.answer  Shadow (pinned)" in run("report", log).stdout


def test_a_report_of_nothing_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert run("report", tmp_path / "empty").stdout == "No events.\n"


def test_a_status_that_no_branch_ends_with_is_refused_and_those_are_told(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["tail", "--no-follow", "--status", "eror", str(log)])
    told = capsys.readouterr().err
    assert "argument --status: invalid choice: 'eror'" in told
    assert "skipped" in told


def test_a_tail_is_one_line_for_each_event(log: Path) -> None:
    lines = run("tail", "--no-follow", log).stdout.splitlines()
    assert len(lines) == len(LINES)
    assert (
        lines[2]
        == "01:46:40.300 I branch.completed  shop.answer[large] primary ok 12.5 ms call 1-3"
    )
    assert lines[3].endswith(r"error 12.5 ms call 1-4 ValueError: no \x1b[31mway")
    assert lines[7].endswith("nobody.knows      key=[1]")
    assert lines[8] == 'unreadable: {"v":1,"ts":10000'
    assert run("tail", "--no-follow", "-n", "2", log).stdout.splitlines() == lines[-2:]
    assert run("tail", "--no-follow", "-n0", log).stdout == ""


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (["--event", "branch"], 3),
        (["--event", "branch.shed"], 1),
        (["--event", "*.dropped"], 1),
        (["--event", "bran"], 0),
        (["--level", "warning"], 3),
        (["--level", "error"], 1),
        (["--experiment", "answer"], 5),
        (["--experiment", "shop.answer", "--role", "shadow"], 2),
        (["--config", "small"], 2),
        (["--config", "id of large"], 1),
        (["--call", "1-4"], 1),
        (["--call", "r1-1-4"], 1),
        (["--status", "error"], 1),
        (["--status", "shed", "--role", "primary"], 0),
    ],
)
def test_a_tail_shows_what_was_asked_for(log: Path, asked: list[str], found: int) -> None:
    lines = run("tail", "--no-follow", "--json", *asked, log).stdout.splitlines()
    assert len(lines) == found
    assert all(line.encode() + b"\n" in LINES for line in lines)


def test_a_tail_of_which_nothing_was_asked_for_says_so(log: Path) -> None:
    done = run("tail", "--no-follow", "--experiment", "anwser", log)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"understudy tail: none of {len(LINES)} events is so\n"
    assert run("tail", "--no-follow", "--experiment", "answer", log).stderr == ""


def test_a_tail_of_what_is_not_there_yet_says_that_it_waits(tmp_path: Path) -> None:
    path = tmp_path / "evnets.jsonl"
    tail = subprocess.Popen([*COMMAND, "tail", str(path)], stderr=subprocess.PIPE, text=True)
    with tail:
        assert tail.stderr is not None
        waits = f"understudy tail: waiting for {path}, which is not there yet\n"
        assert tail.stderr.readline() == waits
        tail.send_signal(signal.SIGINT)
        assert tail.wait(20) == 130


def test_unknown_events_and_fields_survive_as_they_are_written(log: Path) -> None:
    lines = run("tail", "--no-follow", "--json", log).stdout.splitlines()
    assert [line.encode() for line in lines] == [line.rstrip(b"\n") for line in LINES]


def test_several_logs_are_shown_in_the_order_of_their_times(tmp_path: Path) -> None:
    for name, numbers in {"a": (1, 4), "b": (2, 3)}.items():
        (tmp_path / name).write_bytes(b"".join(told("nobody.knows", each) for each in numbers))
    done = run("tail", "--no-follow", "--json", tmp_path / "a", tmp_path / "b")
    assert [json.loads(line)["seq"] for line in done.stdout.splitlines()] == [1, 2, 3, 4]


def test_what_was_rotated_is_read_if_that_is_asked(log: Path) -> None:
    log.rename(f"{log}.1")
    log.write_bytes(told("nobody.knows", 7))
    assert json.loads(run("report", "--json", log).stdout)["overview"]["events"] == 1
    whole = json.loads(run("report", "--json", "--rotated", log).stdout)["overview"]
    assert whole["events"] == 9


@pytest.mark.parametrize("command", [["report"], ["tail", "--no-follow"], ["top"]])
def test_what_cannot_be_read_is_one_line_and_exit_code_1(
    command: list[str], tmp_path: Path
) -> None:
    for path, why in [("nowhere", "No such file or directory"), (".", "Is a directory")]:
        done = run(*command, tmp_path / path)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == f"understudy: {tmp_path / path}: {why}\n"


@pytest.mark.parametrize(
    "asked",
    [[], ["sing"], ["tail"], ["tail", "x", "-n", "-1"], ["tail", "x", "--level", "loud"]]
    + [["top", "x", "--interval", each] for each in ("0", "nan", "soon")],
)
def test_what_nobody_knows_is_exit_code_2(asked: list[str]) -> None:
    done = run(*asked)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: understudy" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_pipe_that_somebody_closes_is_no_error(log: Path) -> None:
    log.write_bytes(b"".join(LINES[:-1]) * 2_000)
    for command in (["tail", "-n", "20000"], ["report", "--json"]):
        process = subprocess.Popen(
            [*COMMAND, *command, str(log)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        process.stderr.close()
        assert process.wait(20) == 141


def test_a_tail_that_waits_ends_when_nobody_reads_it_any_more(log: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "tail", str(log)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.wait(20) == 141


def lines_of(process: "subprocess.Popen[bytes]") -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def test_a_tail_follows_through_rotation_and_truncation_until_it_is_interrupted(log: Path) -> None:
    log.write_bytes(LINES[0])
    command = [*COMMAND, "tail", "--json", str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        said = lines_of(process)
        assert next(said)["event"] == "runtime.started"  # from now on it follows
        with log.open("ab") as file:
            file.write(told("nobody.first", 1))
        assert next(said)["event"] == "nobody.first"
        log.rename(f"{log}.1")
        log.write_bytes(told("nobody.second", 2))
        assert next(said)["event"] == "nobody.second"
        log.write_bytes(told("nobody.third", 3))
        assert next(said)["event"] == "nobody.third"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_colours_are_for_terminals(log: Path) -> None:
    with Terminal("tail", "--no-follow", str(log)) as terminal:
        assert terminal.end() == 0
        assert b"\x1b[31m" in terminal.raw
        assert "branch.completed" in terminal.text
    with Terminal("tail", "--no-follow", "--color", "never", str(log)) as terminal:
        assert terminal.end() == 0
        assert b"\x1b" not in terminal.raw
    assert "\x1b[31m" not in run("tail", "--no-follow", log).stdout
    assert "\x1b[31m" in run("tail", "--no-follow", "--color", "always", log).stdout


def test_no_color_is_obeyed(log: Path) -> None:
    with Terminal("tail", "--no-follow", str(log), NO_COLOR="1") as terminal:
        assert terminal.end() == 0
        assert "branch.completed" in terminal.text
        assert b"\x1b" not in terminal.raw


def test_main_returns_what_the_process_exits_with(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(log)]) == 0
    assert "shop.answer" in capsys.readouterr().out
    assert main(["report", str(log.parent / "nowhere")]) == 1
    with pytest.raises(SystemExit) as asked:
        main(["--version"])
    assert asked.value.code == 0
    assert capsys.readouterr().out == f"understudy {version('understudy')}\n"
    with pytest.raises(SystemExit) as ended:
        main(["sing"])
    assert ended.value.code == 2


@pytest.mark.parametrize("command", ["report", "tail", "top", "dashboard"])
def test_a_file_that_is_no_log_is_refused_and_it_says_what_is_in_it(
    command: str, log: Path, tmp_path: Path
) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("to do\n\n{}\n" + "more\x1b[31m\n" * 1000)
    done = run(command, log, notes)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"understudy: {notes} is no log of events: not one in 1002 lines; the first is 'to do'. "
        'Give the file that a runtime writes: Runtime(events="events.jsonl")\n'
    )


def test_a_log_is_known_by_one_line_of_it_torn_or_not(log: Path, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed.log"
    mixed.write_bytes(b"hello\n" * 100 + log.read_bytes())
    done = run("report", mixed)
    assert done.returncode == 0
    assert "101 lines unreadable" in done.stdout
    mixed.write_bytes(b'hello\n{"v":1,"ts":17')
    done = run("tail", "--no-follow", mixed)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/stdin").exists(), reason="no such file here")
@pytest.mark.parametrize("command", ["report", "top"])
def test_a_pipe_with_no_event_is_refused_too(command: str) -> None:
    again = [sys.executable, "-m", "understudy", command, "/dev/stdin"]
    done = subprocess.run(again, input="a\nb\n", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "/dev/stdin is no log of events: not one in 2 lines." in done.stderr
