"""All contenders, in the order they are told in."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final

from . import (
    _floors,
    _laboratory,
    _mailboxes,
    _pykka,
    _ray,
    _spearmint,
    _thespian,
    _threads,
    _understudy,
    _xoscar,
)
from ._contender import Contender
from ._kinds import Kind

FLOORS: Final = _floors.CONTENDER
UNDERSTUDY: Final = _understudy.CONTENDER
CONTENDERS: Final = {
    contender.key: contender
    for contender in (
        UNDERSTUDY,
        *_mailboxes.CONTENDERS,
        *_threads.CONTENDERS,
        *_spearmint.CONTENDERS,
        _laboratory.CONTENDER,
        _pykka.CONTENDER,
        _thespian.CONTENDER,
        _xoscar.CONTENDER,
        _ray.CONTENDER,
    )
}


def version_of(contender: Contender) -> str | None:
    """Return the version of what is installed of a contender; None where nothing is."""
    try:
        return version(contender.distribution) if contender.distribution else ""
    except PackageNotFoundError:
        return None


def why_not(contender: Contender, kind: Kind) -> str:
    """Return why a contender has no such call; nothing if it has."""
    if version_of(contender) is None:
        return "not installed"
    return contender.cannot.get(kind.key, "")
