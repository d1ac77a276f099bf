"""The index: whatever happens to runs and to itself, what is listed is what the files say."""

import json
import os
import shutil
import sqlite3
import tempfile
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from understudy import runs
from understudy.runs import Run, RunFolder, RunInfo

from .programs import begin, finish, kill

looking: Any = import_module("understudy.runs._looking")
changes: Any = import_module("understudy.runs._changes")
current: Any = import_module("understudy.runs._current")
attempts: Any = import_module("understudy.runs._attempts")
read_state: Any = import_module("understudy.runs._state").read_state
missing: Any = import_module("understudy.runs._missing")

ROOT = Path("experiments")
INDEX = ROOT / ".understudy/index.sqlite"


def make(prefix: str, project: str = "project", **params: Any) -> Run:
    with Run(prefix=prefix, project=project, capture=False) as run:
        run.params.set(params)
        run.metrics("train").log(loss=1.0)
    return run


def from_files(root: Path) -> dict[str, Any]:
    """Return what the files alone say."""
    found = [path for path in root.glob("*/*") if ".understudy" not in path.parts]
    infos = [RunInfo.of(RunFolder(path)) for path in found if missing.is_run(path)]
    return {str(info.path): msgspec.to_builtins(info) for info in infos}


def listed(root: Path) -> dict[str, Any]:
    return {str(info.path): msgspec.to_builtins(info) for info in runs.list(root)}


def change_process(run: Run, pid: int) -> None:
    """Say that another process records into a run."""
    path = run.path / "attempts" / f"{run.attempt}.json"
    said = read_state(path)
    said["process"]["pid"] = pid
    path.write_text(json.dumps(said))


PHASES = [Phase.explicit, Phase.reuse, Phase.generate]
"""Without shrinking: each step waits for the disk, and it would take minutes."""
NAMES = st.sampled_from(["a", "b", "C", "d/e"])
PROJECTS = st.sampled_from(["p", "Q"])


