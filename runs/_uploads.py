"""Sending the files of a run, part by part: however big they are, one part is in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, cast

from ._contents import file_mark_of
from ._names import file_name
from ._state import read_state
from ._wire import SECONDS, Refused, Unreachable, Wire

PART: Final = 4 << 20
"""How many bytes a part has; a server takes 8 MiB."""

_LEAST: Final = 1 << 16
_TRIES: Final = 3
"""How often a file is sent from its beginning."""
_PER_SECOND: Final = 5 << 20
"""So many bytes a second a server puts together at least, and checks."""


class Uploads:
    """The files of a run, on their way to a server.

    A file is looked at where it lies in the run's folder, which nobody changes. The server says
    which parts it has, so that a file goes on where it was broken off.

    Args:
        base: where the run is at the server.
        wire: the connection.
        set_aside: told what cannot be sent, and why.
    """

    def __init__(self, base: str, wire: Wire, set_aside: Callable[[str, str], None]) -> None:
        self._base = base
        self._wire = wire
        self._set_aside = set_aside
        self._part = PART
        self._current: _Upload | None = None
        self._waiting: list[tuple[str, str]] = []
        self._aside: set[str] = set()
        self.known: set[str] = set()
        self.sent = 0
        self.bytes = 0

    def know(self, ids: object) -> None:
        """Take what the server says that it has."""
        if not isinstance(ids, list):
            raise Unreachable("the server answers, and not as a server of runs does")
        self.known = {str(each) for each in cast("list[Any]", ids)}
        self._current = None
        self._waiting = []

    def step(self, files: Iterable[tuple[str, str]]) -> bool:
        """Send the next part of a file, or say that it is whole; False if all are there.

        Args:
            files: the ids of all files, and the folder of each.

        Raises:
            Unreachable: it may be tried again.
            Refused: that would be of no use.
        """
        current = self._current or self._next(files)
        if current is None:
            return False
        try:
            if self._current is None:
                current.find_parts(self._wire)
                self._current = current
            if current.missing:
                self.bytes += current.send_part(self._wire)
            else:
                current.commit(self._wire)
                self._done(current)
                self.sent += 1
        except Refused as refused:
            self._heed(refused, current)
        except OSError as error:
            self._leave(current, f"it cannot be read: {error}")
        return True

    def _next(self, files: Iterable[tuple[str, str]]) -> _Upload | None:
        if not self._waiting:
            done = self.known | self._aside if self._aside else self.known
            self._waiting = [each for each in files if each[0] not in done]
            self._waiting.reverse()
        while self._waiting:
            name, folder = self._waiting.pop()
            about = read_state(Path(folder, "file.json"))
            path = Path(folder) / file_name(str(about.get("name")))
            mark = file_mark_of(path)
            if mark is None or mark.size != about.get("size"):
                self._aside.add(name)
                self._set_aside(
                    str(path), "it is not what was saved: it is gone, or longer or shorter"
                )
                continue
            return _Upload(f"{self._base}/files/{name}", name, path, about, self._part)
        return None

    def _heed(self, refused: Refused, current: _Upload) -> None:
        if refused.status in (401, 403):
            raise refused
        if refused.status == 404:  # it has lost the whole run, or somebody has removed it
            raise Unreachable(str(refused))
        if refused.status == 413 and self._part > _LEAST:
            self._part //= 4  # a proxy on the way may take less than a server does
            self._current = current.cut_anew(self._part)
        elif current.tries < _TRIES and refused.error != "differs":
            # parts may be lost, or cut elsewhere by who sent them before
            self._current = current.cut_anew(self._part)
        else:
            self._leave(current, str(refused))

    def _leave(self, current: _Upload, why: str) -> None:
        self._aside.add(current.id)
        self._current = None
        self._set_aside(str(current.path), why)

    def _done(self, current: _Upload) -> None:
        self.known.add(current.id)
        self._current = None


class _Upload:
    """One file on its way."""

    def __init__(self, base: str, name: str, path: Path, about: dict[str, Any], part: int) -> None:
        self.base = base
        self.id = name
        self.path = path
        self.about = about
        self._size = int(about["size"])
        self._part = part
        self._count = max(1, -(-self._size // part))
        self.missing = [*range(self._count)]
        self.tries = 1

    def find_parts(self, wire: Wire) -> None:
        """Ask which parts are there already, if there are several."""
        if self._count == 1:
            return
        try:
            told = wire.ask("GET", f"{self.base}/parts").get("parts")
        except Refused as refused:
            if refused.status != 404:
                raise
            return
        there = set(cast("list[Any]", told)) if isinstance(told, list) else set[Any]()
        self.missing = [n for n in self.missing if n not in there]

    def cut_anew(self, part: int) -> _Upload:
        """Return the same file with none of its parts sent, cut into others."""
        anew = _Upload(self.base, self.id, self.path, self.about, part)
        anew.tries = self.tries + 1
        return anew

    def send_part(self, wire: Wire) -> int:
        """Send a part, and return how long it was."""
        number = self.missing[-1]
        with self.path.open("rb", buffering=0) as file:
            file.seek(number * self._part)
            data = file.read(self._part)
        headers = {
            "Content-Type": "application/octet-stream",
            "X-Part-SHA256": sha256(data).hexdigest(),
        }
        wire.ask("PUT", f"{self.base}/parts/{number}", data, headers, SECONDS * 10)
        self.missing.pop()
        return len(data)

    def commit(self, wire: Wire) -> None:
        """Say that it is whole: the server checks that."""
        import msgspec

        said = {name: self.about.get(name) for name in ("prefix", "name", "size", "sha256")}
        body = msgspec.json.encode({**said, "parts": self._count, "about": self.about})
        headers = {"Content-Type": "application/json"}
        wire.ask("POST", self.base, body, headers, SECONDS + self._size / _PER_SECOND)
