"""Numbers written in a file, read without surprises."""

import math

from ._errors import ConfigError
from ._keypath import KeyPath


def checked_int(text: str, path: KeyPath = (), line: int | None = None) -> int:
    """Read an integer: decimal, `0o17` or `0xff`."""
    base = 8 if text.startswith("0o") else 16 if text.startswith("0x") else 10
    try:
        return int(text, base)
    except ValueError:  # Python reads at most 4,300 digits
        raise ConfigError(
            f"an integer of {len(text):,} digits is too long: quote it", path, _where(line)
        ) from None


def checked_float(text: str, path: KeyPath = (), line: int | None = None) -> float:
    """Read a decimal number that a float can hold."""
    value = float(text)
    if math.isinf(value):
        raise ConfigError(f"{text} is too large for a float: quote it", path, _where(line))
    return value


def _where(line: int | None) -> str | None:
    return None if line is None else str(line)
