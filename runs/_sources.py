"""Finding the runs of other tools in a folder, and telling which tool made them."""

import os
from collections.abc import Iterator
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from ._arrival import Arrival

Kind = Literal["ml-dash", "mlflow", "wandb", "tensorboard"]
"""What runs are imported from."""

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

_ROOMS: Final[dict[Kind, str]] = {  # in the order in which they are asked
    "mlflow": "_from_mlflow",
    "wandb": "_from_wandb",
    "ml-dash": "_from_ml_dash",
    "tensorboard": "_from_tensorboard",
}
_CLOSED: Final = ("mlflow", "wandb")
"""In whose runs no others are sought: what lies there belongs to them."""
_HIDDEN: Final = (".dash", ".wandb")
"""Folders that are looked into although they are hidden."""
_NOT_OURS: Final = ("node_modules", "site-packages", "__pycache__")
_DEEPEST: Final = 30


class Source(NamedTuple):
    """A run of another tool, where it was found."""

    kind: Kind
    path: Path
    project: str
    """What it belongs to, if it does not say itself,"""
    prefix: str
    """and what it is called."""

    @property
    def key(self) -> str:
        """What it is known by when it is met again: its own id, or else its place."""
        of_its_own = {"mlflow": self.path.name, "wandb": self.path.name}
        return f"{self.kind}:{of_its_own.get(self.kind) or self.path.resolve()}"

    def fill(self, arrival: "Arrival") -> None:
        """Read all of it."""
        _room(self.kind).fill(self.path, arrival)

    def state(self) -> str:
        """Return what changes when the source does: made of sizes and times."""
        told = sha256()
        for where, folders, names in os.walk(self.path):
            folders.sort()
            for name in sorted(names):
                try:
                    found = os.lstat(os.path.join(where, name))
                except OSError:
                    continue
                place = os.path.relpath(os.path.join(where, name), self.path)
                line = f"{place}\0{found.st_size}\0{found.st_mtime_ns}\n"
                told.update(line.encode("utf-8", "surrogateescape"))
            if self.kind == "tensorboard":  # the folders below are runs of their own
                break
        return told.hexdigest()[:32]


def find_sources(path: Path, kind: Kind | None) -> Iterator[Source]:
    """Yield the runs of other tools in a folder, or the one that a file belongs to.

    Links are not followed, and runs of our own are passed over.

    Args:
        path: where to look.
        kind: only those of this tool.
    """
    top = path.absolute() if path.is_dir() else path.absolute().parent
    for where, folders, names in os.walk(top):
        folder = Path(where)
        found = None if "run.json" in names else _kind_of(folder, {*folders}, {*names}, kind)
        if found is not None:
            yield _source(found, folder, top)
        if "run.json" in names or found in _CLOSED or not path.is_dir():
            folders.clear()
            continue
        parts = _parts(found)
        folders[:] = sorted(
            each
            for each in folders
            if each not in parts
            and each not in _NOT_OURS
            and (not each.startswith(".") or each in _HIDDEN)
        )
        if len(folder.parts) - len(top.parts) >= _DEEPEST:
            folders.clear()


def _kind_of(folder: Path, folders: set[str], files: set[str], kind: Kind | None) -> Kind | None:
    for each in _ROOMS:
        if kind in (None, each) and _room(each).is_run(folder, folders, files):
            return each
    return None


def _source(kind: Kind, folder: Path, top: Path) -> Source:
    """Return a source, with names by its place."""
    inner = folder.relative_to(top).parts
    if not inner:  # it was pointed at
        return Source(kind, folder, folder.parent.name, folder.name)
    if kind == "tensorboard":
        return Source(kind, folder, top.name, "/".join(inner))
    return Source(kind, folder, folder.parent.name, folder.name)


def _parts(kind: Kind | None) -> frozenset[str]:
    if kind != "ml-dash":
        return frozenset()
    from ._from_ml_dash import PARTS

    return PARTS


def _room(kind: Kind) -> Any:
    return import_module(f".{_ROOMS[kind]}", __package__)
