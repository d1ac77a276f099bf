"""A name, of whatever people call things, and the one folder name that stands for it.

Ordinary names stay as they are: `my-experiment`, `val loss`. What a file system might take for
something else is written `%2F`, by its bytes. Names that differ only in case would share a folder
on some systems: what is in capitals is told behind a `~`, as the bits of a number, `AUC~7`. A name
that is too long is cut, and `~~` and a hash follow: then the whole name is kept beside it.
"""

import re
from pathlib import Path
from typing import Final

LONGEST: Final = 200
"""How many bytes a folder name has at most: systems allow 255, and we put a little around it."""
NAME_FILE: Final = ".name"
"""Holds the whole name, in a folder whose own name was cut."""

_KEPT: Final = 120
_UNSAFE: Final = re.compile(rb"[^A-Za-z0-9_.+=@,() -]")
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(?=\.|~|$)", re.IGNORECASE)
_CAPITALS: Final = re.compile(r"[A-Z]")
_ESCAPED: Final = re.compile(rb"%([0-9A-F]{2})")


def folder_name(name: str) -> str:
    """Return the folder name that stands for a name, and for no other.

    Example:
        >>> from understudy.runs import folder_name
        >>> folder_name("my-experiment"), folder_name("train/loss"), folder_name("../x")
        ('my-experiment', 'train%2Floss', '%2E.%2Fx')
        >>> folder_name("AUC"), folder_name("auc"), folder_name("")
        ('AUC~7', 'auc', '%')
    """
    safe = _safe(name)
    capitals = _capitals(safe)
    whole = f"{safe}~{capitals:x}" if capitals else safe
    return whole if len(whole) <= LONGEST else _cut(name, safe)


def name_of(folder: Path) -> str:
    """Return the name that a folder stands for."""
    written = folder.name
    if "~~" in written:
        try:
            return (folder / NAME_FILE).read_bytes().decode("utf-8", "surrogatepass")
        except OSError:
            return written
    safe = written.partition("~")[0]
    if safe == "%":
        return ""
    plain = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), safe.encode())
    return plain.decode("utf-8", "surrogatepass")


def make_folder(folder: Path, name: str) -> None:
    """Make the folder that stands for a name."""
    folder.mkdir(parents=True, exist_ok=True)
    if "~~" in folder.name:
        (folder / NAME_FILE).write_bytes(name.encode("utf-8", "surrogatepass"))


def file_name(name: str) -> str:
    """Return what a file is called on disk; its folder is its own, so that case need not tell.

    Example:
        >>> from understudy.runs._names import file_name
        >>> file_name("Model.pth"), file_name("../x"), file_name("file.json")
        ('Model.pth', '%2E.%2Fx', '%66ile.json')
    """
    safe = _safe(name)
    if safe.lower() == "file.json":  # that one is ours
        return f"%{ord(safe[0]):02X}{safe[1:]}"
    if len(safe) <= LONGEST:
        return safe
    _, dot, suffix = safe.rpartition(".")
    return _cut(name, safe) + (dot + suffix if len(suffix) <= 20 else "")


def _safe(name: str) -> str:
    written = _UNSAFE.sub(
        lambda found: b"%%%02X" % found[0][0], name.encode("utf-8", "surrogatepass")
    )
    safe = written.decode()
    if not safe:
        return "%"
    if safe[0] in ". -" or _DEVICES.match(safe):  # hidden, a switch of a command, a device
        safe = f"%{ord(safe[0]):02X}{safe[1:]}"
    if safe[-1] in ". ":  # Windows leaves them out
        safe = f"{safe[:-1]}%{ord(safe[-1]):02X}"
    return safe


def _capitals(safe: str) -> int:
    """Return where a name has capitals; those of an escape are always there, and say nothing."""
    plain = _ESCAPED.sub(b"%__", safe.encode()).decode()
    return sum(1 << found.start() for found in _CAPITALS.finditer(plain))


def _cut(name: str, safe: str) -> str:
    from hashlib import sha256

    told = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{safe[:_KEPT].rstrip('. ')}~~{told}"
