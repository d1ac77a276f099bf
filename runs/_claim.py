"""Which folder a run records into: an old one or a new one, as it was asked for."""

from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from ._attempts import read_attempts, status_of
from ._errors import RunError
from ._manifest import FILE, found_run
from ._names import folder_name, make_folder
from ._settings import Settings


class Claim(NamedTuple):
    """A folder to record into."""

    path: Path
    prefix: str
    is_new: bool


def folder_of(settings: Settings, prefix: str) -> Path:
    """Return where a run lies."""
    return Path(settings.root) / folder_name(settings.project) / folder_name(prefix)


def claim(settings: Settings, said: dict[str, Any]) -> Claim:
    """Find the folder, or make it.

    Args:
        settings: what was asked for.
        said: what run.json says of a new run.

    Raises:
        RunError: the run exists and may not, or the other way round.
        OSError: the folder cannot be written.
    """
    if settings.resume == "must":
        return _found(settings)
    for number in count(1):
        prefix = settings.prefix if number == 1 else f"{settings.prefix}-{number}"
        path = folder_of(settings, prefix)
        make_folder(path.parent, settings.project)
        make_folder(path, prefix)
        if found_run(path, {"project": settings.project, "prefix": prefix, "name": prefix, **said}):
            return Claim(path, prefix, is_new=True)
        if settings.resume == "never":
            raise RunError(
                f"the run exists already: {path}. resume='allow' continues it, resume='new' "
                f"begins another beside it"
            )
        if settings.resume == "allow":
            return Claim(path, prefix, is_new=False)
    raise AssertionError


def _found(settings: Settings) -> Claim:
    path = folder_of(settings, settings.prefix)
    if not (path / FILE).exists():
        raise RunError(f"there is no run to resume: {path}. resume='allow' begins one")
    if status_of(read_attempts(path)) == "RUNNING":
        raise RunError(
            f"the run is still running: {path}. resume='allow' records into it as well, as a "
            f"further attempt"
        )
    return Claim(path, settings.prefix, is_new=False)
