"""Whatever is appended in whatever order: every database holds what a dict of bytes would."""

import asyncio
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.server.databases import NOW, batch, content, counted, emptied
from tests.server.rooms import (
    CHUNK,
    DiffersError,
    GapError,
    PostgresStorage,
    SqliteStorage,
    Storage,
)

RUNS = st.sampled_from([("p", "r"), ("p", "s"), ("q", "r")])
PATHS = st.sampled_from(["m", "n"])
LINES = st.lists(st.integers(0, 9), min_size=0, max_size=30)


class Machine(RuleBasedStateMachine):
    """A storage, and a dict that says what must be in it."""

    make: ClassVar[Any]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.storage: Storage = type(self).make()
        self.kept: dict[tuple[str, str], dict[str, bytes]] = {}
        self.told: dict[tuple[str, str], int] = {}
        self.runner.run(self.storage.open())

    def teardown(self) -> None:
        self.runner.run(self.storage.close())
        self.runner.close()

    @rule(
        run=RUNS,
        sent=st.lists(st.tuples(PATHS, st.integers(-9, 4), LINES, st.booleans()), max_size=3),
    )
    def append(self, run: tuple[str, str], sent: list[tuple[str, int, list[int], bool]]) -> None:
        """Send some lines: from where they go on, from before that, from behind it, or others."""
        kept = dict(self.kept.get(run, {}))
        lines: list[tuple[str, int, bytes]] = []
        expected: type[Exception] | None = None
        gaps: dict[str, int] = {}
        for path, offset, numbers, is_changed in sent:
            old = kept.get(path, b"")
            start = max(len(old) + 2 * offset, 0)
            data = old[start:] + b"".join(b"%d\n" % number for number in numbers)
            if is_changed:
                data = data.replace(b"1", b"x")
            lines.append((path, start, data))
            known = old[start : start + len(data)]
            if start > len(old):
                gaps[path] = len(old)
            elif gaps:
                continue
            elif data[: len(known)] != known:
                expected = DiffersError
                break
            else:
                kept[path] = old + data[len(known) :]
        self.send(run, kept, lines, expected or (GapError if gaps else None), gaps)

    @rule(run=RUNS, size=st.integers(CHUNK - 20, CHUNK + 20))
    def append_much(self, run: tuple[str, str], size: int) -> None:
        """Send more lines than are packed together."""
        kept = dict(self.kept.get(run, {}))
        old = kept.get("m", b"")
        data = b"2\n" * (size // 2)
        kept["m"] = old + data
        self.send(run, kept, [("m", len(old), data)], None, {})

    @rule(run=RUNS)
    def remove(self, run: tuple[str, str]) -> None:
        """Remove a run."""
        was_there = self.kept.pop(run, None) is not None
        self.told.pop(run, None)
        assert self.runner.run(self.storage.remove(*run)) == was_there

    @rule(run=RUNS, path=PATHS, start=st.integers(0, 60), length=st.none() | st.integers(0, 60))
    def read(self, run: tuple[str, str], path: str, start: int, length: int | None) -> None:
        """Read lines from anywhere to anywhere."""
        stop = None if length is None else start + length

        async def read() -> bytes:
            lines = self.storage.lines(*run, path, start, stop)
            return b"".join([piece async for piece in lines])

        assert self.runner.run(read()) == self.kept.get(run, {}).get(path, b"")[start:stop]

    def send(
        self,
        run: tuple[str, str],
        kept: dict[str, bytes],
        lines: list[tuple[str, int, bytes]],
        expected: type[Exception] | None,
        gaps: dict[str, int],
    ) -> None:
        """Send lines, and compare what is there afterwards."""
        sending = self.storage.append(*run, batch(*lines), counted, NOW)
        if expected is None:
            told = self.runner.run(sending)
            assert told.lengths == {path: len(kept.get(path, b"")) for path, *_ in lines}
            self.kept[run] = {path: data for path, data in kept.items() if data}
        else:
            with pytest.raises(expected) as caught:
                self.runner.run(sending)
            if isinstance(caught.value, GapError):
                assert caught.value.lengths == gaps
        self.runner.run(self.compare(run))

    async def compare(self, run: tuple[str, str]) -> None:
        """Compare a run to what must be there."""
        project, name = run
        kept = self.kept.get(run)
        found = await self.storage.lengths(*run)
        if kept is None:
            assert found is None
            return
        assert found is not None
        assert found.lengths == {path: len(data) for path, data in kept.items()}
        for path, data in kept.items():
            assert await content(self.storage, name, path, project) == data
        row = await self.storage.row(*run)
        assert row is not None
        assert int(row.state or b"0") == sum(map(len, kept.values()))


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_a_storage_is_a_dict_of_bytes(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    made = 0

    def make() -> Storage:
        nonlocal made
        made += 1
        if database == "sqlite":
            return SqliteStorage(tmp_path / f"{made}.sqlite")
        return PostgresStorage(emptied(request.getfixturevalue("postgres_url")))

    of_this: Any = type("Machine", (Machine,), {"make": staticmethod(make)})
    run_state_machine_as_test(
        of_this,
        settings=settings(
            max_examples=10,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
    assert made >= 5
