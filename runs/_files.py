"""The files of a run: each a snapshot of what was there at the call, with its checksum.

A file is made in a hidden folder that is then renamed: it is there whole, or not at all. Each has a
folder of its own, `files/<prefix>/<id>/`, so that saving the thousandth costs what the first did.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from time import time
from typing import Any, Final, Literal, cast

import msgspec

from ._errors import RunError
from ._ids import new_id
from ._names import file_name, folder_name, make_folder
from ._problems import Problems
from ._state import read_state
from ._values import decode, encode, told

Kind = Literal["file", "bytes", "json", "pickle"]

_CHUNK: Final = 1 << 20
_LOOKS: Final = 3
"""How often a file is copied that changes meanwhile."""


class SavedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a run.

    Attributes:
        id: its own; a later file has a greater one.
        name: what it is called.
        prefix: the name of the group that it is in.
        kind: what it was made of: a `file`, `bytes`, or an object, as `json` or as `pickle`.
        size: how many bytes it has.
        sha256: their checksum.
        ts: when it was saved, in seconds since 1970.
        path: where it is.
        source: the path that it was copied from.
        attempt: which attempt saved it.

    Example:
        >>> from understudy.runs import Run
        >>> with Run(prefix="my-experiment") as run:
        ...     saved = run.files("models").save(b"weights", to="model.pth")
        >>> saved.name, saved.prefix, saved.size, saved.path.read_bytes()
        ('model.pth', 'models', 7, b'weights')
    """

    __module__ = "understudy.runs"

    id: str
    name: str
    prefix: str
    kind: Kind
    size: int
    sha256: str
    ts: float
    path: Path
    source: str | None = None
    attempt: int = 1


class SavedFiles:
    """The files of a run under one prefix, as they are on disk.

    Example:
        >>> from understudy.runs import Run, RunFolder
        >>> with Run(prefix="my-experiment") as run:
        ...     _ = run.files("models").save({"size": 3}, to="model.json")
        >>> RunFolder(run.path).files("models").load("model.json")
        {'size': 3}
    """

    __module__ = "understudy.runs"
    __slots__ = ("_folder", "prefix")

    def __init__(self, run: Path, prefix: str) -> None:
        self.prefix: str = prefix
        self._folder = run / "files" / folder_name(prefix)

    def list(self) -> list[SavedFile]:
        """Return the files, the earliest first.

        Example:
            >>> from understudy.runs import Run
            >>> with Run(prefix="my-experiment") as run:
            ...     _ = run.files("notes").save(b"one", to="a.txt")
            ...     [file.name for file in run.files("notes").list()]
            ['a.txt']
        """
        return [*self._found(False)]

    def get(self, name: str) -> SavedFile:
        """Return the file of a name, or an id; the latest, if there are several.

        Raises:
            RunError: there is none.
        """
        for file in self._found(True):
            if name in (file.name, file.id):
                return file
        names = ", ".join(sorted({repr(file.name) for file in self.list()})) or "nothing"
        raise RunError(f"there is no file {name!r} under {self.prefix!r}: it has {names}")

    def load(self, name: str) -> Any:
        """Return what was saved under a name, the latest: an object as it was, else the bytes.

        What was pickled is unpickled: do so only with runs of people you trust.

        Raises:
            RunError: there is no such file, or its bytes are not those that were saved.

        Example:
            >>> from understudy.runs import Run
            >>> with Run(prefix="my-experiment") as run:
            ...     _ = run.files("models").save({1, 2}, to="layers.pkl")
            ...     run.files("models").load("layers.pkl")
            {1, 2}
        """
        import pickle
        from hashlib import sha256

        file = self.get(name)
        data = file.path.read_bytes()
        if sha256(data).hexdigest() != file.sha256:
            raise RunError(f"{file.path} is not what was saved: its checksum is another")
        if file.kind == "json":
            return decode(data)
        return pickle.loads(data) if file.kind == "pickle" else data

    def __repr__(self) -> str:
        return f"<the files {self.prefix!r} in {self._folder}>"

    def _found(self, is_latest_first: bool) -> Iterator[SavedFile]:
        try:
            ids = sorted(os.listdir(self._folder), reverse=is_latest_first)
        except OSError:
            return
        for each in ids:
            if not each.startswith("."):
                said = read_state(self._folder / each / "file.json")
                with suppress(msgspec.ValidationError, TypeError):
                    said["path"] = self._folder / each / file_name(str(said.get("name")))
                    yield msgspec.convert(said, SavedFile, dec_hook=_keep)


