"""Reading what is there: torn tails, lines that met, files of other kinds; nothing is fatal."""

import json
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.runs import Run, RunError, RunFolder
from understudy.runs._append import Appender  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]
from understudy.runs._lines import decode_lines, last_lines, read_chunks, read_lines  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

room: Any = import_module("understudy.runs._lines")

TORN = b'{"ts":1.5,"loss":0.'
WHOLE = b'{"step":2,"ts":2.5}\n'


@pytest.mark.parametrize(
    ("data", "steps"),
    [
        (b'{"step":1}\n{"step":2}\n{"st', [1, 2]),
        (b'{"step":1}\n{"step":2}', [1, 2]),
        (b'{"step":1}\n\n\n{"step":2}\n', [1, 2]),
        (b'{"step":1}\n\x00\x00\x00\x00\n{"step":2}\n', [1, 2]),
        (b'{"step":1}\nno json\n[1]\n7\n"x"\nnull\n{"step":2}\n', [1, 2]),
        (b'{"step":1}\n\xff\xfe{"\n{"step":2}\n', [1, 2]),
        (TORN + WHOLE + b'{"step":3}\n', [2, 3]),
        (b'{"a":{"ts":1}' + WHOLE, [2]),
        (b'{"a":"{\\"ts\\":1}' + WHOLE, [2]),
        (b'{"step":1,"ts":1.0}' + WHOLE, [1, 2]),
        (b"", []),
        (b"\n", []),
        (b"x" * 5000 + b"\n", []),
    ],
)  # fmt: skip
def test_everything_before_and_behind_a_tear_is_read(data: bytes, steps: list[int]) -> None:
    Path("data.jsonl").write_bytes(data)
    assert [line["step"] for lines in read_lines(Path("data.jsonl")) for line in lines] == steps
    assert [line["step"] for line in decode_lines(data)] == steps


LINES = st.lists(
    st.dictionaries(st.text(max_size=3), st.one_of(st.integers(0, 9), st.text(max_size=20), st.floats()), max_size=3),
    max_size=20,
)  # fmt: skip


@given(LINES, st.integers(1, 60), st.integers(0, 400))
def test_a_file_that_is_cut_anywhere_loses_only_the_line_that_is_cut(
    lines: list[dict[str, Any]], chunk: int, cut: int
) -> None:
    from understudy.runs._values import encode  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

    written = [encode({**line, "ts": 1.0}, print) + b"\n" for line in lines]
    data = b"".join(written)[: cut or None]
    whole = data.count(b"\n") + (
        data[-1:] not in (b"\n", b"") and data + b"\n" == b"".join(written)[: len(data) + 1]
    )
    path = Path("cut.jsonl")
    path.write_bytes(data)
    before, room.CHUNK = room.CHUNK, chunk
    try:
        read = [line for lot, _ in read_chunks(path) for line in lot]
        ends = [end for _, end in read_chunks(path)]
    finally:
        room.CHUNK = before
    assert repr(read) == repr(decode_lines(b"".join(written[:whole])))
    assert ends == sorted(ends)
    assert last_lines(path)[-1:] == read[-1:] or repr(last_lines(path)[-1:]) == repr(read[-1:])


def test_a_line_behind_a_tear_of_an_earlier_process_is_whole() -> None:
    path = Path("data.jsonl")
    path.write_bytes(b'{"step":1}\n' + TORN)
    file = Appender(path, lambda: None)
    file.append(WHOLE)
    file.append(b'{"step":3}\n')
    file.close()
    assert path.read_bytes() == b'{"step":1}\n' + TORN + b"\n" + WHOLE + b'{"step":3}\n'


