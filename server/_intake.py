"""A batch, looked through before anything of it is kept: one thing wrong, and none of it is."""

from typing import Any, Final, cast

import msgspec

from understudy.runs.replica import decode

from ._answers import Refused
from ._depth import is_deeper
from ._limits import Limits
from ._paths import is_document, is_lines, name_at
from ._rows import Batch, Document, Lines

_OTHERS: Final = 100
"""How many files of lines a run has at most that are no metrics; a few, in fact."""
_GREATEST: Final = (1 << 63) - 1


def check_batch(batch: Batch, limits: Limits) -> None:
    """Look a batch through.

    Raises:
        Refused: something in it cannot be kept.
    """
    if batch.prefix:
        name_at("prefix", batch.prefix)
    else:
        raise Refused(422, "prefix", "a batch names its run's prefix, which is not empty")
    if len(batch.lines) > limits.metrics + _OTHERS:
        raise Refused(413, "too_big", f"a run has {limits.metrics:,} metrics at most")
    for document in batch.documents:
        _check_document(document, limits)
    for lines in batch.lines:
        _check_lines(lines, limits)


def object_of(document: Document, limits: Limits) -> dict[str, Any]:
    """Return what a document of JSON says.

    Raises:
        Refused: it is none, or is nested too deep.
    """
    if is_deeper(document.data, limits.depth):
        raise _too_deep(document.path, limits)
    try:
        value = decode(document.data)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Refused(
            422, "document", f"{document.path}: that is no JSON object", path=document.path
        )
    return cast("dict[str, Any]", value)


def _check_document(document: Document, limits: Limits) -> None:
    path = document.path
    if not is_document(path):
        raise _unknown(path, "document")
    if not 0 <= document.version <= _GREATEST:
        raise Refused(422, "version", f"{path}: a version is 0 or more, below 2**63", path=path)
    if path.endswith(".json"):
        if len(document.data) > limits.document:
            raise Refused(
                413,
                "too_big",
                f"{path}: JSON that is no line has {limits.document:,} bytes at most",
                path=path,
            )
        object_of(document, limits)


def _check_lines(lines: Lines, limits: Limits) -> None:
    path, data = lines.path, lines.data
    if not is_lines(path):
        raise _unknown(path, "file of lines")
    if not 0 <= lines.start <= _GREATEST - len(data):
        raise Refused(422, "start", f"{path}: a start is 0 or more, below 2**63", path=path)
    if not data.endswith(b"\n"):
        raise Refused(
            422, "not_whole", f"{path}: lines are sent whole, each with its end", path=path
        )
    for line in data.split(b"\n"):
        if len(line) >= limits.line:
            raise Refused(
                413, "too_big", f"{path}: a line has {limits.line:,} bytes at most", path=path
            )
        if is_deeper(line, limits.depth):
            raise _too_deep(path, limits)


def _too_deep(path: str, limits: Limits) -> Refused:
    return Refused(
        422, "too_deep", f"{path}: JSON is nested {limits.depth} deep at most here", path=path
    )


def _unknown(path: str, kind: str) -> Refused:
    return Refused(
        422,
        "path",
        f"{path!r:.200} is no {kind} of a run: see docs/runs.md, On disk",
        path=path[:200],
    )
