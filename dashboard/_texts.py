"""Texts of a bounded length: what a log says may be as long as it likes."""

from typing import Final

LONGEST_NAME: Final = 200
LONGEST_TEXT: Final = 500


def name_of(text: str) -> str:
    """Return a name that is not too long."""
    return text if len(text) <= LONGEST_NAME else f"{text[:LONGEST_NAME]}…"


def text_of(text: str | None) -> str | None:
    """Return a text that is not too long."""
    return text if text is None or len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"
