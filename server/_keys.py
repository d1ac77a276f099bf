"""What contents are kept under: made of checksums of ids, never of what people call things."""

import re
from hashlib import sha256

from ._errors import UnfitError

_KEY = re.compile(r"([0-9a-z]{1,64}/){0,5}[0-9a-z]{1,64}")


def run_prefix(project: str, run: str) -> str:
    """Return what the keys of all contents of a run start with.

    Example:
        >>> from understudy.server._keys import run_prefix
        >>> run_prefix("../etc", "0006527d5f2b1c40")
        'f7f9121fdb53d8de1eccbfa65c4bd976/8e735716f47548fa8b4ff18ecf691232/'
    """
    return f"{_told(project)}/{_told(run)}/"


def file_key(project: str, run: str, file: str) -> str:
    """Return the key of the content of a file."""
    return f"{run_prefix(project, run)}{_told(file)}/whole"


def parts_prefix(project: str, run: str, file: str) -> str:
    """Return what the keys of the parts of a file that is on its way start with."""
    return f"{run_prefix(project, run)}{_told(file)}/parts/"


def part_key(project: str, run: str, file: str, part: int) -> str:
    """Return the key of a part; in their order, if sorted."""
    return f"{parts_prefix(project, run, file)}{part:08d}"


def part_of(key: str) -> int:
    """Return which part a key of one is for."""
    return int(key.rpartition("/")[2])


def check_key(key: str) -> str:
    """Return a key, or what keys start with, if it is one that is made here."""
    if not _KEY.fullmatch(key.removesuffix("/")):
        raise UnfitError(
            f"{key[:200]!r} is no key of a content: understudy.server._keys makes them"
        )
    return key


def _told(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
