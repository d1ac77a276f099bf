"""Times and durations as people write them: "2026-11-01T10:00", "-7d", "90s"."""

import re
from datetime import datetime
from typing import Final

_SECONDS: Final = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_SPAN: Final = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*([smhdw])\s*", re.ASCII)


def span_of(text: str) -> float | None:
    """Return how many seconds a duration is; None if it is none.

    Example:
        >>> from understudy.runs._times import span_of
        >>> span_of("90s"), span_of("1.5h"), span_of("soon")
        (90.0, 5400.0, None)
    """
    found = _SPAN.fullmatch(text)
    return None if found is None else float(found[1]) * _SECONDS[found[2]]


def ago_of(text: str) -> float | None:
    """Return how many seconds ago "-7d" was; None if it is nothing of the kind.

    Example:
        >>> from understudy.runs._times import ago_of
        >>> ago_of("-1d"), ago_of("1d")
        (86400.0, None)
    """
    before, minus, span = text.partition("-")
    return span_of(span) if minus and not before.strip() else None


def moment_of(text: str) -> float | None:
    """Return the seconds since 1970 of a day or a time; None if it is none.

    Example:
        >>> from understudy.runs._times import moment_of
        >>> moment_of("1970-01-02T00:00:00Z"), moment_of("2026-13-01")
        (86400.0, None)
    """
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError, OSError):  # no such day, or one that no clock has
        return None
