"""`understudy runs rm`: removes runs, after it has asked."""

import sys
from argparse import Namespace
from collections.abc import Sequence

from understudy.terminal import printable

from ._command import write_json
from ._errors import RunError
from ._manifest import FILE
from ._reading import RunFolder
from ._removal import remove
from ._tables import shown_moment
from ._which import which

_MOST_TOLD = 20


def run(asked: Namespace) -> int:
    """Remove them: none, if one of them may not be."""
    found = [
        *{each.path: each for each in (which(name, asked.root) for name in asked.names)}.values()
    ]
    _refuse_those_that_run(found, asked)
    _refuse_what_may_be_no_run(found, asked)
    if not asked.yes and not _agrees(found):
        print("nothing was removed", file=sys.stderr)
        return 1
    removed: list[dict[str, str]] = []
    try:
        for each in found:
            _refuse_those_that_run([each], asked)  # it may have begun meanwhile
            said = {"id": each.id, "project": each.project, "prefix": each.prefix}
            remove(each.path)
            removed.append({**said, "path": str(each.path)})
            if not asked.json:
                print(f"removed {printable(said['project'])}/{printable(said['prefix'])}")
    finally:
        if asked.json:
            write_json({"removed": removed})
    return 0


def _refuse_those_that_run(found: Sequence[RunFolder], asked: Namespace) -> None:
    running = [] if asked.force else [each for each in found if each.status == "RUNNING"]
    if running:
        names = ", ".join(f"{each.project}/{each.prefix}" for each in running)
        are = "is running" if len(running) == 1 else "are running"
        raise RunError(f"{names} {are}: end it first, or say --force")


def _refuse_what_may_be_no_run(found: Sequence[RunFolder], asked: Namespace) -> None:
    """Refuse folders that only look like runs: somebody else may have a parameters.json."""
    strange = [each for each in found if not (each.path / FILE).is_file()]
    if strange and not asked.force:
        raise RunError(f"{strange[0].path} has no {FILE}: say --force if it is to be removed")


def _agrees(found: Sequence[RunFolder]) -> bool:
    """Ask whoever sits there."""
    count = "this run" if len(found) == 1 else f"these {len(found)} runs"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise RunError(f"{count} would be gone for good: say --yes, as nobody can be asked here")
    for each in found[:_MOST_TOLD]:
        made = shown_moment(each.info.get("created"))
        name = printable(f"{each.project}/{each.prefix}")
        print(f"  {each.status or 'unknown':9}  {name}  {made}", file=sys.stderr)
    if len(found) > _MOST_TOLD:
        print(f"  ... and {len(found) - _MOST_TOLD} more", file=sys.stderr)
    sys.stderr.write(f"Remove {count} for good? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