class Files(SavedFiles):
    """The files of a run that is recorded, under one prefix.

    Example:
        >>> from understudy.runs import Run
        >>> with Run(prefix="my-experiment") as run:
        ...     models = run.files("models")
        ...     _ = models.save(b"weights", to="model.pth")
        ...     models.load("model.pth")
        b'weights'
    """

    __module__ = "understudy.runs"
    __slots__ = ("_attempt", "_is_synced", "_problems")

    def __init__(
        self, run: Path, prefix: str, attempt: int, problems: Problems, is_synced: bool
    ) -> None:
        super().__init__(run, prefix)
        self._attempt = attempt
        self._problems = problems
        self._is_synced = is_synced

    def save(self, what: object, to: str | None = None) -> SavedFile | None:
        """Save a file, bytes or an object, as it is at this moment; the source is only read.

        Args:
            what: the path of a file, bytes, or any other object: one that is saved to a name that
                ends in `.json` is written as JSON, else it is pickled.
            to: the name; else that of the file, `data.bin`, or `object.pkl`.

        Returns:
            what was saved; None if it could not be.

        Example:
            >>> from pathlib import Path
            >>> from understudy.runs import Run
            >>> _ = Path("model.pth").write_bytes(b"weights")
            >>> with Run(prefix="my-experiment") as run:
            ...     saved = run.files("models").save("model.pth")
            >>> saved.name, saved.sha256[:8]
            ('model.pth', '9a129038')
        """
        made: Path | None = None
        try:
            made = self._begin()
            saved = self._fill(made, what, to)
            return self._finish(made, saved)
        except RunError:
            raise
        except Exception as error:
            self._problems.tell("file", f"not saved to {self.prefix!r}: {to or told(what)}", error)
            return None
        finally:
            if made is not None and made.exists():
                import shutil

                shutil.rmtree(made, ignore_errors=True)

    def _begin(self) -> Path:
        """Make the hidden folder."""
        make_folder(self._folder, self.prefix)
        made = self._folder / f".{new_id()}"
        made.mkdir()
        return made

    def _fill(self, made: Path, what: Any, to: str | None) -> dict[str, Any]:
        """Write the file, and return what file.json says of it."""
        source: str | None = None
        if isinstance(what, (str, os.PathLike)):
            path = Path(cast("str | os.PathLike[str]", what))
            name, kind, source = to or path.name, "file", str(path.absolute())
            size, sha256 = self._copy(path, made / file_name(name))
        else:
            kind, data = self._bytes_of(what, to)
            name = to or ("data.bin" if kind == "bytes" else "object.pkl")
            size, sha256 = self._write([data], made / file_name(name))
        said = {"name": name, "prefix": self.prefix, "kind": kind, "size": size, "sha256": sha256}
        return {**said, "ts": time(), "source": source, "attempt": self._attempt}

    def _bytes_of(self, what: Any, to: str | None) -> tuple[Kind, bytes]:
        if isinstance(what, (bytes, bytearray, memoryview)):
            return "bytes", bytes(cast("bytes", what))
        if to is not None and to.lower().endswith(".json"):
            return "json", encode(what, self._report)
        import pickle

        return "pickle", pickle.dumps(what)

    def _copy(self, source: Path, target: Path) -> tuple[int, str]:
        """Copy a file, and return its size and checksum: one pass, whatever its size."""
        looks = 0
        while True:
            with source.open("rb", buffering=0) as file:
                before = os.fstat(file.fileno())
                written = self._write(_chunks_of(file), target)
                after = os.fstat(file.fileno())
            if (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size):
                return written
            looks += 1
            if looks == _LOOKS:
                self._problems.tell("file", f"{source} changed while it was saved")
                return written

    def _write(self, chunks: Iterable[bytes], target: Path) -> tuple[int, str]:
        from hashlib import sha256

        checksum = sha256()
        size = 0
        with target.open("wb", buffering=0) as file:
            for chunk in chunks:
                checksum.update(chunk)
                size += len(chunk)
                left = memoryview(chunk)
                while left:
                    left = left[file.write(left) :]
            if self._is_synced:
                os.fsync(file.fileno())
        return size, checksum.hexdigest()

    def _finish(self, made: Path, said: dict[str, Any]) -> SavedFile:
        """Give the hidden folder its name, which nobody else has."""
        while True:
            said["id"] = new_id()
            (made / "file.json").write_bytes(encode(said, self._report) + b"\n")
            target = self._folder / said["id"]
            try:
                made.rename(target)
            except OSError:
                if not target.exists():
                    raise
            else:
                return msgspec.convert(
                    {**said, "path": target / file_name(said["name"])}, SavedFile, dec_hook=_keep
                )

    def _report(self, text: str) -> None:
        self._problems.tell("value", f"files {self.prefix!r}: {text}")


def _chunks_of(file: FileIO) -> Iterator[bytes]:
    while data := file.read(_CHUNK):
        yield data


def _keep(_: type, value: Any) -> Any:
    return value
