"""Writes what was measured into a page, between two marks; the words around it stay."""

from pathlib import Path
from typing import Final

END: Final = "<!-- measured: up to here -->"


def write_into(page: str, begin: str, measured: str) -> str:
    """Return a page with the measured part written anew.

    Args:
        page: the page.
        begin: the mark that the measured part begins with; it ends with `END`.
        measured: the part.

    Raises:
        ValueError: the marks are not there.
    """
    before, found, rest = page.partition(begin)
    _, end, after = rest.partition(END)
    if not found or not end:
        raise ValueError(f"the page has no part between {begin!r} and {END!r}")
    return f"{before}{begin}\n\n{measured}\n\n{END}{after}"


def rewrite(file: Path, begin: str, measured: str) -> None:
    """Write the measured part of a file anew."""
    page = file.read_text(encoding="utf-8")
    file.write_text(write_into(page, begin, measured), encoding="utf-8")
