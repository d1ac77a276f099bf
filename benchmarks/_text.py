"""Writes tables and amounts: aligned for people, and as Markdown."""

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]], *, left: int = 1, left_end: int = 0) -> str:
    """Align a table.

    Args:
        rows: the head first.
        left: so many columns are aligned to the left,
        left_end: and so many of the last; the others to the right.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if _is_left(place, len(row), left, left_end) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def markdown(rows: Sequence[Sequence[str]], *, left: int = 1, left_end: int = 0) -> str:
    """Write a table as Markdown; the head comes first."""
    head, *body = rows
    rule = [
        "---" if _is_left(place, len(head), left, left_end) else "---:"
        for place in range(len(head))
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *body))


def amount(value: float, unit: str) -> str:
    """Write an amount: of seconds, bytes, or a number."""
    if unit == "B":
        return f"{value:,.0f} B"
    if unit == "n":
        return f"{value:,.4g}"
    for name, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if abs(value) >= size:
            return f"{value / size:.3g} {name}"
    return f"{value / 1e-9:.3g} ns"


def _is_left(place: int, places: int, left: int, left_end: int) -> bool:
    return place < left or place >= places - left_end
