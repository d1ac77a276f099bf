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


def milliseconds(value: float | None) -> str:
    """Return a number of milliseconds in three digits or so; a dash if nobody knows."""
    if not value:
        return "-" if value is None else "0"
    digits = 0 if value >= 99.95 else 1 if value >= 9.995 else 2 if value >= 0.9995 else 3
    return f"{value:.{digits}f}"