class Roots(RuleBasedStateMachine):
    """All that happens to a root, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp()) / "experiments"
        self.open: list[Run] = []
        self.settled, self.life_of = looking.SETTLED, attempts.life_of
        self.dead: set[int] = set()
        self.started = self.steps = 0
        self.every = 1
        attempts.life_of = lambda process: "gone" if process.pid in self.dead else "lives"
        looking.SETTLED = 0.0  # what has ended is not looked at again, unless something tells so

    def teardown(self) -> None:
        looking.SETTLED, attempts.life_of = self.settled, self.life_of
        for run in self.open:
            run.complete()
        current._current.set(None)
        shutil.rmtree(self.root.parent)

    def paths(self) -> list[Path]:
        return sorted(path for path in self.root.glob("*/*") if path.parent.name != ".understudy")

    def some(self, data: st.DataObject) -> Path | None:
        held = [run.path for run in self.open]
        free = [path for path in self.paths() if path not in held]
        return data.draw(st.sampled_from(free)) if free else None

    @rule(prefix=NAMES, project=PROJECTS)
    def start(self, prefix: str, project: str) -> None:
        run = Run(prefix=prefix, project=project, root=self.root, capture=False, resume="new")
        self.open.append(run.start())
        change_process(run, 10**7 + len(self.open) + self.started)
        self.started += 10

    @precondition(lambda self: bool(self.open))
    @rule(data=st.data(), how=st.sampled_from(["complete", "fail", "cancel"]))
    def end(self, data: st.DataObject, how: str) -> None:
        run = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        getattr(run, how)()

    @precondition(lambda self: bool(self.open))
    @rule(data=st.data())
    def kill(self, data: st.DataObject) -> None:
        run = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        recording: Any = run._recording
        recording._pulse.stop(5)
        recording._turns.clear()
        self.dead.add(read_state(run.path / f"attempts/{run.attempt}.json")["process"]["pid"])

    @precondition(lambda self: bool(self.open))
    @rule(data=st.data(), value=st.integers(0, 9), what=st.sampled_from(["log", "set", "update"]))
    def record(self, data: st.DataObject, value: int, what: str) -> None:
        run = data.draw(st.sampled_from(self.open))
        if what == "log":
            run.metrics(f"m{value % 2}").log(loss=value)
        elif what == "set":
            run.params.set(x=value)
        else:
            run.update(tags=[str(value)])

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        if path := self.some(data):
            shutil.rmtree(path)

    @rule(data=st.data(), name=NAMES, project=PROJECTS)
    def move(self, data: st.DataObject, name: str, project: str) -> None:
        target = self.root / runs.folder_name(project) / runs.folder_name(name)
        if (path := self.some(data)) and not target.exists():
            target.parent.mkdir(exist_ok=True)
            path.rename(target)

    @rule(data=st.data(), name=NAMES, project=PROJECTS)
    def copy(self, data: st.DataObject, name: str, project: str) -> None:
        target = self.root / runs.folder_name(project) / runs.folder_name(name)
        if (path := self.some(data)) and not target.exists():
            shutil.copytree(path, target)

    @rule(data=st.data(), tag=st.text("xyz", max_size=3))
    def edit(self, data: st.DataObject, tag: str) -> None:
        if path := self.some(data):
            said = read_state(path / "run.json")
            (path / ".new").write_text(json.dumps({**said, "tags": [tag]}))
            (path / ".new").replace(path / "run.json")

    @rule(data=st.data())
    def spoil(self, data: st.DataObject) -> None:
        if path := self.some(data):
            (path / "run.json").write_text("{")

    @rule(name=NAMES)
    def put_something_else(self, name: str) -> None:
        (self.root / "p" / runs.folder_name(name)).mkdir(parents=True, exist_ok=True)

    @rule(what=st.sampled_from(["break", "remove", "forget", "rotate"]))
    def spoil_the_index(self, what: str) -> None:
        folder = self.root / ".understudy"
        if what == "forget":
            (folder / "changes").unlink(missing_ok=True)
        elif what == "rotate" and (folder / "changes").exists():
            (folder / "changes").replace(folder / "changes.1")
        elif (folder / "index.sqlite").exists() and what == "break":
            (folder / "index.sqlite").write_bytes(b"no index" * 1_000)
        elif what == "remove":
            shutil.rmtree(folder, ignore_errors=True)

    @rule(every=st.integers(1, 3))
    def look_every(self, every: int) -> None:
        self.every = every

    @invariant()
    def look(self) -> None:
        self.steps += 1
        if self.steps % self.every == 0:
            assert listed(self.root) == from_files(self.root)

    @rule()
    def look_while_somebody_writes_the_index(self) -> None:
        path = self.root / ".understudy/index.sqlite"
        runs.list(self.root)
        if path.exists():
            other = sqlite3.connect(path, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            assert listed(self.root) == from_files(self.root)
            other.close()


TestRoots = Roots.TestCase
TestRoots.settings = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    phases=PHASES,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
    ],  # a loaded machine is no failure
)


class TestTheIndexItself:
    @pytest.mark.parametrize(
        "said", [b"", b"x", b"no index" * 999, b"SQLite format 3\0", b"SQLite format 3\0" + b"\xff" * 9_000]
    )  # fmt: skip
    def test_one_that_is_broken_is_made_anew(self, said: bytes) -> None:
        make("a")
        assert len(runs.list()) == 1
        INDEX.write_bytes(said)
        make("b")
        assert len(runs.list()) == 2
        with sqlite3.connect(INDEX) as base:
            assert base.execute("SELECT count(*) FROM runs").fetchone() == (2,)
        base.close()

    @pytest.mark.parametrize(
        "change",
        ["PRAGMA user_version = 99", "DROP TABLE runs", "DROP TABLE known", "ALTER TABLE runs DROP COLUMN info",
         "UPDATE known SET said = 'x'", "UPDATE known SET said = x'ff'", "UPDATE runs SET info = x'ff'"],
    )  # fmt: skip
    def test_one_of_another_kind_is_made_anew(self, change: str) -> None:
        make("a")
        runs.list()
        base = sqlite3.connect(INDEX)
        base.execute(change)
        base.commit()
        base.close()
        make("b")
        assert {info.prefix for info in runs.list()} == {"a", "b"}

    def test_a_file_that_was_replaced_by_a_folder_stops_nobody(self) -> None:
        make("a")
        INDEX.mkdir(parents=True)
        for name in ("b", "c"):
            make(name)
            assert listed(ROOT) == from_files(ROOT)

    def test_a_root_that_cannot_be_written_is_listed_and_remembered(self) -> None:
        make("a")
        shutil.rmtree(ROOT / ".understudy")
        (ROOT / ".understudy").write_text("in the way: root itself may write everywhere")
        assert listed(ROOT) == from_files(ROOT)
        make("b")
        assert listed(ROOT) == from_files(ROOT)
        assert len(runs.list()) == 2
        assert (ROOT / ".understudy").is_file()

    @pytest.mark.parametrize(
        "lock", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE", "PRAGMA locking_mode = EXCLUSIVE"]
    )
    def test_a_lock_that_another_process_holds_for_ever_keeps_nobody_waiting(
        self, lock: str
    ) -> None:
        make("a")
        runs.list()
        process = begin(
            f"""
            import sqlite3
            base = sqlite3.connect({str(INDEX)!r}, isolation_level=None)
            base.execute({lock!r})
            if "PRAGMA" in {lock!r}: base.execute("BEGIN IMMEDIATE"); base.execute("DELETE FROM runs")
            print("held", flush=True)
            sys.stdin.read()
            """,
            cwd=Path.cwd(),
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        make("b")
        for _ in range(2):
            assert listed(ROOT) == from_files(ROOT)
            assert len(runs.list()) == 2
        kill(process)
        assert listed(ROOT) == from_files(ROOT)

    def test_rebuilding_looks_at_all_anew(self) -> None:
        run = make("a")
        runs.list()
        path = run.path / "metrics/train/data.jsonl"
        before = path.stat()
        path.write_bytes(path.read_bytes().replace(b"1.0", b"2.0"))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # nothing tells of it
        assert runs.list()[0].metrics["train"]["loss"].last == 1.0
        assert runs.list(rebuild=True)[0].metrics["train"]["loss"].last == 2.0
        assert runs.list()[0].metrics["train"]["loss"].last == 2.0

    def test_names_that_others_gave_to_folders_stop_nobody(self) -> None:
        run = make("a")
        run.path.rename(ROOT / "project/größe \t x")
        shutil.copytree(ROOT / "project", ROOT / "Прое\nкт")
        os.mkdir(os.fsencode(ROOT / "project") + b"/\xff\xfe")
        os.mkdir(os.fsencode(ROOT) + b"/\xff")
        (ROOT / "project/broken").symlink_to("nowhere")
        (ROOT / "project/linked").symlink_to("größe \t x")
        for _ in range(2):
            assert listed(ROOT) == from_files(ROOT)
            assert len(runs.list()) == 3
        assert len(runs.list(rebuild=True)) == 3

    def test_it_may_be_gone_at_any_time(self) -> None:
        make("a")
        runs.list()
        shutil.rmtree(ROOT)
        assert len(runs.list()) == 0
        make("b")
        assert len(runs.list()) == 1


class TestMany:
    def test_writers_and_readers_at_once_see_what_is_there_in_the_end(self) -> None:
        write = """
            for number in range(12):
                with Run(prefix=f"{sys.argv[0]}-{os.getpid()}-{number}", capture=False) as run:
                    run.params.set(number=number)
                    run.metrics("train").log(loss=number)
            """
        read = """
            from understudy import runs
            seen = 0
            for _ in range(25):
                found = runs.list()
                assert len(found) >= seen, (len(found), seen)
                seen = len(found)
                assert all(info.prefix and info.status in ("RUNNING", "COMPLETED", None) for info in found)
            """
        here = Path.cwd()
        processes = [begin(code, cwd=here) for code in (write, read, write, read)]
        for process in processes:
            finish(process)
        assert len(runs.list()) == 24
        assert listed(ROOT) == from_files(ROOT)

    def test_two_processes_that_rebuild_at_once_both_answer(self) -> None:
        for number in range(5):
            make(str(number))
        code = """
            from understudy import runs
            print("ready", flush=True)
            sys.stdin.readline()
            for _ in range(8):
                assert len(runs.list(rebuild=True)) == 5
            """
        processes = [begin(code, cwd=Path.cwd()) for _ in range(3)]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            finish(process)
        assert listed(ROOT) == from_files(ROOT)

    def test_threads_that_list_at_once(self) -> None:
        make("a")
        found: list[int] = []
        threads = [
            threading.Thread(target=lambda: found.append(len(runs.list()))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [1] * 8

    def test_only_some_of_very_many_are_compared_and_those_told_of_are_seen_at_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(looking, "SETTLED", -1.0)
        monkeypatch.setattr(looking, "AT_ONCE", 2)
        made = [make(str(number)) for number in range(9)]
        assert len(runs.list()) == 9
        with Run(prefix="4", capture=False) as run:
            run.update(tags=["told"])
        assert [info.prefix for info in runs.list(tags=["told"])] == ["4"]
        path = made[7].path / "run.json"  # by hand: nobody tells
        path.write_text(path.read_text().replace('"prefix": "7"', '"prefix": "by hand"'))
        for _ in range(1_000):
            if "by hand" in {info.prefix for info in runs.list()}:
                break
        assert listed(ROOT) == from_files(ROOT)


class TestChanges:
    def test_each_change_is_a_line(self) -> None:
        with Run(prefix="a/b", project="P", capture=False) as run:
            run.params.set(x=1)
            run.update(tags=["x"])
        lines = (ROOT / ".understudy/changes").read_text().splitlines()
        assert [line.partition("\t")[0] for line in lines] == ["P~1/a%2Fb"] * 4
        assert len({*lines}) == 4  # so that the first tells the file apart

    def test_a_large_file_is_put_aside_and_nothing_is_missed(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(changes, "LARGE", 30)
        monkeypatch.setattr(looking, "SETTLED", -1.0)
        monkeypatch.setattr(looking, "AT_ONCE", 0)
        for number in range(9):
            make(str(number))
            make("0", n=number)
            assert listed(ROOT) == from_files(ROOT)
        assert (ROOT / ".understudy/changes.1").exists()

    @pytest.mark.parametrize(
        "line", [b"../../etc/passwd", b"a", b"a/b/c", b"/", b"..", b"a/\xff", b".x/y", b"a/\0", b"x" * 9_999]
    )  # fmt: skip
    def test_what_others_wrote_into_it_harms_nobody(self, line: bytes) -> None:
        make("a")
        with (ROOT / ".understudy/changes").open("ab") as file:
            file.write(line + b"\n\n" + line)
        assert listed(ROOT) == from_files(ROOT)
        make("b")
        assert listed(ROOT) == from_files(ROOT)
