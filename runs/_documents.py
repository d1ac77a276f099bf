"""Which of the small files of a run are at a server, and in which version."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, NamedTuple

from ._batches import Batch, Document
from ._contents import Mark, read_version

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class _Sent(NamedTuple):
    mark: Mark
    version: int
    checksum: int
    is_settled: bool


class Documents:
    """The small files of a run, which are replaced whole.

    The time of a file is its version. The clock may be set back, and is coarse: a version is always
    greater than what the server has, and a file that has just changed is looked at again.

    Args:
        run: the folder of the run.
    """

    def __init__(self, run: Path) -> None:
        self._run = run
        self._versions: dict[str, int] = {}
        self._sent: dict[str, _Sent] = {}
        self._pending: dict[str, _Sent] = {}
        """What becomes of `_sent` when a batch is taken."""

    @property
    def versions(self) -> dict[str, int]:
        """What was sent of each, and is at the server."""
        return {path: sent.version for path, sent in self._sent.items()}

    def know(self, versions: dict[str, int]) -> bool:
        """Take what the server says that it has; False if it lacks what it had."""
        kept = {
            path: sent
            for path, sent in self._sent.items()
            if versions.get(path, -1) >= sent.version
        }
        has_all = len(kept) == len(self._sent)
        self._versions, self._sent = versions, kept
        return has_all

    def is_known(self, path: str) -> bool:
        """Tell whether the server has any version of one."""
        return path in self._versions

    def changed(self, found: Iterable[tuple[str, Mark]]) -> list[str]:
        """Return those of which the server may not have what is there now."""
        self._pending.clear()
        paths: list[str] = []
        for path, mark in found:
            sent = self._sent.get(path)
            if sent is None and self._versions.get(path) == mark.mtime_ns:
                continue  # sent by another, before us
            if sent is None or sent.mark != mark or not sent.is_settled:
                paths.append(path)
        return paths

    def add(self, batch: Batch, path: str) -> int:
        """Add one to a batch, if it has changed, and return how many bytes it has."""
        read = read_version(self._run / path)
        if read is None:
            return 0
        data, mark = read
        checksum = zlib.crc32(data)
        sent = self._sent.get(path)
        if sent is not None and sent.checksum == checksum and sent.mark.size == mark.size:
            self._sent[path] = sent._replace(mark=mark, is_settled=mark.is_settled)
            return 0
        version = max(mark.mtime_ns, self._versions.get(path, -1) + 1)
        batch.documents.append(Document(path, data, version))
        self._pending[path] = _Sent(mark, version, checksum, mark.is_settled)
        return len(data)

    def taken(self, batch: Batch) -> None:
        """Take note that a batch is at the server."""
        for document in batch.documents:
            self._versions[document.path] = document.version
            self._sent[document.path] = self._pending[document.path]
