"""What a run may be told at the start: misuse is an error there, and only there."""

import os
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn, ParamSpec, cast

from ._errors import RunArgumentError

if TYPE_CHECKING:
    from ._remote import Remote

Resume = Literal["allow", "never", "must", "new"]
"""What to do with a run that exists: continue it, refuse, insist on it, or begin another."""

Sync = Literal["process", "always"]
"""What an acknowledged line survives: the death of the process, or also a loss of power."""

RESUME: Final = ("allow", "never", "must", "new")
SYNC: Final = ("process", "always")

_OTHER_WORDS: Final = ("name", "run_name", "run", "id", "experiment")
"""What others call a prefix."""

P = ParamSpec("P")


def by_name(init: Callable[P, None]) -> Callable[P, None]:
    """Have a run that is made without its prefix, or not by name, say what it takes."""

    @wraps(init)
    def begin(*itself: P.args, **named: P.kwargs) -> None:
        if len(itself) > 1:
            raise RunArgumentError(f"Run() takes its arguments by name: Run(prefix={itself[1]!r})")
        if "prefix" not in named:
            instead = next((name for name in _OTHER_WORDS if name in named), None)
            meant = "" if instead is None else f": did you mean 'prefix', instead of {instead!r}?"
            raise RunArgumentError(
                f"Run() needs its prefix{meant or ', which is what the run is called'}"
            )
        init(*itself, **named)

    return begin


def check_unknown(who: str, unknown: Mapping[str, object], known: Iterable[str]) -> None:
    """Refuse an argument that does not exist."""
    for name in unknown:
        raise RunArgumentError(f"{who} has no argument {name!r}{_nearest(name, known)}")


def text(name: str, value: object) -> str:
    """Return an argument that is a text, and not empty."""
    if not isinstance(value, str):
        _refuse(name, value, "a text")
    if not value:
        raise RunArgumentError(f"{name}='' is empty: say what the run is called")
    return value


def text_or_none(name: str, value: object) -> str | None:
    """Return an argument that is a text, if it is given."""
    if value is not None and not isinstance(value, str):
        _refuse(name, value, "a text")
    return value


def texts(name: str, value: object) -> list[str]:
    """Return an argument that is a list of texts."""
    if value is None:
        return []
    if isinstance(value, str) or not isinstance(value, Iterable):
        _refuse(name, value, "a list of texts")
    items = [*cast("Iterable[object]", value)]
    if not all(isinstance(item, str) for item in items):
        _refuse(name, value, "a list of texts")
    return cast("list[str]", items)


def root(value: str | os.PathLike[str] | None) -> str:
    """Return the folder that all runs are in."""
    place = value if value is not None else os.environ.get("UNDERSTUDY_ROOT") or "experiments"
    return os.path.abspath(place)


def one_of(name: str, value: object, known: tuple[str, ...]) -> str:
    """Return an argument that is one of several words."""
    if not isinstance(value, str) or value not in known:
        words = ", ".join(map(repr, known))
        raise RunArgumentError(
            f"{name}={value!r}: it is one of {words}{_nearest(str(value), known)}"
        )
    return value


def step_or_none(name: str, value: object) -> int | float | None:
    """Return an argument that is a step, if it is given."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
        _refuse(name, value, "the number of a step")
    return value


def aspects(value: object, known: tuple[str, ...]) -> frozenset[str]:
    """Return which aspects are captured: all, none, or those named."""
    if isinstance(value, bool):
        return frozenset(known if value else ())
    return frozenset(one_of("capture", each, known) for each in texts("capture", value))


def seconds(name: str, value: object, usual: float) -> float | None:
    """Return how many seconds lie between two samples; None if there are to be none."""
    if value is None or value is False:
        return None
    if value is True:
        return usual
    if not isinstance(value, (int, float)) or not value > 0:
        _refuse(name, value, "True, or the seconds between two samples")
    return float(value)


def server_or_none(address: Any, token: object) -> "Remote | None":
    """Return the server that a run is sent to, if there is to be one."""
    said = text_or_none("token", token)
    if address is None:
        return None
    from ._remote import Remote

    return Remote(address, said)


def _refuse(name: str, value: Any, wanted: str) -> NoReturn:
    raise RunArgumentError(f"{name}={value!r} is no such thing: it takes {wanted}")


def _nearest(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, [*known], n=1)
    return f": did you mean {near[0]!r}?" if near else ""
