"""Contents of files, on the disk: each in a file of its own, whole at once."""

import os
import shutil
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Collection
from contextlib import suppress
from functools import partial
from io import FileIO
from pathlib import Path
from secrets import token_hex
from typing import TypeVar

from anyio import to_thread

from ._blobs import Blob, check_range
from ._errors import AwayError, MissingError
from ._keys import check_key

T = TypeVar("T")

_PIECE = 1024 * 1024
_NEW = ".new"  # where what is not whole yet is written; no key starts with a dot
_OLD = 24 * 3600.0  # seconds after which nobody writes on it


class DiskBlobs:
    """Keeps contents in a folder; its methods are told by `Blobs`.

    Args:
        folder: where; it is made.
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder).absolute()

    async def open(self) -> None:
        """Make the folder, and clear away what writers left that were killed."""
        await self._done(self._open)

    async def close(self) -> None:
        """Do nothing: no file stays open."""

    async def put(self, key: str, parts: AsyncIterable[bytes]) -> None:
        """Keep a content, whole at once."""
        check_key(key)
        made = self._folder / _NEW / token_hex(16)
        file = await self._done(lambda: FileIO(made, "xb"))
        try:
            async for part in parts:
                await self._done(partial(_write, file, part))
            await self._done(partial(self._finish, file, made, key))
        except BaseException:
            file.close()
            with suppress(OSError):
                made.unlink()
            raise

    async def get(self, key: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """Yield a content, or some of it, in pieces."""
        check_key(key)
        check_range(start, stop)
        with await self._done(partial(self._opened, key)) as file:
            await self._done(partial(file.seek, start))
            place = start
            while stop is None or place < stop:
                size = _PIECE if stop is None else min(_PIECE, stop - place)
                piece = await self._done(partial(file.read, size))
                if not piece:
                    return
                place += len(piece)
                yield piece

    async def list(self, prefix: str) -> list[Blob]:
        """Return what is kept under keys that start so."""
        check_key(prefix)
        found = await self._done(partial(self._found, prefix))
        return sorted(found, key=lambda blob: blob.key)

    async def remove(self, prefix: str) -> None:
        """Remove a content, or all those whose keys start so."""
        check_key(prefix)
        await self._done(partial(self._remove, prefix))

    async def _done(self, work: Callable[[], T]) -> T:
        try:
            return await to_thread.run_sync(work)
        except OSError as error:
            raise AwayError(f"{self._folder} cannot be used now: {error}") from error

    def _open(self) -> None:
        new = self._folder / _NEW
        new.mkdir(parents=True, exist_ok=True)
        for left in new.iterdir():
            with suppress(OSError):
                if time.time() - left.lstat().st_mtime > _OLD:
                    shutil.rmtree(left) if left.is_dir() else left.unlink()

    def _finish(self, file: FileIO, made: Path, key: str) -> None:
        os.fsync(file.fileno())
        file.close()
        target = self._folder / key
        while True:
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.replace(made, target)
            except FileNotFoundError:
                if not made.exists():
                    raise
            else:
                break  # otherwise the folder was removed in between
        for folder in target.relative_to(self._folder).parents:
            with suppress(FileNotFoundError):  # removed again
                _sync(self._folder / folder)

    def _opened(self, key: str) -> FileIO:
        try:
            found = os.open(self._folder / key, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            raise MissingError(f"there is no content {key}") from None
        return FileIO(found, "rb")

    def _found(self, prefix: str) -> Collection[Blob]:
        found: list[Blob] = []
        for folder, _, names in os.walk(self._folder / prefix):
            for name in names:
                path = Path(folder, name)
                with suppress(FileNotFoundError):  # removed meanwhile
                    key = path.relative_to(self._folder).as_posix()
                    found.append(Blob(key, path.lstat().st_size))
        return found

    def _remove(self, prefix: str) -> None:
        path = self._folder / prefix
        if not prefix.endswith("/"):
            path.unlink(missing_ok=True)
            return
        aside = self._folder / _NEW / token_hex(16)
        with suppress(FileNotFoundError):
            os.replace(path, aside)  # all of it is gone at once
            shutil.rmtree(aside)


def _write(file: FileIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
