"""What of a run is at a server and what is not, and the next thing that is sent.

The server is what counts: it says how many bytes it has of each file of lines, and sending begins
there. Whatever is sent is sent again without harm, by anybody: lines by the byte at which they
start, documents by a version that grows, files by their ids.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec

from ._attempts import read_attempts, status_of
from ._batches import Batch, Document, Lines, numbers, packed
from ._contents import Contents, lines_before, whole_lines
from ._documents import Documents
from ._manifest import FILE as MANIFEST
from ._state import read_state, replace
from ._uploads import Uploads
from ._wire import Refused, Unreachable, Wire

if TYPE_CHECKING:
    from pathlib import Path

FILE: Final = "sync.json"
"""Keeps, beside the run, what a server has acknowledged."""
MOST: Final = 1 << 20
"""How many bytes a batch has, more or less, before it is compressed."""

_LONGEST: Final = 48 << 20
_KEEP: Final = 5.0
"""How many seconds lie between two looks at `sync.json` of whoever cares."""
_MOST_GAPS: Final = 3
_LOOKS: Final = 3
"""How often a server may lack what it said that it had, or more may have come at the end."""


class Shipment:
    """What of a run is at a server, and what is not.

    Args:
        run: the folder of the run.
        wire: the connection.
        address: of the server.
        tell: told what cannot be sent, and why.
    """

    def __init__(self, run: Path, wire: Wire, address: str, tell: Callable[[str], None]) -> None:
        self._run = run
        self._wire = wire
        self._address = address
        self._tell = tell
        said = read_state(run / MANIFEST)
        self.prefix = str(said.get("prefix") or run.name)
        self.id = str(said.get("id") or "")
        project = str(said.get("project") or run.parent.name)
        self._base = f"/api/v1/projects/{_quoted(project)}/runs/{_quoted(self.id)}"
        self._contents = Contents(run)
        self._is_asked = False
        self._lengths: dict[str, int] = {}
        self._documents = Documents(run)
        self._torn: dict[str, tuple[int, int]] = {}
        self._same: dict[str, int] = {}
        """Up to which byte files of lines are known to be the same as at the server."""
        self._compared: dict[str, int] = {}
        """What becomes of that when a batch is taken."""
        self._aside: set[str] = set()
        self._last = ""
        self._gaps = 0
        self._losses = 0
        self._has_sent = False
        self._most = MOST
        kept = read_state(run / FILE)
        self._is_ended = kept.get("is_ended") is True and kept.get("remote") == address
        self._kept_at = 0.0
        self._uploads = Uploads(self._base, wire, self._set_aside)
        self._bytes = 0
        self.spoke_at = monotonic()

    @property
    def is_complete(self) -> bool:
        """Whether nothing had to be set aside."""
        return not self._aside

    @property
    def files(self) -> int:
        """How many files were sent."""
        return self._uploads.sent

    @property
    def size(self) -> int:
        """How many bytes were sent, before they were compressed."""
        return self._bytes + self._uploads.bytes

    def doubt(self) -> None:
        """Have the server be asked again what it has, before anything else is sent."""
        self._is_asked = False

    def step(self, is_last: bool) -> bool:
        """Send the next thing; False if there is nothing that is not at the server.

        Args:
            is_last: whether to say that the run has ended, once all is there and it has.

        Raises:
            Unreachable: it may be tried again.
            Refused: that would be of no use.
        """
        if not self._is_asked:
            self._ask()
        batch = self._next_batch()
        if batch is not None:
            self._send(batch)
            return True
        if self._uploads.step(self._contents.files()):
            self._has_sent = True
            self.spoke_at = monotonic()
            return True
        if is_last and not self._is_ended and self._has_ended():
            self._send(Batch(self.prefix, [], [], is_ended=True))
            return True
        return False

    def send_all(self, goes_on: Callable[[], bool]) -> bool:
        """Send all that is left, and have the server say that it has it; False if told to stop.

        Args:
            goes_on: asked after each step.

        Raises:
            Unreachable: it may be tried again.
            Refused: that would be of no use.
        """
        for _ in range(_LOOKS):
            while self.step(is_last=True):
                if not goes_on():
                    return False
            if not self._has_sent:
                break
            self.doubt()
        return True  # if more came all the time, the run goes on, and so may others

    def beat(self) -> None:
        """Give a sign of life."""
        self._send(Batch(self.prefix, [], []))

    def keep(self) -> None:
        """Keep beside the run what the server has acknowledged, for who wants to know."""
        said = {
            "v": 1,
            "remote": self._address,
            "is_ended": self._is_ended,
            "lengths": self._lengths,
            "documents": self._documents.versions,
            "files": sorted(self._uploads.known),
            "set_aside": sorted(self._aside),
        }
        self._kept_at = monotonic()
        data = msgspec.json.format(msgspec.json.encode(said), indent=2) + b"\n"
        with suppress(OSError):  # nothing is asked of it: the server knows
            replace(self._run / FILE, data, is_synced=False)

    def _ask(self) -> None:
        """Ask the server what it has."""
        told: dict[str, Any]
        try:
            told = self._wire.ask("GET", f"{self._base}/lengths")
        except Refused as refused:
            if refused.status != 404:
                raise
            told = {"lengths": {}, "documents": {}, "files": []}
        lengths = numbers(told.get("lengths"))
        has_all = self._documents.know(numbers(told.get("documents")))
        has_all &= all(lengths.get(path, 0) >= length for path, length in self._lengths.items())
        self._losses = 0 if has_all else self._losses + 1
        self._lengths = lengths
        self._uploads.know(told.get("files"))
        self._torn.clear()
        self._has_sent = False
        if self._losses > _LOOKS:
            raise Unreachable(f"{self._address} does not keep what it takes")
        self._is_asked = True

    def _next_batch(self) -> Batch | None:
        """Return what is next; None if documents and lines are all there.

        What the server does not know at all is first, then lines, then what has changed of the
        documents: so a run does not look as if it had ended before its last points are there.
        """
        changed = self._documents.changed(
            each for each in self._contents.documents() if each[0] not in self._aside
        )
        batch = Batch(self.prefix, [], [])
        size = 0
        for path in changed:
            if not self._documents.is_known(path) and size < self._most:
                size += self._documents.add(batch, path)
        size += self._add_lines(batch, self._most - size)
        for path in changed:
            if self._documents.is_known(path) and size < self._most:
                size += self._documents.add(batch, path)
        return batch if batch.documents or batch.lines else None

    def _add_lines(self, batch: Batch, most: int) -> int:
        """Add lines; who was last in one batch is last in the next, so that all get their turn."""
        size = 0
        self._compared.clear()
        found = sorted(self._contents.lines(), key=lambda each: (each[0] <= self._last, each[0]))
        for path, mark in found:
            start = self._lengths.get(path, 0)
            if mark.size == start or path in self._aside:
                continue
            if self._torn.get(path) == (start, mark.size):
                continue  # half a line, as it was before
            if size >= most:
                break
            both = min(start, mark.size)
            if self._same.get(path, 0) < both and (compared := self._last_lines(path, both)):
                batch.lines.append(compared)
                self._compared[path] = both
                size += len(compared.data)
                continue
            if mark.size < start:
                continue  # another sender saw more of it, or this is an older copy
            data = self._read(path, start, most - size)
            if data:
                batch.lines.append(Lines(path, start, data))
                size += len(data)
            elif data is not None:
                self._torn[path] = (start, mark.size)
        return size

    def _last_lines(self, path: str, length: int) -> Lines | None:
        """Return the last lines that the server should have: it looks whether they are the same.

        They are not if a copy of the run went on elsewhere, or if a loss of power took lines that
        were sent: then no later ones may be put behind them.
        """
        try:
            start, data = lines_before(self._run / path, length)
        except OSError:
            return None
        return Lines(path, start, data) if data else None

    def _read(self, path: str, start: int, most: int) -> bytes | None:
        try:
            data = whole_lines(self._run / path, start, most, _LONGEST)
        except OSError:
            return None
        if data is None:
            self._set_aside(
                path, f"at byte {start:,}, up to which the server has it, no line begins that fits"
            )
        return data

    def _send(self, batch: Batch) -> None:
        data, headers = packed(batch)
        try:
            told = self._wire.ask("POST", f"{self._base}/batch", data, headers)
            lengths = numbers(told.get("lengths"))
        except Refused as refused:
            self._heed(refused, batch)
            return
        self.spoke_at = monotonic()
        self._has_sent = True
        self._gaps = 0
        self._is_ended = batch.is_ended
        self._documents.taken(batch)
        self._bytes += sum(len(each.data) for each in _things(batch))
        for lines in batch.lines:
            end = lines.start + len(lines.data)
            self._lengths[lines.path] = max(end, self._lengths.get(lines.path, 0))
            known = max(end, self._compared.get(lines.path, 0))
            self._same[lines.path] = max(known, self._same.get(lines.path, 0))
            self._last = lines.path
        if any(lengths.get(path, length) < length for path, length in self._lengths.items()):
            raise Unreachable(f"{self._address} has lost what it had; it is sent again")
        self._lengths.update(lengths)
        if monotonic() - self._kept_at > _KEEP:
            self.keep()

    def _heed(self, refused: Refused, batch: Batch) -> None:
        """Go on as a refusal says; it is raised if there is no going on.

        Raises:
            Unreachable: it says that something is missing, whatever is sent.
            Refused: it is for good.
        """
        if refused.error == "gap":
            self._is_asked = False
            self._gaps += 1
            if self._gaps > _MOST_GAPS:
                raise Unreachable(f"{self._address} misses lines wherever they start")
            return
        if refused.error == "differs" or refused.status in (401, 403, 404):
            raise refused
        things = _things(batch)
        named = next((each for each in things if each.path == refused.told.get("path")), None)
        if not things or (named is None and refused.status != 413):
            raise refused
        if len(things) == 1:
            named = things[0]
            is_alone = isinstance(named, Document) or named.data.count(b"\n") == 1
        else:
            is_alone = isinstance(named, Document)
        if named is not None and is_alone:
            self._set_aside(named.path, str(refused))
            self._most = MOST
        else:
            self._most = max(1, self._most // 8)  # less at once, until it is seen which line it is

    def _has_ended(self) -> bool:
        return status_of(read_attempts(self._run)) in ("COMPLETED", "FAILED", "CANCELLED")

    def _set_aside(self, what: str, why: str) -> None:
        """Leave something here for good, so that the rest can go on."""
        self._aside.add(what)
        self._tell(f"{what} is not sent to {self._address}: {why}")


def _things(batch: Batch) -> list[Document | Lines]:
    return [*batch.documents, *batch.lines]


def _quoted(name: str) -> str:
    return quote(name, safe="", errors="surrogatepass")
