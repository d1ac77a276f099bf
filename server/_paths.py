"""What may stand where in an address, and which files a run's folder has: all else is refused."""

import re
from typing import Final

from ._answers import Refused

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_FOLDER: Final = r"(?![.\s])[A-Za-z0-9_.+=@,()%~ -]{1,250}"
_DOCUMENT: Final = re.compile(
    r"run\.json|parameters\.json|git\.json|environment\.json|diff\.patch"
    rf"|attempts/[1-9][0-9]{{0,6}}\.json|(?:metrics|files)/{_FOLDER}/\.name"
)
_LINES: Final = re.compile(
    r"logs/logs\.jsonl|parameters\.jsonl|rewinds\.jsonl|system/data\.jsonl"
    rf"|metrics/{_FOLDER}/data\.jsonl"
)
_LONGEST_NAME: Final = 1_000


def is_document(path: str) -> bool:
    """Tell whether a path is that of a small file of a run, which is replaced whole.

    Example:
        >>> from understudy.server._paths import is_document, is_lines
        >>> is_document("attempts/1.json"), is_document("attempts/../run.json")
        (True, False)
        >>> is_lines("metrics/train%2Floss/data.jsonl"), is_lines("metrics/../data.jsonl")
        (True, False)
    """
    return _DOCUMENT.fullmatch(path) is not None


def is_lines(path: str) -> bool:
    """Tell whether a path is that of a file of lines, which is only appended to."""
    return _LINES.fullmatch(path) is not None


def metric_folder(path: str) -> str | None:
    """Return the folder of the metric whose points a file of lines has, if it has some."""
    top, _, rest = path.partition("/")
    return rest.removesuffix("/data.jsonl") if top == "metrics" else None


def name_at(what: str, value: str) -> str:
    """Return a name out of an address, or out of a body.

    Args:
        what: what it is the name of: `run` and `file` are ids, all others what people call things.
        value: the name.

    Raises:
        Refused: it cannot be one.
    """
    if what in ("run", "file"):
        if not _ID.fullmatch(value):
            raise Refused(
                400,
                "name",
                f"{value!r:.80} is no id of a {what}: letters, digits, - and _, 64 at most",
            )
    elif not value or len(value) > _LONGEST_NAME or _CONTROL.search(value):
        raise Refused(
            400,
            "name",
            f"{value!r:.80} is no {what}: 1 to {_LONGEST_NAME:,} characters, no controls",
        )
    if what == "project" and value == "*":
        raise Refused(400, "name", "no project is called *: in a token it means all of them")
    return value