def test_a_write_that_comes_back_short_is_made_whole_by_the_next() -> None:
    class Short:
        """A file that takes only so many bytes each time."""

        def __init__(self, *rooms: int) -> None:
            self.rooms = [*rooms]
            self.data = b""

        def write(self, line: bytes) -> int:
            space = self.rooms.pop(0) if self.rooms else len(line)
            self.data += line[:space]
            return min(space, len(line))

        def close(self) -> None: ...

    file = Appender(Path("data.jsonl"), lambda: None)
    short: Any = Short(100, 5, 3)
    file._file = short
    file.append(b'{"step":1}\n')
    with pytest.raises(OSError, match="3 of 12 bytes"):
        file.append(b'{"step":2}\n')
    file.append(b'{"step":3}\n')
    file.append(b'{"step":4}\n')
    assert [line["step"] for line in decode_lines(short.data)] == [1, 3, 4]


@pytest.mark.parametrize("said", [b"", b"{", b"[]", b'{"v":1}', b"\xff", b'{"attempts":7}'])
def test_a_run_json_that_is_broken_stops_nobody(said: bytes) -> None:
    with Run(prefix="r") as run:
        run.metrics("train").log(step=1)
    (run.path / "run.json").write_bytes(said)
    found = RunFolder(run.path)
    assert (found.status, found.project, found.prefix) == ("COMPLETED", "project", "r")
    assert len(found.metrics("train")) == 1
    with Run(prefix="r") as again:
        assert again.attempt == 2
    assert json.loads((run.path / "run.json").read_text())["status"] == "COMPLETED"


@pytest.mark.parametrize("said", [b"", b"{", b"[]", b'{"n":"x"}'])
def test_an_attempt_that_is_broken_is_left_out_and_its_number_not_taken_again(said: bytes) -> None:
    with Run(prefix="r") as run:
        pass
    (run.path / "attempts/2.json").write_bytes(said)
    with Run(prefix="r") as again:
        assert again.attempt == 3
    assert again.status == "COMPLETED"


def test_a_folder_that_is_not_there_is_no_run() -> None:
    with pytest.raises(RunError, match="there is no run at"):
        RunFolder("nowhere")


def test_reading_changes_nothing_of_a_short_run() -> None:
    with Run(prefix="r") as run:
        run.metrics("train").log(step=1)
        run.params.set(a=1)
        run.files("f").save(b"x", to="x")
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    found = RunFolder(run.path)
    _ = (
        found.info,
        found.status,
        found.metrics("train").summary(),
        found.metrics("train").read(max_points=2),
    )
    _ = (
        found.params.get(),
        found.files("f").list(),
        found.log.read(),
        found.last_step(),
        repr(found),
    )
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*")} == before


def test_lines_made_to_look_torn_all_over_are_soon_given_up() -> None:
    text = b'{"' * 400_000
    began = time.process_time()
    assert decode_lines(b"x" + text + b"\n" + b"x" + WHOLE + b'{"step":3}\n')[-1] == {"step": 3}
    assert time.process_time() - began < 5.0  # it was a minute


@pytest.mark.parametrize(
    "line",
    [
        b'{"loss":{"$null":"x"},"step":1}',
        b'{"loss":{"$null":[1]},"step":1}',
        b'{"loss":1' + b"0" * 400 + b',"step":1}',
        b'{"loss":' + b"[" * 5000 + b"]" * 5000 + b',"step":1}',
        b'{"step":{"$null":"nan"},"loss":1}',
    ],
)
def test_whatever_stands_in_a_line_the_others_are_read(line: bytes, tmp_path: Path) -> None:
    with Run(prefix="odd", root=str(tmp_path)) as run:
        run.metrics("train").log(loss=1.0, step=0)
        (run.path / "rewinds.jsonl").write_bytes(
            b'{"sizes":[]}\n{"sizes":{"train":7}}\n{"sizes":{"train":7},"step":"x"}\n'
        )
        with (run.path / "metrics/train/data.jsonl").open("ab") as file:
            file.write(line + b"\n")
        run.metrics("train").log(loss=3.0, step=2)
    train = RunFolder(run.path).metrics("train")
    assert (train.read()[0]["loss"], train.read()[-1]["loss"]) == (1.0, 3.0)
    assert (train.summary()["loss"].first, train.summary()["loss"].last) == (1.0, 3.0)
    assert 1 <= len(train.read(max_points=3)) <= 3
