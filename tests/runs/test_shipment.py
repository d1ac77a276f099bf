"""Whatever happens, in whatever order: in the end the server has each line once."""

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.runs import Run
from understudy.runs._shipment import Shipment  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]
from understudy.runs._uploads import Uploads  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]
from understudy.runs._wire import Refused, Unreachable, Wire  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

from .servers import Kept, Refusal, Store, compare

TROUBLES = st.sampled_from([None, None, None, "before", "after"])


class Line:
    """Asks a server without a network: a request may not arrive, or its answer may not."""

    def __init__(self, server: Store, chance: st.DataObject) -> None:
        self.server = server
        self.chance = chance
        self.is_reliable = False

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 0,
    ) -> dict[str, Any]:
        trouble = None if self.is_reliable else self.chance.draw(TROUBLES)
        if trouble == "before":
            raise Unreachable("it did not arrive")
        data, said = body or b"", dict(headers or {})
        try:
            told = self.server.take(method, path, said, data, "well")
        except Refusal as refusal:
            raise Refused(refusal.status, refusal.told) from None
        if trouble == "after":
            raise Unreachable("its answer did not arrive")
        return told


class Program:
    """A run that is recorded, and senders that come and go."""

    def __init__(self, root: Path, chance: st.DataObject) -> None:
        self.server = Store()
        self.line = Line(self.server, chance)
        self.run = Run(prefix="r", root=root, capture=False).start()
        self.chance = chance
        self.step = 0
        self.backup: Any = {}
        self.shipments = [self._shipment(), self._shipment()]

    def _shipment(self) -> Shipment:
        wire = cast("Wire", self.line)
        made = Shipment(self.run.path, wire, "server", lambda why: None)
        made._uploads = Uploads(made._base, wire, made._set_aside)
        made._uploads._part = 1_000
        made._most = 200
        return made

    def log(self) -> None:
        self.step += 1
        self.run.metrics(self.chance.draw(st.sampled_from("ab"))).log(step=self.step)

    def say(self) -> None:
        self.run.log("x" * self.chance.draw(st.integers(0, 500)))

    def set(self) -> None:
        self.run.params.set(step=self.step)

    def save(self) -> None:
        self.run.files("f").save(os.urandom(self.chance.draw(st.integers(0, 3_000))), to="x")

    def tear(self) -> None:
        self.run.log("x")
        with (self.run.path / "logs/logs.jsonl").open("ab") as file:
            file.write(b'{"torn')
        self.run.log.close()  # who opens it sees that the line before is torn

    def send(self) -> None:
        shipment = self.shipments[self.chance.draw(st.integers(0, 1))]
        try:
            shipment.step(is_last=False)
        except Unreachable:
            shipment.doubt()

    def send_without_doubt(self) -> None:
        """Go on as if nothing had happened: an answer that is lost is no reason to ask."""
        with contextlib.suppress(Unreachable):
            self.shipments[0].step(is_last=False)

    def crash(self) -> None:
        self.shipments[self.chance.draw(st.integers(0, 1))] = self._shipment()

    def keep_backup(self) -> None:
        self.backup = self.server.backup()

    def restore_backup(self) -> None:
        self.server.restore(self.backup)

    def finish(self) -> Kept:
        """End the run, and send what is left."""
        self.run.complete()
        self.line.is_reliable = True
        for shipment in self.shipments:
            shipment.doubt()
            assert shipment.send_all(lambda: True)
            assert shipment.is_complete
        return self.server.kept


DEEDS = [
    *("log", "log", "say", "set", "save", "tear"),
    *("send", "send", "send", "send_without_doubt", "crash", "keep_backup", "restore_backup"),
]


@settings(max_examples=40, deadline=None)
@given(deeds=st.lists(st.sampled_from(DEEDS), max_size=40), chance=st.data())
def test_in_the_end_the_server_has_what_is_here_and_all_of_it_once(
    deeds: list[str], chance: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as root:
        program = Program(Path(root), chance)
        try:
            for deed in deeds:
                getattr(program, deed)()
        finally:
            kept = program.finish()
        compare(program.run.path, kept)
        assert kept.is_ended


def test_an_older_copy_that_grows_past_what_is_there_is_compared_again(tmp_path: Path) -> None:
    line = Line(Store(), cast("Any", None))
    line.is_reliable = True
    with Run(prefix="r", root=tmp_path, capture=False) as run:
        run.metrics("m").log(step=0)
    points = [b'{"step":%d,"ts":1}\n' % step for step in range(10)]
    file = run.path / "metrics/m/data.jsonl"

    def shipment() -> Shipment:
        return Shipment(run.path, cast("Wire", line), "server", lambda why: None)

    file.write_bytes(b"".join(points[:5]))
    assert shipment().send_all(lambda: True)
    file.write_bytes(b"".join(points[:3]))
    copy = shipment()
    assert copy.send_all(lambda: True)  # it has the beginning of what is there
    file.write_bytes(b"".join(points[:3] + points[6:]))
    with pytest.raises(Refused, match="differs"):
        copy.send_all(lambda: True)
    assert line.server.kept.lines["metrics/m/data.jsonl"] == b"".join(points[:5])
