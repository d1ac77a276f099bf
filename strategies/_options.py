"""What options may be: each function says what is wrong with a value, if anything is."""

import math

_MOST_SECONDS = 1e9


def rate_problem(value: object) -> str | None:
    """Say what is wrong with a rate."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
        return None
    return "it takes a rate from 0 to 1"


def limit_problem(value: object) -> str | None:
    """Say what is wrong with a limit; None is none."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return None
    return "it takes a whole number of at least 1, or None for no limit"


def timeout_problem(value: object) -> str | None:
    """Say what is wrong with a timeout; None is none."""
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            seconds = float(value)
        except OverflowError:
            seconds = math.inf
        if 0 < seconds < _MOST_SECONDS:
            return None
    return "it takes a number of seconds above 0, or None for no timeout"


def flag_problem(value: object) -> str | None:
    """Say what is wrong with a flag."""
    return None if isinstance(value, bool) else "it takes True or False"
